"""Landmarks refined: the released network on real faces, where masks use it, its training."""

import csv
import dataclasses
import json
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from PIL import Image
from sample_photos import group, portrait
from tiny_teachers import write_taught_faces
from typer.testing import CliRunner

from engine.cli import app
from engine.data import FaceSet
from engine.errors import DataError, LandmarksError
from engine.faces import Face, crop, detect, merge_overlapping, whole_face
from engine.landmarks import landmarks_in, place_all, refine_landmarks, take_back
from engine.layouts import open_faces
from engine.masking import lay_masks
from engine.masks.portrait import to_portrait
from engine.networks.landmarks import LandmarkRegressor
from engine.training.landmarks import LandmarkRecipe, LandmarkTrainer, PlacedFaces, learn_landmarks
from engine.training.learner import TrainOptions

SHARED = Path(__file__).parents[1] / ".." / "shared" / "data"
TINY = LandmarkRecipe(
    widths=(8, 8, 16), blocks=(1, 1, 1), batch=4, held_out=4, warm_up_steps=1, measured=2
)

F32 = npt.NDArray[np.float32]


def eyes_apart(points: F32) -> float:
    return float(np.linalg.norm(points[1] - points[0]))


def error(found: F32, wanted: F32) -> float:
    """Mean distance of points in shares of the eyes'."""
    return float(np.linalg.norm(found - wanted, axis=1).mean()) / eyes_apart(wanted)


# --- the released network -------------------------------------------------------------------------


def test_points_come_back_from_a_portrait_where_they_were() -> None:
    face_u8 = portrait()
    points = np.array([[90, 100], [130, 104], [112, 122], [94, 142], [126, 145]], np.float32)
    placed = place_all(points, to_portrait(face_u8, points + 3))
    assert np.abs(placed).max() < 0.5
    assert np.allclose(take_back(placed, to_portrait(face_u8, points + 3)), points, atol=1e-3)


@pytest.mark.parametrize("away", [(0.1, 0.0), (-0.1, 0.0), (0.0, 0.12), (0.07, -0.07)])
def test_landmarks_that_are_off_are_put_right(away: tuple[float, float]) -> None:
    photo_u8 = portrait()
    (face,) = detect(photo_u8)
    assert face.landmarks is not None
    exact = refine_landmarks(photo_u8, face.landmarks).points
    moved = exact + np.array(away, np.float32) * eyes_apart(exact)
    assert error(moved, exact) >= 0.09
    assert error(refine_landmarks(photo_u8, moved).points, exact) < 0.03


def test_every_face_of_a_photograph_comes_back_to_its_own_landmarks() -> None:
    photo_u8 = group()
    for face in detect(photo_u8):
        assert face.rough
        crop_u8 = crop(photo_u8, face.box)
        known = landmarks_in(crop_u8, face)
        assert known is not None and face.landmarks is not None and not known.doubtful
        assert 0 < error(face.landmarks - np.array(face.box[:2], np.float32), known.points) < 0.25
        moved = known.points + np.array(0.1 * eyes_apart(known.points), np.float32)
        assert error(refine_landmarks(crop_u8, moved).points, known.points) < 0.05


def test_a_face_cut_by_the_edge_keeps_its_mask() -> None:
    """Of a face cut off at each height, what the detector's landmarks can carry is carried."""
    photo_u8 = portrait()
    (whole,) = detect(photo_u8)
    assert whole.landmarks is not None
    lowest, doubted = int(whole.landmarks[:, 1].max()), 0
    for height in range(lowest - 8, lowest + 24, 4):
        cut_u8 = photo_u8[:height]
        for face in detect(cut_u8):
            known_u8 = crop(cut_u8, face.box)
            assert face.landmarks is not None
            rough = face.landmarks - np.array(face.box[:2], np.float32)
            known = landmarks_in(known_u8, face)  # raises for none that the detector's can place
            assert known is not None
            assert to_portrait(known_u8, known.points).picture_u8.any()
            doubted += known.doubtful
            assert np.array_equal(known.points, rough) is known.doubtful
    assert doubted < 8


def test_landmarks_that_nobody_knows_to_be_rough_stay_as_they_are() -> None:
    photo_u8 = portrait()
    (face,) = detect(photo_u8)
    assert face.landmarks is not None
    labelled = dataclasses.replace(face, rough=False)
    known = landmarks_in(crop(photo_u8, face.box), labelled)
    assert known is not None and not known.doubtful
    assert np.array_equal(known.points, face.landmarks - np.array(face.box[:2], np.float32))
    assert landmarks_in(photo_u8, dataclasses.replace(face, landmarks=None)) is None


@pytest.mark.parametrize("away", [1.0, 50.0, float("nan")])
def test_a_network_that_would_have_them_elsewhere_is_not_believed(
    away: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Lost(LandmarkRegressor):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return torch.full((len(pictures), 5, 2), away)

    monkeypatch.setattr("engine.landmarks.load_model", lambda name: Lost())
    photo_u8 = portrait()
    (face,) = detect(photo_u8)
    crop_u8 = crop(photo_u8, face.box)
    known = landmarks_in(crop_u8, face)
    assert known is not None and known.doubtful and face.landmarks is not None
    assert np.array_equal(known.points, face.landmarks - np.array(face.box[:2], np.float32))
    made = lay_masks(photo_u8, merge_overlapping([face], *photo_u8.shape[:2]), "ksame")
    assert made.laid == 1 and "its landmarks are doubtful" in made.remarks[0].reason


def test_landmarks_that_place_no_face_are_refused() -> None:
    with pytest.raises(LandmarksError):
        refine_landmarks(portrait(), np.full((5, 2), 40, np.float32))


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "eval_112.zip").is_file(), reason="needs ../shared/data")
def test_on_evaluation_faces_it_is_nearer_than_the_detector() -> None:
    faces = open_faces(SHARED / "eval_112.zip")
    detected, refined = [], []
    for index in range(0, len(faces), 25):
        face_u8, exact = faces.load(index), faces.records[index].landmarks
        rough = whole_face(face_u8).landmarks
        if rough is not None and exact is not None:
            detected.append(error(rough, exact))
            refined.append(error(refine_landmarks(face_u8, rough).points, exact))
    assert len(refined) > 50
    assert np.mean(refined) < 0.8 * np.mean(detected)


# --- masks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", ["ksame", "simswap"])
def test_another_face_lies_in_its_place_though_the_detector_was_off(mask: str) -> None:
    photo_u8 = portrait()
    (found,) = detect(photo_u8)
    assert found.landmarks is not None
    exact = refine_landmarks(photo_u8, found.landmarks).points

    def laid_by(points: F32) -> npt.NDArray[np.uint8]:
        face = Face(found.box, found.detection, points, 1.0, rough=True)
        made = lay_masks(photo_u8, merge_overlapping([face], *photo_u8.shape[:2]), mask)
        assert not made.notes
        return made.photo_u8

    def edge_of(made_u8: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        return np.asarray((made_u8 != photo_u8).any(axis=2))

    wanted = edge_of(laid_by(exact))
    moved = edge_of(laid_by(exact + np.float32(0.12) * eyes_apart(exact)))
    assert (moved != wanted).sum() < 0.08 * wanted.sum()


# --- training -------------------------------------------------------------------------------------


@pytest.fixture
def faces(tmp_path: Path) -> list[FaceSet]:
    return [FaceSet(write_taught_faces(tmp_path / "data", 12) / "faces_train_0.zip")]


def options(tmp_path: Path, **changes: object) -> TrainOptions:
    plain = TrainOptions(folder=tmp_path / "run", minutes=60, log_steps=2, max_steps=4)
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def detected_where_they_are(
    monkeypatch: pytest.MonkeyPatch, faces: list[FaceSet], right: float
) -> None:
    """Have the detector find drawn faces, which none takes for faces, so far to the right."""

    def found(face_u8: npt.NDArray[np.uint8]) -> Face:
        box = (0, 0, face_u8.shape[1], face_u8.shape[0])
        points = faces[0].records[0].landmarks
        assert points is not None
        return Face(box, box, points + np.array([right, 0], np.float32), 1.0)

    monkeypatch.setattr("engine.training.landmarks.whole_face", found)


def test_training_is_logged_saved_and_gone_on_with(
    faces: list[FaceSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detected_where_they_are(monkeypatch, faces, right=2)
    lines: list[str] = []
    first = learn_landmarks(TINY, faces, options(tmp_path), lines.append)
    assert first.progress.step == 4
    assert lines[0] == "learning from 9 faces, measuring 3 others"
    assert first.figures["detected_error"] == pytest.approx(2 / (0.256 * 40), rel=0.02)
    assert 0 < first.figures["refined_error"] < 1
    again = learn_landmarks(TINY, faces, options(tmp_path, max_steps=6), lines.append)
    assert (again.progress.step, again.progress.run_id) == (6, first.progress.run_id)
    saved = LandmarkRegressor.from_pretrained(tmp_path / "run" / "model", low_cpu_mem_usage=False)
    assert all(
        torch.equal(value, again.average.state_dict()[name])
        for name, value in saved.state_dict().items()
    )
    with pytest.raises(DataError):
        learn_landmarks(dataclasses.replace(TINY, shift=0.2), faces, options(tmp_path))


def test_it_learns_where_points_are(tmp_path: Path) -> None:
    trainer = LandmarkTrainer(TINY, options(tmp_path))
    pictures = torch.zeros(8, 3, 112, 112)
    places = torch.randint(20, 90, (8, 2), generator=torch.Generator().manual_seed(0))
    for picture, (x, y) in zip(pictures, places.tolist(), strict=True):
        picture[:, y - 6 : y + 6, x - 6 : x + 6] = 1
    points = (places[:, None].float() / 112 - 0.5).expand(8, 5, 2)
    batch = PlacedFaces(pictures, points)
    before = trainer.step(batch)["total"]
    for step in range(1, 100):
        trainer.set_rates(step / 100)
        after = trainer.step(batch)["total"]
    assert after < before / 4


def test_a_set_in_which_no_face_is_found_is_refused(faces: list[FaceSet], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="landmarks a detector finds"):
        learn_landmarks(TINY, faces, options(tmp_path))


def test_faces_whose_landmarks_place_none_are_refused(
    faces: list[FaceSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    detected_where_they_are(monkeypatch, faces, right=2)
    monkeypatch.setattr("engine.training.landmarks._placed", lambda *given: None)
    with pytest.raises(DataError):
        learn_landmarks(TINY, faces, options(tmp_path))


def test_the_command_refuses_what_it_would_not_heed(tmp_path: Path) -> None:
    run = ["train", "landmarks", "--data", str(tmp_path), "--resume", str(tmp_path / "run")]
    refused = CliRunner().invoke(app, [*run, "--teachers", str(tmp_path)])
    assert refused.exit_code == 2
    assert "--teachers" in refused.output


def test_the_command_trains_on_real_faces(tmp_path: Path) -> None:
    """Faces of an installed package, in a zip with the landmarks that the detector finds."""
    photo_u8, folder = group(), tmp_path / "data"
    folder.mkdir()
    rows = []
    with zipfile.ZipFile(folder / "faces_train_0.zip", "w") as archive:
        for number, face in enumerate(detect(photo_u8)):
            x0, y0, x1, y1 = face.box
            Image.fromarray(photo_u8[y0:y1, x0:x1]).save(tmp_path / "face.png")
            archive.write(tmp_path / "face.png", f"{number}.png")
            assert face.landmarks is not None
            rows.append([f"{number}.png", "t1", "", *(face.landmarks - [x0, y0]).ravel()])
    with (folder / "faces_train_0.csv").open("w", newline="") as text:
        table = csv.writer(text)
        table.writerow(["file", "source", "identity", *(f"{a}{i}" for i in range(5) for a in "xy")])
        table.writerows(rows)
    run = ["train", "landmarks", "--data", str(folder), "--resume", str(tmp_path / "run")]
    made = CliRunner().invoke(app, [*run, "--steps", "1", "--json"])
    assert made.exit_code == 0, made.output
    told = json.loads(made.stdout)
    assert (told["recipe"], told["steps"], told["faces_seen"]) == ("landmarks", 1, 64)
