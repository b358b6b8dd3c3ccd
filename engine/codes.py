"""Embedding codes: how many bits a group of samples carries, and at what change to the picture.

Two families. *Ternary Hamming codes* of order m: a group of n = (3**m - 1) / 2 samples carries m
trits as the syndrome of its values modulo 3, and at most one sample changes by one
(J. Fridrich and D. Soukal, "Matrix embedding for large payloads", 2006; m = 1 is plain ternary
embedding). The *quaternary* code puts two bits into each sample's value modulo 4.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.errors import MethodError

Symbols = npt.NDArray[np.uint8]

MAX_ORDER: Final = 7
# 2**11 = 2048 of the 3**7 = 2187 seven-trit words are used: 1.571 bits a trit, .9 % below log2(3).
_BITS: Final = 11
_TRITS: Final = 7
_POWERS_2: Final = (1 << np.arange(_BITS - 1, -1, -1)).astype(np.float32)
_POWERS_3: Final = 3 ** np.arange(_TRITS - 1, -1, -1)


@dataclass(frozen=True)
class Code:
    """An embedding code.

    Attributes:
        modulus: 3 for ternary Hamming codes, 4 for the quaternary code.
        order: m of the ternary code, 1 to 7: symbols per group; 1 for the quaternary code.
    """

    modulus: int
    order: int

    def __post_init__(self) -> None:
        orders = {3: range(1, MAX_ORDER + 1), 4: range(1, 2)}.get(self.modulus, range(0))
        if self.order not in orders:
            raise MethodError(
                f"code must be ternary of order 1 to {MAX_ORDER} or quaternary of order 1, "
                f"got modulus {self.modulus} and order {self.order}",
                hint="take a code from engine.codes.choose_code",
            )

    @property
    def group(self) -> int:
        """Samples per group: (3**m - 1) / 2, or 1 for the quaternary code."""
        return (3**self.order - 1) // 2 if self.modulus == 3 else 1

    @property
    def distortion(self) -> float:
        """Mean squared change of the samples of a full picture, in squared 8-bit steps."""
        return (1 - 3.0**-self.order) / self.group if self.modulus == 3 else 1.5


# Least change per carried bit first.
CODES: Final = (*(Code(3, order) for order in range(MAX_ORDER, 0, -1)), Code(4, 1))


def symbol_count(length: int, code: Code) -> int:
    """Count the symbols that ``length`` bytes take, before filling up the last group."""
    return 4 * length if code.modulus == 4 else _TRITS * -(-8 * length // _BITS)


def samples_needed(length: int, code: Code) -> int:
    """Count the samples that ``length`` bytes take, in whole groups.

    Args:
        length: bytes to carry.
        code: how.

    Returns:
        Samples that embedding may change and extracting reads.
    """
    return code.group * -(-symbol_count(length, code) // code.order)


def capacity_bytes(samples: int, code: Code) -> int:
    """Tell how many bytes fit into ``samples`` samples.

    Args:
        samples: samples of the area.
        code: how they are used.

    Returns:
        The largest length for which :func:`samples_needed` is at most ``samples``.

    Example:
        >>> capacity_bytes(112 * 112 * 3, Code(3, 1))
        7392
    """
    symbols = samples // code.group * code.order
    return symbols // 4 if code.modulus == 4 else symbols // _TRITS * _BITS // 8


def choose_code(samples: int, payload_bytes: int) -> Code | None:
    """Choose the code that changes a picture least.

    Args:
        samples: samples of the area.
        payload_bytes: bytes to carry.

    Returns:
        The code, or ``None`` when not even the quaternary code fits.
    """
    return next((code for code in CODES if capacity_bytes(samples, code) >= payload_bytes), None)


def to_symbols(data: bytes, code: Code) -> Symbols:
    """Write bytes as symbols below the code's modulus.

    Ternary: the bits, most significant first and filled up with zeros, are cut in words of 11, and
    each becomes seven trits, most significant first. Quaternary: four symbols per byte.

    Args:
        data: any bytes.
        code: which modulus.

    Returns:
        (symbol_count,) uint8.
    """
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    if code.modulus == 4:
        return bits[0::2] * np.uint8(2) + bits[1::2]
    bits = np.concatenate([bits, np.zeros(-bits.size % _BITS, np.uint8)])
    words = (bits.reshape(-1, _BITS).astype(np.float32) @ _POWERS_2).astype(np.int64)
    return (words[:, None] // _POWERS_3 % 3).astype(np.uint8).reshape(-1)


def from_symbols(symbols: Symbols, length: int, code: Code) -> bytes:
    """Read bytes back from symbols.

    Never fails on symbols that :func:`to_symbols` does not write: a word beyond 2047, as a wrong
    key finds, is taken modulo 2048. Whoever needs to know authenticates the bytes.

    Args:
        symbols: at least ``symbol_count(length, code)`` values below the modulus.
        length: bytes to read.
        code: which modulus.

    Returns:
        ``length`` bytes.
    """
    symbols = symbols[: symbol_count(length, code)]
    if code.modulus == 4:
        return np.packbits(np.stack([symbols >> 1, symbols & 1], axis=1).reshape(-1)).tobytes()
    words = symbols.reshape(-1, _TRITS).astype(np.int64) @ _POWERS_3
    bits = words[:, None] >> np.arange(_BITS - 1, -1, -1) & 1
    return np.packbits(bits.astype(np.uint8).reshape(-1)[: 8 * length]).tobytes()


def decode_values(values_u8: npt.NDArray[np.uint8], code: Code) -> Symbols:
    """Read the symbols that groups of samples carry.

    Args:
        values_u8: (G, n) uint8, one group of n = ``code.group`` samples per row.
        code: how they are used.

    Returns:
        (G * m,) uint8, m = ``code.order`` symbols per group.
    """
    if code.group == 1:
        return np.asarray(values_u8.reshape(-1) % np.uint8(code.modulus))
    columns, _ = _columns(code.order)
    residues = np.arange(256, dtype=np.float32) % 3
    # Exact: the sums are whole numbers below 2 * 2 * 1093, far under the 2**24 of float32.
    return (residues[values_u8] @ columns % 3).astype(np.uint8).reshape(-1)


def encode_values(
    values_u8: npt.NDArray[np.uint8], symbols: Symbols, code: Code
) -> npt.NDArray[np.uint8]:
    """Change groups of samples, as little as the code needs, so that they carry the symbols.

    Args:
        values_u8: (G, n) uint8, one group per row; not changed.
        symbols: (G * m,) uint8 below the modulus.
        code: how the samples are used.

    Returns:
        (G, n) uint8: at most one sample per row changed by one (ternary; by two where the range
        0..255 ends), or each by at most two (quaternary; by three where the range ends).
    """
    difference = (symbols + np.uint8(code.modulus) - decode_values(values_u8, code)) % code.modulus
    changed = values_u8.copy()
    if code.group == 1:
        changed[:] = _move(values_u8, difference.reshape(-1, 1), code.modulus)
        return changed
    _, which = _columns(code.order)
    words = difference.reshape(-1, code.order).astype(np.int64) @ 3 ** np.arange(code.order)
    rows = np.flatnonzero(words)
    column, factor = which[words[rows], 0], which[words[rows], 1]
    changed[rows, column] = _move(values_u8[rows, column], factor.astype(np.uint8), 3)
    return changed


def _move(
    values_u8: npt.NDArray[np.uint8], difference: npt.NDArray[np.uint8], modulus: int
) -> npt.NDArray[np.uint8]:
    step = difference.astype(np.int16)
    value = values_u8.astype(np.int16)
    # The quaternary code's tie, +2 or -2, follows the value's third bit: no drift in brightness.
    down = (2 * step > modulus) | ((2 * step == modulus) & (value & 4 != 0))
    value += np.where(down, step - modulus, step)
    value += np.where(value < 0, modulus, 0)
    value -= np.where(value > 255, modulus, 0)
    return value.astype(np.uint8)


@lru_cache(maxsize=MAX_ORDER)
def _columns(order: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Make the parity check matrix (n, m), and for each syndrome its column and factor (1 or 2)."""
    words = np.arange(3**order)
    digits = words[:, None] // 3 ** np.arange(order) % 3
    highest = np.max(np.where(digits > 0, np.arange(1, order + 1), 0), axis=1)
    leading = digits[words, np.maximum(highest - 1, 0)]
    columns = digits[leading == 1]
    which = np.zeros((3**order, 2), np.int64)
    for factor in (1, 2):
        syndromes = factor * columns % 3 @ 3 ** np.arange(order)
        which[syndromes, 0] = np.arange(len(columns))
        which[syndromes, 1] = factor
    return columns.astype(np.float32), which
