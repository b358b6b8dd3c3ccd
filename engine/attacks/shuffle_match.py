"""Reads a shuffle off known pairs: the same coefficient of every picture moves to the same place.

With one key for all pictures, a coefficient's values over n known originals come back, up to one
sign and noise, at the place it was moved to: the place that correlates most. With a salt for each
picture nothing comes back twice, and what correlates most means nothing.
"""

import math

import torch
from torch import Tensor

from engine.scramble import Shuffle, bands, pyramid, scramble

__all__ = ["match_shuffle"]

_OPPONENT = (
    torch.tensor([[1.0, 1, 1], [1, 0, -1], [1, -2, 1]])
    / torch.tensor([[math.sqrt(3)], [math.sqrt(2)], [math.sqrt(6)]])
)  # fmt: skip
"""The public colour transform of :mod:`engine.scramble`."""


def match_shuffle(originals: Tensor, scrambled: Tensor) -> Shuffle:
    """Guess the one shuffle of several scrambled pictures from their originals.

    Args:
        originals: (N, 3, H, W) in [0, 1].
        scrambled: what the network gives back without any key, the same shape, not clamped.

    Returns:
        A shuffle of a batch of one; two places may be guessed to come from one.
    """
    count, _, height, width = originals.shape
    nothing = Shuffle(
        torch.arange(originals[0].numel()).expand(count, -1),
        torch.ones(count, originals[0].numel()),
    )
    before, after = _coefficients(scramble(originals, nothing)), _coefficients(scrambled)
    places = torch.arange(originals[0].numel()).view(3, height, width)
    source, flips = torch.empty_like(places), torch.empty(places.shape)
    for channel in range(3):
        for band in bands(height, width):
            own = places[channel][band]
            here, there = (
                found[:, channel][(slice(None), *band)].flatten(1).T for found in (before, after)
            )
            at = (_direction(there) @ _direction(here).T).abs().argmax(1)
            source[channel][band] = own.flatten()[at].view_as(own)
            opposite = (there * here[at]).sum(1) < 0
            flips[channel][band] = torch.where(opposite, -1.0, 1.0).view_as(own)
    return Shuffle(source.view(1, -1), flips.view(1, -1))


def _coefficients(images: Tensor) -> Tensor:
    return pyramid(torch.einsum("oc,bchw->bohw", _OPPONENT, images - 0.5))


def _direction(values: Tensor) -> Tensor:
    """A coefficient's values over N pictures, one row each, as directions of length 1."""
    if values.shape[1] == 1:  # one value has no direction but its sign, which is what is unknown
        values = torch.cat([values.abs(), torch.ones_like(values)], 1)
    directions: Tensor = values / values.norm(dim=1, keepdim=True).clamp_min(1e-12)
    return directions
