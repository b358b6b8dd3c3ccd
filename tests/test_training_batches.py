import dataclasses
import io
import itertools
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from tiny_training import (
    TINY,
    draw_face,
)

from engine.data import FaceSet
from engine.errors import ImageDamagedError, MaskError, StillKnownError
from engine.masks import MASKS
from engine.training import batches
from engine.training.ahead import made_ahead
from engine.training.batches import BatchConfig, make_sample, random_key_map, sharpen, wrong_key_map


@pytest.fixture
def faces(tmp_path: Path) -> FaceSet:
    folder = tmp_path / "faces"
    folder.mkdir()
    for seed in range(4):
        Image.fromarray(draw_face(seed)).save(folder / f"{seed}.png")
    return FaceSet(folder)


# --- keys -----------------------------------------------------------------------------------------


def test_random_key_map() -> None:
    found = random_key_map(3, 64, 32, np.random.default_rng(0))
    assert found.shape == (3, 1, 64, 32)
    assert found.dtype == torch.float32
    assert found.unique().tolist() == [-1, 1]
    assert abs(found.mean()) < 0.05
    assert torch.equal(found, random_key_map(3, 64, 32, np.random.default_rng(0)))


@pytest.mark.parametrize(("near_miss", "least", "most"), [(0.0, 0.45, 0.55), (1.0, 0.08, 0.52)])
def test_wrong_key_map_differs(near_miss: float, least: float, most: float) -> None:
    rng = np.random.default_rng(0)
    right = random_key_map(16, 64, 64, rng)
    before = right.clone()
    wrong = wrong_key_map(right, rng, near_miss)
    assert torch.equal(right, before)
    assert wrong.shape == right.shape
    assert wrong.unique().tolist() == [-1, 1]
    shares = (wrong != right).flatten(1).float().mean(1)
    assert shares.min() > least
    assert shares.max() < most
    assert near_miss == 0 or shares.min() < 0.25


@pytest.mark.parametrize("near_miss", [0.0, 1.0])
def test_a_wrong_key_map_is_where_the_right_one_is(near_miss: float) -> None:
    right = torch.ones(4, 1, 8, 8, device="meta")  # any device but the processor
    assert wrong_key_map(right, np.random.default_rng(0), near_miss).device == right.device


# --- samples --------------------------------------------------------------------------------------


def spy_on_masks(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """Record what each mask is asked for, and let the real ones make it."""
    calls: list[dict[str, object]] = []
    real = batches.make_mask

    def make(name: str, face_u8: npt.NDArray[np.uint8], **wishes: object) -> object:
        calls.append({"name": name, "face_u8": face_u8.copy(), **wishes})
        return real(name, face_u8, **wishes)  # type: ignore[arg-type]

    monkeypatch.setattr(batches, "make_mask", make)
    return calls


def five_lights(side: int = 64) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """A dark picture with a differently bright spot at each landmark, not mirror-symmetric."""
    points = np.array([[18, 20], [44, 22], [30, 34], [20, 48], [42, 50]], np.float32)
    picture = np.zeros((side, side, 3), np.uint8)
    for i, (x, y) in enumerate(points.astype(int)):
        picture[y - 1 : y + 2, x - 1 : x + 2] = 50 + 40 * i
    return picture, points


def test_landmarks_follow_the_face_through_mirror_and_resize(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = spy_on_masks(monkeypatch)
    picture, points = five_lights()
    config = BatchConfig(masks={"gaussian": 1.0}, crop=32, paper_share=0.3, sides=(64, 160))
    for seed in range(24):
        make_sample(picture, points, config, np.random.default_rng(seed))
    mirrored = 0
    for call in calls:
        face_u8, landmarks = call["face_u8"], call["landmarks"]
        assert isinstance(face_u8, np.ndarray)
        assert isinstance(landmarks, np.ndarray)
        assert landmarks[0, 0] < landmarks[1, 0], "the image-left eye comes first"
        assert landmarks[3, 0] < landmarks[4, 0], "the image-left mouth corner comes first"
        x, y = (landmarks + 0.5).astype(int).T
        brightness = face_u8[y, x, 0]
        order = brightness.argsort().tolist()
        assert order in ([0, 1, 2, 3, 4], [1, 0, 2, 4, 3]), brightness
        assert brightness.min() > 30, brightness
        mirrored += order[0] == 1
    assert 4 < mirrored < 20


def test_mirroring_by_hand() -> None:
    picture, points = five_lights()
    mirrored, swapped = batches.mirror(picture, points)
    assert np.array_equal(mirrored, picture[:, ::-1])
    assert swapped.tolist() == [[19, 22], [45, 20], [33, 34], [21, 50], [43, 48]]
    assert points[0].tolist() == [18, 20]


def test_sample_is_the_same_square_of_both() -> None:
    picture = draw_face(0, 64)
    config = BatchConfig(masks={"box": 1.0}, crop=32, paper_share=0, sides=(40, 90))
    for seed in range(8):
        original, mask = make_sample(picture, None, config, np.random.default_rng(seed))
        assert original.shape == mask.shape == (32, 32, 3)
        assert original.dtype == mask.dtype == np.uint8
    config = dataclasses.replace(config, masks={"pixelate": 1.0}, sides=(64, 64))
    original, mask = make_sample(picture, None, config, np.random.default_rng(1))
    assert abs(original.astype(int).mean(axis=(0, 1)) - mask.mean(axis=(0, 1))).max() < 12


def test_sample_of_a_face_smaller_than_the_crop() -> None:
    config = BatchConfig(masks={"gaussian": 1.0}, crop=64, paper_share=0, sides=(20, 30))
    original, mask = make_sample(draw_face(0), None, config, np.random.default_rng(0))
    assert original.shape == mask.shape == (64, 64, 3)
    assert (original.astype(int).std(axis=(0, 1)) > 0).all()


def test_paper_share_takes_the_papers_size_and_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = spy_on_masks(monkeypatch)
    config = BatchConfig(masks={"median": 1.0}, crop=32, paper_share=1, test_share=1)
    make_sample(draw_face(0, 160), None, config, np.random.default_rng(0))
    make_sample(
        draw_face(0, 160),
        None,
        dataclasses.replace(config, paper_share=0),
        np.random.default_rng(0),
    )
    assert [call["preset"] for call in calls] == ["paper", "scaled"]
    assert calls[0]["strength"] == MASKS["median"].paper
    assert calls[0]["face_u8"].shape == (112, 112, 3)  # type: ignore[attr-defined]


def test_masks_are_drawn_by_their_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = spy_on_masks(monkeypatch)
    config = BatchConfig(
        masks={"gaussian": 3.0, "box": 1.0}, crop=16, paper_share=0, sides=(16, 20)
    )
    rng = np.random.default_rng(0)
    for _ in range(120):
        make_sample(draw_face(0, 16), None, config, rng)
    names = [call["name"] for call in calls]
    assert 75 < names.count("gaussian") < 105
    assert names.count("gaussian") + names.count("box") == 120


def test_batches(faces: FaceSet) -> None:
    stream = iter(batches.Batches([faces, faces], TINY.batches, seed=0))
    first, second = next(stream), next(stream)
    for image in (first.original, first.mask):
        assert image.shape == (2, 3, 16, 16)
        assert image.dtype == torch.float32
        assert 0 <= image.min() <= image.max() <= 1
    assert first.key_map.shape == (2, 1, 16, 16)
    assert not torch.equal(first.original, first.mask)
    assert not torch.equal(first.key_map, second.key_map)
    again = next(iter(batches.Batches([faces, faces], TINY.batches, seed=0)))
    assert torch.equal(again.original, first.original)
    assert torch.equal(again.mask, first.mask)


def test_the_background_thread_ends_with_its_reader() -> None:
    drawn: list[int] = []

    def endless() -> Iterator[int]:
        for number in itertools.count():
            drawn.append(number)
            yield number

    stream = made_ahead(endless())
    assert (next(stream), next(stream)) == (0, 1)
    (thread,) = (one for one in threading.enumerate() if one.name == "batches")
    while len(drawn) < 6:  # two taken, three that wait, one that finds no place
        time.sleep(0.01)
    assert len(drawn) == 6 and thread.is_alive()
    stream.close()  # type: ignore[attr-defined]
    assert not thread.is_alive()


def test_an_error_of_the_background_thread_arrives(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.fromarray(draw_face(0)).save(buffer, "PNG")
    (tmp_path / "cut.png").write_bytes(buffer.getvalue()[:100])
    with pytest.raises(ImageDamagedError):
        next(iter(batches.Batches([FaceSet(tmp_path)], TINY.batches, seed=0)))


def test_another_face_is_drawn_where_a_mask_refuses_one(
    faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, asked = batches.make_sample, []

    def moody(*arguments: Any) -> Any:
        asked.append(1)
        if len(asked) % 3:
            raise StillKnownError("still known", hint="another one")
        return make(*arguments)

    monkeypatch.setattr(batches, "make_sample", moody)
    found = next(iter(batches.Batches([faces], TINY.batches, seed=0)))
    assert found.original.shape == (2, 3, 16, 16)
    assert len(asked) >= 6


def test_masks_that_refuse_every_face_are_an_error(
    faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise StillKnownError("still known", hint="another one")

    monkeypatch.setattr(batches, "make_sample", refuse)
    with pytest.raises(MaskError, match="in a row"):
        next(iter(batches.Batches([faces], TINY.batches, seed=0)))


def test_some_faces_are_sharper_where_a_recipe_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    face_u8 = cv2.GaussianBlur(rng.integers(60, 190, (48, 48, 3), dtype=np.uint8), (0, 0), 1.5)
    sharper_u8 = sharpen(face_u8, rng)

    def detail(picture_u8: npt.NDArray[np.uint8]) -> float:
        return float(np.abs(cv2.Laplacian(picture_u8.astype(np.float32), cv2.CV_32F)).mean())

    assert detail(sharper_u8) > 1.2 * detail(face_u8)
    landmarks = np.array([[14, 16], [34, 16], [24, 26], [16, 34], [32, 34]], np.float32)
    plain, sharp = (
        BatchConfig(masks={"gaussian": 1.0}, crop=48, paper_share=1.0, sharpened=share)
        for share in (0.0, 1.0)
    )
    made = [
        make_sample(face_u8, landmarks, one, np.random.default_rng(3))[0] for one in (plain, sharp)
    ]
    assert detail(made[1]) > 1.2 * detail(made[0])
