"""Nasty files: each is a named error, at both doors, and none is decoded first."""

import re
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import (
    MAGIC,
    animated,
    bomb,
    chunk,
    exif_of,
    ihdr,
    many_scans,
    mpo,
    noise,
    packed_png,
    png_of,
    saved,
    sized_jpeg,
    sized_webp,
    srgb_icc,
)
from PIL import Image

from engine.errors import (
    EngineError,
    ImageDamagedError,
    ImageError,
    ImageFormatError,
    ImageTooLargeError,
)
from engine.images import open_photo, open_protected

PHOTO = noise()
PICTURE = Image.fromarray(PHOTO)

TORTURE: dict[str, tuple[Callable[[], bytes], type[ImageError]]] = {
    "zero bytes": (lambda: b"", ImageDamagedError),
    "one byte": (lambda: b"\xff", ImageFormatError),
    "text": (lambda: b"a text file that is named photo.png\n", ImageFormatError),
    "gif": (lambda: saved(PICTURE, "GIF"), ImageFormatError),
    "bmp": (lambda: saved(PICTURE, "BMP"), ImageFormatError),
    "tiff": (lambda: saved(PICTURE, "TIFF"), ImageFormatError),
    "postscript": (lambda: saved(PICTURE, "EPS"), ImageFormatError),
    "avif": (lambda: saved(PICTURE, "AVIF"), ImageFormatError),
    "zip": (lambda: b"PK\3\4" + b"\0" * 60, ImageFormatError),
    "animated png": (lambda: animated("PNG"), ImageFormatError),
    "animated webp": (lambda: animated("WEBP"), ImageFormatError),
    "acTL of 0 frames": (lambda: png_of(PHOTO, chunk(b"acTL", b"\0" * 8)), ImageFormatError),
    "apple's png": (lambda: png_of(PHOTO, chunk(b"CgBI", b"\0" * 4)), ImageFormatError),
    "png signature only": (lambda: MAGIC, ImageDamagedError),
    "jpeg start only": (lambda: b"\xff\xd8\xff", ImageDamagedError),
    "webp start only": (lambda: b"RIFF\4\0\0\0WEBP", ImageDamagedError),
    "webp that is audio": (lambda: b"RIFF\x20\0\0\0WEBPVP8 " + b"\0" * 40, ImageDamagedError),
    "half a jpeg": (lambda: saved(PICTURE, "JPEG")[:-40], ImageDamagedError),
    "jpeg without its end": (lambda: saved(PICTURE, "JPEG")[:-2], ImageDamagedError),
    "half a progressive jpeg": (
        lambda: saved(PICTURE, "JPEG", progressive=True)[:-40],
        ImageDamagedError,
    ),
    "half a webp": (lambda: saved(PICTURE, "WEBP")[:-40], ImageDamagedError),
    "half a png": (lambda: png_of(PHOTO)[:-80], ImageDamagedError),
    "short rows": (lambda: packed_png(10, 12, 8, 2, b"\0" * 31 * 5), ImageDamagedError),
    "short rows of 16 bit": (lambda: packed_png(10, 12, 16, 2, b"\0" * 61 * 5), ImageDamagedError),
    "unknown filter": (lambda: packed_png(2, 1, 8, 2, b"\x09" + b"\0" * 6), ImageDamagedError),
    "unknown filter in 16 bit": (
        lambda: packed_png(2, 1, 16, 2, b"\x09" + b"\0" * 12),
        ImageDamagedError,
    ),
    "no palette": (lambda: png_of(PHOTO[..., :1], colour=3), ImageDamagedError),
    "short tRNS": (lambda: png_of(PHOTO, chunk(b"tRNS", b"\0")), ImageDamagedError),
    "png of no width": (lambda: packed_png(0, 1, 8, 2, b"\0"), ImageDamagedError),
    "jpeg of no height": (lambda: sized_jpeg(0, 10), ImageDamagedError),
    "12-bit jpeg": (
        lambda: saved(PICTURE, "JPEG").replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"),
        ImageDamagedError,
    ),
    "png past the limit": (lambda: packed_png(5001, 5000, 1, 0, b""), ImageTooLargeError),
    "huge png": (lambda: packed_png(2**31 - 1, 2**31 - 1, 16, 6, b""), ImageTooLargeError),
    "small IHDR, huge IHDR": (
        lambda: MAGIC + ihdr(1, 1) + png_of(PHOTO[:1, :1])[8:],
        ImageDamagedError,
    ),
    "huge jpeg": (lambda: sized_jpeg(65500, 65500), ImageTooLargeError),
    "100-megapixel jpeg": (lambda: sized_jpeg(10000, 10000), ImageTooLargeError),
    "26-megapixel jpeg": (lambda: sized_jpeg(5000, 5200), ImageTooLargeError),
    "huge webp": (lambda: sized_webp(b"VP8X", 1 << 24), ImageTooLargeError),
    "huge lossless webp": (lambda: sized_webp(b"VP8L", 16383), ImageTooLargeError),
    "huge lossy webp": (lambda: sized_webp(b"VP8 ", 16383), ImageTooLargeError),
    "zTXt bomb": (lambda: png_of(PHOTO, bomb(b"zTXt")), ImageTooLargeError),
    "iTXt bomb": (lambda: png_of(PHOTO, bomb(b"iTXt")), ImageTooLargeError),
    "iCCP bomb": (lambda: png_of(PHOTO, bomb(b"iCCP")), ImageTooLargeError),
    "bomb after the pixels": (
        lambda: png_of(PHOTO)[:-12] + bomb(b"zTXt") + chunk(b"IEND"),
        ImageTooLargeError,
    ),
    "a hundred texts": (
        lambda: png_of(PHOTO, *[chunk(b"zTXt", b"k\0\0" + zlib.compress(b"a" * (1 << 20)))] * 65),
        ImageTooLargeError,
    ),
    "endless scans": (lambda: many_scans(60), ImageTooLargeError),
    "endless chunks": (lambda: png_of(PHOTO, chunk(b"teXt") * 70_000), ImageTooLargeError),
}


# An 8-bit RGB PNG is recovered from its stored pixels: what is wrong beside them is not even read.
BESIDE_THE_PIXELS = {"short tRNS", "bomb after the pixels", "a hundred texts"}


@pytest.mark.parametrize("name", TORTURE)
def test_torture(name: str) -> None:
    make, expected = TORTURE[name]
    with pytest.raises(expected) as caught:
        open_photo(make())
    assert type(caught.value) is expected and caught.value.hint
    assert re.match(r"expected .*, got ", str(caught.value))


@pytest.mark.parametrize("name", TORTURE)
def test_torture_of_open_protected(name: str) -> None:
    make, expected = TORTURE[name]
    if name in BESIDE_THE_PIXELS or re.match("(zTXt|iTXt|iCCP) bomb", name):
        assert np.array_equal(open_protected(make()).photo_u8, PHOTO)
    else:
        with pytest.raises(expected):
            open_protected(make())


def test_every_cut_of_a_file_is_an_error() -> None:
    for form in ("JPEG", "PNG", "WEBP"):
        data = saved(PICTURE, form)
        for end in range(len(data)):
            with pytest.raises(ImageError):
                open_photo(data[:end])


def test_an_error_shows_nothing_of_the_picture() -> None:
    data = saved(PICTURE, "PNG", exif=b"Exif\0\0the secret place")
    data = data.replace(b"IDAT", b"ID\0T")
    with pytest.raises(ImageDamagedError) as caught:
        open_photo(data)
    assert "secret" not in str(caught.value)


SOUND = [
    saved(PICTURE, "JPEG", exif=exif_of(6), icc_profile=srgb_icc()),
    saved(PICTURE, "JPEG", progressive=True),
    saved(PICTURE.convert("CMYK"), "JPEG"),
    saved(PICTURE, "WEBP", exif=exif_of(6), icc_profile=srgb_icc()),
    saved(PICTURE.convert("RGBA"), "WEBP", lossless=True),
    saved(PICTURE.convert("P"), "PNG", transparency=3),
    png_of(noise(5, 4).astype(np.uint16), chunk(b"eXIf", exif_of(6)[6:])),
    mpo(PHOTO, PHOTO),
]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SOUND), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255))))
def test_a_mangled_file_opens_or_is_a_named_error(
    data: bytes, changes: list[tuple[float, int]]
) -> None:
    mangled = bytearray(data)
    for place, value in changes:
        mangled[int(place * min(len(data), 700))] = value
    for door in (open_photo, lambda file: open_protected(file).photo_u8):
        try:
            photo = door(bytes(mangled))
        except EngineError as error:
            assert error.hint
        else:
            assert photo.ndim == 3 and photo.dtype == np.uint8
