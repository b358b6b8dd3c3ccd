"""The keyless invertible network of IMN: whoever has its weights brings the original back."""

from typing import cast

import torch
from torch import Tensor

from engine.networks.coupling import AffineCoupling, CouplingChain
from engine.networks.emphasizing import Emphasizing
from engine.networks.mixins import ConfigMixin, ModelMixin, register_to_config
from engine.wavelet import haar, inverse_haar

_MAGNIFYING = 3
"""How many, at most, of the blocks that :meth:`Imn.deepened` adds."""


class Imn(Emphasizing, ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Puts a mask on an original and takes it off again, without any key.

    ::

        original ─ Haar ─┐                                   ┌─ inverse Haar ─ byproduct
                         ├─ block 1 ─ block 2 ─ ... block N ─┤
        mask ───── Haar ─┘                                   └─ inverse Haar ─ protected

    Backwards, an auxiliary input stands in for the byproduct. Training draws it from a Gaussian, as
    the paper does; recovery takes that Gaussian's mean, zero, unless another is given: the same
    picture comes back each time.

    Fully convolutional: any even height and width. Source: IMN, Sec. 2.3.

    Args:
        blocks: number of coupling blocks N (the paper: 16, which with ``growth`` 32 are 4.05
            million parameters).
        growth: features that each layer of a dense block adds.
        clamp: bound of the log-scale of the affine coupling (2.0).
        emphasis: exponent of the pre-emphasis of what is hidden, see :mod:`engine.emphasis`; 0 for
            none, as in the paper.
        rounding_cell: side of the cells that are rounded to 8 bits as recovery feels them, see
            :mod:`engine.rounding`; 0 for none, and each sample is rounded by itself, as in the
            paper.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        blocks: int = 16,
        growth: int = 32,
        clamp: float = 2.0,
        emphasis: float = 0.0,
        rounding_cell: int = 0,
    ) -> None:
        super().__init__()
        self._feel_cells(rounding_cell)
        self.couplings = CouplingChain(
            AffineCoupling(channels=12, growth=growth, clamp=clamp) for _ in range(blocks)
        )

    def deepened(self, blocks: int) -> "Imn":
        """Give it blocks behind its own, which change nothing that is shared until they learn.

        The last of them magnify the byproduct, each 7 times where the clamp is 2, and a Gaussian
        that stands in for it comes back as small: what was learned with zeros there is nearly right
        with noise.

        Args:
            blocks: of the network returned; itself, if it has as many or more.
        """
        own = len(self.couplings)
        if blocks <= own:
            return self
        deep = cast(Imn, Imn.from_config({**self.config, "blocks": blocks}))
        deep.load_state_dict({**deep.state_dict(), **self.state_dict()})
        magnifying = cast(list[AffineCoupling], list(deep.couplings[own:]))[-_MAGNIFYING:]
        for before, coupling in enumerate(magnifying):
            coupling.magnify(before)
        return deep

    def forward(self, original: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Hide ``original`` in ``mask``.

        Args:
            original: (B, 3, H, W), RGB in [0, 1], H and W even.
            mask: the same shape and range.

        Returns:
            ``(protected, byproduct)``, each (B, 3, H, W), not clamped. The byproduct must not leave
            the caller.
        """
        x, y = self.couplings(haar(self.emphasized(original)), haar(mask))
        return inverse_haar(y), inverse_haar(x)

    def protect(self, original: Tensor, mask: Tensor) -> Tensor:
        """:meth:`forward` without the byproduct, and without the work of making it."""
        return self.embed(self.emphasized(original), mask)

    def embed(self, emphasized: Tensor, mask: Tensor) -> Tensor:
        """:meth:`protect` of what is emphasized already: each pixel depends on those near it."""
        return inverse_haar(self.couplings.change_carrier(haar(emphasized), haar(mask)))

    def inverse(self, protected: Tensor, byproduct: Tensor) -> tuple[Tensor, Tensor]:
        """Undo :meth:`forward` exactly: ``(original, mask)`` from both of its outputs."""
        x, y = self.couplings.inverse(haar(byproduct), haar(protected))
        return self.deemphasized(inverse_haar(x)), inverse_haar(y)

    def recover(self, protected: Tensor, auxiliary: Tensor | None = None) -> Tensor:
        """Bring the original back from what was shared, which is all that it takes.

        Args:
            protected: (B, 3, H, W), RGB in [0, 1], H and W even.
            auxiliary: in the byproduct's place, (B, 3, H, W); zeros where there is none.

        Returns:
            (B, 3, H, W), not clamped.
        """
        return self.deemphasized(self.extract(protected, auxiliary))

    def extract(self, protected: Tensor, auxiliary: Tensor | None = None) -> Tensor:
        """:meth:`recover`, still emphasized: each pixel depends on those near it."""
        y = haar(protected)
        x = torch.zeros_like(y) if auxiliary is None else haar(auxiliary)
        return inverse_haar(self.couplings.restore_original(x, y))
