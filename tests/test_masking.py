"""Masks on whole photographs: no face of a region stays clear, whatever is known of it."""

import dataclasses

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from insightface.data import get_image
from skimage.data import astronaut

from engine import masking
from engine.cli.told import warnings_of
from engine.crops import crop
from engine.errors import MaskError, StillKnownError
from engine.faces import Face, detect, faces_from_boxes, merge_overlapping, whole_face
from engine.keys import KdfParams
from engine.masking import Masked, lay_masks, mask_faces
from engine.masks import MASKS, make_mask
from engine.masks.inner_face import LANDMARKS
from engine.masks.ksame import seed_of_turn
from engine.pipeline import ProtectOptions, protect

Photo = npt.NDArray[np.uint8]
PLACED = ("sticker", "box")
ANOTHER = ("ksame", "simswap")
"""Masks that lay another face: an average alone, and a network's."""
REPLACING = {name for name, entry in MASKS.items() if entry.replaces}
EDGE = (0, 20, 60, 80)
CHEAP = ProtectOptions("sealed", "ksame", kdf=KdfParams.cheapest())


@pytest.fixture(scope="module")
def group() -> Photo:
    return np.ascontiguousarray(get_image("t1")[:, :, ::-1])


@pytest.fixture(scope="module")
def group_faces(group: Photo) -> list[Face]:
    return detect(group)


def masked(photo_u8: Photo, face: Face, mask: str, seed: int = 0) -> Photo:
    return mask_faces(photo_u8, merge_overlapping([face], *photo_u8.shape[:2]), mask, seed=seed)


def noisy(height: int = 100, width: int = 120) -> Photo:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8)


def box_with(landmarks: npt.NDArray[np.float32] | None) -> Face:
    return Face(EDGE, (0.0, 20.0, 60.0, 80.0), landmarks, 1.0)


def assert_hidden(before_u8: Photo, after_u8: Photo, faces: list[Face]) -> None:
    """Every landmark of every face lies in a place that is not the photograph's own."""
    assert faces
    for face in faces:
        assert face.landmarks is not None
        for x, y in np.rint(face.landmarks).astype(int):
            near = (slice(y - 2, y + 3), slice(x - 2, x + 3))
            assert (before_u8[near] != after_u8[near]).any(axis=-1).mean() > 0.9


@pytest.mark.parametrize("mask", PLACED)
def test_whole_hides_every_face(group: Photo, group_faces: list[Face], mask: str) -> None:
    assert len(group_faces) == 6
    assert_hidden(group, masked(group, whole_face(group), mask), group_faces)


@pytest.mark.parametrize("mask", PLACED)
def test_a_drawn_box_hides_every_face_in_it(
    group: Photo, group_faces: list[Face], mask: str
) -> None:
    corners = np.array([face.box for face in group_faces[:3]])
    drawn = (*corners[:, :2].min(0).tolist(), *corners[:, 2:].max(0).tolist())
    (face,) = faces_from_boxes([drawn], *group.shape[:2], photo_u8=group)
    after_u8 = masked(group, face, mask)
    assert_hidden(group, after_u8, group_faces[:3])
    after_u8[face.box[1] : face.box[3], face.box[0] : face.box[2]] = crop(group, face.box)
    assert np.array_equal(after_u8, group)


def test_filters_cover_a_drawn_box_with_several_faces() -> None:
    photo_u8, part = noisy(), Face((4, 24, 20, 40), (4, 24, 20, 40), None, 0.9)
    drawn = Face(EDGE, (0, 20, 60, 80), None, 1.0, (part, part))
    for mask in set(MASKS) - set(PLACED) - REPLACING:
        expected_u8 = make_mask(mask, crop(photo_u8, EDGE), seed=4)
        assert np.array_equal(crop(masked(photo_u8, drawn, mask, 4), EDGE), expected_u8)


@pytest.mark.parametrize("mask", PLACED)
@pytest.mark.parametrize("point", [None, (30.0, 50.0), (-500.0, 10.0)], ids=str)
def test_without_usable_landmarks_nothing_of_the_crop_stays_clear(
    mask: str, point: tuple[float, float] | None
) -> None:
    photo_u8 = noisy()
    landmarks = None if point is None else np.full((5, 2), point, np.float32)
    after_u8 = masked(photo_u8, box_with(landmarks), mask)
    blurred_u8 = make_mask("extreme_blur", crop(photo_u8, EDGE))
    assert np.array_equal(crop(after_u8, EDGE), make_mask(mask, blurred_u8))
    error = np.abs(crop(after_u8, EDGE).astype(float) - crop(photo_u8, EDGE))
    assert min(error[:, :6].mean(), error[:, -6:].mean(), error[:6].mean(), error[-6:].mean()) > 50
    inside = np.zeros(photo_u8.shape[:2], bool)
    inside[EDGE[1] : EDGE[3], EDGE[0] : EDGE[2]] = True
    assert np.array_equal(after_u8[~inside], photo_u8[~inside])


def test_a_face_cut_off_by_the_edge_is_hidden_up_to_the_edge() -> None:
    photo_u8 = np.ascontiguousarray(astronaut()[:, 215:])
    (face,) = detect(photo_u8)
    unknown = Face(face.box, face.detection, None, face.score)
    x0, y0, _, y1 = face.box
    assert x0 == 0
    after_u8 = masked(photo_u8, unknown, "sticker")
    strip = (slice(y0, y1), slice(0, 8))
    blurred_u8 = make_mask("extreme_blur", crop(photo_u8, face.box))
    assert np.array_equal(after_u8[strip], make_mask("sticker", blurred_u8)[:, :8])
    assert (after_u8[strip] != photo_u8[strip]).any(axis=-1).mean() > 0.9


def test_each_face_in_a_box_has_a_seed_of_its_own() -> None:
    photo_u8 = np.full((60, 120, 3), 90, np.uint8)
    left, right = (Face((x, 0, x + 60, 60), (x, 0, x + 60, 60), None, 0.9) for x in (0, 60))
    drawn = Face((0, 0, 120, 60), (0, 0, 120, 60), None, 1.0, (left, right))
    after_u8 = masked(photo_u8, drawn, "sticker", 2**128 - 1)
    for face, seed in ((left, 2**128 - 1), (right, 2**128)):
        expected_u8 = make_mask("sticker", crop(photo_u8, face.box), seed=seed)
        assert np.array_equal(crop(after_u8, face.box), expected_u8)


def test_wrong_settings_are_told_and_not_covered_up() -> None:
    regions = merge_overlapping([box_with(np.full((5, 2), 9, np.float32))], 100, 120)
    with pytest.raises(MaskError, match="unknown mask"):
        mask_faces(noisy(), regions, "stickers")
    with pytest.raises(MaskError, match="has no strength"):
        mask_faces(noisy(), regions, "sticker", strength={"size": 3})
    large = merge_overlapping([Face((0, 0, 200, 200), (0, 0, 200, 200), None, 1.0)], 200, 200)
    for mask in MASKS:
        with pytest.raises(MaskError, match="up to 168 px"):
            mask_faces(noisy(200, 200), large, mask, preset="paper")


# --- what is said of faces that cannot carry a mask -----------------------------------------------


def laid(photo_u8: Photo, faces: list[Face], mask: str) -> Masked:
    return lay_masks(photo_u8, merge_overlapping(faces, *photo_u8.shape[:2]), mask)


def test_a_face_that_carries_its_mask_needs_no_note(group: Photo, group_faces: list[Face]) -> None:
    for mask in ("gaussian", "sticker", "box", *ANOTHER):
        assert laid(group, group_faces, mask).notes == ()


@pytest.mark.parametrize("mask", [*PLACED, *ANOTHER])
@pytest.mark.parametrize(
    ("point", "reason"),
    [(None, "landmarks"), ((30.0, 50.0), "one place"), ((-500.0, 10.0), "one place")],
    ids=str,
)
def test_a_face_that_cannot_carry_its_mask_is_hidden_and_told(
    mask: str, point: tuple[float, float] | None, reason: str
) -> None:
    photo_u8 = noisy()
    landmarks = None if point is None else np.full((5, 2), point, np.float32)
    made = laid(photo_u8, [box_with(landmarks)], mask)
    (note,) = made.notes
    assert (note.region, note.box) == (0, EDGE)
    assert reason in note.reason
    assert note.instead.startswith("the whole box is blurred")
    blurred_u8 = make_mask("extreme_blur", crop(photo_u8, EDGE))
    expected_u8 = blurred_u8 if mask in REPLACING else make_mask(mask, blurred_u8)
    assert np.array_equal(crop(made.photo_u8, EDGE), expected_u8)


@pytest.mark.parametrize("mask", ANOTHER)
def test_a_note_names_the_region_of_its_face(
    group: Photo, group_faces: list[Face], mask: str
) -> None:
    faces = [*group_faces[:2], dataclasses.replace(group_faces[4], landmarks=None)]
    (note,) = laid(group, faces, mask).notes
    assert (note.region, note.box) == (2, group_faces[4].box)
    made = protect(group, faces, "a passphrase", dataclasses.replace(CHEAP, mask=mask))
    (note,) = made.notes
    assert note.box == group_faces[4].box
    assert made.laid == 2


@pytest.mark.parametrize("mask", ANOTHER)
def test_a_profile_is_told_and_not_guessed_at(mask: str) -> None:
    photo_u8 = noisy(200, 200)
    # Eyes and mouth of a face that looks sideways, its nose far beside them.
    points = np.array([[90, 80], [112, 80], [160, 105], [92, 135], [112, 135]], np.float32)
    face = Face((20, 20, 180, 180), (20, 20, 180, 180), points, 1.0)
    made = laid(photo_u8, [face], mask)
    (note,) = made.notes
    assert "turned further" in note.reason
    assert note.instead == "the whole box is blurred instead"
    blurred_u8 = make_mask("extreme_blur", crop(photo_u8, face.box))
    assert np.array_equal(crop(made.photo_u8, face.box), blurred_u8)


def with_sunglasses(photo_u8: Photo, face: Face) -> Photo:
    assert face.landmarks is not None
    covered_u8 = photo_u8.copy()
    eyes = face.landmarks[:2]
    radius = round(0.4 * float(np.linalg.norm(eyes[1] - eyes[0])))
    for x, y in eyes.round().astype(int).tolist():
        cv2.circle(covered_u8, (x, y), radius, (20, 20, 25), -1)
    return covered_u8


@pytest.mark.parametrize(("mask", "count"), [("ksame", 6), ("simswap", 2)])
def test_sunglasses_are_told_and_leave_the_other_face_its_colour(
    group: Photo, group_faces: list[Face], mask: str, count: int
) -> None:
    options = dataclasses.replace(CHEAP, mask=mask)
    for face in group_faces[:count]:
        covered_u8 = with_sunglasses(group, face)
        made, plain = laid(covered_u8, [face], mask), laid(group, [face], mask)
        (remark,) = made.remarks
        assert (remark.region, remark.box) == (0, face.box)
        assert "dark" in remark.reason and "laid" in remark.instead
        assert (made.notes, made.laid) == ((), 1)
        assert not any("dark" in one.reason for one in plain.remarks)
        inner = (made.photo_u8 != covered_u8).any(axis=-1) & (plain.photo_u8 != group).any(axis=-1)
        light, usual = (float(one.photo_u8[inner].mean()) for one in (made, plain))
        assert 0.8 < light / usual < 1.25
        protected = protect(covered_u8, [face], "a passphrase", options)
        (warning,) = warnings_of(protected, options)
        assert "dark" in warning
    assert laid(covered_u8, [face], "gaussian").remarks == ()


@pytest.mark.parametrize("mask", ANOTHER)
def test_a_tiny_face_gets_the_mask_and_is_told(mask: str) -> None:
    small_u8 = cv2.resize(astronaut(), (96, 96), interpolation=cv2.INTER_AREA)
    faces = detect(small_u8)
    made = laid(small_u8, faces, mask)
    assert (made.notes, made.laid) == ((), 1)
    (remark,) = made.remarks
    assert "the face is tiny" in remark.reason
    assert laid(astronaut(), detect(astronaut()), mask).remarks == ()


@pytest.mark.parametrize(("apart", "told"), [(9.9, True), (10.1, False)])
def test_a_face_of_few_pixels_between_the_eyes_is_tiny(apart: float, told: bool) -> None:
    wide = float(np.hypot(*(LANDMARKS[1] - LANDMARKS[0])))
    points = np.asarray(LANDMARKS * (apart / wide), np.float32)
    for mask in ("sticker", "ksame"):
        assert ("tiny" in masking._remark(mask, noisy(30, 30), points, False)) is told


@pytest.mark.parametrize(("aside", "told"), [(0.44, False), (0.46, True), (-0.46, True)])
def test_a_head_turned_far_is_told_of_under_another_face(aside: float, told: bool) -> None:
    points = np.array(LANDMARKS, np.float32)
    left, right = points[:2]
    points[2] = (left + right) / 2 + aside * (right - left) + np.array([0, 15])
    tilt = np.array([[0.98, 0.2], [-0.2, 0.98]], np.float32)
    points = np.asarray((points - 56) @ tilt + 56, np.float32)
    for mask, wanted in (("sticker", False), ("ksame", told)):
        remark = masking._remark(mask, noisy(112, 112), points, False)
        assert ("turned far" in remark) is wanted


def test_a_face_that_the_detector_hardly_sees_is_told_of_under_another() -> None:
    (sure,) = detect(astronaut())
    unsure = dataclasses.replace(sure, score=0.39)
    for mask, wanted in (("ksame", 1), ("gaussian", 0)):
        assert laid(astronaut(), [sure], mask).remarks == ()
        told = [one for one in laid(astronaut(), [unsure], mask).remarks if "hardly" in one.reason]
        assert len(told) == wanted


def test_the_one_who_looks_aside_in_a_photograph_is_told_of(group: Photo) -> None:
    made = laid(group, detect(group), "ksame")
    (remark,) = made.remarks
    assert "turned far" in remark.reason
    assert remark.box[0] > 800, "the man on the right"


def _place(seed: int, step: int) -> int:
    return masking._seed_of_try(seed, step) % 40


def test_a_face_that_stays_known_is_tried_again_with_seeds_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried: list[int] = []

    def make(crop_u8: Photo, *, landmarks: object, seed: int) -> Photo:
        tried.append(seed)
        return crop_u8

    monkeypatch.setattr(masking, "same_person", lambda *pictures: True)
    points = np.zeros((5, 2), np.float32)
    for seed in (4, 5):
        with pytest.raises(StillKnownError, match="in each of 4 tries"):
            masking._replaced(make, noisy(), points, seed)
    assert (tried[0], tried[4]) == (4, 5)
    for step in (1, 2, 3):  # nobody's next try is at the place where a neighbour begins
        far = [_place(seed, step) - _place(seed, 0) for seed in range(400)]
        assert np.unique(far, return_counts=True)[1].max() < 40
    turns = {seed_of_turn(seed, turn) for seed in (4, 5) for turn in range(10)}
    assert len({*tried}) == 8
    assert not turns & {*tried[1:4], *tried[5:]}


def test_a_mask_that_needs_a_model_is_not_blurred_over_without_one() -> None:
    regions = merge_overlapping([box_with(None)], 100, 120)
    with pytest.raises(MaskError, match="none is named") as caught:
        mask_faces(noisy(), regions, "diffusion")
    assert "--diffusion-model" in caught.value.hint
    with pytest.raises(MaskError, match="takes no model"):
        mask_faces(noisy(), regions, "gaussian", model="somewhere")
