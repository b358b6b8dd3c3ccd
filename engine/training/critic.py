"""The swapper's opponent: two scales of patches, each told real from made; never released."""

from collections.abc import Iterable

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

Features = list[Tensor]
"""Of one scale, from fine to coarse; the last one are the verdicts."""


class Critic(nn.Module):
    """PatchGAN on two scales (Isola et al. 2017; Wang et al., pix2pixHD, 2018).

    Spectral normalisation (Miyato et al. 2018) keeps it from running ahead.

    Args:
        width: channels at the first scale's half resolution.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.fine, self.coarse = _patches(width), _patches(width)

    def forward(self, pictures: Tensor) -> list[Features]:
        """Judge pictures, (B, 3, S, S) in [0, 1]: for each scale its features and verdicts.

        A verdict is a logit, high for what looks real.
        """
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


def _judge(layers: nn.ModuleList, signed: Tensor) -> Features:
    x, found = functional.pixel_unshuffle(signed, 2), []
    for number, layer in enumerate(layers):
        x = layer(functional.leaky_relu(x, 0.2) if number else x)
        found.append(x)
    return found


def realism(found: list[Features]) -> Tensor:
    """What a maker wants small: softplus of the verdicts' negatives."""
    return sum_of(functional.softplus(-features[-1]).mean() for features in found)


def unmasking(of_real: list[Features], of_made: list[Features]) -> Tensor:
    """What the critic wants small: the non-saturating loss of Goodfellow et al. 2014."""
    return realism(of_real) + sum_of(functional.softplus(f[-1]).mean() for f in of_made)


def weak_matching(of_real: list[Features], of_made: list[Features]) -> Tensor:
    """Distance of the deepest features only (SimSwap, Eq. 7): attributes match, pixels need not."""
    return sum_of(
        functional.l1_loss(made[-2], real[-2].detach())
        for real, made in zip(of_real, of_made, strict=True)
    )


def sum_of(losses: Iterable[Tensor]) -> Tensor:
    """Sum of some losses; there is at least one."""
    first, *others = losses
    return sum(others, first)
