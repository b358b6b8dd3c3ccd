"""The key-conditioned invertible network of PRO-Face S."""

import torch
from torch import Tensor

from engine.networks.coupling import CouplingChain, SecureAffineCoupling
from engine.networks.emphasizing import Emphasizing
from engine.networks.mixins import ConfigMixin, ModelMixin, register_to_config
from engine.wavelet import haar, inverse_haar


class Embedder(Emphasizing, ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Hides an original in a mask under a key map, and brings it back.

    ::

        original ─ Haar ─┐                                   ┌─ inverse Haar ─ byproduct
                         ├─ block 1 ─ block 2 ─ ... block N ─┤
        mask ───── Haar ─┘     ▲         ▲            ▲      └─ inverse Haar ─ protected
        key map ── Haar ───────┴─────────┴────────────┘

    Backwards, the key's sub-bands, repeated for each colour, stand in for the byproduct.
    Fully convolutional: any even height and width. Source: PRO-Face S, Sec. IV-B and IV-C.

    Args:
        blocks: number of secure affine coupling blocks N (the paper: 3).
        growth: features that each layer of a dense block adds (32).
        clamp: bound of the log-scale of the affine coupling (2.0).
        keyed_recovery: backwards, the key stands in for the byproduct; else zeros do, which is the
            ablation of the paper's Table IV.
        emphasis: exponent of the pre-emphasis of what is hidden, see :mod:`engine.emphasis`; 0 for
            none, as in the paper.
        rounding_cell: side of the cells that are rounded to 8 bits as recovery feels them, see
            :mod:`engine.rounding`; 0 for none, and each sample is rounded by itself, as in the
            paper.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        blocks: int = 3,
        growth: int = 32,
        clamp: float = 2.0,
        keyed_recovery: bool = True,
        emphasis: float = 0.0,
        rounding_cell: int = 0,
    ) -> None:
        super().__init__()
        self._feel_cells(rounding_cell)
        self.couplings = CouplingChain(
            SecureAffineCoupling(channels=12, key_channels=4, growth=growth, clamp=clamp)
            for _ in range(blocks)
        )

    def forward(self, original: Tensor, mask: Tensor, key_map: Tensor) -> tuple[Tensor, Tensor]:
        """Hide ``original`` in ``mask``.

        Args:
            original: (B, 3, H, W), RGB in [0, 1], H and W even.
            mask: the same shape and range.
            key_map: (B, 1, H, W), each value -1 or +1.

        Returns:
            ``(protected, byproduct)``, each (B, 3, H, W), not clamped. The byproduct gives the
            original away: it must not leave the caller.
        """
        x, y = self.couplings(haar(self.emphasized(original)), haar(mask), haar(key_map))
        return inverse_haar(y), inverse_haar(x)

    def protect(self, original: Tensor, mask: Tensor, key_map: Tensor) -> Tensor:
        """:meth:`forward` without the byproduct, and without the work of making it."""
        return self.embed(self.emphasized(original), mask, key_map)

    def embed(self, emphasized: Tensor, mask: Tensor, key_map: Tensor) -> Tensor:
        """:meth:`protect` of what is emphasized already: each pixel depends on those near it."""
        bands = haar(emphasized), haar(mask), haar(key_map)
        return inverse_haar(self.couplings.change_carrier(*bands))

    def inverse(
        self, protected: Tensor, byproduct: Tensor, key_map: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Undo :meth:`forward` exactly: ``(original, mask)`` from both of its outputs."""
        x, y = self.couplings.inverse(haar(byproduct), haar(protected), haar(key_map))
        return self.deemphasized(inverse_haar(x)), inverse_haar(y)

    def recover(self, protected: Tensor, key_map: Tensor) -> Tensor:
        """Bring the original back from what was shared, the key in place of the byproduct.

        Args:
            protected: (B, 3, H, W), RGB in [0, 1], H and W even.
            key_map: (B, 1, H, W), each value -1 or +1; with another map than the one that
                protected, the model's wrong-recovery picture comes out.

        Returns:
            (B, 3, H, W), not clamped.
        """
        return self.deemphasized(self.extract(protected, key_map))

    def extract(self, protected: Tensor, key_map: Tensor) -> Tensor:
        """:meth:`recover`, still emphasized: each pixel depends on those near it."""
        y, key = haar(protected), haar(key_map)
        x = key.repeat_interleave(3, dim=1)
        if not self.config.keyed_recovery:
            x = torch.zeros_like(x)
        return inverse_haar(self.couplings.restore_original(x, y, key))
