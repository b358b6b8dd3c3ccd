"""The losses: those of PRO-Face S, and the ones that reach further in less time."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from engine.rounding import round_by
from engine.wavelet import haar

_MEAN_OF = 5
"""Side of the square of cells that coarse noise is the mean of."""

Distance = Callable[[Tensor, Tensor], Tensor]
"""(B, 3, H, W), (B, 3, H, W) -> (B,): how far apart the items of two batches are."""


def round_to_8_bits(image: Tensor, rounded: Callable[[Tensor], Tensor] = round_by) -> Tensor:
    """What an 8-bit file keeps of an image in [0, 1], with the gradient of the clamp alone.

    The straight-through estimator: rounding has no useful gradient, so it is passed over.
    """
    clamped = image.clamp(0, 1)
    return clamped + (rounded(clamped) - clamped).detach()


def l1(first: Tensor, second: Tensor) -> Tensor:
    """Mean absolute difference of each item, (B,)."""
    return (first - second).abs().flatten(1).mean(1)


def l2(first: Tensor, second: Tensor) -> Tensor:
    """Mean squared difference of each item, (B,)."""
    return (first - second).square().flatten(1).mean(1)


def charbonnier(first: Tensor, second: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Smooth L1 of each item, (B,): sqrt(d^2 + epsilon^2), whose gradient exists at 0 too."""
    return ((first - second).square() + epsilon**2).sqrt().flatten(1).mean(1)


def psnr_db(first: Tensor, second: Tensor) -> float:
    """Mean PSNR of a batch in dB, for the log; what is published comes from engine.metrics."""
    with torch.no_grad():
        error = (first - second).square().flatten(1).mean(1).clamp_min(1e-10)
        return float(-10 * torch.log10(error).mean())


def triplet(
    anchor: Tensor, positive: Tensor, negative: Tensor, distance: Distance, margin: float = 1.0
) -> Tensor:
    """Hinge that keeps the negative ``margin`` further from the anchor than the positive, (B,).

    Source: PRO-Face S, Eq. (21), margin 1.0.
    """
    return (distance(anchor, positive) - distance(anchor, negative) + margin).clamp_min(0)


def key_noise(key_map: Tensor, contrast: float = 0.28) -> Tensor:
    """The noise that a wrong key should show: mid-grey plus coloured noise made of that key alone.

    The three colours are the key map with the two pixels of each row, of each column and of neither
    exchanged within the 2 x 2 cells: three patterns that share no more than a quarter of their
    energy. It depends on the wrong key and on nothing else, so a network that reaches it has
    forgotten the picture; and it never clips.

    Args:
        key_map: (B, 1, H, W) of -1 and +1.
        contrast: standard deviation around mid-grey.

    Returns:
        (B, 3, H, W) in [0, 1].
    """
    batch, _, height, width = key_map.shape
    cells = key_map.view(batch, height // 2, 2, width // 2, 2)
    across = cells.flip(4).reshape(batch, 1, height, width)
    down = cells.flip(2).reshape(batch, 1, height, width)
    return 0.5 + contrast * torch.cat([across, key_map, down], 1)


def cloudy_noise(key_map: Tensor, contrast: float = 0.25) -> Tensor:
    """:func:`key_noise`, and as much again that is coarse and still made of that key alone.

    For networks with pre-emphasis: white noise would leave little but grey once it is lowered. The
    coarse part of each colour is the sliding mean of one of the key map's Haar sub-bands.

    Args:
        key_map: (B, 1, H, W) of -1 and +1.
        contrast: standard deviation of each of the two parts around mid-grey.

    Returns:
        (B, 3, H, W), emphasized.
    """
    bands = haar(key_map)[:, :3]
    coarse = contrast * _MEAN_OF * avg_pool2d(bands, _MEAN_OF, stride=1, padding=_MEAN_OF // 2)
    return key_noise(key_map, contrast) + coarse.repeat_interleave(2, 2).repeat_interleave(2, 3)
