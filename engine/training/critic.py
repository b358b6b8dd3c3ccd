"""The opponent of what makes faces: patches, on several scales, told real from made; unreleased."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

Features = list[Tensor]
"""Of one scale, from fine to coarse; the last one are the verdicts."""

FeatureMaps = Callable[[Tensor], list[Tensor]]
"""What a frozen network sees in pictures, (B, 3, S, S) in [0, 1]: maps, from fine to coarse."""

_PROBE = 64
"""Side of a picture that tells how many channels the maps have."""


class Critic(nn.Module):
    """PatchGAN on two scales (Isola et al. 2017; Wang et al., pix2pixHD, 2018).

    Spectral normalisation (Miyato et al. 2018) keeps it from running ahead. It may judge by what a
    frozen network sees besides (Sauer et al., Projected GANs, 2021): by that it learns what is
    wrong with a face in far fewer steps. What judges these maps is not normalised.

    Args:
        width: channels at the first scale's half resolution; half of those that judge the maps.
        features: of the frozen network; nothing of it is learned or saved, even of a module.
        device: where that network is.
    """

    def __init__(
        self, width: int = 32, features: FeatureMaps | None = None, device: str = "cpu"
    ) -> None:
        super().__init__()
        self.fine, self.coarse = _patches(width), _patches(width)
        # Within a function, where torch finds no module whose weights were to be learned.
        self._features = None if features is None else lambda pictures: features(pictures)
        with torch.no_grad():
            probe = torch.zeros(1, 3, _PROBE, _PROBE, device=device)
            maps = [] if features is None else features(probe)
        self.heads = nn.ModuleList(_head(one.shape[1], 2 * width) for one in maps)

    def forward(self, pictures: Tensor) -> list[Features]:
        """Judge pictures, (B, 3, S, S) in [0, 1]: for each scale its features and verdicts.

        A verdict is a logit, high for what looks real. After the scales of :meth:`patches` come
        those of the frozen network, with verdicts alone.
        """
        seen = [] if self._features is None else self._features(pictures)
        verdicts = [[head(_evened(one))] for head, one in zip(self.heads, seen, strict=True)]
        return [*self.patches(pictures), *verdicts]

    def patches(self, pictures: Tensor) -> list[Features]:
        """The two scales that are its own, of pictures, (B, 3, S, S) in [0, 1]."""
        signed = 2 * pictures - 1
        small = functional.avg_pool2d(signed, 2)
        return [_judge(self.fine, signed), _judge(self.coarse, small)]


def _patches(width: int) -> nn.ModuleList:
    widths = (12, width, 2 * width, 4 * width)
    layers = [
        nn.Conv2d(before, after, 3, 1 if first else 2, padding=1)
        for first, before, after in zip((True, False, False), widths, widths[1:], strict=False)
    ]
    layers.append(nn.Conv2d(4 * width, 1, 3, padding=1))
    return nn.ModuleList(parametrizations.spectral_norm(layer) for layer in layers)


def _head(channels: int, width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, width, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, width, 3, padding=1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(width, 1, 1),
    )


def _evened(maps: Tensor) -> Tensor:
    """Maps of mean square 1: those of a frozen network differ by orders of magnitude."""
    return maps * (maps.square().mean((1, 2, 3), keepdim=True) + 1e-6).rsqrt()


def _judge(layers: nn.ModuleList, signed: Tensor) -> Features:
    x, found = functional.pixel_unshuffle(signed, 2), []
    for number, layer in enumerate(layers):
        x = layer(functional.leaky_relu(x, 0.2) if number else x)
        found.append(x)
    return found


def realism(found: list[Features], where: Tensor | None = None) -> Tensor:
    """What a maker wants small: softplus of the verdicts' negatives.

    Args:
        found: by a :class:`Critic`.
        where: (B, 1, S, S) from 0: how much verdicts count there; the same everywhere without.
    """
    return sum_of(_mean(functional.softplus(-features[-1]), where) for features in found)


def unmasking(
    of_real: list[Features], of_made: list[Features], where: Tensor | None = None
) -> Tensor:
    """What the critic wants small: the non-saturating loss of Goodfellow et al. 2014.

    Args:
        of_real: what it found in real pictures.
        of_made: and in as many made ones.
        where: as :func:`realism` takes it, the same for both.
    """
    told = sum_of(_mean(functional.softplus(features[-1]), where) for features in of_made)
    return realism(of_real, where) + told


def _mean(verdicts: Tensor, where: Tensor | None) -> Tensor:
    if where is None:
        return verdicts.mean()
    height, width = verdicts.shape[-2:]
    shares = functional.adaptive_avg_pool2d(where, (height, width)).expand_as(verdicts)
    return (verdicts * shares).sum() / shares.sum()


def weak_matching(of_real: list[Features], of_made: list[Features]) -> Tensor:
    """Distance of the deepest features only (SimSwap, Eq. 7): attributes match, pixels need not.

    Args:
        of_real: by :meth:`Critic.patches`.
        of_made: by those, and by whatever else follows, which does not count here.
    """
    return sum_of(
        functional.l1_loss(made[-2], real[-2].detach())
        for real, made in zip(of_real, of_made[: len(of_real)], strict=True)
    )


def sum_of(losses: Iterable[Tensor]) -> Tensor:
    """Sum of some losses; there is at least one."""
    first, *others = losses
    return sum(others, first)
