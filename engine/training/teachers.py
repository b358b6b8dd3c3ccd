"""What the teachers say of faces and of mixtures of them: asked once, kept in the run's folder."""

import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.alignment import SIDE, align
from engine.data import FaceSet
from engine.errors import DataError, ModelError, WeightsMissingError
from engine.files import write_file
from engine.recognition import load_torchscript

_CHUNK = 16
Report = Callable[[int, int], None]
"""Takes how many faces the teachers have been asked about, and how many there are."""


def find_teachers(folder: Path) -> list[Path]:
    """The TorchScript recognisers of a folder, by name.

    Raises:
        WeightsMissingError: it holds none.
    """
    files = sorted(folder.glob("recognizer_*.ts"))
    if not files:
        raise WeightsMissingError(
            f"expected recognizer_*.ts to learn from, found none in {folder.name}",
            hint="name the folder that holds them with --teachers",
        )
    return files


def find_teacher_and_judge(folder: Path) -> tuple[Path, Path]:
    """The first recogniser of a folder, for losses, and the last one, which is to be in none.

    Raises:
        WeightsMissingError: it does not hold two.
    """
    files = find_teachers(folder)
    if len(files) < 2:
        raise WeightsMissingError(
            f"expected two recognizer_*.ts in {folder.name}, found one",
            hint="name a folder of two with --teachers: one is in the losses, the other one judges",
        )
    return files[0], files[-1]


def aligned_faces(sets: Sequence[FaceSet], indices: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Decode and align faces that are counted through all sets: (N, 112, 112, 3).

    Raises:
        DataError: a face has no landmarks.
    """
    pictures = []
    for index in indices:
        faces, local = locate(sets, index)
        pictures.append(align(faces.load(local), landmarks_of(faces, local)))
    return np.stack(pictures)


def landmarks_of(faces: FaceSet, local: int) -> npt.NDArray[np.float32]:
    """The landmarks of a face.

    Raises:
        DataError: it has none.
    """
    record = faces.records[local]
    if record.landmarks is None:
        raise DataError(
            f"{record.file} of {faces.name} has no landmarks to align it by",
            hint="a recogniser needs faces in a zip with a csv that has x0, y0 to x4, y4",
        )
    return record.landmarks


def locate(sets: Sequence[FaceSet], index: int) -> tuple[FaceSet, int]:
    """The set of a face that is counted through all sets, and its number there."""
    for faces in sets:
        if index < len(faces):
            return faces, index
        index -= len(faces)
    raise IndexError(index)


def to_faces(pictures_u8: npt.NDArray[np.uint8]) -> Tensor:
    """(B, H, W, 3) of 0..255 to (B, 3, H, W) in [0, 1], channels last."""
    return torch.from_numpy(pictures_u8).permute(0, 3, 1, 2).float().div(255)


def ask_teachers(
    sets: Sequence[FaceSet],
    teachers: Sequence[Path],
    folder: Path,
    device: str = "cpu",
    minutes: float = math.inf,
    report: Report = lambda done, total: None,
) -> npt.NDArray[np.float16]:
    """Embed every face with every teacher; what is in ``folder`` already is not asked again.

    The faces are taken in an order of chance, so that any part of the answers speaks for all.

    Args:
        sets: faces with landmarks.
        teachers: files that :func:`find_teachers` found.
        folder: of the run; ``teachers.npy`` and ``teachers.json`` are written into it.
        device: torch device name.
        minutes: to ask for; the rest can be asked another time. Two cores are slow at this.
        report: told how far it is.

    Returns:
        (N, D): for each face, the teachers' unit vectors one after the other; zeros where they have
        not been asked yet.

    Raises:
        DataError: a face has no landmarks, or the folder's answers are of other faces or teachers.
        ModelError: a teacher cannot be loaded.
    """
    return ask_about(
        lambda rows: aligned_faces(sets, rows),
        sum(map(len, sets)),
        Asked("teachers", describe_asked(sets, teachers)),
        teachers,
        folder,
        device,
        minutes,
        report,
    )


@dataclass(frozen=True)
class Asked:
    """What answers are about.

    Attributes:
        name: of the files that hold them, ``NAME.npy`` and ``NAME.json``.
        described: faces and teachers, as JSON: answers of others are not taken for these.
    """

    name: str
    described: str


def ask_about(
    pictures: Callable[[list[int]], npt.NDArray[np.uint8]],
    total: int,
    asked: Asked,
    teachers: Sequence[Path],
    folder: Path,
    device: str = "cpu",
    minutes: float = math.inf,
    report: Report = lambda done, total: None,
) -> npt.NDArray[np.float16]:
    """:func:`ask_teachers` of any aligned faces.

    Args:
        pictures: numbers to (B, 112, 112, 3).
        total: how many there are.
        asked: what they are.
        teachers: as there.
        folder: as there.
        device: as there.
        minutes: as there.
        report: as there.
    """
    networks = [load_torchscript(file, device) for file in teachers]
    end = time.monotonic() + 60 * minutes
    width = sum(
        network(torch.zeros(1, 3, SIDE, SIDE, device=device)).shape[1] for network in networks
    )
    answers = _open_answers(folder, (total, width), asked)
    order = np.random.default_rng(0).permutation(total)
    left = order[~answers[order].any(axis=1)]
    for start in range(0, len(left), _CHUNK):
        if time.monotonic() > end:
            break
        rows = left[start : start + _CHUNK]
        faces = to_faces(pictures(rows.tolist())).to(device)
        answers[rows] = torch.cat([network(faces) for network in networks], dim=1).cpu().numpy()
        answers.flush()
        report(total - len(left) + start + len(rows), total)
    return answers


def _open_answers(folder: Path, shape: tuple[int, int], asked: Asked) -> "np.memmap[Any, Any]":
    folder.mkdir(parents=True, exist_ok=True)
    file, note = folder / f"{asked.name}.npy", folder / f"{asked.name}.json"
    if not file.is_file():
        write_file(note, asked.described.encode())
        # Renamed once it has its size: a killed run shall not leave a part of it under this name.
        fresh = folder / f"{asked.name}.new.npy"
        np.lib.format.open_memmap(fresh, "w+", np.float16, shape).flush()
        os.replace(fresh, file)
    try:
        answers = np.lib.format.open_memmap(file, "r+")
    except (ValueError, EOFError) as error:
        raise DataError(
            f"{file.name} in {folder.name} must hold the teachers' answers, and is damaged",
            hint="remove it: they are asked again",
        ) from error
    if answers.shape != shape or not note.is_file() or note.read_text() != asked.described:
        raise DataError(
            f"{file.name} in {folder.name} holds the answers of other teachers, or on other faces",
            hint="name another folder with --resume, or the data and teachers of before",
        )
    return answers


def note_teachers(sets: Sequence[FaceSet], teachers: Sequence[Path], folder: Path) -> None:
    """Write down in the run's folder which teachers it learns from, for the card."""
    write_file(folder / "teachers.json", describe_asked(sets, teachers).encode())


def describe_asked(sets: Sequence[FaceSet], teachers: Sequence[Path], **more: object) -> str:
    """What answers are about, as JSON: faces, teachers, and what was made of the faces."""
    hashes = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in teachers}
    return json.dumps({"faces": [one.sha256() for one in sets], "teachers": hashes, **more})


def principal_axes(answers: npt.NDArray[np.float32], dimensions: int) -> npt.NDArray[np.float32]:
    """The axes that keep most of the teachers' dot products: (D, dimensions), orthonormal.

    Not centred: with all axes, the cosine of two projected answers is the mean of the teachers'
    cosines, and that is what shall be kept.

    Raises:
        ModelError: fewer components than dimensions.
    """
    if answers.shape[1] < dimensions:
        raise ModelError(
            f"{dimensions} dimensions must be at most the teachers' {answers.shape[1]}",
            hint="train fewer dimensions, or learn from more teachers",
        )
    vectors = answers.astype(np.float64)
    axes = np.linalg.eigh(vectors.T @ vectors)[1][:, : -dimensions - 1 : -1]
    return np.ascontiguousarray(axes, np.float32)
