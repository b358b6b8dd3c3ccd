"""Why here: the PNG container, walked chunk by chunk, so that only what is sound is decoded.

Pillow decodes the pixels, but it skips the checksums of IDAT, fills a pixel stream that ends early
with black, takes the size from a second IHDR and cuts 16-bit colours to their high byte. What a
hostile or broken file may do is therefore decided here, before Pillow sees it.

Source: W3C, Portable Network Graphics (PNG) Specification, Third Edition.
"""

import struct
import zlib
from typing import NamedTuple

from engine.errors import (
    HeaderDamagedError,
    ImageDamagedError,
    ImageFormatError,
    ImageTooLargeError,
)

MAX_PIXELS = 25_000_000
"""More pixels than this are refused, from the file's header, before anything is decoded."""

CHUNK = b"fvHD"
"""Our chunk: ancillary, private, and not safe to copy, so editors drop it with changed pixels."""

TRAILING = "data after IEND"
"""The name under which :func:`list_chunks` reports what follows the end of the picture."""

MAGIC = b"\x89PNG\r\n\x1a\n"
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
_ONCE = (b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf")
_MAX_CHUNKS = 65_536
_WHOLE = ((0, 0, 1, 1),)
_ADAM7 = (
    (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)
)  # fmt: skip
_AGAIN = "fetch or export the file again"


class Chunk(NamedTuple):
    """One chunk: its four-letter type, its content, and whether its CRC-32 is right."""

    kind: bytes
    data: bytes
    intact: bool


class Layout(NamedTuple):
    """What IHDR says: sides in pixels, bits per sample, colour type, Adam7 or not."""

    width: int
    height: int
    bits: int
    colour: int
    interlaced: bool


def list_chunks(png: bytes) -> list[tuple[str, int]]:
    """Name the chunks of a file, so that tests and tools see that nothing else travels in it.

    Args:
        png: a whole PNG file.

    Returns:
        ``(type, length of the content in bytes)`` in file order; bytes that follow IEND come last,
        as ``(TRAILING, count)``.

    Raises:
        ImageFormatError: not a PNG, or it holds a critical chunk that is not in the standard.
        ImageTooLargeError: tens of thousands of chunks, which no honest picture of our size needs.
        ImageDamagedError: truncated, a wrong checksum, or chunks in an order that is not allowed.
    """
    chunks, trailing = _walk(png)
    _require_intact(chunks)
    listed = [(chunk.kind.decode("ascii"), len(chunk.data)) for chunk in chunks]
    return [*listed, (TRAILING, trailing)] if trailing else listed


def read_header(png: bytes) -> bytes | None:
    """Return the content of our chunk, or None where a file has none.

    Args:
        png: a whole PNG file.

    Raises:
        HeaderDamagedError: our chunk is there twice, or its checksum is wrong.
        ImageError: as :func:`list_chunks`.
    """
    chunks, _ = _walk(png)
    ours = [chunk for chunk in chunks if chunk.kind == CHUNK]
    if len(ours) > 1:
        raise HeaderDamagedError(f"expected one fvHD chunk, got {len(ours)}", hint=_AGAIN)
    if ours and not ours[0].intact:
        raise HeaderDamagedError("expected an intact fvHD chunk, got a wrong checksum", hint=_AGAIN)
    return ours[0].data if ours else None


def read_layout(png: bytes) -> Layout:
    """Check a whole file without decoding a pixel, and say how its pixels are laid out.

    Args:
        png: a whole PNG file.

    A wrong checksum of our own chunk says nothing about the pixels: :func:`read_header` tells it.

    Raises:
        ImageFormatError: as :func:`list_chunks`, or the file is animated.
        ImageDamagedError: as :func:`list_chunks`, or IHDR, palette or pixel data are incomplete.
        ImageTooLargeError: more than :data:`MAX_PIXELS`.
    """
    chunks, _ = _walk(png)
    _require_intact([chunk for chunk in chunks if chunk.kind != CHUNK])
    layout = _parse_ihdr(chunks[0].data)
    check_size(layout.height, layout.width)
    _refuse_animation(chunks)
    if layout.colour == 3 and not any(chunk.kind == b"PLTE" for chunk in chunks):
        raise ImageDamagedError("expected a palette (PLTE), got none", hint=_AGAIN)
    _require_all_rows(layout, [chunk.data for chunk in chunks if chunk.kind == b"IDAT"])
    return layout


def keep_chunks(png: bytes, kinds: tuple[bytes, ...]) -> bytes:
    """Rebuild a file from the chunks of some kinds, so that a decoder sees no others.

    Args:
        png: a whole PNG file that :func:`read_layout` accepted.
        kinds: four-letter chunk types.
    """
    chunks, _ = _walk(png)
    return MAGIC + b"".join(_pack(chunk) for chunk in chunks if chunk.kind in kinds)


def check_size(height: int, width: int) -> None:
    """Refuse a picture by its sides alone.

    Args:
        height: rows.
        width: columns.

    Raises:
        ImageTooLargeError: more than :data:`MAX_PIXELS`.
    """
    if height * width > MAX_PIXELS:
        raise ImageTooLargeError(
            f"expected at most {MAX_PIXELS:,} pixels, got {width}x{height}",
            hint="scale the picture down first",
        )


def check_frames(count: int) -> None:
    """Refuse an animation.

    Args:
        count: how many pictures a file says it shows, one after the other.

    Raises:
        ImageFormatError: not exactly one.
    """
    if count != 1:
        raise ImageFormatError(
            "expected one picture, got an animation", hint="export a single frame of it"
        )


def _walk(png: bytes) -> tuple[list[Chunk], int]:
    """Split a file into chunks up to IEND, and count the bytes that follow."""
    if not png.startswith(MAGIC):
        raise ImageFormatError("expected a PNG file, got something else", hint="give it a PNG")
    chunks: list[Chunk] = []
    at = len(MAGIC)
    while not chunks or chunks[-1].kind != b"IEND":
        if len(chunks) == _MAX_CHUNKS:
            raise ImageTooLargeError(
                f"expected at most {_MAX_CHUNKS:,} chunks, got more", hint=_AGAIN
            )
        chunks.append(_read_chunk(png, at))
        at += 12 + len(chunks[-1].data)
    _check_order([chunk.kind for chunk in chunks])
    return chunks, len(png) - at


def _read_chunk(png: bytes, at: int) -> Chunk:
    length = int.from_bytes(png[at : at + 4], "big")
    kind, end = png[at + 4 : at + 8], at + 8 + length
    if end + 4 > len(png):
        raise ImageDamagedError(
            f"expected a whole PNG, got one that ends inside the chunk at byte {at}", hint=_AGAIN
        )
    if not kind.isalpha():
        raise ImageDamagedError(
            f"expected a chunk of PNG at byte {at}, got something else", hint=_AGAIN
        )
    crc = int.from_bytes(png[end : end + 4], "big")
    return Chunk(kind, png[at + 8 : end], zlib.crc32(png[at + 4 : end]) == crc)


def _check_order(kinds: list[bytes]) -> None:
    """Refuse what decoders read differently: a second IHDR, scattered IDAT, unknown critical."""
    unknown = [kind for kind in kinds if kind[:1].isupper() and kind not in _CRITICAL]
    if unknown:
        raise ImageFormatError(
            f"expected a standard PNG, got one with the unknown chunk {unknown[0].decode()}",
            hint="export the picture as a plain PNG",
        )
    if kinds[0] != b"IHDR" or b"IDAT" not in kinds:
        raise ImageDamagedError(
            "expected IHDR first and pixel data, got neither or one", hint=_AGAIN
        )
    twice = [kind for kind in _ONCE if kinds.count(kind) > 1]
    if twice:
        raise ImageDamagedError(f"expected one {twice[0].decode()} chunk, got several", hint=_AGAIN)
    first, count = kinds.index(b"IDAT"), kinds.count(b"IDAT")
    if kinds[first : first + count] != [b"IDAT"] * count:
        raise ImageDamagedError(
            "expected the IDAT chunks in one row, got others between", hint=_AGAIN
        )


def _require_intact(chunks: list[Chunk]) -> None:
    for chunk in chunks:
        if not chunk.intact:
            raise ImageDamagedError(
                f"expected intact chunks, got {chunk.kind.decode()} with a wrong checksum",
                hint=_AGAIN,
            )


def _parse_ihdr(data: bytes) -> Layout:
    if len(data) == 13:
        width, height, bits, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", data)
        known = bits in _DEPTHS.get(colour, ()) and packing == filtering == 0 and interlace < 2
        if known and 0 < width < 2**31 and 0 < height < 2**31:
            return Layout(width, height, bits, colour, bool(interlace))
    raise ImageDamagedError("expected a valid IHDR chunk, got another", hint=_AGAIN)


def _refuse_animation(chunks: list[Chunk]) -> None:
    for chunk in chunks:
        if chunk.kind == b"acTL":
            check_frames(int.from_bytes(chunk.data[:4], "big"))
        elif chunk.kind == b"fdAT":
            check_frames(2)


def _require_all_rows(layout: Layout, parts: list[bytes]) -> None:
    """Inflate the pixel data piece by piece, only to see that every row is there."""
    missing, stream = _raw_size(layout), zlib.decompressobj()
    try:
        for part in parts:
            while missing > 0 and part:
                missing -= len(stream.decompress(part, 1 << 20))
                part = stream.unconsumed_tail
    except zlib.error as error:
        raise ImageDamagedError("expected pixel data, got a broken stream", hint=_AGAIN) from error
    if missing > 0:
        raise ImageDamagedError(f"expected all rows, got {missing} bytes too few", hint=_AGAIN)


def _raw_size(layout: Layout) -> int:
    """Bytes of the inflated pixel data: each row of each pass is a filter byte and its samples."""
    passes = _ADAM7 if layout.interlaced else _WHOLE
    bits = layout.bits * _CHANNELS[layout.colour]
    total = 0
    for x, y, step_x, step_y in passes:
        columns, rows = -(-(layout.width - x) // step_x), -(-(layout.height - y) // step_y)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _pack(chunk: Chunk) -> bytes:
    body = chunk.kind + chunk.data
    return struct.pack(">I", len(chunk.data)) + body + struct.pack(">I", zlib.crc32(body))
