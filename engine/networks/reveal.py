"""The attacker's network: from a protected picture to the face it hides, without any key."""

from itertools import pairwise
from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, silu

from engine.errors import ImageShapeError
from engine.networks.mixins import ConfigMixin, ModelMixin, register_to_config
from engine.wavelet import haar, inverse_haar

_WIDEST: Final = 4
"""Most channels of a level, times those of the first."""


class Reveal(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """A U-Net that is shown pictures only, and guesses the original as a change of the first one.

    It is trained on other faces under random keys, so what it learns is what the method leaks to
    everybody. Given the mask alone it is its own control: what a de-blurrer gets from any mask.
    It works on Haar sub-bands, as what it attacks does: half the time of a U-Net on pixels, and
    what is hidden in fine detail is in channels of its own from the start.

    Args:
        width: channels at half size; the small net has 48, the large one 96.
        depth: halvings of that; the receptive field covers a 112 px face from 3 on.
        pictures: pictures stacked as input, three channels each.
        places: side of the pictures where it learns three planes of its own beside them, or 0: what
            is the same at the same place of every picture, such as a key used twice, can be learned
            there, and by no convolution.
        residual: it is shown residuals alone, which :func:`engine.attacks.revealing.see` makes.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        width: int = 48,
        depth: int = 3,
        pictures: int = 1,
        places: int = 0,
        residual: bool = False,
    ) -> None:
        super().__init__()
        planes = 3 if places else 0
        widths = [min(width * 2**level, _WIDEST * width) for level in range(depth + 1)]
        self.enter = nn.Conv2d(4 * (3 * pictures + planes), width, 3, padding=1)
        self.planes = nn.Parameter(0.1 * torch.randn(1, 3, places, places)) if places else None
        self.down = nn.ModuleList(_Residual(a, b) for a, b in pairwise(widths))
        self.middle = _Residual(widths[-1], widths[-1])
        self.up = nn.ModuleList(_Residual(b + a, a) for a, b in reversed(list(pairwise(widths))))
        self.leave = nn.Conv2d(width, 12, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(cast(Tensor, self.leave.bias))

    def forward(self, pictures: Tensor) -> Tensor:
        """Guess the original.

        Args:
            pictures: (B, 3 P, H, W), RGB in [0, 1], both sides even; the protected picture (or the
                mask) first.

        Returns:
            (B, 3, H, W), not clamped.

        Raises:
            ImageShapeError: another number of channels, an odd side, or other sides than its planes
                have.
        """
        expected = 3 * self.config.pictures
        if pictures.ndim != 4 or pictures.shape[1] != expected:
            raise ImageShapeError(
                f"pictures must be (B, {expected}, H, W), got {tuple(pictures.shape)}",
                hint="stack as many pictures as the network was made for",
            )
        x = self.enter(haar(self._with_planes(pictures)))
        skips = []
        for block in self.down:
            skips.append(x)
            x = block(interpolate(x, scale_factor=0.5, mode="area") if min(x.shape[-2:]) > 1 else x)
        x = self.middle(x)
        for block, skip in zip(self.up, reversed(skips), strict=True):
            x = interpolate(x, size=skip.shape[-2:], mode="nearest")
            x = block(torch.cat([x, skip], 1))
        guess: Tensor = pictures[:, :3] + inverse_haar(self.leave(silu(x)))
        return guess

    def _with_planes(self, pictures: Tensor) -> Tensor:
        if self.planes is None:
            return pictures
        if pictures.shape[-2:] != self.planes.shape[-2:]:
            raise ImageShapeError(
                f"sides must be {self.config.places}, got {tuple(pictures.shape[-2:])}",
                hint="a network that knows places takes whole faces of one size",
            )
        return torch.cat([pictures, self.planes.expand(len(pictures), -1, -1, -1)], 1)


class _Residual(nn.Module):
    """Two convolutions and a shortcut, normalised by groups: a batch equals its items."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, out, 3, padding=1)
        self.second = nn.Conv2d(out, out, 3, padding=1)
        self.norms = nn.ModuleList((nn.GroupNorm(8, channels), nn.GroupNorm(8, out)))
        self.shortcut = nn.Identity() if channels == out else nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        inner = self.first(silu(self.norms[0](x)))
        inner = self.second(silu(self.norms[1](inner)))
        total: Tensor = self.shortcut(x) + inner
        return total
