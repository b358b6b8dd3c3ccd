"""The landmark network: where eyes, nose and mouth of a portrait are."""

from typing import cast

import torch
from torch import Tensor, nn

from engine.networks.mixins import ConfigMixin, ModelMixin, register_to_config
from engine.networks.recognizer import ResidualBlock

_TYPICAL = ((-0.15, -0.16), (0.15, -0.16), (0.0, 0.015), (-0.125, 0.15), (0.125, 0.15))
"""Where the landmarks of a portrait are on average, which a fresh network says of each."""


class LandmarkRegressor(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """A portrait that was placed by rough landmarks in, better ones out.

    ::

        portrait ── unshuffle ── stem ── 28 ── 14 ── 7 px ── narrow ── linear ── five points
        112 px      12 channels          residual blocks     1 x 1

    Regression of coordinates as in PFLD (Guo et al. 2019), with the residual blocks of
    :class:`engine.networks.recognizer.Recognizer`; which place a feature is in is what is asked,
    so nothing is averaged over the plane before the last layer.

    Args:
        widths: channels at 28, 14 and 7 pixels, multiples of 8.
        blocks: residual blocks at each of them.
        narrow: channels of the last plane.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        widths: tuple[int, int, int] = (32, 64, 96),
        blocks: tuple[int, int, int] = (1, 2, 2),
        narrow: int = 32,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = [
            nn.PixelUnshuffle(2),
            nn.Conv2d(12, widths[0], 3, 2, padding=1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.PReLU(widths[0]),
        ]
        before = widths[0]
        for stage, (width, count) in enumerate(zip(widths, blocks, strict=True)):
            for index in range(count):
                layers.append(ResidualBlock(before, width, 2 if stage and not index else 1))
                before = width
        self.body = nn.Sequential(*layers)
        last = nn.Linear(narrow * 7 * 7, 2 * len(_TYPICAL))
        nn.init.zeros_(last.weight)
        with torch.no_grad():
            last.bias.copy_(torch.tensor(_TYPICAL).flatten())
        self.points = nn.Sequential(
            nn.Conv2d(before, narrow, 1, bias=False),
            nn.BatchNorm2d(narrow),
            nn.PReLU(narrow),
            nn.Flatten(),
            last,
        )

    def forward(self, portraits: Tensor) -> Tensor:
        """Find the landmarks of portraits.

        Args:
            portraits: (B, 3, 112, 112), RGB in [0, 1], see :mod:`engine.masks.portrait`.

        Returns:
            (B, 5, 2): x and y in ArcFace order, as shares of the portrait's side from its middle,
            which is (0, 0).
        """
        return cast(Tensor, self.points(self.body(2 * portraits - 1))).reshape(-1, len(_TYPICAL), 2)
