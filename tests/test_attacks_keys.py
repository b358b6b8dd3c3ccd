"""Wrong keys on the released weights: wrong is wrong, however near, and right is right."""

import functools
from pathlib import Path

import numpy as np
import pytest
from sample_photos import Photo, portrait, psnr_db
from tiny_zoo import forget, point_zoo_at, write_models

from engine.attacks.keys import (
    Trial,
    flip_share,
    key_map_sweep,
    one_bit_off,
    one_character_off,
    random_key,
)
from engine.errors import (
    HeaderError,
    ImageShapeError,
    MethodError,
    NotProtectedError,
    WrongKeyError,
)
from engine.faces import faces_from_boxes
from engine.images import open_protected, write_png
from engine.keys import KdfParams
from engine.pipeline import Protected, ProtectOptions, protect, recover

SECRET = "correct horse battery staple"
BOX = (72, 64, 184, 176)
"""The astronaut's face, 112 pixels."""

NETWORKS = ("proface-s-rand", "proface-s-obfs")


@functools.cache
def protected(method: str, box: tuple[int, int, int, int] = BOX, tagged: bool = True) -> Protected:
    faces = faces_from_boxes([box], *portrait().shape[:2])
    options = ProtectOptions(method, kdf=KdfParams.cheapest(), check_value=tagged)
    return protect(portrait(), faces, SECRET, options)


def trial_of(method: str, **more: object) -> Trial:
    return Trial(open_protected(protected(method, **more).png))


def original(box: tuple[int, int, int, int] = BOX) -> Photo:
    return portrait()[box[1] : box[3], box[0] : box[2]]


def distance(shown_u8: Photo) -> float:
    return psnr_db(original(), shown_u8)


@pytest.mark.parametrize("method", [*NETWORKS, "sealed"])
def test_a_trial_knows_its_face_and_the_right_key(method: str) -> None:
    trial = trial_of(method)
    assert (trial.method, trial.box, trial.height, trial.width) == (method, BOX, 112, 112)
    key = trial.derive(SECRET)
    assert trial.opens(key)
    right = recover(open_protected(protected(method).png), [SECRET]).photo_u8
    np.testing.assert_array_equal(trial.show(key), right[BOX[1] : BOX[3], BOX[0] : BOX[2]])
    assert distance(trial.show(key)) > 30


@pytest.mark.parametrize("method", [*NETWORKS, "sealed"])
def test_one_bit_or_character_off_is_as_wrong_as_random(method: str) -> None:
    trial = trial_of(method)
    right = trial.derive(SECRET)
    randoms = [random_key() for _ in range(4)]
    near = [one_bit_off(right, bit) for bit in (0, 100, 255)]
    near += [trial.derive(one_character_off(SECRET, seed)) for seed in (1, 2, 3)]
    assert not any(trial.opens(key) for key in [*randoms, *near])
    far = [distance(trial.show(key)) for key in randoms]
    found = [distance(trial.show(key)) for key in near]
    # The clouds of proface-s-rand spread by 0.8 dB from key to key, other noise by a third of it.
    reach = 2.5 if method == "proface-s-rand" else 0.5
    assert abs(np.mean(found) - np.mean(far)) < reach
    assert max(found) < max(far) + 2 * reach
    if method != "proface-s-obfs":
        assert max(far + found) < 15


def test_a_wrong_key_of_the_obfuscating_network_shows_the_mask() -> None:
    trial, (x0, y0, x1, y1) = trial_of("proface-s-obfs"), BOX
    mask_u8 = protected("proface-s-obfs").masked_u8[y0:y1, x0:x1]
    shown = trial.show(random_key())
    assert psnr_db(mask_u8, shown) > distance(shown)


@pytest.mark.parametrize("method", NETWORKS)
def test_the_sweep_falls_from_right_to_random(method: str) -> None:
    trial = trial_of(method)
    key = trial.derive(SECRET)
    points = key_map_sweep(trial, key, original(), (0.0, 0.02, 0.1, 0.5), seed=0)
    np.testing.assert_array_equal(points[0].recovered_u8, trial.show(key))
    psnrs = [point.psnr_db for point in points]
    assert psnrs[0] == pytest.approx(distance(trial.show(key)), abs=1e-6)
    assert psnrs[0] > psnrs[1] > psnrs[2]
    randoms = [distance(trial.show(random_key())) for _ in range(3)]
    # One cloudy noise lies some decibels nearer to the face than another.
    assert psnrs[-1] == pytest.approx(np.mean(randoms), abs=4)
    assert psnrs[-1] < psnrs[1] - 2


def test_a_wrong_tile_spoils_its_own_place_most() -> None:
    trial = trial_of("proface-s-rand")
    key = trial.derive(SECRET)
    shown = trial.show_map(key, 0.1, 7, tile=True)
    context_map = np.ones((112, 112), np.int8)
    inside = flip_share(context_map, 0.1, 7, tile=True) < 0
    error = np.abs(shown.astype(int) - original()).mean(2)
    assert error[inside].mean() > 2 * error[~inside].mean()
    np.testing.assert_array_equal(trial.show_map(key, 0.1, 7, tile=True), shown)
    assert not np.array_equal(trial.show_map(key, 0.1, 8, tile=True), shown)


def test_odd_sides_at_the_edges_are_padded_as_the_method_does() -> None:
    photo_u8 = np.ascontiguousarray(portrait()[:255, :255])
    faces = faces_from_boxes([(0, 0, 255, 255)], 255, 255)
    options = ProtectOptions("proface-s-rand", kdf=KdfParams.cheapest())
    trial = Trial(open_protected(protect(photo_u8, faces, SECRET, options).png))
    assert (trial.height, trial.width) == (255, 255)
    key = trial.derive(SECRET)
    np.testing.assert_array_equal(trial.show_map(key, 0, 0), trial.show(key))


def test_sealed_has_no_key_map() -> None:
    trial = trial_of("sealed")
    with pytest.raises(MethodError, match="must have a key map"):
        trial.show_map(trial.derive(SECRET), 0.1, 0)


def test_a_scrambling_key_has_no_map(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_models(tmp_path)
    point_zoo_at(monkeypatch, tmp_path)
    faces = faces_from_boxes([BOX], *portrait().shape[:2])
    options = ProtectOptions("proface-k", kdf=KdfParams.cheapest())
    trial = Trial(open_protected(protect(portrait(), faces, SECRET, options).png))
    key = trial.derive(SECRET)
    assert trial.opens(key)
    assert distance(trial.show(random_key())) < 15
    for call in (
        lambda: trial.show_map(key, 0.1, 0),
        lambda: key_map_sweep(trial, key, original(), (0.1,), seed=0),
    ):
        with pytest.raises(MethodError, match="must have a key map") as caught:
            call()
        assert "proface-s-rand" in caught.value.hint
    forget()


@pytest.mark.parametrize("method", NETWORKS)
def test_the_mask_alone_does_not_give_the_original(method: str) -> None:
    trial = trial_of(method)
    key = trial.derive(SECRET)
    shown = trial.spoof(protected(method).masked_u8, key)
    assert shown.shape == (112, 112, 3)
    assert distance(shown) < distance(trial.show(key)) - 10
    same = trial.spoof(protected(method).photo_u8, key)
    np.testing.assert_array_equal(same, trial.show(key))


def test_sealed_refuses_the_mask_alone() -> None:
    trial = trial_of("sealed")
    with pytest.raises(WrongKeyError):
        trial.spoof(protected("sealed").masked_u8, trial.derive(SECRET))


def test_a_mask_of_another_size_is_refused() -> None:
    with pytest.raises(MethodError, match="masked_u8 must be"):
        trial_of("sealed").spoof(np.zeros((9, 9, 3), np.uint8), random_key())


@pytest.mark.parametrize("method", ["sealed", "proface-s-rand"])
def test_without_a_tag_keys_still_show_what_they_show(method: str) -> None:
    trial = trial_of(method, tagged=False)
    assert distance(trial.show(trial.derive(SECRET))) > 30
    assert distance(trial.show(random_key())) < 15
    with pytest.raises(MethodError, match="protected without one"):
        trial.opens(random_key())


def test_no_such_face_and_no_such_picture_are_refused() -> None:
    with pytest.raises(HeaderError, match="face_index"):
        Trial(open_protected(protected("sealed").png), 1)
    with pytest.raises(NotProtectedError):
        Trial(open_protected(write_png(None, portrait(), None)))


def test_a_sidecar_stands_in_for_a_lost_header() -> None:
    made = protected("proface-s-rand")
    bare = open_protected(write_png(None, made.photo_u8, None))
    trial = Trial(bare, header=made.header)
    assert trial.opens(trial.derive(SECRET))


def test_the_sweep_wants_the_faces_own_original() -> None:
    trial = trial_of("proface-s-rand")
    with pytest.raises(ImageShapeError):
        key_map_sweep(trial, trial.derive(SECRET), portrait(), (0.1,), seed=0)
