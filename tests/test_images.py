"""The door for pixels: nothing but pixels goes out, 8 bits and floats agree, checks refuse."""

import os
import stat
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_files import chunk, exif_of, noise, png_of, saved, srgb_icc
from PIL import Image

from engine.errors import (
    ImageFormatError,
    ImageRangeError,
    ImageShapeError,
    ImageTooLargeError,
)
from engine.images import (
    CHUNK,
    batch_to_u8,
    check_image,
    check_photo,
    from_u8,
    list_chunks,
    open_photo,
    open_protected,
    pad_to_even,
    to_u8,
    write_png,
)

PHOTO = noise()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.integers(0, 2**32 - 1),
    st.none() | st.binary(max_size=300),
)
def test_what_is_written_is_read_back_bit_for_bit(
    height: int, width: int, seed: int, header: bytes | None
) -> None:
    photo = noise(height, width, seed=seed)
    png = write_png(None, photo, header)
    back = open_protected(png)
    assert np.array_equal(back.photo_u8, photo) and back.photo_u8.dtype == np.uint8
    assert back.header == header and back.format == "PNG"
    assert np.array_equal(open_photo(png), photo)
    assert write_png(None, photo, header) == png


def test_large_pictures_round_trip_in_several_idat_chunks() -> None:
    photo = noise(300, 400)
    png = write_png(None, photo, b"h")
    kinds = [kind for kind, _ in list_chunks(png)]
    count = kinds.count("IDAT")
    assert count > 1 and kinds == ["IHDR", "sRGB", *["IDAT"] * count, "fvHD", "IEND"]
    assert np.array_equal(open_protected(png).photo_u8, photo)


def test_written_png_holds_pixels_and_header_and_nothing_else() -> None:
    assert [kind for kind, _ in list_chunks(write_png(None, PHOTO, None))] == [
        "IHDR", "sRGB", "IDAT", "IEND",
    ]  # fmt: skip


def loaded_exif() -> bytes:
    """EXIF with a maker, a place and a thumbnail that shows what the picture will hide."""
    exif = Image.Exif()
    exif[0x010F] = "SECRET maker"
    exif.get_ifd(0x8825)[0x001D] = "SECRET place"
    thumbnail = saved(Image.new("RGB", (16, 16), "red"), "JPEG", comment=b"SECRET thumbnail")
    return exif.tobytes() + thumbnail


def test_nothing_of_a_photographs_past_goes_out(tmp_path: Path) -> None:
    laden = saved(
        Image.fromarray(PHOTO), "JPEG", exif=loaded_exif(), icc_profile=srgb_icc(),
        xmp=b"<x:xmpmeta>SECRET xmp</x:xmpmeta>", comment=b"SECRET comment",
    )  # fmt: skip
    laden += b"SECRET motion photo" + saved(Image.fromarray(PHOTO), "JPEG")
    assert laden.count(b"SECRET") >= 6 and b"ICC_PROFILE" in laden
    write_png(tmp_path / "out.png", open_photo(laden), b"header")
    png = (tmp_path / "out.png").read_bytes()
    assert [kind for kind, _ in list_chunks(png)] == ["IHDR", "sRGB", "IDAT", "fvHD", "IEND"]
    for trace in (b"SECRET", b"Exif", b"JFIF", b"ICC", b"xmp", b"\xff\xd8\xff"):
        assert trace not in png


def test_nothing_of_a_pngs_past_goes_out() -> None:
    text, time = chunk(b"tEXt", b"k\0SECRET"), chunk(b"tIME", b"\x07\xea\1\1\1\1\1")
    laden = png_of(PHOTO, text, time, chunk(b"eXIf", exif_of(1)[6:])) + b"SECRET tail"
    png = write_png(None, open_photo(laden), None)
    assert png == write_png(None, PHOTO, None)


def test_protected_pixels_are_taken_as_stored() -> None:
    stored = png_of(
        PHOTO,
        chunk(b"tRNS", PHOTO[0, 0].astype(">u2").tobytes()),
        chunk(b"eXIf", exif_of(6)[6:]),
        chunk(b"iCCP", b"x\0\0not a profile"),
        chunk(CHUNK, b"header"),
    )
    back = open_protected(stored)
    assert np.array_equal(back.photo_u8, PHOTO) and back.header == b"header"


def test_other_files_are_opened_as_photographs() -> None:
    for form in ("JPEG", "WEBP"):
        data = saved(Image.fromarray(PHOTO), form, exif=exif_of(6))
        back = open_protected(data)
        assert (back.header, back.format) == (None, form)
        assert np.array_equal(back.photo_u8, open_photo(data))


def test_header_of_a_converted_png_is_kept() -> None:
    grey = png_of(PHOTO[..., :1], chunk(CHUNK, b"header"))
    back = open_protected(grey)
    assert back.header == b"header" and np.array_equal(back.photo_u8, open_photo(grey))


def test_paths_and_bytes_open_alike(tmp_path: Path) -> None:
    png = write_png(tmp_path / "a.jpg", PHOTO, b"h")
    for source in (png, tmp_path / "a.jpg", str(tmp_path / "a.jpg")):
        assert np.array_equal(open_photo(source), PHOTO)
        assert open_protected(source).header == b"h"


def test_missing_files_and_folders(tmp_path: Path) -> None:
    for door in (open_photo, open_protected):
        with pytest.raises(FileNotFoundError):
            door(tmp_path / "none.png")
        with pytest.raises(ImageFormatError, match="folder"):
            door(tmp_path)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
def test_an_endless_file_is_refused() -> None:
    with pytest.raises(ImageTooLargeError, match="256 MiB"):
        open_photo("/dev/zero")


def test_writing_replaces_the_file_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "out.png"
    old = write_png(target, PHOTO, None)
    with open(target, "rb") as reader:
        png = write_png(target, noise(seed=3), None)
        assert reader.read() == old
    assert target.read_bytes() == png and os.listdir(tmp_path) == ["out.png"]
    (tmp_path / "plain").touch()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)


def test_a_write_that_fails_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = write_png(tmp_path / "out.png", PHOTO, None)

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_png(tmp_path / "out.png", noise(seed=3), None)
    assert (tmp_path / "out.png").read_bytes() == old and os.listdir(tmp_path) == ["out.png"]


def test_writing_to_a_folder_fails_cleanly(tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError):
        write_png(tmp_path / "taken", PHOTO, None)
    assert os.listdir(tmp_path) == ["taken"]


@pytest.mark.parametrize(
    "array",
    [PHOTO[..., 0], PHOTO[..., :2], PHOTO[None], PHOTO.astype(np.float32), PHOTO[:0]],
)
def test_arrays_that_are_no_picture_are_refused(array: np.ndarray) -> None:
    for door in (check_photo, from_u8, lambda photo: write_png(None, photo, None)):
        with pytest.raises(ImageShapeError, match=r"photo_u8 must be \(H, W, 3\) in uint8, got"):
            door(array)


def test_a_picture_too_large_to_open_is_not_written(tmp_path: Path) -> None:
    huge = np.broadcast_to(np.uint8(0), (5001, 5000, 3))
    with pytest.raises(ImageTooLargeError, match="5000x5001"):
        write_png(tmp_path / "huge.png", huge, None)
    assert not os.listdir(tmp_path)


def test_non_contiguous_arrays_are_written_as_seen() -> None:
    turned = PHOTO[::-1, ::2]
    assert np.array_equal(open_photo(write_png(None, turned, None)), turned)
    assert np.array_equal(to_u8(from_u8(turned)), turned)


def test_every_8_bit_value_survives_the_float() -> None:
    photo = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    image = from_u8(photo)
    assert image.shape == (1, 3, 16, 16) and image.dtype == torch.float32
    assert image.is_contiguous() and image.min() == 0 and image.max() == 1
    assert np.array_equal(to_u8(image), photo)
    assert np.array_equal(to_u8(image.double()), photo)


def test_float_does_not_share_memory_with_the_picture() -> None:
    photo = PHOTO.copy()
    from_u8(photo).zero_()
    assert np.array_equal(photo, PHOTO)


def test_convention_channels_are_rgb_and_rows_come_first() -> None:
    photo = np.zeros((2, 3, 3), np.uint8)
    photo[1, 2] = (255, 0, 51)
    assert torch.equal(from_u8(photo)[0, :, 1, 2], torch.tensor([1.0, 0.0, 0.2]))


def test_ties_round_to_even() -> None:
    values = torch.tensor([0.5, 1.5, 2.5, 3.5], dtype=torch.float64) / 255
    image = values.reshape(1, 1, 1, 4).expand(1, 3, 1, 4)
    assert to_u8(image)[0, :, 0].tolist() == [0, 2, 2, 4]


def test_batches_equal_their_items_and_are_unchanged() -> None:
    images = torch.rand(3, 3, 5, 4, generator=torch.Generator().manual_seed(0))
    before = images.clone()
    batch = batch_to_u8(images.requires_grad_())
    assert batch.shape == (3, 5, 4, 3) and torch.equal(images, before)
    for item, photo in zip(images, batch, strict=True):
        assert np.array_equal(to_u8(item[None]), photo)


@pytest.mark.parametrize("value", [-2e-6, 1 + 2e-6, 254.0, float("nan"), float("inf")])
def test_values_outside_the_range_are_refused(value: float) -> None:
    image = torch.full((1, 3, 2, 2), 0.5, dtype=torch.float64)
    image[0, 1, 1, 0] = value
    for door in (to_u8, batch_to_u8, pad_to_even, lambda bad: check_image(bad, "image")):
        with pytest.raises(ImageRangeError, match=r"must lie in \[0, 1\], got \["):
            door(image)


def test_rounding_noise_at_the_ends_is_allowed() -> None:
    image = torch.tensor([-5e-7, 1 + 5e-7]).reshape(1, 1, 1, 2).expand(1, 3, 1, 2)
    assert to_u8(image)[0, :, 0].tolist() == [0, 255]


@pytest.mark.parametrize(
    "shape", [(3, 4, 4), (1, 1, 4, 4), (1, 4, 4, 3), (0, 3, 4, 4), (1, 3, 0, 4)]
)
def test_shapes_that_are_no_picture_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageShapeError, match=r"original must be \(B, 3, H, W\), got"):
        check_image(torch.zeros(shape), "original")


def test_the_voice_of_the_checks() -> None:
    with pytest.raises(ImageShapeError) as caught:
        check_image(torch.zeros(1, 3, 111, 112), "original", even=True)
    assert (
        str(caught.value) == "original must be (B, 3, H, W) with even H and W, got (1, 3, 111, 112)"
    )
    assert caught.value.hint == "pad it first with engine.images.pad_to_even"
    with pytest.raises(ImageRangeError) as caught:
        check_image(torch.tensor([0.119, 254.0, 1.0]).reshape(1, 3, 1, 1), "original")
    assert str(caught.value) == "original must lie in [0, 1], got [0.119, 254]"
    assert caught.value.hint == "convert 8-bit images with engine.images.from_u8"


def test_integers_and_batches_where_one_is_due_are_refused() -> None:
    with pytest.raises(ImageShapeError, match=r"float type, got torch\.uint8"):
        check_image(torch.zeros(1, 3, 2, 2, dtype=torch.uint8), "mask")
    with pytest.raises(ImageShapeError, match=r"\(1, 3, H, W\), got \(2, 3, 2, 2\)"):
        to_u8(torch.zeros(2, 3, 2, 2))


@pytest.mark.parametrize("size", [(4, 4), (5, 4), (4, 5), (5, 5), (1, 1)])
def test_padding_repeats_the_edge_and_can_be_cut_off(size: tuple[int, int]) -> None:
    image = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0))
    padded, (height, width) = pad_to_even(image)
    assert (height, width) == size and torch.equal(padded[..., :height, :width], image)
    assert padded.shape[2] == height + height % 2 and padded.shape[3] == width + width % 2
    check_image(padded, "padded", even=True)
    if width % 2:
        assert torch.equal(padded[..., -1], padded[..., -2])
    if height % 2:
        assert torch.equal(padded[..., -1, :], padded[..., -2, :])
