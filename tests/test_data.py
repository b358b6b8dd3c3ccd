import contextlib
import csv
import hashlib
import io
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from engine.data import FaceSet
from engine.errors import DataError, ImageError

EVALUATION_SET = Path(__file__).parents[1] / ".." / "shared" / "data" / "eval_112.zip"
COLUMNS = ["file", "source", "identity", *(f"{axis}{i}" for i in range(5) for axis in "xy")]
NAMES = ["lfw/b.png", "lfw/a.png", "ffhq/c.png"]


def picture(seed: int, height: int = 6, width: int = 8) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture(seed)).save(buffer, "PNG")
    return buffer.getvalue()


def write_zip(path: Path, names: list[str] = NAMES) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for seed, name in enumerate(names):
            archive.writestr(name, png(seed))
        archive.writestr("README.txt", "not a picture")
    return path


def row(name: str, seed: int) -> dict[str, str]:
    points = {
        f"{axis}{i}": f"{seed + i}.{5 if axis == 'x' else 25}" for i in range(5) for axis in "xy"
    }
    return {"file": name, "source": name.split("/")[0], "identity": f"person {seed}", **points}


def write_csv(path: Path, rows: list[dict[str, str]], columns: list[str] = COLUMNS) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)


def write_folder(root: Path) -> Path:
    for seed, name in enumerate(NAMES):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(png(seed))
    (root / "notes.txt").write_text("not a picture")
    return root


# --- folders and zips -----------------------------------------------------------------------------


def test_folder(tmp_path: Path) -> None:
    faces = FaceSet(write_folder(tmp_path))
    assert [r.file for r in faces.records] == ["ffhq/c.png", "lfw/a.png", "lfw/b.png"]
    assert [r.source for r in faces.records] == ["ffhq", "lfw", "lfw"]
    assert all(r.landmarks is None and r.identity == "" for r in faces.records)
    assert [np.array_equal(faces.load(i), picture(s)) for i, s in enumerate([2, 1, 0])] == [
        True
    ] * 3


def test_flat_folder_has_no_source(tmp_path: Path) -> None:
    (tmp_path / "face.PNG").write_bytes(png(0))
    assert [(r.file, r.source) for r in FaceSet(tmp_path).records] == [("face.PNG", "")]


def test_zip_without_a_table(tmp_path: Path) -> None:
    faces = FaceSet(write_zip(tmp_path / "set.zip"))
    assert len(faces) == 3
    assert [r.file for r in faces.records] == NAMES
    assert faces.records[0].landmarks is None
    assert np.array_equal(faces.load(1), picture(1))


def test_zip_with_a_table(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip")
    rows = [row(name, seed) for seed, name in enumerate(NAMES)]
    write_csv(tmp_path / "set.csv", [rows[2], rows[0], rows[1], row("lfw/absent.png", 9)])
    faces = FaceSet(str(path))
    assert [r.file for r in faces.records] == [NAMES[2], NAMES[0], NAMES[1]]
    assert [r.identity for r in faces.records] == ["person 2", "person 0", "person 1"]
    assert np.array_equal(faces.load(0), picture(2))
    landmarks = faces.records[1].landmarks
    assert landmarks is not None
    assert landmarks.dtype == np.float32
    assert landmarks.tolist() == [[i + 0.5, i + 0.25] for i in range(5)]


# --- hashes --------------------------------------------------------------------------------------


def test_hash_of_a_zip_is_the_files(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip")
    assert FaceSet(path).sha256() == hashlib.sha256(path.read_bytes()).hexdigest()


def test_hash_of_a_folder_follows_names_and_contents(tmp_path: Path) -> None:
    first, second = write_folder(tmp_path / "a"), write_folder(tmp_path / "b")
    before = FaceSet(first).sha256()
    assert before == FaceSet(second).sha256()
    (first / "lfw" / "a.png").write_bytes(png(77))
    (second / "lfw" / "a.png").rename(second / "lfw" / "aa.png")
    assert len({before, FaceSet(first).sha256(), FaceSet(second).sha256()}) == 3


# --- refusals -------------------------------------------------------------------------------------


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a folder or a zip of faces, got absent\.zip"):
        FaceSet(tmp_path / "absent.zip")


def test_neither_folder_nor_zip(tmp_path: Path) -> None:
    (tmp_path / "face.png").write_bytes(png(0))
    with pytest.raises(DataError, match=r"got face\.png") as caught:
        FaceSet(tmp_path / "face.png")
    assert caught.value.hint


def test_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"no pictures in {tmp_path.name}") as caught:
        FaceSet(tmp_path)
    assert ".png" in caught.value.hint
    with contextlib.chdir(tmp_path), pytest.raises(DataError, match=f"in {tmp_path.name}"):
        FaceSet(".")
    with pytest.raises(DataError, match=r"no pictures in set\.zip"):
        FaceSet(write_zip(tmp_path / "set.zip", []))


@pytest.mark.parametrize(
    "rows",
    [[row(NAMES[0], 0)], [row(name, 0) for name in (*NAMES, NAMES[0])], [row(NAMES[0], 0)] * 3],
    ids=["too few", "one twice", "one for all"],
)
def test_table_that_does_not_fit_the_zip(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    write_csv(tmp_path / "set.csv", rows)
    with pytest.raises(DataError, match=r"set\.csv describes \d of the 3 faces of set\.zip"):
        FaceSet(write_zip(tmp_path / "set.zip"))


@pytest.mark.parametrize("missing", ["file", "source", "identity", "x0", "y4"])
def test_table_without_a_column(tmp_path: Path, missing: str) -> None:
    columns = [column for column in COLUMNS if column != missing]
    write_csv(tmp_path / "set.csv", [row(name, 0) for name in NAMES], columns)
    with pytest.raises(DataError, match=missing):
        FaceSet(write_zip(tmp_path / "set.zip"))


@pytest.mark.parametrize("value", ["", "left", "nan", "inf"])
def test_landmark_that_is_no_number(tmp_path: Path, value: str) -> None:
    write_csv(tmp_path / "set.csv", [{**row(name, 0), "y2": value} for name in NAMES])
    with pytest.raises(DataError, match=r"set\.csv.*landmarks"):
        FaceSet(write_zip(tmp_path / "set.zip"))


def test_damaged_zip(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "set.zip")
    data = bytearray(path.read_bytes())
    data[60:90] = bytes(30)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"set\.zip"):
        FaceSet(path)


def test_damaged_picture(tmp_path: Path) -> None:
    (tmp_path / "face.png").write_bytes(png(0)[:40])
    faces = FaceSet(tmp_path)
    with pytest.raises(ImageError):
        faces.load(0)


# --- the evaluation set ---------------------------------------------------------------------------


@pytest.mark.shared
@pytest.mark.skipif(not EVALUATION_SET.is_file(), reason="the evaluation set is not here")
def test_the_evaluation_set() -> None:
    faces = FaceSet(EVALUATION_SET)
    assert len(faces) == 1500
    assert Counter(r.source for r in faces.records) == {"lfw": 500, "celeba": 500, "ffhq": 500}
    for index in range(0, 1500, 125):
        assert faces.load(index).shape == (112, 112, 3)
    for record in faces.records:
        assert record.landmarks is not None
        assert record.landmarks.shape == (5, 2)
        left_eye, right_eye, _, left_mouth, right_mouth = record.landmarks
        assert left_eye[0] < right_eye[0]
        assert min(left_mouth[1], right_mouth[1]) > min(left_eye[1], right_eye[1])
