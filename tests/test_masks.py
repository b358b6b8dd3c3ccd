"""What every mask must do: hide the face, leave its input alone, be the same again tomorrow."""

import csv
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.data import astronaut

from engine.errors import ImageShapeError, MaskError
from engine.masks import MASKS, make_mask, mask_label
from engine.masks.cartoon import CANVAS, ORIGIN, draw
from engine.masks.filters import gaussian, median, pixelate
from engine.masks.inner_face import (
    AXES,
    CENTRE,
    LANDMARKS,
    POWER,
    inner_rectangle,
    placement,
)
from engine.masks.sticker import sticker_layer

SHARED_CSV = Path(__file__).parents[1] / ".." / "shared" / "data" / "faces_train_0.csv"
ROOT = Path(__file__).parents[1]
# As CenterFace sees them in the whole picture.
ASTRONAUT = np.array(
    [[203.2, 101.7], [247.0, 104.5], [223.3, 125.1], [203.4, 142.3], [241.3, 144.4]]
)
ANYWHERE = {name: entry for name, entry in MASKS.items() if not entry.replaces}
"""The masks that can be made without landmarks; of the others see test_masks_replacing.py."""

SIZES = [(2, 2), (3, 2), (7, 5), (8, 8), (112, 112), (113, 111), (96, 160), (1000, 1000)]
Face = npt.NDArray[np.uint8]


def astronaut_face(side: int, *, loose: bool = True) -> tuple[Face, npt.NDArray[np.float64]]:
    x0, y0, x1, y1 = (155, 40, 295, 180) if loose else (177, 66, 272, 161)
    crop = np.ascontiguousarray(astronaut()[y0:y1, x0:x1])
    scale = side / (x1 - x0)
    return cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA), (
        ASTRONAUT - (x0, y0)
    ) * scale


def synthetic(height: int, width: int) -> Face:
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return ((37 * x + 59 * y + 83 * c + x * y) % 256).astype(np.uint8)


def psnr_db(one: Face, other: Face) -> float:
    error = np.mean((one.astype(np.float64) - other) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")


def posed(angle: float, scale: float, x: float, y: float, yaw: float) -> npt.NDArray[np.float64]:
    """Five landmarks of a turned head: yaw squeezes the face and shifts the nose sideways."""
    points = (LANDMARKS - CENTRE) * (np.cos(np.radians(yaw)), 1.0)
    points[2, 0] += 22 * np.sin(np.radians(yaw))
    turn = np.radians(angle)
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return np.asarray(points @ spin.T * scale + (x, y))


def around(landmarks: npt.NDArray[np.float64], height: int, width: int) -> npt.NDArray[np.bool_]:
    """Pixels within a sixth of the eye distance (or an eighth of the height) of a landmark."""
    rows, columns = np.mgrid[0:height, 0:width]
    eyes = np.linalg.norm(landmarks[1] - landmarks[0])
    tall = np.linalg.norm(landmarks[3:].mean(0) - landmarks[:2].mean(0))
    near = max(eyes / 6, tall / 8)
    close = [np.hypot(columns - x, rows - y) <= near for x, y in landmarks]
    return np.asarray(np.any(close, axis=0))


# --- the table ------------------------------------------------------------------------------------


def test_table_is_consistent() -> None:
    for name, entry in MASKS.items():
        assert entry.name == name == name.lower() and name.isascii()
        assert entry.description[0].isupper() and not entry.description.endswith(".")
        assert set(entry.paper) == set(entry.defaults) >= set(entry.lengths)
        assert entry.needs_landmarks == (name in ("sticker", "box") or entry.replaces)
        assert entry.replaces or not entry.takes_model


def test_paper_settings_are_those_of_proface_s() -> None:
    assert MASKS["gaussian"].paper == {"kernel": 21, "sigma": 8}
    assert MASKS["pixelate"].paper == {"block": 9}
    assert MASKS["median"].paper == {"kernel": 15}


def test_training_samples_cover_the_papers_ranges() -> None:
    rng = np.random.default_rng(0)
    rolls = {name: [MASKS[name].sample(rng) for _ in range(400)] for name in MASKS}
    assert all(set(roll) == set(MASKS[name].defaults) for name in MASKS for roll in rolls[name])
    assert {roll["kernel"] for roll in rolls["gaussian"]} == {21}
    sigmas = [roll["sigma"] for roll in rolls["gaussian"]]
    assert 6 <= min(sigmas) < 6.1 and 9.9 < max(sigmas) <= 10
    assert {roll["block"] for roll in rolls["pixelate"]} == set(range(5, 14))
    assert {roll["kernel"] for roll in rolls["median"]} == set(range(9, 22, 2))


@pytest.mark.parametrize("name", ANYWHERE)
def test_sampled_strengths_can_be_used(name: str) -> None:
    rng, (face, landmarks) = np.random.default_rng(1), astronaut_face(64)
    for seed in range(8):
        strength = MASKS[name].sample(rng)
        mask = make_mask(name, face, landmarks=landmarks, seed=seed, strength=strength)
        assert psnr_db(mask, face) < 27


# --- laws of every mask ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("name", ANYWHERE)
def test_mask_keeps_shape_and_input(name: str, size: tuple[int, int]) -> None:
    face = synthetic(*size)
    before = face.copy()
    mask = make_mask(name, face, seed=3)
    assert mask.shape == face.shape and mask.dtype == np.uint8
    assert np.array_equal(face, before)
    assert not np.shares_memory(mask, face)
    assert not np.array_equal(mask, face)


@pytest.mark.parametrize("name", ANYWHERE)
def test_no_tiny_face_comes_back_clear(name: str) -> None:
    rng = np.random.default_rng(7)
    for height, width in ((2, 2), (2, 3), (4, 4), (5, 3), (9, 8), (12, 12)):
        face = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        assert psnr_db(make_mask(name, face, seed=1), face) < 25


@pytest.mark.parametrize("side", [16, 32, 112, 300])
@pytest.mark.parametrize("loose", [True, False], ids=["loose", "tight"])
@pytest.mark.parametrize("name", ANYWHERE)
def test_mask_is_far_from_the_face(name: str, loose: bool, side: int) -> None:
    face, landmarks = astronaut_face(side, loose=loose)
    assert psnr_db(make_mask(name, face, landmarks=landmarks, seed=1), face) < 25
    assert psnr_db(make_mask(name, face, seed=1), face) < 25


@pytest.mark.parametrize("name", ANYWHERE)
def test_views_and_read_only_faces_are_taken(name: str) -> None:
    face, _ = astronaut_face(60)
    view = face[::-1, ::2]
    view.flags.writeable = False
    assert np.array_equal(make_mask(name, view), make_mask(name, view.copy()))


def test_equal_seeds_make_equal_masks_and_others_do_not() -> None:
    face, landmarks = astronaut_face(80)
    for name in ANYWHERE:
        first, again, other = (
            make_mask(name, face, landmarks=landmarks, seed=seed) for seed in (5, 5, 6)
        )
        assert np.array_equal(first, again)
        assert np.array_equal(first, other) == (name not in ("sticker", "noise"))


def test_masks_are_the_same_in_a_new_process() -> None:
    script = (
        "import hashlib, numpy as np\n"
        "from engine.masks import MASKS, make_mask\n"
        "y, x, c = np.mgrid[0:75, 0:61, 0:3]\n"
        "face = ((37 * x + 59 * y + 83 * c + x * y) % 256).astype(np.uint8)\n"
        "made = (make_mask(n, face, seed=9) for n, e in MASKS.items() if not e.replaces)\n"
        "print(*(hashlib.sha256(mask.tobytes()).hexdigest() for mask in made))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    here = [make_mask(name, synthetic(75, 61), seed=9).tobytes() for name in ANYWHERE]
    assert done.stdout.split() == [hashlib.sha256(mask).hexdigest() for mask in here]


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("pixelate", "8aeb301c5be39f4662faf61f624801bfff5559c66c7c7bfd9a2b754beee597f4"),
        ("median", "15ce0c08f8688a932ee1572a85430692fcffda5d83c545c8a9d460af39ac00bc"),
    ],
)
def test_golden_masks_in_whole_numbers(name: str, digest: str) -> None:
    mask = make_mask(name, synthetic(112, 112), preset="paper")
    assert hashlib.sha256(mask.tobytes()).hexdigest() == digest


# --- strengths ------------------------------------------------------------------------------------


def test_presets_agree_at_the_papers_size() -> None:
    face, _ = astronaut_face(112)
    for name in ("gaussian", "pixelate", "median"):
        assert np.array_equal(make_mask(name, face), make_mask(name, face, preset="paper"))


def test_scaled_preset_grows_with_the_shorter_side() -> None:
    face = synthetic(224, 300)
    assert np.array_equal(make_mask("gaussian", face), gaussian(face, kernel=43, sigma=16.0))
    assert np.array_equal(make_mask("pixelate", face), pixelate(face, block=18))
    assert np.array_equal(make_mask("median", face), median(face, kernel=31))
    small = synthetic(168, 300)
    assert np.array_equal(make_mask("median", small, preset="paper"), median(small, kernel=15))
    stronger = make_mask("pixelate", face, strength={"block": 4})
    assert np.array_equal(stronger, pixelate(face, block=8))


def test_labels_are_canonical() -> None:
    scaled = "gaussian:kernel=21,sigma=8 at 112 px"
    assert mask_label("gaussian", {"sigma": 8.0, "kernel": 21.0}) == scaled
    assert mask_label("gaussian", preset="paper") == "gaussian:kernel=21,sigma=8"
    assert mask_label("noise") == mask_label("noise", preset="paper") == "noise:variance=0.5"
    assert mask_label("gaussian") == mask_label("gaussian", {"sigma": 8})
    assert mask_label("pixelate", {"block": 5}, preset="paper") == "pixelate:block=5"
    assert mask_label("sticker") == "sticker"


@given(st.integers(0, 2**32), st.floats(0, 1e300))
@settings(max_examples=30, deadline=None)
def test_labels_are_short_ascii(seed: int, value: float) -> None:
    rng = np.random.default_rng(seed)
    for name, entry in MASKS.items():
        for strength in (entry.sample(rng), dict.fromkeys(entry.defaults, value)):
            label = mask_label(name, strength)
            assert label.isascii() and len(label) <= 64 and "\n" not in label


# --- the filters ----------------------------------------------------------------------------------


@given(st.integers(2, 40), st.integers(2, 40), st.integers(2, 45), st.integers(0, 9999))
@settings(max_examples=40, deadline=None)
def test_pixelate_is_the_mean_of_each_block(h: int, w: int, block: int, seed: int) -> None:
    face = np.random.default_rng(seed).integers(0, 256, (h, w, 3), dtype=np.uint8)
    mask = pixelate(face, block=block)
    for y in range(0, h, block):
        for x in range(0, w, block):
            part = face[y : y + block, x : x + block].reshape(-1, 3).astype(np.int64)
            mean = np.floor(part.sum(0) / len(part) + 0.5)
            assert np.all(mask[y : y + block, x : x + block] == mean)


def test_pixelate_averages_the_last_block_over_what_it_has() -> None:
    face = np.zeros((112, 112, 3), np.uint8)
    face[:, 108:] = 200
    mask = pixelate(face, block=9)
    assert np.all(mask[:, 108:] == 200) and not mask[:, :108].any()


@given(st.integers(2, 20), st.integers(2, 20), st.sampled_from([3, 5, 9, 21]), st.integers(0, 9999))
@settings(max_examples=30, deadline=None)
def test_median_is_the_median_with_repeated_edges(h: int, w: int, kernel: int, seed: int) -> None:
    face = np.random.default_rng(seed).integers(0, 256, (h, w, 3), dtype=np.uint8)
    reach = kernel // 2
    padded = np.pad(face, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(0, 1))
    assert np.array_equal(median(face, kernel=kernel), np.median(windows, axis=(3, 4)))


def test_gaussian_is_the_normalised_window_with_reflected_edges() -> None:
    face, _ = astronaut_face(112)
    weights = np.exp(-(np.arange(-10, 11) ** 2) / (2 * 8.0**2))
    weights /= weights.sum()
    blurred = np.pad(face, ((10, 10), (10, 10), (0, 0)), mode="reflect").astype(np.float64)
    for axis in (0, 1):
        blurred = np.apply_along_axis(np.convolve, axis, blurred, weights, "valid")
    assert np.abs(gaussian(face, kernel=21, sigma=8.0) - blurred).max() <= 1


def test_huge_windows_look_like_the_exact_ones() -> None:
    face = cv2.resize(astronaut_face(112)[0], (300, 300), interpolation=cv2.INTER_CUBIC)
    exact = cv2.GaussianBlur(face, (301, 301), 60)
    assert psnr_db(gaussian(face, kernel=301, sigma=60), exact) > 35
    shrunk = cv2.resize(median(face, kernel=257), (50, 50), interpolation=cv2.INTER_AREA)
    reference = cv2.resize(median(face, kernel=255), (50, 50), interpolation=cv2.INTER_AREA)
    assert psnr_db(shrunk, reference) > 30


# --- the sticker ----------------------------------------------------------------------------------


def test_sticker_hides_the_landmarks_in_many_poses() -> None:
    rng = np.random.default_rng(4)
    for seed in range(80):
        pose = posed(
            angle=rng.uniform(-180, 180),
            scale=rng.uniform(0.45, 1.3),
            x=rng.uniform(50, 110),
            y=rng.uniform(50, 110),
            yaw=rng.uniform(-60, 60),
        )
        _, matte = sticker_layer(160, 160, landmarks=pose, seed=seed)
        assert matte[around(pose, 160, 160)].min() >= 0.99


def test_nothing_of_the_inner_face_is_left() -> None:
    """Whatever the face, the pixels of brow to chin and cheek to cheek are the sticker's alone."""
    one, other = synthetic(140, 130), 255 - synthetic(140, 130)
    rows, columns = np.mgrid[0:140, 0:130]
    for seed in range(60):
        pose = posed(angle=7.0 * seed, scale=0.8, x=64, y=70, yaw=-30 + seed)
        matrix = cv2.invertAffineTransform(placement(140, 130, pose))
        place = np.stack([columns, rows], axis=-1) @ matrix[:, :2].T + matrix[:, 2]
        inner = (np.abs((place - CENTRE) / AXES) ** POWER).sum(-1) <= 1
        masks = [make_mask("sticker", face, landmarks=pose, seed=seed) for face in (one, other)]
        assert inner.mean() > 0.15
        assert np.array_equal(masks[0][inner], masks[1][inner])


@pytest.mark.parametrize("size", [(112, 112), (90, 140), (31, 20), (400, 300)], ids=str)
def test_sticker_without_landmarks_covers_the_middle(size: tuple[int, int]) -> None:
    height, width = size
    for seed in range(12):
        _, matte = sticker_layer(height, width, seed=seed)
        rows = slice(int(np.ceil(height * 0.1)), int(height * 0.9))
        columns = slice(int(np.ceil(width * 0.1)), int(width * 0.9))
        assert matte[rows, columns].min() >= 0.99


def test_sticker_leaves_what_is_far_from_the_face() -> None:
    face, pose = synthetic(400, 400), posed(angle=0, scale=1.0, x=200, y=220, yaw=0)
    mask = make_mask("sticker", face, landmarks=pose, seed=0)
    assert np.array_equal(mask[:, :80], face[:, :80])


def test_sticker_turns_with_the_face() -> None:
    upright = posed(angle=0, scale=0.7, x=79.5, y=79.5, yaw=0)
    turned = posed(angle=90, scale=0.7, x=79.5, y=79.5, yaw=0)
    for seed in range(5):
        colour, matte = sticker_layer(160, 160, landmarks=upright, seed=seed)
        turned_colour, turned_matte = sticker_layer(160, 160, landmarks=turned, seed=seed)
        assert np.abs(np.rot90(colour, -1) - turned_colour).mean() < 2
        assert np.abs(np.rot90(matte, -1) - turned_matte).mean() < 0.01


def test_there_are_a_thousand_stickers_and_each_covers_the_inner_face() -> None:
    side, count = 36, 1050
    y, x = (np.mgrid[0:side, 0:side] + 0.5) * CANVAS / side
    away = np.abs((np.stack([x, y], axis=-1) + ORIGIN - CENTRE) / AXES) ** POWER
    art = np.stack([draw(seed, side) for seed in range(count)])
    assert art[:, away.sum(-1) <= 1, 3].min() == 255
    flat = art.reshape(count, -1).astype(np.float32)
    square = (flat**2).sum(1)
    mean_error = (square[:, None] + square - 2 * flat @ flat.T) / flat.shape[1]
    np.fill_diagonal(mean_error, np.inf)
    # Root mean square of 2.5 levels over the whole canvas: a change of hat, hair or look.
    alike = np.tril(mean_error < 2.5**2).any(axis=1)
    assert count - alike.sum() >= 1000


def test_sticker_art_has_clean_edges() -> None:
    for seed in range(120):
        art = draw(seed, 128)
        assert np.all(art[:, :, :3] <= art[:, :, 3:]), "colours are multiplied by alpha"
        clear, solid = art[:, :, 3] == 0, art[:, :, 3] == 255
        assert 0.2 < solid.mean() < 0.7 and clear.mean() > 0.15
        assert clear[0].all() and clear[-1].all() and clear[:, 0].all() and clear[:, -1].all()


@pytest.mark.shared
@pytest.mark.skipif(not SHARED_CSV.exists(), reason="needs the training faces of ../shared")
def test_sticker_hides_the_landmarks_of_real_faces() -> None:
    with SHARED_CSV.open(newline="") as table:
        rows = list(csv.DictReader(table))[::40]
    assert len(rows) > 100
    for seed, row in enumerate(rows):
        pose = np.array([[float(row[f"x{i}"]), float(row[f"y{i}"])] for i in range(5)])
        _, matte = sticker_layer(160, 160, landmarks=pose, seed=seed % 40)
        assert matte[around(pose, 160, 160)].min() >= 0.99, row["file"]


# --- the box and the other baselines --------------------------------------------------------------


def test_box_covers_the_inner_face() -> None:
    face = synthetic(160, 160)
    for angle in range(0, 360, 30):
        pose = posed(angle=angle, scale=0.8, x=60, y=110, yaw=20)
        mask = make_mask("box", face, landmarks=pose, strength={"fraction": 0.1})
        assert np.all(mask[around(pose, 160, 160)] == 128)
        x0, y0, x1, y1 = inner_rectangle(160, 160, pose)
        assert np.all(mask[y0:y1, x0:x1] == 128)


def test_box_of_the_paper_covers_the_middle_alone() -> None:
    face = synthetic(100, 100)
    pose = posed(angle=0, scale=0.9, x=30, y=30, yaw=0)
    mask = make_mask("box", face, landmarks=pose, preset="paper")
    assert np.all(mask[20:80, 20:80] == 128)
    outside = np.ones((100, 100), bool)
    outside[20:80, 20:80] = False
    assert np.array_equal(mask[outside], face[outside])


def test_baselines_are_what_they_say() -> None:
    face, _ = astronaut_face(112)
    assert set(np.unique(make_mask("edge", face))) == {0, 255}
    dark = make_mask("edge", face, strength={"dark": 1})
    assert np.array_equal(dark, 255 - make_mask("edge", face))
    assert 5 <= len(np.unique(make_mask("superpixel", face).reshape(-1, 3), axis=0)) <= 60
    few = cv2.resize(make_mask("extreme_blur", face), (8, 8), interpolation=cv2.INTER_AREA)
    exact = cv2.resize(face, (8, 8), interpolation=cv2.INTER_AREA)
    assert psnr_db(few, exact) > 25
    grey = np.full((200, 200, 3), 128, np.uint8)
    weak = make_mask("noise", grey, strength={"variance": 0.01}).astype(np.float64)
    assert abs(weak.std() / 255 - 0.1) < 0.005


# --- errors ---------------------------------------------------------------------------------------


def test_unknown_mask_suggests_a_close_one() -> None:
    with pytest.raises(MaskError, match="unknown mask 'gausian'") as close:
        make_mask("gausian", synthetic(8, 8))
    assert close.value.hint == "did you mean 'gaussian'?"
    with pytest.raises(MaskError) as far:
        mask_label("zzz")
    assert "pixelate" in far.value.hint


@pytest.mark.parametrize(
    ("name", "strength"),
    [
        ("gaussian", {"kernel": 20}),
        ("gaussian", {"kernel": 1}),
        ("gaussian", {"sigma": 0}),
        ("gaussian", {"sigma": -1.0}),
        ("gaussian", {"sigma": "8"}),
        ("gaussian", {"kernel": None, "sigma": 8}),
        ("noise", {"variance": -0.5}),
        ("median", {"kernel": 16}),
        ("median", {"kernel": 2.5}),
        ("pixelate", {"block": 1}),
        ("pixelate", {"block": 2.5}),
        ("pixelate", {"size": 9}),
        ("sticker", {"kernel": 3}),
        ("noise", {"variance": 0}),
        ("extreme_blur", {"size": 0}),
        ("extreme_blur", {"size": 1.5}),
        ("superpixel", {"segments": 1}),
        ("edge", {"dark": 2}),
        ("superpixel", {"compactness": 0}),
        ("edge", {"sigma": 0}),
        ("box", {"fraction": 0}),
        ("box", {"fraction": 1.1}),
        ("box", {"follow": 2}),
        ("pixelate", {"block": float("nan")}),
        ("gaussian", {"sigma": float("inf")}),
    ],
    ids=str,
)
def test_bad_strengths_are_refused(name: str, strength: dict[str, Any]) -> None:
    with pytest.raises(MaskError) as caught:
        make_mask(name, synthetic(112, 112), strength=strength, preset="paper")
    assert caught.value.hint


@pytest.mark.parametrize(
    "face",
    [
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((8, 8, 3), np.float32),
        np.zeros((1, 8, 8, 3), np.uint8),
    ],
    ids=["grey", "alpha", "float", "batch"],
)
def test_other_arrays_are_refused(face: Face) -> None:
    with pytest.raises(ImageShapeError):
        make_mask("gaussian", face)


@pytest.mark.parametrize("size", [(0, 8), (1, 8), (8, 1), (2, 16385)], ids=str)
def test_faces_of_impossible_size_are_refused(size: tuple[int, int]) -> None:
    for name in ANYWHERE:
        with pytest.raises(MaskError, match="face must be"):
            make_mask(name, np.zeros((*size, 3), np.uint8))


def test_strengths_from_numpy_are_numbers_too() -> None:
    strength: dict[str, Any] = {"kernel": np.int64(21), "sigma": np.float32(8)}
    assert mask_label("gaussian", strength) == mask_label("gaussian")


def test_what_is_wrong_with_a_strength_is_named() -> None:
    wrong: dict[str, Any] = {"sigma": "8"}
    for call in (
        mask_label,
        lambda name, strength: make_mask(name, synthetic(8, 8), strength=strength),
    ):
        with pytest.raises(MaskError, match="sigma must be a finite number"):
            call("gaussian", wrong)
        with pytest.raises(MaskError, match="sigma must not be negative, got -2"):
            call("gaussian", {"sigma": -2})


def test_paper_settings_are_refused_where_they_would_show_a_large_face() -> None:
    for name in ANYWHERE:
        assert make_mask(name, synthetic(168, 400), preset="paper").shape == (168, 400, 3)
        with pytest.raises(MaskError, match="faces of up to 168 px, got 169") as caught:
            make_mask(name, synthetic(169, 170), preset="paper")
        assert caught.value.hint == "leave out --preset paper"


def test_seeds_of_128_bits_are_taken_and_every_bit_counts() -> None:
    face, landmarks = astronaut_face(60)
    seeds = (2**128 - 1, 2**127 - 1, 2**64 - 1, 2**128 + 5)
    for name in ANYWHERE:
        made = {make_mask(name, face, landmarks=landmarks, seed=seed).tobytes() for seed in seeds}
        assert len(made) == (len(seeds) if name in ("sticker", "noise") else 1)


def test_negative_seed_and_unknown_preset_are_refused() -> None:
    with pytest.raises(MaskError, match="seed"):
        make_mask("sticker", synthetic(20, 20), seed=-1)
    with pytest.raises(MaskError, match="preset"):
        make_mask("sticker", synthetic(20, 20), preset="papers")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "landmarks",
    [
        np.zeros((4, 2)),
        np.full((5, 2), np.nan),
        np.full((5, 2), 50.0),
        LANDMARKS + 500,
        (LANDMARKS - CENTRE) / 100 + 50,
        np.full((5, 2), np.inf),
    ],
    ids=["four", "nan", "one_place", "outside", "tiny", "inf"],
)
def test_useless_landmarks_are_refused(landmarks: npt.NDArray[np.float64]) -> None:
    for name in ("sticker", "box"):
        with pytest.raises(MaskError):
            make_mask(name, synthetic(112, 112), landmarks=landmarks)


@given(st.lists(st.tuples(st.floats(-50, 160), st.floats(-50, 160)), min_size=5, max_size=5))
@settings(max_examples=40, deadline=None)
def test_any_five_points_are_hidden_or_refused(points: list[tuple[float, float]]) -> None:
    landmarks = np.array(points)
    try:
        _, matte = sticker_layer(112, 112, landmarks=landmarks, seed=2)
    except MaskError:
        return
    seen = np.rint(landmarks[np.all((landmarks >= 0) & (landmarks <= 111), axis=1)]).astype(int)
    assert all(matte[y, x] >= 0.99 for x, y in seen)
