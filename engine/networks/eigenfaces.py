"""Averages of many faces as a mean, components and coefficients: what k-Same lays over a face."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.networks.mixins import ConfigMixin, ModelMixin, register_to_config

_WINDOW = 9
"""Side of a window, taken three times, whose pixels are near."""

_SEAM = 0.3
"""Share of the window by which what is kept fades into what is beyond, from its border inwards."""


class EigenFaces(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Draws the average face of any of its groups; nothing in it comes from fewer than ``least``.

    ::

        coefficients of a group ── x components ── + mean ── pixels of the inner face ── picture

    Mean and components are those of the groups' averages alone, not of single faces (Turk and
    Pentland 1991 take single ones). Made by :mod:`engine.training.averages`; nothing is learned.

    Args:
        groups: averages.
        components: of the pixels.
        pixels: of the inner face, and a little more.
        side: of the pictures, in pixels.
        least: faces in every group.
        dimensions: of what a recogniser sees in each average: the released one, and the one in
            whose space identities are.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        groups: int = 16,
        components: int = 8,
        pixels: int = 64,
        side: int = 112,
        least: int = 10,
        dimensions: int = 256,
    ) -> None:
        super().__init__()

        def kept(*shape: int, dtype: torch.dtype = torch.float32) -> nn.Parameter:
            return nn.Parameter(torch.zeros(shape, dtype=dtype), requires_grad=False)

        self.mean = kept(3 * pixels)
        self.basis = kept(components, 3 * pixels, dtype=torch.int8)
        self.scales = kept(components)
        self.coefficients = kept(groups, components, dtype=torch.float16)
        self.landmarks = kept(groups, 5, 2)
        self.shape = kept(5, 2)
        self.tones = kept(groups, 3)
        self.vectors = kept(groups, dimensions, dtype=torch.float16)
        self.identities = kept(groups, dimensions, dtype=torch.float16)
        self.kept = kept(side, side, dtype=torch.bool)

    def forward(self, groups: Tensor, character: float = 1.0) -> Tensor:
        """Draw averages.

        Args:
            groups: (B,) int64, which.
            character: 1 draws the average itself; more takes it further from the mean of all.

        Returns:
            (B, 3, side, side), RGB in [0, 1], landmarks at ``shape``; what is kept of
            the inner face, and beyond it the mean of what is near. Far from the
            mean of all, light and dark end at 1 and 0.
        """
        return self.paint(character * self.coefficients[groups].float())

    def paint(self, coefficients: Tensor) -> Tensor:
        """Draw faces of any coefficients, (B, components), as :meth:`forward` does."""
        pixels = self.mean + coefficients * self.scales @ self.basis.float()
        drawn = pixels.new_zeros(len(coefficients), *self.kept.shape, 3)
        drawn[:, self.kept] = pixels.view(len(coefficients), -1, 3)
        drawn = drawn.permute(0, 3, 1, 2)
        near, share = _spread(drawn), _spread(self.kept.float()[None, None])
        mean = pixels.view(len(coefficients), -1, 3).mean(1)[..., None, None]
        beyond = torch.where(share > 0, near / share.clamp_min(1e-6), mean)
        own = self.kept * ((share - 0.5) / _SEAM).clamp(0, 1)
        return torch.lerp(beyond, drawn, own).clamp(0, 1)

    def nearest(self, pictures: Tensor) -> Tensor:
        """Coefficients, (B, components), of the painted faces that are most like given ones.

        Args:
            pictures: (B, 3, side, side), RGB in [0, 1], landmarks at ``shape``.
        """
        pixels = pictures.permute(0, 2, 3, 1)[:, self.kept].flatten(1)
        basis = self.basis.float()  # its rows are orthogonal, but for their 8 bits
        return (pixels - self.mean) @ (basis / (basis**2).sum(1, keepdim=True)).T / self.scales


def _spread(pictures: Tensor) -> Tensor:
    for _ in range(3):
        pictures = functional.avg_pool2d(pictures, _WINDOW, 1, _WINDOW // 2)
    return pictures
