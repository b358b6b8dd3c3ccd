"""The swapper: gives the inner face of a portrait the face of an identity that is a vector."""

from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from engine.networks.mixins import ConfigMixin, ModelMixin, register_to_config

Injection = Literal["adain", "aad"]
"""How an identity enters: SimSwap's adaptive normalisation, or FaceShifter's with attributes."""

_SEEN = 3 + 5 + 1  # the concealed portrait, a heat map of each landmark, the matte
_HEAT = 3.0  # standard deviation of a landmark's heat map, pixels of a portrait of 112
_HIDDEN_AT = 1 / 3  # a pixel of this matte or more is concealed whole
_IDENTITY_GAIN = 16.0  # a unit vector of 256 components times this has components of about 1


class Swapper(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """A concealed portrait, its landmarks and an identity in; that identity's face out.

    ::

        concealed ── unshuffle ── 56 ─────────── + ── 56 ── shuffle ── change, and where it is made
        portrait     2 x 2         └─ 28 ───── + ── 28 ──┘
                                       └─ 14 ──── 14 ──┘    identity enters in each block

    It never sees the inner face that it replaces, but another one in its place, which
    :func:`conceal` lays there: the average of ten others, as k-Same draws it. Whatever it has
    learned, it cannot copy what it was not given, neither through the skips of its U-shape nor
    through its matte.

    Sources: SimSwap (Chen et al., ACM MM 2020), identity injection by adaptive instance
    normalisation; FaceShifter (Li et al., CVPR 2020), attributes and identity blended by a learned
    mask in each block. The concealed input is ours.

    Args:
        widths: channels at a half, a quarter and an eighth of the side.
        blocks: residual blocks at each of them, on the way back.
        identity: components of an identity.
        injection: how it enters.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        widths: tuple[int, int, int] = (32, 80, 160),
        blocks: tuple[int, int, int] = (1, 2, 3),
        identity: int = 256,
        injection: Injection = "adain",
    ) -> None:
        super().__init__()
        half, quarter, eighth = widths
        self.enter = _convolution(_SEEN * 4, half)
        self.down = nn.ModuleList(
            [_convolution(half, quarter, 2), _convolution(quarter, eighth, 2)]
        )
        self.mapping = nn.Sequential(
            nn.Linear(identity, 256), nn.LeakyReLU(0.2), nn.Linear(256, 256), nn.LeakyReLU(0.2)
        )
        self.deep, self.middle, self.shallow = (
            nn.ModuleList(Block(width, 256, injection) for _ in range(count))
            for width, count in zip(reversed(widths), reversed(blocks), strict=True)
        )
        self.up = nn.ModuleList([nn.Conv2d(eighth, quarter, 1), nn.Conv2d(quarter, half, 1)])
        self.leave = nn.Conv2d(half, 4 * 4, 3, padding=1)
        with torch.no_grad():
            self.leave.weight.mul_(0.1)
            cast(Tensor, self.leave.bias)[12:].fill_(2.0)  # its matte begins open

    def forward(
        self, concealed: Tensor, matte: Tensor, landmarks: Tensor, identities: Tensor
    ) -> Tensor:
        """Swap.

        Args:
            concealed: (B, 3, S, S), RGB in [0, 1], S a multiple of 8, from :func:`conceal`.
            matte: (B, 1, S, S), or one for all, in [0, 1], where the inner faces are.
            landmarks: (B, 5, 2), x and y in pixels of the portrait.
            identities: (B, 256), of length 1.

        Returns:
            (B, 3, S, S): another inner face in the concealed one's place; to be blended into the
            portrait by the matte. Not clamped, so that gradients pass.
        """
        heat = heat_maps(landmarks, concealed.shape[-1])
        planes = [2 * concealed - 1, heat, matte.expand(len(concealed), -1, -1, -1)]
        style = self.mapping(_IDENTITY_GAIN * functional.normalize(identities))
        drawn = self._draw(torch.cat(planes, 1), style)
        opaque = torch.sigmoid(drawn[:, 3:]) * hidden_by(matte)
        return concealed + opaque * drawn[:, :3]

    def _draw(self, planes: Tensor, style: Tensor) -> Tensor:
        half = functional.leaky_relu(self.enter(functional.pixel_unshuffle(planes, 2)), 0.2)
        quarter = functional.leaky_relu(self.down[0](half), 0.2)
        eighth = functional.leaky_relu(self.down[1](quarter), 0.2)
        x = through(self.deep, eighth, eighth, style)
        x = functional.interpolate(self.up[0](x), scale_factor=2.0) + quarter
        x = through(self.middle, x, quarter, style)
        x = functional.interpolate(self.up[1](x), scale_factor=2.0) + half
        x = through(self.shallow, x, half, style)
        return functional.pixel_shuffle(self.leave(functional.leaky_relu(x, 0.2)), 2)


class Block(nn.Module):
    """Two 3 x 3 convolutions beside a short cut, an identity injected before each.

    Args:
        width: channels.
        style: components of the mapped identity.
        injection: how it enters.
    """

    def __init__(self, width: int, style: int, injection: Injection) -> None:
        super().__init__()
        kind = AdaIN if injection == "adain" else AAD
        self.injections = nn.ModuleList(kind(width, style) for _ in range(2))
        self.convolutions = nn.ModuleList(_convolution(width, width) for _ in range(2))

    def forward(self, x: Tensor, attributes: Tensor, style: Tensor) -> Tensor:
        """(B, width, H, W), the encoder's features of that size, (B, style) to (B, width, H, W)."""
        inner = x
        for inject, convolve in zip(self.injections, self.convolutions, strict=True):
            injected = inject(inner, attributes, style)
            inner = convolve(functional.leaky_relu(injected, 0.2))
        return x + inner


class AdaIN(nn.Module):
    """Adaptive instance normalisation (Huang and Belongie 2017): the identity sets the statistics.

    Args:
        width: channels.
        style: components of the mapped identity.
    """

    def __init__(self, width: int, style: int) -> None:
        super().__init__()
        self.statistics = nn.Linear(style, 2 * width)

    def forward(self, x: Tensor, attributes: Tensor, style: Tensor) -> Tensor:
        """Normalise x, (B, width, H, W), and give it the identity's scale and shift."""
        del attributes
        gain, shift = self.statistics(style)[:, :, None, None].chunk(2, 1)
        return cast(Tensor, functional.instance_norm(x) * (1 + gain) + shift)


class AAD(nn.Module):
    """Adaptive attentional denormalisation (FaceShifter): where attributes, and where identity.

    Args:
        width: channels, of ``attributes`` too.
        style: components of the mapped identity.
    """

    def __init__(self, width: int, style: int) -> None:
        super().__init__()
        self.statistics = nn.Linear(style, 2 * width)
        self.attribute_statistics = nn.Conv2d(width, 2 * width, 1)
        self.attention = nn.Conv2d(width, 1, 3, padding=1)

    def forward(self, x: Tensor, attributes: Tensor, style: Tensor) -> Tensor:
        """Normalise x, (B, width, H, W), and give each place attributes' or identity's scale."""
        plain = functional.instance_norm(x)
        gain, shift = self.statistics(style)[:, :, None, None].chunk(2, 1)
        own_gain, own_shift = self.attribute_statistics(attributes).chunk(2, 1)
        share = torch.sigmoid(self.attention(plain))
        return cast(
            Tensor,
            (1 - share) * (plain * (1 + own_gain) + own_shift)
            + share * (plain * (1 + gain) + shift),
        )


def conceal(portraits: Tensor, matte: Tensor, others: Tensor) -> Tensor:
    """Lay other faces where the inner faces of portraits are.

    Args:
        portraits: (B, 3, S, S), RGB in [0, 1].
        matte: (B, 1, S, S), or one for all, in [0, 1].
        others: (B, 3, S, S), in the portraits' place.

    Returns:
        (B, 3, S, S): nothing of the portrait where its matte is a third or more, all of it where
        the matte is 0, and a mixture between.
    """
    return portraits + hidden_by(matte) * (others - portraits)


def hidden_by(matte: Tensor) -> Tensor:
    """Share of a portrait that is hidden, of the matte's shape: as the matte, but wider."""
    return (matte / _HIDDEN_AT).clamp(max=1)


def heat_maps(landmarks: Tensor, side: int) -> Tensor:
    """Where each landmark is: (B, 5, 2) to (B, 5, S, S), 1 at the landmark."""
    line = torch.arange(side, device=landmarks.device, dtype=landmarks.dtype)
    x = (line - landmarks[..., :1]).square()[:, :, None, :]
    y = (line - landmarks[..., 1:]).square()[:, :, :, None]
    return torch.exp(-(x + y) / (2 * (_HEAT * side / 112) ** 2))


def through(blocks: nn.ModuleList, x: Tensor, attributes: Tensor, style: Tensor) -> Tensor:
    """Pass through blocks, one after the other; shapes as of :class:`Block`."""
    for block in blocks:
        x = block(x, attributes, style)
    return x


def _convolution(before: int, after: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(before, after, 3, stride, padding=1)
