"""Sets of faces for training and measuring: folders and zips, read lazily, sampled with a seed."""

import csv
import hashlib
import os
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.errors import DataError
from engine.images import open_photo

EXTENSIONS = (".png", ".webp", ".jpg", ".jpeg")
_COLUMNS = ["file", "source", "identity", *(f"{axis}{i}" for i in range(5) for axis in "xy")]


@dataclass(frozen=True)
class FaceFile:
    """What is known of one face of a set.

    Attributes:
        file: its name in the zip or folder.
        source: the set it came from, such as ``"lfw"``; empty where unknown.
        identity: who it is; empty where unknown.
        landmarks: five points (5, 2) as x, y in pixels of the face, or None.
    """

    file: str
    source: str
    identity: str
    landmarks: npt.NDArray[np.float32] | None


class FaceSet:
    """The faces of a zip with a csv beside it, of several such, or of a folder of pictures.

    A zip is held in memory compressed; a face is decoded when asked for. Safe to read from
    several threads.

    Args:
        path: a ``.zip`` (with a ``.csv`` of the same name where landmarks and identities are
            known), or a folder of pictures.

    Raises:
        DataError: nothing is there, it holds no pictures, or the csv does not describe them.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.is_dir():
            self._contents: dict[str, bytes | Path] = {
                file.relative_to(self.path).as_posix(): file
                for file in sorted(self.path.rglob("*"))
                if file.suffix.lower() in EXTENSIONS
            }
        elif zipfile.is_zipfile(self.path):
            self._contents = _read_zip(self.path)
        else:
            raise DataError(
                f"expected a folder or a zip of faces, got {self.name}",
                hint="pass a folder of pictures, or a zip with a csv of the same name",
            )
        if not self._contents:
            raise DataError(
                f"no pictures in {self.name}",
                hint=f"put {', '.join(EXTENSIONS)} there, or name the folder or zip that has them",
            )
        self.records: Sequence[FaceFile] = _read_table(self.path, list(self._contents))

    def __len__(self) -> int:
        return len(self.records)

    @property
    def name(self) -> str:
        """Last part of its path, for people."""
        return self.path.resolve().name

    def load(self, index: int) -> npt.NDArray[np.uint8]:
        """Decode face ``index`` as (H, W, 3) uint8, RGB."""
        return open_photo(self._contents[self.records[index].file])

    def sha256(self) -> str:
        """Hash of the file (zip) or of names and contents in order (folder)."""
        digest = hashlib.sha256()
        if self.path.is_file():
            digest.update(self.path.read_bytes())
        else:
            for name, file in self._contents.items():
                digest.update(name.encode() + b"\0" + Path(str(file)).read_bytes())
        return digest.hexdigest()


def find_training_sets(folder: str | os.PathLike[str]) -> list[FaceSet]:
    """Open every ``faces_train*.zip`` of a folder; where it has none, its pictures, or one zip.

    Args:
        folder: that folder, or a zip.

    Raises:
        DataError: neither is there, or one of them cannot be read.
    """
    archives = sorted(Path(folder).glob("faces_train*.zip"))
    return [FaceSet(archive) for archive in archives] or [FaceSet(folder)]


def _read_zip(path: Path) -> dict[str, bytes | Path]:
    try:
        with zipfile.ZipFile(path) as archive:
            return {
                name: archive.read(name)
                for name in archive.namelist()
                if name.lower().endswith(EXTENSIONS)
            }
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise DataError(
            f"{path.name} cannot be read as a zip ({error})", hint="copy or download it again"
        ) from error


def _read_table(path: Path, files: list[str]) -> list[FaceFile]:
    table = path.with_suffix(".csv")
    if path.is_dir() or not table.is_file():
        return [
            FaceFile(file, file.split("/")[0] if "/" in file else "", "", None) for file in files
        ]
    known = set(files)
    rows = [row for row in _read_rows(table) if row["file"] in known]
    if sorted(row["file"] for row in rows) != sorted(files):
        raise DataError(
            f"{table.name} describes {len({row['file'] for row in rows})} of the {len(files)} "
            f"faces of {path.name}, in {len(rows)} rows",
            hint="the csv must have one row for each picture of the zip",
        )
    return [
        FaceFile(row["file"], row["source"], row["identity"], _read_landmarks(table, row))
        for row in rows
    ]


def _read_rows(table: Path) -> list[dict[str, str]]:
    try:
        with table.open(encoding="utf-8", newline="") as text:
            reader = csv.DictReader(text, restval="")
            missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
            rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(
            f"{table.name} cannot be read as a table ({error})", hint="write it as csv in UTF-8"
        ) from error
    if missing:
        raise DataError(
            f"{table.name} lacks {', '.join(missing)}",
            hint=f"expected the columns {', '.join(_COLUMNS)}",
        )
    return rows


def _read_landmarks(table: Path, row: dict[str, str]) -> npt.NDArray[np.float32]:
    try:
        points = np.array(
            [[float(row[f"{axis}{i}"]) for axis in "xy"] for i in range(5)], np.float32
        )
    except ValueError:
        points = np.full((5, 2), np.nan, np.float32)
    if not np.isfinite(points).all():
        raise DataError(
            f"{table.name} has landmarks of {row['file']} that are no numbers",
            hint="expected x0, y0 to x4, y4 in pixels of the face",
        )
    return points
