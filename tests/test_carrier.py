import io
import tracemalloc
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.data import astronaut

from engine import carrier, errors
from engine.carrier import Area, Code
from engine.codes import CODES

Photo = npt.NDArray[np.uint8]


def noise(height: int, width: int, seed: int = 0) -> Photo:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def whole(photo_u8: Photo, key: bytes | None = b"key") -> Area:
    return Area(photo_u8.shape[0], photo_u8.shape[1], 0, photo_u8.size, key)


def psnr_db(first_u8: Photo, second_u8: Photo) -> float:
    return float(10 * np.log10(255**2 / np.mean((first_u8.astype(float) - second_u8) ** 2)))


@settings(max_examples=120, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(CODES), st.data())
def test_bytes_come_back_and_no_other_sample_changes(
    height: int, width: int, code: Code, data: st.DataObject
) -> None:
    extremes = data.draw(st.sampled_from([[0, 255], [0], [255], list(range(256))]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    photo_u8 = rng.choice(np.array(extremes, np.uint8), (height, width, 3))
    kept = photo_u8.copy()
    start = data.draw(st.integers(0, photo_u8.size))
    length = data.draw(st.integers(0, photo_u8.size - start))
    area = Area(height, width, start, length, data.draw(st.sampled_from([None, b"", b"k" * 32])))
    room = carrier.capacity_bytes(length, code)
    sent = rng.bytes(data.draw(st.integers(0, room)))
    carrier_u8 = carrier.embed(photo_u8, area, sent, code)
    assert carrier.extract(carrier_u8, area, len(sent), code) == sent
    assert np.array_equal(photo_u8, kept)
    touched = area.positions(0, carrier.samples_needed(len(sent), code))
    untouched = np.ones(photo_u8.size, bool)
    untouched[touched] = False
    assert np.array_equal(carrier_u8.reshape(-1)[untouched], kept.reshape(-1)[untouched])
    with pytest.raises(errors.CapacityError):
        carrier.embed(photo_u8, area, bytes(room + 1), code)
    with pytest.raises(errors.CapacityError):
        carrier.extract(photo_u8, area, room + 1, code)


@pytest.mark.parametrize("code", CODES)
def test_full_pictures_meet_the_theory(code: Code) -> None:
    photo_u8 = noise(256, 256) // 2 + 60
    room = carrier.capacity_bytes(photo_u8.size, code)
    sent = np.random.default_rng(1).bytes(room)
    carrier_u8 = carrier.embed(photo_u8, whole(photo_u8), sent, code)
    assert carrier.extract(carrier_u8, whole(photo_u8), room, code) == sent
    theory = 10 * np.log10(255**2 / code.distortion)
    assert psnr_db(photo_u8, carrier_u8) == pytest.approx(theory, abs=0.1)
    stated = {(3, 1): 49.89, (4, 1): 46.37}.get((code.modulus, code.order), theory)
    assert theory == pytest.approx(stated, abs=0.01)


def test_blocks_leave_no_seam() -> None:
    photo_u8 = noise(400, 500)
    for code in (Code(3, 1), Code(3, 3), Code(4, 1)):
        sent = np.random.default_rng(2).bytes(carrier.capacity_bytes(photo_u8.size, code))
        long_u8 = carrier.embed(photo_u8, whole(photo_u8), sent, code)
        assert carrier.extract(long_u8, whole(photo_u8), len(sent), code) == sent
        assert carrier.extract(long_u8, whole(photo_u8), 1000, code)[:990] == sent[:990]


def test_holders_of_different_keys_do_not_collide() -> None:
    photo_u8 = noise(60, 80)
    slots = carrier.header_slots(50)
    third = (photo_u8.size - slots) // 3
    areas = [Area(60, 80, slots + i * third, third, bytes([i])) for i in range(3)]
    room = carrier.capacity_bytes(third, Code(4, 1))
    sent = [np.random.default_rng(i).bytes(room) for i in range(3)]
    carrier_u8 = carrier.write_header_copy(photo_u8, bytes(range(50)))
    for area, data in zip(areas, sent, strict=True):
        carrier_u8 = carrier.embed(carrier_u8, area, data, Code(4, 1))
    assert [carrier.extract(carrier_u8, area, room, Code(4, 1)) for area in areas] == sent
    assert carrier.read_header_copy(carrier_u8) == bytes(range(50))


def test_another_key_finds_other_bytes() -> None:
    photo_u8 = noise(50, 50)
    carrier_u8 = carrier.embed(photo_u8, whole(photo_u8), bytes(500), Code(3, 2))
    found = carrier.extract(carrier_u8, whole(photo_u8, b"kez"), 500, Code(3, 2))
    assert 8 * 500 / 3 < np.unpackbits(np.frombuffer(found, np.uint8)).sum() < 8 * 500 * 2 / 3


def test_carrying_is_deterministic() -> None:
    photo_u8 = noise(30, 30)
    first = carrier.embed(photo_u8, whole(photo_u8), b"the same bytes", Code(3, 4))
    assert np.array_equal(
        first,
        carrier.embed(np.asfortranarray(photo_u8), whole(photo_u8), b"the same bytes", Code(3, 4)),
    )


def test_areas_of_other_pictures_and_odd_arrays_are_refused() -> None:
    with pytest.raises(errors.CapacityError):
        carrier.embed(noise(4, 5), Area(5, 4, 0, 60), b"", Code(3, 1))
    odds: list[Any] = [
        np.zeros((4, 5), np.uint8),
        np.zeros((4, 5, 3)),
        np.zeros((0, 5, 3), np.uint8),
    ]
    for odd in odds:
        with pytest.raises(errors.ImageShapeError):
            carrier.embed(odd, Area(4, 5, 0, 60), b"", Code(3, 1))
        with pytest.raises(errors.ImageShapeError):
            carrier.read_header_copy(odd)


def test_a_large_photograph_takes_little_memory() -> None:
    photo_u8 = noise(3000, 4000)
    sent = np.random.default_rng(1).bytes(3_000_000)
    # An area of the size that plain ternary fills: the fewest samples for three megabytes.
    area = Area(3000, 4000, 1000, 15_300_000, b"key")
    code = carrier.choose_code(area.length, len(sent))
    assert code == Code(3, 1)
    tracemalloc.start()
    carrier_u8 = carrier.embed(photo_u8, area, sent, code)
    embed_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    found = carrier.extract(carrier_u8, area, 660_000, code)
    extract_peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert found == sent[:660_000]
    assert embed_peak < photo_u8.nbytes + 32_000_000
    assert extract_peak < 32_000_000


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.binary(max_size=700), st.integers(0, 2**32))
def test_headers_come_back_from_the_pixels(
    height: int, width: int, header: bytes, seed: int
) -> None:
    photo_u8 = noise(height, width, seed)
    if carrier.header_slots(len(header)) > photo_u8.size:
        with pytest.raises(errors.CapacityError):
            carrier.write_header_copy(photo_u8, header)
        with pytest.raises(errors.CapacityError):
            carrier.clear_header_samples(photo_u8, len(header))
        return
    carrier_u8 = carrier.write_header_copy(photo_u8, header)
    out = io.BytesIO()
    Image.fromarray(carrier_u8).save(out, "PNG")
    assert carrier.read_header_copy(np.array(Image.open(out))) == header
    cleared_u8 = carrier.clear_header_samples(carrier_u8, len(header))
    assert np.array_equal(cleared_u8, carrier.clear_header_samples(photo_u8, len(header)))
    assert np.count_nonzero(cleared_u8 != carrier_u8) <= carrier.header_slots(len(header))
    assert np.abs(carrier_u8.astype(int) - photo_u8).max() <= 1
    assert carrier.read_header_copy(cleared_u8) is None


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 2**32))
def test_pictures_without_a_header_have_none(height: int, width: int, seed: int) -> None:
    assert carrier.read_header_copy(noise(height, width, seed)) is None
    for value in (0, 1, 254, 255):
        assert carrier.read_header_copy(np.full((height, width, 3), value, np.uint8)) is None


def test_photographs_without_a_header_have_none() -> None:
    photo_u8 = astronaut()
    for step in (1, 2, 5):
        assert carrier.read_header_copy(photo_u8[::step, ::step]) is None


def test_every_flipped_bit_of_the_copy_is_noticed() -> None:
    header = b"a header"
    carrier_u8 = carrier.write_header_copy(noise(20, 20), header)
    for position in Area(20, 20, 0, 1200).positions(0, carrier.header_slots(len(header))):
        damaged_u8 = carrier_u8.copy()
        damaged_u8.reshape(-1)[position] ^= 1
        assert carrier.read_header_copy(damaged_u8) is None


def test_headers_of_impossible_length_are_refused() -> None:
    for length in (-1, 65_536):
        with pytest.raises(errors.CapacityError):
            carrier.clear_header_samples(noise(500, 400), length)
