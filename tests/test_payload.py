import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.data import astronaut

from engine import errors, payload
from engine.payload import Payload

FACES = Path(__file__).parents[1] / ".." / "shared" / "data" / "eval_112.zip"
# What plain ternary carries in 112 x 112 x 3 samples beside a header of 350 bytes, less a seal.
WHOLE_FACE_BUDGET = 6_809

Crop = npt.NDArray[np.uint8]


def face(side: int = 112) -> Crop:
    return np.ascontiguousarray(astronaut()[60 : 60 + side, 170 : 170 + side])


def noise(height: int, width: int, seed: int = 0) -> Crop:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def decoded(encoded: Payload, crop_u8: Crop) -> Crop:
    return payload.decode(encoded.data, encoded.codec, crop_u8.shape[0], crop_u8.shape[1])


def psnr_db(first_u8: Crop, second_u8: Crop) -> float:
    return float(10 * np.log10(255**2 / np.mean((first_u8.astype(float) - second_u8) ** 2)))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32), st.integers(1, 256))
def test_lossless_is_exact_at_any_size(height: int, width: int, seed: int, levels: int) -> None:
    crop_u8 = noise(height, width, seed) % np.uint8(min(levels, 255))
    encoded = payload.encode_lossless(crop_u8)
    assert encoded.exact
    assert payload.is_exact(encoded.codec)
    assert np.array_equal(decoded(encoded, crop_u8), crop_u8)
    assert payload.encode(crop_u8, len(encoded.data)) == encoded


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(-1, 9_000), st.integers(0, 2**32))
def test_the_budget_holds_at_any_size(height: int, width: int, budget: int, seed: int) -> None:
    crop_u8 = noise(height, width, seed)
    try:
        encoded = payload.encode(crop_u8, budget, floor_db=20)
    except errors.CapacityError as error:
        assert error.hint
        assert budget < max(400, 4 * crop_u8.size)
        return
    assert len(encoded.data) <= budget
    assert encoded.exact == (encoded.codec == "webp-lossless")
    found_u8 = decoded(encoded, crop_u8)
    if encoded.exact:
        assert np.array_equal(found_u8, crop_u8)
    else:
        assert psnr_db(found_u8, crop_u8) >= 20


def test_a_face_fits_its_own_carrier_well() -> None:
    encoded = payload.encode(face(), WHOLE_FACE_BUDGET)
    assert encoded.codec == "jpeg2000"
    assert not encoded.exact
    assert 6_400 < len(encoded.data) <= WHOLE_FACE_BUDGET
    # Grainy film at its own resolution: harder than the faces below.
    assert psnr_db(decoded(encoded, face()), face()) > 41


@pytest.mark.shared
@pytest.mark.skipif(not FACES.exists(), reason="needs the evaluation faces of ../shared")
@pytest.mark.parametrize(("source", "least_db"), [("lfw", 45), ("celeba", 45), ("ffhq", 42)])
def test_faces_reach_the_stated_figures(source: str, least_db: float) -> None:
    reached = []
    with zipfile.ZipFile(FACES) as faces:
        names = sorted(name for name in faces.namelist() if name.startswith(source + "/"))
        for name in names[::70]:
            crop_u8 = np.array(Image.open(io.BytesIO(faces.read(name))).convert("RGB"))
            encoded = payload.encode(crop_u8, WHOLE_FACE_BUDGET)
            reached.append(psnr_db(decoded(encoded, crop_u8), crop_u8))
    assert len(reached) == 8
    assert np.mean(reached) >= least_db


def test_more_room_is_never_worse() -> None:
    reached = []
    for budget in (2_000, 4_000, 8_000, 12_000):
        encoded = payload.encode(face(), budget)
        reached.append(psnr_db(decoded(encoded, face()), face()))
    assert reached == sorted(reached)
    assert payload.encode(face(), 40_000).exact


def test_encoding_is_deterministic() -> None:
    assert payload.encode(face(), 5_000) == payload.encode(face(), 5_000)
    assert payload.encode_lossless(face()) == payload.encode_lossless(face())


def test_large_crops_are_spared_hopeless_work() -> None:
    crop_u8 = np.tile(face(200), (3, 3, 1)) ^ (noise(600, 600) & np.uint8(7))
    exact = payload.encode(crop_u8, crop_u8.size)
    assert exact.codec == "webp-lossless"
    assert np.array_equal(decoded(exact, crop_u8), crop_u8)
    lossy = payload.encode(crop_u8, 200_000)
    assert lossy.codec == "jpeg2000"
    assert psnr_db(decoded(lossy, crop_u8), crop_u8) > 35


def test_crops_beyond_webps_sides_are_exact_too() -> None:
    crop_u8 = noise(4, 16_400)
    encoded = payload.encode_lossless(crop_u8)
    assert encoded.codec == "jpeg2000-lossless"
    assert np.array_equal(decoded(encoded, crop_u8), crop_u8)


def test_too_little_room_is_refused() -> None:
    for budget in (-5, 0, 50, 120):
        with pytest.raises(errors.CapacityError, match="112 x 112"):
            payload.encode(face(), budget)
    with pytest.raises(errors.CapacityError):
        payload.encode(face(), 6_000, floor_db=60)


def test_no_encoder_signs_the_stream() -> None:
    data = payload.encode(face(), 5_000).data
    assert data.startswith(b"\xff\x4f\xff\x51")
    assert b"OpenJPEG" not in data


@pytest.mark.parametrize("codec", ["webp-lossless", "jpeg2000-lossless", "jpeg2000"])
def test_damaged_payloads_are_named(codec: str) -> None:
    lossy = codec == "jpeg2000"
    data = (payload.encode(face(), 5_000) if lossy else payload.encode_lossless(face())).data
    if codec == "jpeg2000-lossless":
        data = payload.encode(face(), 5_000).data
    for broken in (b"", b"RIFF", data[:20], data[:60], b"\0" * 500, data[::-1]):
        with pytest.raises(errors.ImageDamagedError) as caught:
            payload.decode(broken, codec, 112, 112)
        assert caught.value.hint
    for height, width in ((112, 113), (1, 1), (224, 112)):
        with pytest.raises(errors.HeaderDamagedError):
            payload.decode(data, codec, height, width)


def test_truncated_payloads_are_named() -> None:
    exact = payload.encode_lossless(face())
    with pytest.raises(errors.ImageDamagedError):
        payload.decode(exact.data[:-500], exact.codec, 112, 112)


def test_a_spoilt_marker_length_is_named() -> None:
    # Pillow raises a bare ValueError for it
    data = SMALL_LOSSY.data
    with pytest.raises(errors.ImageDamagedError):
        payload.decode(data[:4] + b"\0\0" + data[6:], "jpeg2000", 16, 16)


def test_payloads_of_another_codec_are_named() -> None:
    exact = payload.encode_lossless(face())
    with pytest.raises(errors.ImageDamagedError):
        payload.decode(exact.data, "jpeg2000", 112, 112)
    with pytest.raises(errors.HeaderDamagedError, match="avif"):
        payload.decode(exact.data, "avif", 112, 112)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_spoilt_bytes_never_raise_anything_else(data: st.DataObject) -> None:
    encoded = payload.encode_lossless(face(16)) if data.draw(st.booleans()) else SMALL_LOSSY
    spoilt = bytearray(encoded.data)
    for _ in range(data.draw(st.integers(1, 4))):
        spoilt[data.draw(st.integers(0, len(spoilt) - 1))] = data.draw(st.integers(0, 255))
    try:
        found_u8 = payload.decode(bytes(spoilt), encoded.codec, 16, 16)
    except (errors.ImageDamagedError, errors.HeaderDamagedError):
        return
    assert found_u8.shape == (16, 16, 3)


SMALL_LOSSY = payload.encode(face(16), 400)


def test_a_payload_never_shows_its_bytes() -> None:
    assert "data" not in repr(SMALL_LOSSY)


def test_odd_crops_are_refused() -> None:
    odds: list[Any] = [
        np.zeros((4, 5), np.uint8),
        np.zeros((4, 5, 3)),
        np.zeros((0, 5, 3), np.uint8),
    ]
    for odd in odds:
        with pytest.raises(errors.ImageShapeError):
            payload.encode(odd, 1_000)
        with pytest.raises(errors.ImageShapeError):
            payload.encode_lossless(odd)
