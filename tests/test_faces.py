"""Faces: found on real pictures, boxed with even sides, merged, cut out and pasted back."""

import io
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from insightface.data import get_image
from PIL import Image
from tiny_pack import CELL, POINTS, write_pack

from engine import crops, detectors, faces
from engine.errors import (
    BoxError,
    ImageShapeError,
    ModelError,
    NoFaceError,
    UnknownModelError,
    WeightsMissingError,
)

Photo = npt.NDArray[np.uint8]
WILD = Path(__file__).parents[1] / ".." / "shared" / "data" / "wild"
# Counted by eye with the boxes drawn in: picture -> faces that must be found.
WILD_FACES = {"03": 6, "06": 8, "07": 0, "25": 26, "33": 4, "36": 7, "37": 2}


@pytest.fixture(scope="module")
def astronaut() -> Photo:
    return np.ascontiguousarray(skimage.data.astronaut())


@pytest.fixture(scope="module")
def astronaut_face(astronaut: Photo) -> faces.Face:
    (face,) = faces.detect(astronaut)
    return face


@pytest.fixture(scope="module")
def group() -> Photo:
    return np.ascontiguousarray(get_image("t1")[:, :, ::-1])


@pytest.fixture(scope="module")
def group_faces(group: Photo) -> list[faces.Face]:
    return faces.detect(group)


def face_at(box: faces.Box) -> faces.Face:
    return faces.Face(box, (0.0, 0.0, 1.0, 1.0), None, 1.0)


def assert_inside(box: faces.Box, height: int, width: int) -> None:
    x0, y0, x1, y1 = box
    assert 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height


def assert_arcface_order(landmarks: npt.NDArray[np.float32] | None) -> None:
    assert landmarks is not None and landmarks.shape == (5, 2) and landmarks.dtype == np.float32
    left_eye, right_eye, nose, left_mouth, right_mouth = landmarks
    assert left_eye[0] < nose[0] < right_eye[0] and left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


# --- real pictures, the default detector ---


def test_astronaut(astronaut: Photo, astronaut_face: faces.Face) -> None:
    face = astronaut_face
    assert face.score > 0.8
    assert np.allclose(face.detection, (181, 58, 270, 178), atol=8)
    assert_arcface_order(face.landmarks)
    x0, y0, x1, y1 = face.box
    assert x0 < 181 and y0 < 58 and x1 > 270 and y1 > 178
    assert (x1 - x0) % 2 == 0 and (y1 - y0) % 2 == 0 and abs((x1 - x0) - (y1 - y0)) <= 2
    assert 1.3 < (x1 - x0) / (face.detection[3] - face.detection[1]) < 1.4


def test_group_is_found_left_to_right(group: Photo, group_faces: list[faces.Face]) -> None:
    assert len(group_faces) == 6
    middles = [face.detection[0] + face.detection[2] for face in group_faces]
    assert middles == sorted(middles)
    for face in group_faces:
        assert face.score > 0.8
        assert_arcface_order(face.landmarks)
        assert_inside(face.box, *group.shape[:2])


def test_finding_says_nothing_and_changes_nothing(astronaut: Photo) -> None:
    before, said = astronaut.copy(), io.StringIO()
    detectors._centerface.cache_clear()
    with redirect_stdout(said):
        faces.detect(astronaut)
    assert said.getvalue() == "" and np.array_equal(astronaut, before)


@pytest.mark.parametrize("name", ["noise", "coffee", "grey"])
def test_no_face(name: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    grey = np.full((90, 70, 3), 127, np.uint8)
    photo = {"noise": noise, "coffee": skimage.data.coffee(), "grey": grey}[name]
    assert faces.detect(photo) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 3), (17, 16)])
def test_odd_shapes_are_searched(size: tuple[int, int]) -> None:
    assert faces.detect(np.full((*size, 3), 200, np.uint8)) == []


def test_face_cut_off_by_the_edge(astronaut: Photo, astronaut_face: faces.Face) -> None:
    (face,) = faces.detect(np.ascontiguousarray(astronaut[:, 205:]))
    assert face.box[0] == 0
    assert face.landmarks is not None and astronaut_face.landmarks is not None
    seen = [1, 2, 4]  # image-right eye, nose, right mouth corner
    assert np.allclose(face.landmarks[seen] + [[205, 0]], astronaut_face.landmarks[seen], atol=10)


def test_small_face_in_a_large_photo(astronaut: Photo) -> None:
    photo = cv2.resize(skimage.data.coffee(), (2600, 1950))
    face = cv2.resize(astronaut[0:300, 100:400], None, fx=0.35, fy=0.35)
    where = (1250, 900)  # across the tiles' border
    photo[where[1] : where[1] + face.shape[0], where[0] : where[0] + face.shape[1]] = face
    (found,) = faces.detect(photo)
    expected = np.array([81, 58, 170, 178]) * 0.35 + np.array(where * 2)
    assert np.allclose(found.detection, expected, atol=6)
    assert_arcface_order(found.landmarks)


@pytest.mark.shared
def test_wild_photographs() -> None:
    if not WILD.is_dir():
        pytest.skip("the shared photographs are not on this machine")
    found = {}
    for name in WILD_FACES:
        photo = np.asarray(Image.open(WILD / f"{name}.jpg").convert("RGB"))
        found[name] = len(faces.detect(photo))
    assert found == WILD_FACES


@pytest.mark.shared
@pytest.mark.slow
def test_every_wild_photograph() -> None:
    if not WILD.is_dir():
        pytest.skip("the shared photographs are not on this machine")
    total, empty = 0, []
    for path in sorted(WILD.glob("*.jpg")):
        photo = np.asarray(Image.open(path).convert("RGB"))
        found = faces.detect(photo)
        total += len(found)
        empty += [] if found else [path.stem]
        regions = faces.merge_overlapping(found, *photo.shape[:2])
        assert sum(len(region.faces) for region in regions) == len(found)
    assert total >= 395 and empty == ["07"]


# --- what it refuses ---


def test_unknown_detectors_are_named(astronaut: Photo) -> None:
    for name in ("retina", "insightface:", "Centerface", ""):
        with pytest.raises(UnknownModelError, match="detector must be") as caught:
            faces.detect(astronaut, detector=name)
        assert "insightface:buffalo_l" in caught.value.hint


def test_wrong_arguments(astronaut: Photo) -> None:
    with pytest.raises(ImageShapeError):
        faces.detect(astronaut.astype(np.float32))  # type: ignore[arg-type]
    for score in (0.0, 1.5, float("nan")):
        with pytest.raises(ModelError, match="min_score"):
            faces.detect(astronaut, min_score=score)
    with pytest.raises(BoxError, match="margin"):
        faces.crop_box((0, 0, 8, 8), 20, 20, margin=0.9)


# --- an insightface pack ---


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pack(tmp_path_factory.mktemp("home") / "models" / "tiny")


@pytest.fixture
def red_cells() -> Photo:
    photo = np.full((480, 640, 3), 120, np.uint8)
    photo[64 : 64 + CELL, 320 : 320 + CELL] = (255, 0, 0)
    photo[192 : 192 + CELL, 96 : 96 + CELL] = (255, 0, 0)
    photo[192 : 192 + CELL, 480 : 480 + CELL] = (0, 0, 255)
    return photo


def test_pack_by_path(pack: Path, red_cells: Photo) -> None:
    said = io.StringIO()
    with redirect_stdout(said):
        left, right = faces.detect(red_cells, detector=f"insightface:{pack}")
    assert said.getvalue() == ""
    assert np.allclose(left.detection, (96, 192, 96 + CELL, 192 + CELL), atol=0.01)
    assert np.allclose(right.detection, (320, 64, 320 + CELL, 64 + CELL), atol=0.01)
    assert left.score > 0.99
    assert left.landmarks is not None and left.landmarks.dtype == np.float32
    assert np.allclose(left.landmarks, np.array(POINTS) * CELL + (96, 192), atol=0.01)
    assert left.box == (90, 186, 134, 230)


def test_pack_by_name(pack: Path, red_cells: Photo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INSIGHTFACE_HOME", str(pack.parents[1]))
    assert len(faces.detect(red_cells, detector="insightface:tiny")) == 2


def test_pack_of_free_size(tmp_path: Path, red_cells: Photo) -> None:
    folder = write_pack(tmp_path / "free", size=None)
    assert len(faces.detect(red_cells, detector=f"insightface:{folder}")) == 2


def test_pack_in_a_long_strip(pack: Path) -> None:
    strip = np.full((2, 1000, 3), 90, np.uint8)
    assert faces.detect(strip, detector=f"insightface:{pack}") == []


def test_missing_pack_is_not_downloaded(
    tmp_path: Path, astronaut: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INSIGHTFACE_HOME", str(tmp_path))
    for name in ("buffalo_l", str(tmp_path / "nowhere"), str(tmp_path)):
        with pytest.raises(WeightsMissingError, match="expected an insightface pack") as caught:
            faces.detect(astronaut, detector=f"insightface:{name}")
        assert "nothing is downloaded" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_pack_without_a_detector(tmp_path: Path, astronaut: Photo) -> None:
    write_pack(tmp_path)
    (tmp_path / "det.onnx").unlink()
    with pytest.raises(WeightsMissingError, match="face detector"):
        faces.detect(astronaut, detector=f"insightface:{tmp_path}")


def test_damaged_pack(tmp_path: Path, astronaut: Photo) -> None:
    (tmp_path / "det.onnx").write_bytes(b"not a network")
    with pytest.raises(ModelError, match="InvalidProtobuf"):
        faces.detect(astronaut, detector=f"insightface:{tmp_path}")


# --- one face, counted once ---


def detection(x0: float, y0: float, x1: float, y1: float, score: float) -> detectors.Detection:
    return detectors.Detection((x0, y0, x1, y1), None, score)


def test_near_copies_and_parts_are_dropped() -> None:
    whole, copy = detection(0, 0, 100, 100, 0.9), detection(4, 2, 103, 101, 0.8)
    part, beside = detection(20, 20, 60, 60, 0.7), detection(90, 0, 190, 100, 0.6)
    assert detectors._distinct([part, copy, beside, whole]) == [whole, beside]
    assert detectors._distinct([]) == []


def test_a_part_never_removes_the_whole() -> None:
    whole, part = detection(0, 0, 100, 100, 0.6), detection(20, 20, 60, 60, 0.9)
    assert set(detectors._distinct([whole, part])) == {whole, part}


@given(length=st.integers(65, 6000))
def test_tiles_cover_and_overlap(length: int) -> None:
    starts, size = detectors._tiles(length)
    assert starts[0] == 0 and starts[-1] + size >= length and size % 32 == 0 and size <= 1280
    assert all(after - before == size - 160 for before, after in pairwise(starts))


# --- boxes ---

sides = st.integers(1, 120)


@st.composite
def touching_detections(
    draw: st.DrawFn,
) -> tuple[tuple[float, float, float, float], int, int]:
    height, width = draw(sides), draw(sides)
    x0, y0 = draw(st.floats(-30, width - 1)), draw(st.floats(-30, height - 1))
    x1 = draw(st.floats(max(x0, 0) + 1, width + 30))
    y1 = draw(st.floats(max(y0, 0) + 1, height + 30))
    return (x0, y0, x1, y1), height, width


@settings(max_examples=200)
@given(case=touching_detections(), margin=st.floats(1, 3))
def test_crop_box_is_inside_even_and_covers(
    case: tuple[tuple[float, float, float, float], int, int], margin: float
) -> None:
    (x0, y0, x1, y1), height, width = case
    box = faces.crop_box((x0, y0, x1, y1), height, width, margin)
    assert_inside(box, height, width)
    assert box[0] <= max(x0, 0) + 1e-9 and box[1] <= max(y0, 0) + 1e-9
    assert box[2] >= min(x1, width) - 1e-9 and box[3] >= min(y1, height) - 1e-9
    for side, limit in ((box[2] - box[0], width), (box[3] - box[1], height)):
        assert side % 2 == 0 or side == limit
        assert side >= min(faces.MIN_SIDE, limit)


@st.composite
def pictures_with_boxes(draw: st.DrawFn) -> tuple[list[faces.Box], int, int]:
    height, width = draw(sides), draw(sides)

    def one() -> faces.Box:
        x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        x1 = draw(st.integers(x0 + 1, min(width, x0 + 40)))
        return x0, y0, x1, draw(st.integers(y0 + 1, min(height, y0 + 40)))

    return [one() for _ in range(draw(st.integers(0, 8)))], height, width


@settings(max_examples=200)
@given(case=pictures_with_boxes())
def test_merging_leaves_no_overlap_and_loses_nothing(
    case: tuple[list[faces.Box], int, int],
) -> None:
    boxes, height, width = case
    given_faces = [face_at(box) for box in boxes]
    regions = faces.merge_overlapping(given_faces, height, width)
    times = np.zeros((height, width), int)
    for region in regions:
        x0, y0, x1, y1 = region.box
        assert_inside(region.box, height, width)
        assert (x1 - x0) % 2 == 0 or x1 - x0 == width
        assert (y1 - y0) % 2 == 0 or y1 - y0 == height
        times[y0:y1, x0:x1] += 1
        for face in region.faces:
            assert crops.union(face.box, region.box) == region.box
    assert times.max(initial=0) <= 1
    merged = [id(face) for region in regions for face in region.faces]
    assert sorted(merged) == sorted(id(face) for face in given_faces)
    assert [region.box for region in regions] == sorted(region.box for region in regions)


def test_merging_repeats_until_nothing_overlaps() -> None:
    # the third joins the first two, and only their union reaches the fourth
    boxes = [(0, 0, 10, 10), (20, 0, 30, 10), (8, 8, 22, 30), (2, 20, 6, 28), (60, 0, 70, 10)]
    first, last = faces.merge_overlapping([face_at(box) for box in boxes], 100, 100)
    assert first.box == (0, 0, 30, 30) and [face.box for face in first.faces] == boxes[:4]
    assert last.box == boxes[4]


def test_touching_boxes_stay_apart() -> None:
    boxes = [(0, 0, 10, 10), (10, 0, 20, 10)]
    regions = faces.merge_overlapping([face_at(box) for box in boxes], 10, 20)
    assert [region.box for region in regions] == boxes


# --- choosing ---


def test_select() -> None:
    known = [face_at((10 * i, 0, 10 * i + 8, 8)) for i in range(3)]
    assert faces.select(known, "all") == known
    assert faces.select(known, " 3, 1,3") == [known[0], known[2]]


@pytest.mark.parametrize("choice", ["", "0", "4", "1,", "-1", "x", "1;2", "²", "9" * 5000])
def test_select_names_how_many_there_are(choice: str) -> None:
    known = [face_at((10 * i, 0, 10 * i + 8, 8)) for i in range(3)]
    with pytest.raises(NoFaceError, match="numbers from 1 to 3"):
        faces.select(known, choice)


def test_nothing_to_select_from() -> None:
    with pytest.raises(NoFaceError, match="found none") as caught:
        faces.select([], "all")
    assert "--whole" in caught.value.hint and "--box" in caught.value.hint
    assert "--min-score 0.2" in caught.value.hint
    assert "30x20" in str(faces.no_face_error(np.zeros((20, 30, 3), np.uint8)))
    assert "--min-score" not in faces.no_face_error(min_score=0.2).hint, "that was tried"


# --- boxes by hand ---


def test_boxes_by_hand_keep_their_order_and_place() -> None:
    drawn = [(40, 2, 51, 12), (0, 0, 10, 10)]
    first, second = faces.faces_from_boxes(drawn, 30, 60)
    assert first.box == (40, 2, 52, 12) and first.detection == (40, 2, 51, 12)
    assert second.box == (0, 0, 10, 10) and second.landmarks is None and second.score == 1


def test_boxes_by_hand_find_landmarks(
    group: Photo, group_faces: list[faces.Face], astronaut_face: faces.Face
) -> None:
    drawn = [group_faces[2].box, (600, 700, 680, 780)]
    found, none = faces.faces_from_boxes(drawn, *group.shape[:2], photo_u8=group)
    assert found.landmarks is not None and group_faces[2].landmarks is not None
    assert np.allclose(found.landmarks, group_faces[2].landmarks, atol=6)
    assert none.landmarks is None


def test_a_box_around_one_face_has_no_others(group: Photo, group_faces: list[faces.Face]) -> None:
    (found,) = faces.faces_from_boxes([group_faces[2].box], *group.shape[:2], photo_u8=group)
    assert found.landmarks is not None and found.others == ()


def test_a_box_around_several_keeps_each_of_them(
    group: Photo, group_faces: list[faces.Face]
) -> None:
    height, width = group.shape[:2]
    known = sorted(group_faces[:3], key=lambda face: face.box)
    drawn = known[0].box
    for face in known[1:]:
        drawn = crops.union(drawn, face.box)
    (found,) = faces.faces_from_boxes([drawn], height, width, photo_u8=group)
    assert found.landmarks is None and crops.union(found.box, drawn) == found.box
    for face in known:
        near = [o for o in found.others if np.allclose(o.detection, face.detection, atol=8)]
        assert len(near) == 1 and near[0].landmarks is not None and face.landmarks is not None
        assert np.allclose(near[0].landmarks, face.landmarks, atol=8)
    for face in found.others:
        assert crops.union(face.box, found.box) == found.box
        assert (face.box[2] - face.box[0]) % 2 == 0 and (face.box[3] - face.box[1]) % 2 == 0


def test_whole_picture_of_several(group: Photo, group_faces: list[faces.Face]) -> None:
    face = faces.whole_face(group)
    assert face.landmarks is None and list(face.others) == group_faces


@pytest.mark.parametrize("box", [(0, 0, 61, 10), (-2, 0, 8, 8), (5, 5, 5, 9), (9, 5, 5, 9)])
def test_boxes_outside_are_refused(box: faces.Box) -> None:
    with pytest.raises(BoxError):
        faces.faces_from_boxes([box], 30, 60)


def test_no_box_is_no_face() -> None:
    with pytest.raises(NoFaceError):
        faces.faces_from_boxes([], 30, 60)


def test_whole_picture(astronaut: Photo, astronaut_face: faces.Face) -> None:
    x0, y0, x1, y1 = astronaut_face.box
    ready_made = faces.crop(astronaut, (x0, y0, x1 - 1, y1))
    face = faces.whole_face(ready_made)
    assert face.box == (0, 0, x1 - 1 - x0, y1 - y0)
    assert face.landmarks is not None and astronaut_face.landmarks is not None
    assert np.allclose(face.landmarks - astronaut_face.landmarks, [[-x0, -y0]], atol=6)
    assert faces.whole_face(np.zeros((20, 30, 3), np.uint8)).landmarks is None


# --- crop and paste ---


@given(case=pictures_with_boxes(), seed=st.integers(0, 99))
def test_paste_changes_the_box_and_nothing_else(
    case: tuple[list[faces.Box], int, int], seed: int
) -> None:
    boxes, height, width = case
    rng = np.random.default_rng(seed)
    photo = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    for box in boxes:
        before = photo.copy()
        cut = faces.crop(photo, box)
        assert np.array_equal(faces.paste(photo, box, cut), photo)
        pasted = faces.paste(photo, box, 255 - cut)
        cut[:] = 0
        assert np.array_equal(photo, before)
        outside = np.ones((height, width), bool)
        outside[box[1] : box[3], box[0] : box[2]] = False
        assert np.array_equal(pasted[outside], photo[outside])
        assert np.array_equal(pasted[~outside], 255 - photo[~outside])


def test_paste_refuses_another_size() -> None:
    photo = np.zeros((20, 30, 3), np.uint8)
    for wrong in (np.zeros((4, 5, 3), np.uint8), np.zeros((5, 4, 3), np.float32)):
        with pytest.raises(ImageShapeError, match="crop_u8 must be"):
            faces.paste(photo, (0, 0, 4, 5), wrong)  # type: ignore[arg-type]
    with pytest.raises(BoxError):
        faces.paste(photo, (0, 0, 4, 21), np.zeros((21, 4, 3), np.uint8))
    with pytest.raises(BoxError):
        faces.crop(photo, (0, 0, 31, 5))
