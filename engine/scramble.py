"""Scrambles a picture under a key, so that what a network hides looks like noise to everyone else.

The picture goes through an orthonormal opponent colour transform and a Haar pyramid of three
levels; in each of the ten sub-bands of each channel all coefficients change places and signs by the
key's stream, and the transforms are undone. Between, each sub-band gets its :data:`GAINS`: a
picture's energy is nearly all in its few coarse coefficients, and a network that hides noise would
spend itself on them.

What it does not hide: how large the coefficients of each sub-band are, only where they belong. What
that tells of a person :mod:`engine.attacks.multiset` measures.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.emphasis import from_opponent, to_opponent
from engine.errors import ImageShapeError
from engine.keys import Key

LEVELS: Final = 3
_ROOT = math.sqrt(2)

GAINS: Final = torch.tensor(
    [
        [3.3, 3.3, 6.0, 1.9, 1.9, 3.1, 1.15, 1.15, 1.8, 0.5],
        [8.5, 8.5, 20.0, 4.5, 4.5, 9.3, 2.5, 2.5, 4.3, 0.8],
        [12.0, 12.0, 22.0, 6.7, 6.7, 12.0, 4.0, 4.0, 6.2, 1.6],
    ]
)
"""What the sub-bands of light, red against blue, and green against both are multiplied by.

The best for sending values of standard deviation s through noise at a given power is a gain in
proportion to 1/sqrt(s); s is that of 400 training faces at 112 px, and the factor leaves the
scrambled picture as contrasty as a natural one (standard deviation 0.25). Against no gains, the
same noise then costs 11 dB less in the picture that comes back.
"""

Band = tuple[slice, slice]
"""Rows and columns of one sub-band in a pyramid."""


@dataclass(frozen=True)
class Shuffle:
    """New places and signs for the coefficients of a batch.

    Attributes:
        source: (B, 3 H W) int64; coefficient i of the scrambled pyramid comes from ``source[i]``.
        signs: (B, 3 H W) of -1 and +1, float32.
    """

    source: Tensor
    signs: Tensor


def scramble(image: Tensor, shuffle: Shuffle) -> Tensor:
    """Scramble a batch.

    Args:
        image: (B, 3, H, W), RGB in [0, 1].
        shuffle: of the same batch and size.

    Returns:
        (B, 3, H, W) around 0.5; single values leave [0, 1].

    Raises:
        ImageShapeError: the shuffle is of another size.
    """
    weighed = coefficients(_check(image, shuffle)) * gains(image)
    moved = weighed.flatten(1).gather(1, shuffle.source) * shuffle.signs
    return from_opponent(inverse_pyramid(moved.view_as(image))) + 0.5


def unscramble(image: Tensor, shuffle: Shuffle) -> Tensor:
    """Undo :func:`scramble`; with another shuffle, coloured noise.

    Raises:
        ImageShapeError: the shuffle is of another size.
    """
    moved = coefficients(_check(image, shuffle)).flatten(1) * shuffle.signs
    weighed = torch.zeros_like(moved).scatter(1, shuffle.source, moved).view_as(image)
    return from_opponent(inverse_pyramid(weighed / gains(image))) + 0.5


def coefficients(image: Tensor) -> Tensor:
    """The sub-bands of a picture in opponent colours: what is shuffled, and weighed before.

    Args:
        image: (B, 3, H, W) around 0.5.

    Returns:
        The same shape, laid out as :func:`bands` says.
    """
    return pyramid(to_opponent(image - 0.5))


def keyed_shuffle(key: Key, context: bytes, height: int, width: int) -> Shuffle:
    """The shuffle of one face, the same on every platform.

    For each channel and sub-band of n coefficients, ``key.stream`` gives n u64le, whose stable
    order is the permutation, and then n bits, most significant first: 1 keeps the sign.

    Args:
        key: the face's.
        context: the canonical header of the face.
        height: rows.
        width: columns.

    Returns:
        A batch of one.
    """

    def draw(channel: int, band: int, count: int) -> tuple[Tensor, Tensor]:
        label = f"scramble-{channel}-{band}"
        stream = key.stream(context, label, 8 * count + (count + 7) // 8)
        words = np.frombuffer(stream, "<u8", count)
        bits = np.unpackbits(np.frombuffer(stream, np.uint8, offset=8 * count), count=count)
        return torch.from_numpy(_order(words)), torch.from_numpy(bits.astype(np.float32) * 2 - 1)

    return _shuffle(height, width, draw)


def _order(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """The stable order, by a sort that is not stable and twice as fast: only equals differ."""
    order = np.argsort(words)
    placed = words[order]
    return np.argsort(words, kind="stable") if (placed[1:] == placed[:-1]).any() else order


def random_shuffles(batch: int, height: int, width: int, generator: torch.Generator) -> Shuffle:
    """Shuffles of random keys, for training."""

    def draw(channel: int, band: int, count: int) -> tuple[Tensor, Tensor]:
        bits = torch.randint(0, 2, (count,), generator=generator)
        return torch.randperm(count, generator=generator), bits.float() * 2 - 1

    drawn = [_shuffle(height, width, draw) for _ in range(batch)]
    return Shuffle(torch.cat([s.source for s in drawn]), torch.cat([s.signs for s in drawn]))


def no_key(image: Tensor) -> Tensor:
    """What a network that hides scrambled pictures is given as key map: nothing, (B, 1, H, W)."""
    return torch.zeros_like(image[:, :1])


def _shuffle(
    height: int, width: int, draw: Callable[[int, int, int], tuple[Tensor, Tensor]]
) -> Shuffle:
    places = torch.arange(3 * height * width).view(3, height, width)
    source, signs = torch.empty_like(places), torch.empty(places.shape)
    for channel in range(3):
        for number, band in enumerate(bands(height, width)):
            own = places[channel][band]
            order, sign = draw(channel, number, own.numel())
            source[channel][band] = own.flatten()[order].view_as(own)
            signs[channel][band] = sign.view_as(own)
    return Shuffle(source.view(1, -1), signs.view(1, -1))


def bands(height: int, width: int) -> list[Band]:
    """The sub-bands of a pyramid: of each level from the finest the three differences, then LL."""
    found: list[Band] = []
    for _ in range(LEVELS):
        low_h, low_w = -(-height // 2), -(-width // 2)
        found += [
            (slice(0, low_h), slice(low_w, width)),
            (slice(low_h, height), slice(0, low_w)),
            (slice(low_h, height), slice(low_w, width)),
        ]
        height, width = low_h, low_w
    return [*found, (slice(0, height), slice(0, width))]


def pyramid(image: Tensor) -> Tensor:
    """Haar pyramid of any size, in place of the picture: averages of each level at its top left.

    The last row or column of an odd side has no partner: it joins the averages, times the root of
    two so that it is as large as they are.

    Args:
        image: (B, C, H, W).

    Returns:
        The same shape.
    """
    result = image.clone()
    height, width = image.shape[-2:]
    for _ in range(LEVELS):
        part = result[..., :height, :width]
        part.copy_(_split(_split(part, -1), -2))
        height, width = -(-height // 2), -(-width // 2)
    return result


def inverse_pyramid(coefficients: Tensor) -> Tensor:
    """Undo :func:`pyramid`."""
    result = coefficients.clone()
    sizes = [coefficients.shape[-2:]]
    for _ in range(LEVELS - 1):
        sizes.append(torch.Size(-(-side // 2) for side in sizes[-1]))
    for height, width in reversed(sizes):
        part = result[..., :height, :width]
        part.copy_(_join(_join(part, -2), -1))
    return result


def _split(image: Tensor, dim: int) -> Tensor:
    size = image.shape[dim]
    pairs = torch.unflatten(image.narrow(dim, 0, size - size % 2), dim, (-1, 2))
    first, second = pairs.unbind(dim)
    last = image.narrow(dim, size - size % 2, size % 2) * _ROOT
    return torch.cat([(first + second) / _ROOT, last, (second - first) / _ROOT], dim)


def _join(parts: Tensor, dim: int) -> Tensor:
    size = parts.shape[dim]
    sums = parts.narrow(dim, 0, size // 2)
    last = parts.narrow(dim, size // 2, size % 2) / _ROOT
    differences = parts.narrow(dim, size - size // 2, size // 2)
    pairs = torch.stack([sums - differences, sums + differences], dim) / _ROOT
    return torch.cat([pairs.flatten(dim - 1, dim), last], dim)


def gains(image: Tensor) -> Tensor:
    """:data:`GAINS` at every place of a picture's pyramid, (3, H, W)."""
    placed = image.new_empty(image.shape[1:])
    for number, band in enumerate(bands(*image.shape[-2:])):
        placed[(slice(None), *band)] = GAINS[:, number, None, None].to(image)
    return placed


def _check(image: Tensor, shuffle: Shuffle) -> Tensor:
    if image.ndim != 4 or shuffle.source.shape != (image.shape[0], image[0].numel()):
        raise ImageShapeError(
            f"expected a shuffle of {tuple(image.shape)}, got one of {tuple(shuffle.source.shape)}",
            hint="make it for the height and width of the picture",
        )
    return image
