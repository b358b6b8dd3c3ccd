"""Writes picture files byte by byte, the sound and the nasty ones, for the tests of the loader."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

MAGIC = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def noise(height: int = 12, width: int = 10, channels: int = 3, seed: int = 0) -> npt.NDArray[Any]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, channels), dtype=np.uint8)


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def ihdr(width: int, height: int, bits: int = 8, colour: int = 2, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace))


def png_of(samples: npt.NDArray[Any], *extra: bytes, colour: int | None = None) -> bytes:
    """A PNG of (H, W, C) samples in uint8 or uint16, with more chunks between IHDR and IDAT."""
    height, width, channels = samples.shape
    bits = samples.dtype.itemsize * 8
    rows = samples.astype(f">u{samples.dtype.itemsize}").reshape(height, -1)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    return packed_png(
        width, height, bits, COLOUR_TYPES[channels] if colour is None else colour, raw, *extra
    )


def packed_png(width: int, height: int, bits: int, colour: int, raw: bytes, *extra: bytes) -> bytes:
    """A PNG of rows that are already filtered and packed."""
    body = b"".join(extra) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND")
    return MAGIC + ihdr(width, height, bits, colour) + body


def interlaced_png(samples: npt.NDArray[Any]) -> bytes:
    """The same picture in the seven passes of Adam7."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
    raw = b""
    for x, y, step_x, step_y in [*passes, (0, 1, 1, 2)]:
        for row in samples[y::step_y, x::step_x]:
            raw += b"\0" + row.astype(f">u{row.dtype.itemsize}").tobytes() if row.size else b""
    height, width, channels = samples.shape
    head = ihdr(width, height, samples.dtype.itemsize * 8, COLOUR_TYPES[channels], interlace=1)
    return MAGIC + head + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND")


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def srgb_icc() -> bytes:
    return bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())


def swapped_icc() -> bytes:
    """An RGB profile whose red is green and whose green is red, so that its use is plain to see."""
    icc = bytearray(srgb_icc())
    entries = {
        bytes(icc[i : i + 4]): i
        for i in range(132, 132 + 12 * int.from_bytes(icc[128:132], "big"), 12)
    }
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    icc[red : red + 4], icc[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(icc)


def exif_of(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()


def ycck_jpeg(rgb: tuple[int, int, int], side: int = 16) -> bytes:
    """Adobe's YCCK: a CMYK JPEG of (Y, Cb, Cr, K), whose APP14 transform is set to 2."""
    inverse = Image.new("RGB", (side, side), tuple(255 - value for value in rgb)).convert("YCbCr")
    y, cb, cr = inverse.getpixel((0, 0))
    stored = (255 - y, 255 - cb, 255 - cr, 0)  # Pillow inverts on writing
    data = bytearray(saved(Image.new("CMYK", (side, side), stored), "JPEG", quality=100))
    at = data.index(b"Adobe")
    data[at + 11] = 2
    return bytes(data)


def mpo(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> bytes:
    """Two pictures in one JPEG, as phones and stereo cameras write."""
    other = Image.fromarray(second)
    return saved(Image.fromarray(first), "MPO", save_all=True, append_images=[other], quality=95)


def animated(form: str) -> bytes:
    frames = [Image.fromarray(noise(seed=seed)) for seed in range(3)]
    return saved(frames[0], form, save_all=True, append_images=frames[1:], duration=40)


def sized_jpeg(height: int, width: int) -> bytes:
    """A small JPEG whose header claims another size."""
    data = bytearray(saved(Image.fromarray(noise()), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def sized_webp(kind: bytes, side: int) -> bytes:
    """A WebP header of one of its three kinds that claims a size, and no pixels."""
    packed = (side - 1) | (side - 1) << 14
    body = {
        b"VP8X": struct.pack("<I", 0) + (side - 1).to_bytes(3, "little") * 2,
        b"VP8L": b"\x2f" + packed.to_bytes(5, "little")[:4],
        b"VP8 ": b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", side & 0xFFFF, side & 0xFFFF),
    }[kind]
    riff = b"WEBP" + kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(riff)) + riff


def bomb(kind: bytes) -> bytes:
    """A compressed chunk of a few kilobytes that inflates to three megabytes."""
    start = {b"zTXt": b"k\0\0", b"iTXt": b"k\0\1\0\0\0", b"iCCP": b"k\0\0"}[kind]
    return chunk(kind, start + zlib.compress(b"a" * (3 << 20), 9))


def many_scans(scans: int) -> bytes:
    """A progressive JPEG that repeats its last scan."""
    data = saved(Image.new("L", (16, 16), 77), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * scans + data[-2:]
