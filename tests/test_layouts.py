from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sample_photos import group, portrait

from engine.errors import DataError
from engine.faces import detect
from engine.layouts import SIDE, open_faces


def save(path: Path, photo_u8: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(photo_u8).save(path)


def test_lfw(tmp_path: Path) -> None:
    for name in ("Ann_Lee/Ann_Lee_0001", "Ann_Lee/Ann_Lee_0002", "Bo/Bo_0001"):
        save(tmp_path / "lfw" / f"{name}.png", portrait())
    faces = open_faces(tmp_path)
    assert [record.identity for record in faces.records] == ["Ann_Lee", "Ann_Lee", "Bo"]
    assert {record.source for record in faces.records} == {"lfw"}
    face_u8 = faces.load(0)
    assert face_u8.shape == (SIDE, SIDE, 3)
    (found,) = detect(face_u8)
    x0, y0, x1, y1 = found.detection
    assert 0.5 < max(x1 - x0, y1 - y0) / SIDE < 0.95  # the face fills what was cut out


def test_of_several_faces_the_largest_is_cut_out(tmp_path: Path) -> None:
    save(tmp_path / "Cy" / "Cy_0001.png", group())
    save(tmp_path / "Cy" / "Cy_0002.png", np.full((64, 64, 3), 200, np.uint8))
    faces = open_faces(tmp_path)
    assert len(detect(faces.load(0))) >= 1
    assert faces.load(1).shape == (SIDE, SIDE, 3)
    assert np.array_equal(faces.load(0), open_faces(tmp_path).load(0))


def celeba(folder: Path, name: str = "img_celeba") -> None:
    for number in (1, 2, 3):
        save(folder / name / f"{number:06}.png", portrait())


def test_celeba_gives_its_test_split_only(tmp_path: Path) -> None:
    celeba(tmp_path)
    (tmp_path / "Eval").mkdir()
    splits = "000001.jpg 0\n000002.jpg 2\n000003.jpg 2\n"
    (tmp_path / "Eval" / "list_eval_partition.txt").write_text(splits)
    (tmp_path / "identity_CelebA.txt").write_text("000001.jpg 7\n000002.jpg 8\n")
    faces = open_faces(tmp_path)
    assert [(r.file, r.source, r.identity) for r in faces.records] == [
        ("img_celeba/000002.png", "celeba", "8"), ("img_celeba/000003.png", "celeba", ""),
    ]  # fmt: skip
    assert len(faces) == 2
    assert faces.load(1).shape == (SIDE, SIDE, 3)
    before = faces.sha256()
    save(tmp_path / "img_celeba" / "000001.png", portrait()[::-1])
    assert open_faces(tmp_path).sha256() == before  # a training face is no part of it
    save(tmp_path / "img_celeba" / "000003.png", portrait()[::-1])
    assert open_faces(tmp_path).sha256() != before


def test_celeba_without_its_splits_is_refused(tmp_path: Path) -> None:
    celeba(tmp_path, "img_align_celeba")
    with pytest.raises(DataError, match=r"holds CelebA without list_eval_partition\.txt"):
        open_faces(tmp_path)


def test_any_other_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    save(tmp_path / "one" / "a_0001.png", portrait())
    faces = open_faces(tmp_path)
    assert np.array_equal(faces.load(0), portrait())
    assert faces.records[0].source == "one"
