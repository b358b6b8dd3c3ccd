"""The enhancer: a generator of faces inside a U-shape, which makes a poor portrait a good one."""

from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.errors import ImageShapeError
from engine.networks.mixins import ConfigMixin, ModelMixin, register_to_config
from engine.networks.swapper import Block, through

_SCALES = (1, 2)


class Enhancer(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """A blurred, coarse or noisy portrait in; a clear one out, as large or twice so.

    ::

        portrait ── unshuffle ── 56 ────── + ── 56 ── shuffle ── change of the portrait, x 1 or x 2
                    2 x 2         └─ 28 ── + ── 28 ──┘
                                      └─ 14 + ── 14 ─┘   a style, which the deepest features set,
                                          └─ 7 ── prior  enters in each block

    As in GPEN (Yang et al., CVPR 2021) the way back is a generator of faces in the manner of
    StyleGAN: it begins from a learned prior, a style that comes from the deepest features enters
    in each block, and the encoder's features take the place of the noise. A portrait always shows
    the face in the same place, so the prior knows where eyes and mouth are. Ours is smaller, and
    its prior is learned together with the rest, not before.

    Args:
        widths: channels at a half, a quarter, an eighth and a sixteenth of the side.
        blocks: residual blocks at each of them, on the way back.
        style: components of the style.
        prior_side: of the learned prior; enlarged where the features are larger.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        widths: tuple[int, ...] = (32, 64, 128, 192),
        blocks: tuple[int, ...] = (1, 2, 2, 1),
        style: int = 192,
        prior_side: int = 7,
    ) -> None:
        super().__init__()
        deepest = widths[-1]
        self.enter = nn.Conv2d(4 * 3, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, 2, padding=1) for a, b in pairwise(widths))
        self.mapping = nn.Sequential(
            nn.Linear(deepest, style), nn.LeakyReLU(0.2), nn.Linear(style, style), nn.LeakyReLU(0.2)
        )
        self.prior = nn.Parameter(0.1 * torch.randn(1, deepest, prior_side, prior_side))
        self.join = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for width in reversed(widths))
        self.stages = nn.ModuleList(
            nn.ModuleList(Block(width, style, "adain") for _ in range(count))
            for width, count in zip(reversed(widths), reversed(blocks), strict=True)
        )
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in reversed(list(pairwise(widths))))
        self.leave = nn.ModuleList(
            nn.Conv2d(widths[0], 3 * (2 * scale) ** 2, 3, padding=1) for scale in _SCALES
        )
        with torch.no_grad():
            for layer in self.leave:
                cast(Tensor, layer.weight).mul_(0.1)

    def forward(self, portraits: Tensor, scale: int = 1) -> Tensor:
        """Enhance.

        Args:
            portraits: (B, 3, S, S), RGB in [0, 1], S even, 2 ** len(widths) * 2 or more.
            scale: 1, or 2 for twice the side.

        Returns:
            (B, 3, S * scale, S * scale), not clamped, so that gradients pass.

        Raises:
            ImageShapeError: another shape or scale.
        """
        _check(portraits, scale, 2 * 2 ** len(self.config.widths))
        features = [functional.leaky_relu(self.enter(_halved(2 * portraits - 1)), 0.2)]
        for layer in self.down:
            features.append(functional.leaky_relu(layer(features[-1]), 0.2))
        style = self.mapping(features[-1].mean((2, 3)))
        x = functional.interpolate(self.prior, features[-1].shape[-2:], mode="bilinear")
        x = x.expand(len(portraits), -1, -1, -1)
        stages = cast(list[nn.ModuleList], self.stages)
        for number, (join, stage) in enumerate(zip(self.join, stages, strict=True)):
            seen = features[-1 - number]
            if number:
                x = functional.interpolate(self.up[number - 1](x), seen.shape[-2:])
            x = join(torch.cat([x, seen], 1))
            x = through(stage, x, seen, style)
        change = self.leave[_SCALES.index(scale)](functional.leaky_relu(x, 0.2))
        return _enlarged(portraits, scale) + functional.pixel_shuffle(change, 2 * scale)


def _halved(portraits: Tensor) -> Tensor:
    return functional.pixel_unshuffle(portraits, 2)


def _enlarged(portraits: Tensor, scale: int) -> Tensor:
    if scale == 1:
        return portraits
    return functional.interpolate(portraits, scale_factor=float(scale), mode="bicubic")


def _check(portraits: Tensor, scale: int, least: int) -> None:
    if scale not in _SCALES:
        raise ImageShapeError(f"scale must be 1 or 2, got {scale}", hint="enhance twice for more")
    height, width = portraits.shape[-2:]
    if portraits.ndim != 4 or height % 2 or width % 2 or min(height, width) < least:
        raise ImageShapeError(
            f"portraits must have even sides from {least}, got {tuple(portraits.shape)}",
            hint="cut portraits with engine.masks.portrait.to_portrait",
        )
