"""Averages of many faces as a mean, components and coefficients: what k-Same lays over a face."""

import torch
from torch import Tensor, nn

from engine.networks.mixins import ConfigMixin, ModelMixin, register_to_config


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
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        groups: int = 16,
        components: int = 8,
        pixels: int = 64,
        side: int = 112,
        least: int = 10,
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
        self.pixel_of = kept(side, side, dtype=torch.int16)

    def forward(self, groups: Tensor, character: float = 1.0) -> Tensor:
        """Draw averages.

        Args:
            groups: (B,) int64, which.
            character: 1 draws the average itself; more takes it further from the mean of all.

        Returns:
            (B, 3, side, side), RGB in [0, 1], landmarks at ``shape``; beyond the inner face its
            nearest pixel is repeated.
        """
        weights = character * self.coefficients[groups].float() * self.scales
        pixels = self.mean + weights @ self.basis.float()
        drawn = pixels.view(len(groups), -1, 3)[:, self.pixel_of.long()]
        return drawn.permute(0, 3, 1, 2).clamp(0, 1)
