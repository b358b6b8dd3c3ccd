"""Opens research sets as their makers hand them out: LFW's and CelebA's own folders, cut to faces.

Any other folder or zip is taken as it is, its pictures as faces.
"""

import os
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from engine.data import FaceFile, FaceSet
from engine.errors import DataError
from engine.faces import detect

SIDE = 112
"""Pixels of the faces that are cut out, as the papers have it."""

MARGIN = 1.35
_LFW = re.compile(r"(?:.*/)?([^/]+)/\1_\d{4}\.\w+")
_CELEBA = re.compile(r"(?:.*/)?img(?:_align)?_celeba/(?:.*/)?(\d{6}\.\w+)")
_TEST = "2"


def open_faces(path: str | os.PathLike[str]) -> FaceSet:
    """Open a folder or zip of faces, whichever way it is laid out.

    ``NAME/NAME_0001.jpg`` is LFW; ``img_celeba`` or ``img_align_celeba`` with
    ``list_eval_partition.txt`` beside it is CelebA, of which only the test split is taken. Both are
    photographs, from which the largest face is cut out.

    Raises:
        DataError: as :class:`engine.data.FaceSet`, or CelebA without its list of splits.
    """
    faces = FaceSet(path)
    if any(record.source and record.landmarks is not None for record in faces.records):
        return faces
    names = [record.file for record in faces.records]
    if all(_LFW.fullmatch(name) for name in names):
        return _CutOut(path, [_of_lfw(name) for name in names])
    if all(_CELEBA.fullmatch(name) for name in names):
        return _CutOut(path, _of_celeba(Path(path), names))
    return faces


class _CutOut(FaceSet):
    """Photographs of one person each, cut to the face when they are asked for."""

    def __init__(self, path: str | os.PathLike[str], records: Sequence[FaceFile]) -> None:
        super().__init__(path)
        self.records = records
        self._contents = {record.file: self._contents[record.file] for record in records}
        self._kept = lru_cache(maxsize=2048)(self._cut_out)  # as every mask asks for it again

    def load(self, index: int) -> npt.NDArray[np.uint8]:
        """Decode face ``index`` as (SIDE, SIDE, 3) uint8, RGB."""
        return self._kept(index).copy()

    def _cut_out(self, index: int) -> npt.NDArray[np.uint8]:
        photo_u8 = super().load(index)
        height, width = photo_u8.shape[:2]
        # Both sets are centred on the person that they are about: the middle, if nothing is found.
        x, y, side = width / 2, height / 2, 0.6 * min(height, width)
        found = detect(photo_u8)
        if found:
            boxes = [face.detection for face in found]
            x0, y0, x1, y1 = max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
            x, y, side = (x0 + x1) / 2, (y0 + y1) / 2, MARGIN * max(x1 - x0, y1 - y0)
        whole = min(round(side), height, width)
        left = min(max(0, round(x - whole / 2)), width - whole)
        top = min(max(0, round(y - whole / 2)), height - whole)
        face_u8 = photo_u8[top : top + whole, left : left + whole]
        way = cv2.INTER_AREA if whole > SIDE else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(face_u8, (SIDE, SIDE), interpolation=way), np.uint8)


def _of_lfw(file: str) -> FaceFile:
    return FaceFile(file, "lfw", file.split("/")[-2], None)


def _of_celeba(path: Path, files: Iterable[str]) -> list[FaceFile]:
    split = _read_list(path, "list_eval_partition.txt")
    if split is None:
        raise DataError(
            f"{path.name} holds CelebA without list_eval_partition.txt, which tells its splits",
            hint="put the list beside the pictures: training faces must not be measured",
        )
    people = _read_list(path, "identity_CelebA.txt") or {}
    numbers = {file: Path(file).stem for file in files}
    return [
        FaceFile(file, "celeba", people.get(number, ""), None)
        for file, number in numbers.items()
        if split.get(number) == _TEST
    ]


def _read_list(path: Path, name: str) -> dict[str, str] | None:
    """A list of CelebA, ``000001.jpg VALUE`` on each line: number of the picture to value."""
    found = sorted(path.rglob(name) if path.is_dir() else path.parent.glob(name))
    if not found:
        return None
    lines = (line.split() for line in found[0].read_text(encoding="utf-8").splitlines())
    return {words[0].split(".")[0]: words[1] for words in lines if len(words) == 2}
