"""Bytes hidden in a picture's samples, for :mod:`engine.methods.sealed`.

Here is only arithmetic: what is carried is encrypted before it comes, and the keys of the order
come from the caller. All work is in blocks, so that beside the new picture a few megabytes do.
A change of any carried sample destroys what is carried: this is no watermark.
"""

import binascii
from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.codes import (
    Code,
    capacity_bytes,
    choose_code,
    decode_values,
    encode_values,
    from_symbols,
    samples_needed,
    to_symbols,
)
from engine.errors import CapacityError
from engine.order import Area, keyed_order, sample_positions
from engine.stripes import check_photo

__all__ = [
    "Area",
    "Code",
    "capacity_bytes",
    "choose_code",
    "clear_header_samples",
    "embed",
    "extract",
    "header_slots",
    "keyed_order",
    "read_header_copy",
    "sample_positions",
    "samples_needed",
    "write_header_copy",
]

Photo = npt.NDArray[np.uint8]

# 165 bytes make 840 trits, which every order from 1 to 7 divides: blocks end on whole groups.
_UNIT: Final = 165
_BLOCK_SAMPLES: Final = 1 << 18

_MAGIC: Final = b"FVhd"
_FRAME: Final = len(_MAGIC) + 2 + 4
_MAX_HEADER: Final = 65_535


def embed(photo_u8: Photo, area: Area, data: bytes, code: Code) -> Photo:
    """Write bytes into a picture.

    Only the first ``samples_needed(len(data), code)`` samples of the area's order are touched; all
    others stay bit-identical.

    Args:
        photo_u8: the carrier, ``(H, W, 3)`` uint8; not changed.
        area: where, of this picture's size.
        data: what, already encrypted.
        code: how, usually from :func:`engine.codes.choose_code`.

    Returns:
        The picture that carries the bytes, ``(H, W, 3)`` uint8.

    Raises:
        CapacityError: the area is too small, or is that of another picture size.
        ImageShapeError: ``photo_u8`` is no picture.
    """
    _check(photo_u8, area, len(data), code)
    carrier_u8 = np.array(photo_u8, order="C")
    flat = carrier_u8.reshape(-1)
    for first, last, start, count in _blocks(len(data), code):
        symbols = to_symbols(data[first:last], code)
        groups = count // code.group
        symbols = np.concatenate([symbols, np.zeros(groups * code.order - symbols.size, np.uint8)])
        positions = area.positions(start, count)
        values_u8 = flat[positions].reshape(groups, code.group)
        flat[positions] = encode_values(values_u8, symbols, code).reshape(-1)
    return carrier_u8


def extract(photo_u8: Photo, area: Area, length: int, code: Code) -> bytes:
    """Read bytes from a picture; from a wrong place, wrong bytes.

    Args:
        photo_u8: what :func:`embed` gave, ``(H, W, 3)`` uint8.
        area: as it was for :func:`embed`.
        length: how many bytes were written.
        code: as it was for :func:`embed`.

    Returns:
        ``length`` bytes, which the caller must authenticate.

    Raises:
        CapacityError: the area cannot hold so many, or is that of another picture size.
        ImageShapeError: ``photo_u8`` is no picture.
    """
    _check(photo_u8, area, length, code)
    flat = photo_u8.reshape(-1)
    data = bytearray()
    for first, last, start, count in _blocks(length, code):
        values_u8 = flat[area.positions(start, count)].reshape(-1, code.group)
        data += from_symbols(decode_values(values_u8, code), last - first, code)
    return bytes(data)


def _check(photo_u8: Photo, area: Area, length: int, code: Code) -> None:
    check_photo(photo_u8)
    if photo_u8.shape[:2] != (area.height, area.width):
        raise CapacityError(
            f"area must be of a picture of {photo_u8.shape[0]} x {photo_u8.shape[1]}, "
            f"got {area.height} x {area.width}",
            hint="make the area for this picture",
        )
    room = capacity_bytes(area.length, code)
    if length > room:
        raise CapacityError(
            f"{area.length} samples carry at most {room} bytes, got {length}",
            hint="protect fewer or smaller faces, or a larger picture",
        )


def _blocks(length: int, code: Code) -> Iterator[tuple[int, int, int, int]]:
    """Cut the work: byte range, first sample, samples; only the last block is not whole units."""
    unit_samples = samples_needed(_UNIT, code)
    step = _UNIT * max(1, _BLOCK_SAMPLES // unit_samples)
    start = 0
    for first in range(0, length, step):
        last = min(first + step, length)
        count = samples_needed(last - first, code)
        yield first, last, start, count
        start += count


def header_slots(header_length: int) -> int:
    """Count the samples that the header's copy takes: slots 0 and up of the public order.

    Args:
        header_length: bytes of the header.

    Returns:
        Eight per byte of magic, length, header and checksum.
    """
    return 8 * (header_length + _FRAME)


def write_header_copy(photo_u8: Photo, header: bytes) -> Photo:
    """Write the header into the pixels, for when the file loses its chunk.

    ``"FVhd" || u16be(length) || header || u32be(CRC-32 of all that)``, most significant bit first,
    replaces the lowest bits of the first slots of the public order. Anyone can read it.

    Args:
        photo_u8: the picture, ``(H, W, 3)`` uint8; not changed.
        header: canonical header, at most 65,535 bytes.

    Returns:
        The picture with the copy, ``(H, W, 3)`` uint8.

    Raises:
        CapacityError: the picture is too small for the header, or the header is too long.
        ImageShapeError: ``photo_u8`` is no picture.
    """
    positions = _header_positions(photo_u8, len(header))
    frame = _MAGIC + len(header).to_bytes(2, "big") + header
    frame += binascii.crc32(frame).to_bytes(4, "big")
    carrier_u8 = np.array(photo_u8, order="C")
    flat = carrier_u8.reshape(-1)
    bits = np.unpackbits(np.frombuffer(frame, np.uint8))
    flat[positions] = flat[positions] & np.uint8(0xFE) | bits
    return carrier_u8


def read_header_copy(photo_u8: Photo) -> bytes | None:
    """Look for a header in the pixels.

    Args:
        photo_u8: any picture, ``(H, W, 3)`` uint8.

    Returns:
        The header's bytes, or ``None`` where there is none, or a damaged one.

    Raises:
        ImageShapeError: ``photo_u8`` is no picture.
    """
    check_photo(photo_u8)
    start = len(_MAGIC) + 2
    if photo_u8.size < header_slots(0):
        return None
    front = _read_bits(photo_u8, start)
    if not front.startswith(_MAGIC):
        return None
    length = int.from_bytes(front[len(_MAGIC) :], "big")
    if header_slots(length) > photo_u8.size:
        return None
    frame = _read_bits(photo_u8, length + _FRAME)
    if binascii.crc32(frame[:-4]) != int.from_bytes(frame[-4:], "big"):
        return None
    return frame[start:-4]


def clear_header_samples(photo_u8: Photo, header_length: int) -> Photo:
    """Set the lowest bit of the samples that carry the header's copy to 0.

    A digest inside the header cannot cover the samples that carry the header, so digests of the
    pixels are taken of this picture.

    Args:
        photo_u8: the picture, ``(H, W, 3)`` uint8; not changed.
        header_length: bytes of the header.

    Returns:
        The picture without the copy, ``(H, W, 3)`` uint8.

    Raises:
        CapacityError: the picture is too small for such a header, or the header is too long.
        ImageShapeError: ``photo_u8`` is no picture.
    """
    positions = _header_positions(photo_u8, header_length)
    cleared_u8 = np.array(photo_u8, order="C")
    cleared_u8.reshape(-1)[positions] &= np.uint8(0xFE)
    return cleared_u8


def _header_positions(photo_u8: Photo, header_length: int) -> npt.NDArray[np.int64]:
    check_photo(photo_u8)
    slots = header_slots(header_length)
    if not 0 <= header_length <= _MAX_HEADER or slots > photo_u8.size:
        raise CapacityError(
            f"header must fit into {photo_u8.size} samples and {_MAX_HEADER} bytes, "
            f"got {header_length} bytes, which take {slots} samples",
            hint="take a larger picture, or leave out the copy in the pixels",
        )
    return Area(photo_u8.shape[0], photo_u8.shape[1], 0, slots).positions(0, slots)


def _read_bits(photo_u8: Photo, length: int) -> bytes:
    area = Area(photo_u8.shape[0], photo_u8.shape[1], 0, 8 * length)
    bits = photo_u8.reshape(-1)[area.positions(0, 8 * length)] & np.uint8(1)
    return np.packbits(bits).tobytes()
