"""Other people's files: what colours and which way up each becomes."""

import io
import struct
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from picture_files import (
    chunk,
    exif_of,
    interlaced_png,
    mpo,
    noise,
    packed_png,
    png_of,
    saved,
    srgb_icc,
    swapped_icc,
    ycck_jpeg,
)
from PIL import Image, ImageCms, ImageOps

from engine.errors import ImageDamagedError
from engine.images import MAX_PIXELS, open_photo, open_protected

PHOTO = noise()
PICTURE = Image.fromarray(PHOTO)


@pytest.mark.parametrize(
    "options",
    [("PNG", {}), ("WEBP", {"lossless": True}), ("WEBP", {"lossless": True, "exif": exif_of(1)})],
)
def test_lossless_files_open_exactly(options: tuple[str, dict[str, object]]) -> None:
    assert np.array_equal(open_photo(saved(PICTURE, options[0], **options[1])), PHOTO)


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg_opens_near_the_original(progressive: bool) -> None:
    smooth = np.full((16, 24, 3), (200, 90, 40), np.uint8)
    data = saved(Image.fromarray(smooth), "JPEG", quality=95, progressive=progressive)
    opened = open_photo(data)
    assert opened.shape == smooth.shape and opened.dtype == np.uint8
    assert np.abs(opened.astype(int) - smooth).max() <= 3


def test_what_is_opened_may_be_written_to() -> None:
    photo = open_photo(saved(PICTURE, "PNG"))
    photo[0, 0] = 7
    assert photo.flags.c_contiguous and (photo[0, 0] == 7).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_orientation_is_applied_in_every_format(orientation: int, form: str) -> None:
    options = {"quality": 95} if form == "JPEG" else {"lossless": True} if form == "WEBP" else {}
    data = saved(PICTURE, form, exif=exif_of(orientation), **options)
    with Image.open(io.BytesIO(data)) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored).convert("RGB"))
    assert np.array_equal(open_photo(data), expected)


def test_orientation_6_turns_the_top_to_the_right() -> None:
    photo = np.zeros((4, 8, 3), np.uint8)
    photo[0] = 255
    assert (open_photo(saved(Image.fromarray(photo), "PNG", exif=exif_of(6)))[:, -1] == 255).all()


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_unknown_orientation_means_upright(value: int) -> None:
    assert np.array_equal(open_photo(saved(PICTURE, "PNG", exif=exif_of(value))), PHOTO)


def test_broken_exif_means_upright() -> None:
    for exif in (
        b"Exif\0\0rubbish",
        b"Exif\0\0II*\0\xff\xff\xff\xff",
        exif_of(6)[:-9],
        b"Exif\0\0",
    ):
        assert np.array_equal(open_photo(png_of(PHOTO, chunk(b"eXIf", exif[6:]))), PHOTO)


def test_orientation_in_xmp_and_after_the_pixels_is_applied() -> None:
    xmp = b'XML:com.adobe.xmp\0\0\0\0\0<x tiff:Orientation="3"/>'
    turned = PHOTO[::-1, ::-1]
    assert np.array_equal(open_photo(png_of(PHOTO, chunk(b"iTXt", xmp))), turned)
    late = png_of(PHOTO)[:-12] + chunk(b"eXIf", exif_of(3)[6:]) + chunk(b"IEND")
    assert np.array_equal(open_photo(late), turned)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_icc_profile_is_converted(form: str) -> None:
    red = Image.new("RGB", (8, 8), (250, 10, 10))
    options = {"lossless": True} if form == "WEBP" else {}
    opened = open_photo(saved(red, form, icc_profile=swapped_icc(), **options))
    assert opened[4, 4, 1] > 200 > 100 > opened[4, 4, 0]


def test_srgb_profile_changes_nothing() -> None:
    assert np.array_equal(open_photo(saved(PICTURE, "PNG", icc_profile=srgb_icc())), PHOTO)


def test_grey_under_an_rgb_profile_stays_grey() -> None:
    grey = Image.fromarray(PHOTO[..., 0])
    opened = open_photo(saved(grey, "PNG", icc_profile=srgb_icc()))
    assert np.array_equal(opened, np.repeat(PHOTO[..., :1], 3, 2))


@pytest.mark.parametrize("icc", [b"rubbish", srgb_icc()[:200], b"\0" * 128])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_unreadable_profile_is_an_error(icc: bytes, form: str) -> None:
    with pytest.raises(ImageDamagedError, match="colour profile") as caught:
        open_photo(saved(PICTURE, form, icc_profile=icc))
    assert "sRGB" in caught.value.hint


def test_profile_that_does_not_inflate_is_an_error() -> None:
    with pytest.raises(ImageDamagedError, match="colour profile"):
        open_photo(png_of(PHOTO, chunk(b"iCCP", b"x\0\0not zlib")))


def test_profile_for_other_channels_is_an_error() -> None:
    lab = bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes())
    with pytest.raises(ImageDamagedError, match="for RGB, got one for Lab"):
        open_photo(saved(PICTURE, "PNG", icc_profile=lab))
    with pytest.raises(ImageDamagedError, match="for CMYK, got one for RGB"):
        open_photo(saved(PICTURE.convert("CMYK"), "JPEG", icc_profile=srgb_icc()))


@pytest.mark.parametrize("rgb", [(255, 255, 255), (0, 0, 0), (200, 60, 30), (20, 120, 220)])
def test_adobe_cmyk_and_ycck_are_not_inverted(rgb: tuple[int, int, int]) -> None:
    cmyk = saved(Image.new("RGB", (16, 16), rgb).convert("CMYK"), "JPEG", quality=100)
    assert b"Adobe" in cmyk
    for data in (cmyk, ycck_jpeg(rgb)):
        assert np.abs(open_photo(data)[8, 8].astype(int) - rgb).max() <= 3


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_16_bit_is_rounded_to_the_nearest(channels: int) -> None:
    wide = np.random.default_rng(1).integers(0, 65536, (9, 7, channels)).astype(np.uint16)
    wide.reshape(-1)[:8] = (0, 127, 128, 129, 257, 385, 386, 65535)
    eight = np.round(wide * (255 / 65535)).astype(int)
    colour, alpha = (eight, np.array(255)) if channels % 2 else (eight[..., :-1], eight[..., -1:])
    expected = np.floor((colour * alpha + 255 * (255 - alpha)) / 255 + 0.5)
    opened = open_photo(png_of(wide, chunk(b"gAMA", struct.pack(">I", 100000))))
    assert np.array_equal(opened, np.broadcast_to(expected, (9, 7, 3)))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_transparent_colour_is_white(channels: int, dtype: type[np.generic]) -> None:
    samples = noise(9, 7, channels).astype(dtype)
    samples[4, 3] = samples[0, 6] = 201
    near = samples.copy()
    key = chunk(b"tRNS", struct.pack(">H", 201) * channels)
    opened = open_photo(png_of(near, key))
    assert (opened[4, 3] == 255).all() and (opened[0, 6] == 255).all()
    hidden = (samples == 201).all(2)
    assert np.array_equal(opened[~hidden], open_photo(png_of(near))[~hidden])


@pytest.mark.parametrize(("bits", "key"), [(1, 0), (1, 1), (2, 2), (4, 11)])
def test_transparent_grey_below_8_bits_is_white(bits: int, key: int) -> None:
    levels = 2**bits
    row = [value % levels for value in range(8)]
    packed = int("".join(f"{value:0{bits}b}" for value in row), 2).to_bytes(bits, "big")
    trns = chunk(b"tRNS", struct.pack(">H", key))
    opened = open_photo(packed_png(8, 1, bits, 0, b"\0" + packed, trns))
    expected = [255 if value == key else value * 255 // (levels - 1) for value in row]
    assert opened[0, :, 0].tolist() == expected


def test_palette_opens_with_and_without_transparency() -> None:
    index = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    plte = chunk(b"PLTE", bytes(range(10, 28)))
    plain = open_photo(png_of(index, plte, colour=3))
    assert np.array_equal(plain.reshape(-1, 3), np.arange(10, 28).reshape(6, 3))
    trns = chunk(b"tRNS", bytes([255, 0, 128]))
    seen = open_photo(png_of(index, plte, trns, colour=3)).reshape(-1, 3)
    assert seen[0].tolist() == [10, 11, 12] and seen[1].tolist() == [255] * 3
    assert seen[2].tolist() == [round((v * 128 + 255 * 127) / 255) for v in (16, 17, 18)]
    one = open_photo(png_of(index, plte, chunk(b"tRNS", b"\0"), colour=3)).reshape(-1, 3)
    assert one[0].tolist() == [255] * 3 and np.array_equal(one[1:], plain.reshape(-1, 3)[1:])


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_colour_hidden_under_alpha_0_never_shows(form: str) -> None:
    secret = np.dstack([PHOTO, np.zeros(PHOTO.shape[:2], np.uint8)])
    options = {"lossless": True, "exact": True} if form == "WEBP" else {}
    assert (open_photo(saved(Image.fromarray(secret), form, **options)) == 255).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_other_modes_open_as_rgb(mode: str) -> None:
    opened = open_photo(saved(PICTURE.convert(mode), "PNG"))
    assert np.array_equal(opened, np.asarray(PICTURE.convert(mode).convert("RGB")))


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (8, 8), (13, 21)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_interlaced_png_opens(size: tuple[int, int], dtype: type[np.generic]) -> None:
    photo = noise(*size)
    samples = photo.astype(np.uint16) * 257 if dtype == np.uint16 else photo
    assert np.array_equal(open_photo(interlaced_png(samples)), photo)


def test_mpo_gives_its_first_picture() -> None:
    first, second = np.full((16, 24, 3), 40, np.uint8), np.full((16, 24, 3), 220, np.uint8)
    data = mpo(first, second)
    assert abs(int(open_photo(data).mean()) - 40) <= 2 and open_protected(data).format == "JPEG"


@pytest.mark.parametrize(("form", "shape"), [
    ("PNG", (1, 1)), ("JPEG", (1, 1)), ("WEBP", (1, 1)), ("PNG", (65535, 1)), ("PNG", (1, 65535)),
    ("JPEG", (65500, 1)), ("JPEG", (1, 65500)), ("WEBP", (1, 16383)),
])  # fmt: skip
def test_extreme_sizes_open(form: str, shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 128, np.uint8)
    opened = open_photo(saved(Image.fromarray(photo), form))
    assert opened.shape == photo.shape and np.abs(opened.astype(int) - 128).max() <= 2


def test_exactly_the_most_pixels_open() -> None:
    photo = np.zeros((5000, MAX_PIXELS // 5000), np.uint8)
    assert open_photo(saved(Image.fromarray(photo), "PNG", compress_level=1)).shape == (
        5000,
        5000,
        3,
    )


def test_opening_in_threads_leaves_the_warning_filters_alone() -> None:
    data = saved(PICTURE, "JPEG", exif=b"Exif\0\0II*\0\x08\0\0\0\x05\0\x12\x01")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        before = list(warnings.filters)
        with Image.open(io.BytesIO(data)) as image:
            image.getexif()
        warned = len(seen)
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        try:
            with ThreadPoolExecutor(8) as pool:
                photos = list(pool.map(open_photo, [data] * 200))
        finally:
            sys.setswitchinterval(interval)
        assert warned and len(seen) == warned and warnings.filters == before
    assert all(np.array_equal(photo, photos[0]) for photo in photos)
