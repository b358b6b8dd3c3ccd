"""The PNG container: every chunk is seen, every fault of a file has its own error."""

import zlib

import numpy as np
import pytest
from picture_files import MAGIC, chunk, ihdr, noise, png_of

from engine.errors import HeaderDamagedError, ImageDamagedError, ImageError, ImageFormatError
from engine.images import CHUNK, TRAILING, list_chunks, open_protected, write_png
from engine.png import keep_chunks, read_header, read_layout

PHOTO = noise()
OURS = write_png(None, PHOTO, b"a header")


def with_flipped_byte(png: bytes, at: int) -> bytes:
    return png[:at] + bytes([png[at] ^ 1]) + png[at + 1 :]


def test_chunks_are_listed_in_file_order() -> None:
    assert [kind for kind, _ in list_chunks(OURS)] == ["IHDR", "sRGB", "IDAT", "fvHD", "IEND"]
    assert dict(list_chunks(OURS))["fvHD"] == len(b"a header")


def test_data_after_the_end_are_reported() -> None:
    assert list_chunks(OURS + b"PK\3\4 more")[-1] == (TRAILING, 9)
    assert np.array_equal(open_protected(OURS + b"PK\3\4 more").photo_u8, PHOTO)


def test_our_chunk_is_ancillary_private_and_not_safe_to_copy() -> None:
    assert [letter & 32 for letter in CHUNK] == [32, 32, 0, 0]


@pytest.mark.parametrize("header", [None, b"", b"x", bytes(range(256)) * 300])
def test_header_is_read_back(header: bytes | None) -> None:
    assert read_header(write_png(None, PHOTO, header)) == header


def test_header_is_found_after_the_pixels_too() -> None:
    assert read_header(png_of(PHOTO)[:-12] + chunk(CHUNK, b"late") + chunk(b"IEND")) == b"late"


def test_header_chunk_may_come_once() -> None:
    twice = png_of(PHOTO, chunk(CHUNK, b"one"), chunk(CHUNK, b"two"))
    with pytest.raises(HeaderDamagedError, match="got 2"):
        read_header(twice)
    file = open_protected(twice)
    assert file.header is None and "got 2" in str(file.fault)


def test_header_with_a_wrong_checksum_is_damaged() -> None:
    flipped = with_flipped_byte(OURS, OURS.index(b"a header"))
    with pytest.raises(HeaderDamagedError, match="checksum"):
        read_header(flipped)
    file = open_protected(flipped)
    assert file.header is None and "checksum" in str(file.fault)
    assert np.array_equal(file.photo_u8, PHOTO)
    with pytest.raises(ImageDamagedError, match="fvHD with a wrong checksum"):
        list_chunks(flipped)


def test_every_flipped_byte_is_noticed() -> None:
    for at in range(len(OURS)):
        try:
            file = open_protected(with_flipped_byte(OURS, at))
        except ImageError:
            continue
        assert file.header is None and file.fault
        assert np.array_equal(file.photo_u8, PHOTO)


IDAT = OURS[OURS.index(b"IDAT") - 4 : OURS.index(b"fvHD") - 4]
END = chunk(b"IEND")
MALFORMED = {
    "not a png": (b"GIF89a", ImageFormatError),
    "no chunk": (MAGIC, ImageDamagedError),
    "no IHDR": (MAGIC + IDAT + END, ImageDamagedError),
    "no IDAT": (MAGIC + ihdr(10, 12) + END, ImageDamagedError),
    "no IEND": (OURS[:-12], ImageDamagedError),
    "IHDR second": (MAGIC + chunk(b"sRGB", b"\0") + ihdr(10, 12) + IDAT + END, ImageDamagedError),
    "two IHDR": (MAGIC + ihdr(10, 12) * 2 + IDAT + END, ImageDamagedError),
    "two palettes": (png_of(PHOTO, chunk(b"PLTE", b"abc") * 2), ImageDamagedError),
    "scattered IDAT": (OURS[:-12] + chunk(b"teXt") + chunk(b"IDAT") + END, ImageDamagedError),
    "unknown critical": (png_of(PHOTO, chunk(b"DDAT", b"x")), ImageFormatError),
    "type of no letters": (png_of(PHOTO, chunk(b"a1b2")), ImageDamagedError),
    "length past the end": (MAGIC + b"\xff\xff\xff\xff" + ihdr(10, 12)[4:], ImageDamagedError),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_files_have_named_errors(name: str) -> None:
    png, expected = MALFORMED[name]
    with pytest.raises(expected) as caught:
        list_chunks(png)
    assert type(caught.value) is expected and caught.value.hint


@pytest.mark.parametrize(
    "fields",
    [(8, 1), (16, 3), (3, 0), (4, 2), (8, 5)],
)
def test_unknown_pixel_layouts_are_damaged(fields: tuple[int, int]) -> None:
    with pytest.raises(ImageDamagedError, match="IHDR"):
        read_layout(MAGIC + ihdr(10, 12, *fields) + IDAT + END)


def test_layout_is_read() -> None:
    assert tuple(read_layout(OURS)) == (10, 12, 8, 2, False)


@pytest.mark.parametrize("missing", [0, 1])
@pytest.mark.parametrize(
    ("width", "height", "raw"),
    [(1, 1, 4), (2, 2, 4 + 4 + 7), (8, 8, 4 + 4 + 7 + 2 * 7 + 2 * 13 + 4 * 13 + 4 * 25)],
)
def test_interlaced_rows_are_counted(width: int, height: int, raw: int, missing: int) -> None:
    rows = chunk(b"IDAT", zlib.compress(b"\0" * (raw - missing)))
    png = MAGIC + ihdr(width, height, interlace=1) + rows + END
    if missing:
        with pytest.raises(ImageDamagedError, match="1 bytes too few"):
            open_protected(png)
    else:
        assert open_protected(png).photo_u8.shape == (height, width, 3)


def test_only_the_kept_chunks_remain() -> None:
    kept = keep_chunks(OURS + b"tail", (b"IHDR", b"IDAT", b"IEND"))
    assert [kind for kind, _ in list_chunks(kept)] == ["IHDR", "IDAT", "IEND"]
