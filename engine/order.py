"""The order in which a picture's samples are taken: spread out, computable anywhere, never stored.

A photograph of 25 megapixels has 75 million samples, so no permutation is ever written down: each
element is computed from its index by a Feistel network. The order decides who writes where and
spreads the changes over the picture. Secrecy does not rest on it, because what is carried is
encrypted; the mixing is strong but not a cipher.
"""

import hashlib
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.errors import CapacityError

Indices = npt.NDArray[np.int64]

_ROUNDS: Final = 6
_BLOCK: Final = 1 << 15
_MAX_TOTAL: Final = 1 << 40
_PUBLIC: Final = b"faceveil/v1/carrier"


def keyed_order(key: bytes, total: int, start: int, count: int) -> Indices:
    """Compute a stretch of a pseudorandom permutation of ``range(total)``.

    The index is split into a digit below a and one below b, a = ceil(sqrt(total)) and
    b = ceil(total / a); six rounds add a mixed digit to the other one, alternately, modulo a and b
    (the generalised Feistel network of Black and Rogaway, "Ciphers with arbitrary finite domains",
    CT-RSA 2002, section 4). As a * b exceeds ``total`` by less than a, few elements need cycle
    walking. The round keys are ``SHAKE-256("faceveil/v1/order" || key)``, u32le, two per round.

    Args:
        key: any bytes.
        total: elements of the permutation, 1 to 2**40.
        start: the first element wanted.
        count: how many, ``start + count`` at most ``total``.

    Returns:
        (count,) int64, distinct values below ``total``.

    Raises:
        CapacityError: the stretch does not lie within ``range(total)``.

    Example:
        >>> sorted(keyed_order(b"key", 5, 0, 5).tolist())
        [0, 1, 2, 3, 4]
    """
    if not 1 <= total <= _MAX_TOTAL:
        raise CapacityError(f"total must be 1 to 2**40, got {total}", hint="choose fewer samples")
    _check_stretch(start, count, total)
    keys = _round_keys(key)
    order = np.empty(count, np.int64)
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count)
        order[first:last] = _permute(np.arange(start + first, start + last), total, keys)
    return order


def _check_stretch(start: int, count: int, total: int) -> None:
    if start < 0 or count < 0 or start + count > total:
        raise CapacityError(
            f"samples must lie in 0 to {total}, got {count} from {start}",
            hint="carry less, or in a larger picture",
        )


def _round_keys(key: bytes) -> list[tuple[int, int]]:
    stream = hashlib.shake_256(b"faceveil/v1/order" + key).digest(8 * _ROUNDS)
    words = [int.from_bytes(stream[i : i + 4], "little") for i in range(0, len(stream), 4)]
    return list(zip(words[0::2], words[1::2], strict=True))


def _permute(index: Indices, total: int, keys: list[tuple[int, int]]) -> Indices:
    rows = math.isqrt(total - 1) + 1
    columns = -(-total // rows)
    order = _feistel(index, rows, columns, keys)
    outside = np.flatnonzero(order >= total)
    while outside.size:
        order[outside] = _feistel(order[outside], rows, columns, keys)
        outside = outside[order[outside] >= total]
    return order


def _feistel(index: Indices, rows: int, columns: int, keys: list[tuple[int, int]]) -> Indices:
    quotient = index // columns
    left = quotient.astype(np.uint32)
    right = (index - quotient * columns).astype(np.uint32)
    for i, (first, second) in enumerate(keys):
        if i % 2:
            right = _add(right, _mix(left, first, second), columns)
        else:
            left = _add(left, _mix(right, first, second), rows)
    return left.astype(np.int64) * columns + right


def _add(
    digit: npt.NDArray[np.uint32], mixed: npt.NDArray[np.uint32], modulus: int
) -> npt.NDArray[np.uint32]:
    scaled = (mixed.astype(np.uint64) * np.uint64(modulus)) >> np.uint64(32)
    digit = digit + scaled.astype(np.uint32)
    # digit - modulus wraps to a huge number exactly where digit is below it
    return np.asarray(np.minimum(digit, digit - np.uint32(modulus)))


def _mix(digit: npt.NDArray[np.uint32], first: int, second: int) -> npt.NDArray[np.uint32]:
    # The finaliser of MurmurHash3, with constants of C. Wellons' search ("lowbias32").
    mixed = digit ^ np.uint32(first)
    mixed ^= mixed >> np.uint32(16)
    mixed *= np.uint32(0x7FEB352D)
    mixed += np.uint32(second)
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x846CA68B)
    mixed ^= mixed >> np.uint32(16)
    return mixed


def public_key(height: int, width: int) -> bytes:
    """Give the key of the public order of all samples, which anyone can compute.

    Args:
        height: rows of the picture.
        width: columns of the picture.

    Returns:
        ``"faceveil/v1/carrier" || u32be(height) || u32be(width)``.
    """
    return _PUBLIC + height.to_bytes(4, "big") + width.to_bytes(4, "big")


@dataclass(frozen=True)
class Area:
    """A stretch of the public order's slots, which one key holder may write to.

    Areas that do not overlap touch no common sample, whatever their keys are.

    Attributes:
        height: rows of the picture.
        width: columns of the picture.
        start: first slot, from 0.
        length: slots; ``start + length`` at most ``3 * height * width``.
        key: shuffles the slots within the area; ``None`` takes them as they come.
    """

    height: int
    width: int
    start: int
    length: int
    key: bytes | None = None

    def __post_init__(self) -> None:
        _check_stretch(self.start, self.length, 3 * self.height * self.width)

    def __repr__(self) -> str:
        """Show the place, never the key."""
        keyed = "public" if self.key is None else "keyed"
        place = f"{self.start}..{self.start + self.length}"
        return f"Area({self.height} x {self.width}, slots {place}, {keyed})"

    def positions(self, start: int, count: int) -> Indices:
        """Give the places of some of the area's samples, as :func:`sample_positions` does."""
        return sample_positions(
            self.height, self.width, self.start, self.length, self.key, start, count
        )


def sample_positions(
    height: int,
    width: int,
    area_start: int,
    area_length: int,
    key: bytes | None,
    start: int,
    count: int,
) -> Indices:
    """Find samples of an area: area order, then public order, then the flat index.

    Args:
        height: rows of the picture.
        width: columns of the picture.
        area_start: the area's first slot.
        area_length: the area's slots.
        key: shuffles within the area; ``None`` takes the slots as they come.
        start: the first sample wanted, counted within the area.
        count: how many, ``start + count`` at most ``area_length``.

    Returns:
        (count,) int64, distinct flat indices into the (H, W, 3) array.

    Raises:
        CapacityError: the stretch does not lie within the area, or the area not in the picture.
    """
    total = 3 * height * width
    _check_stretch(area_start, area_length, total)
    _check_stretch(start, count, area_length)
    keys = None if key is None else _round_keys(key)
    public = _round_keys(public_key(height, width))
    flat = np.empty(count, np.int64)
    for first in range(0, count, _BLOCK):
        last = min(first + _BLOCK, count)
        slots = np.arange(start + first, start + last)
        if keys is not None:
            slots = _permute(slots, area_length, keys)
        flat[first:last] = _permute(slots + area_start, total, public)
    return flat
