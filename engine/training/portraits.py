"""Makes batches of portraits in a background thread: mirrored, relit, a little out of place."""

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.data import FaceSet
from engine.errors import DataError, LandmarksError, MaskError
from engine.masks.portrait import SIDE, Portrait, inner_matte, to_portrait
from engine.masks.swap import average_like
from engine.training.batches import mirror
from engine.training.teachers import landmarks_of, locate, to_faces


@dataclass(frozen=True)
class Portraits:
    """A batch.

    Attributes:
        pictures: (B, 3, S, S), RGB in [0, 1].
        landmarks: (B, 5, 2), x and y in their pixels.
        indices: (B,), of the faces, counted through all sets.
        averages: (B, 3, S, S), of other faces, in their place; None where nobody asked for them.
    """

    pictures: Tensor
    landmarks: Tensor
    indices: Tensor
    averages: Tensor | None = None

    @property
    def mattes(self) -> Tensor:
        """Where their inner faces are: (B, 1, S, S) in [0, 1]."""
        side = self.pictures.shape[-1]
        found = np.stack([inner_matte(side, points) for points in self.landmarks.numpy()])
        return torch.from_numpy(found)[:, None]


@dataclass(frozen=True, eq=False)
class _Made:
    """One face of a batch to be."""

    portrait: Portrait
    index: int
    average_u8: npt.NDArray[np.uint8] | None


def make_portraits(
    sets: Sequence[FaceSet], indices: Sequence[int], side: int, *, averaged: bool = False
) -> Portraits:
    """Portraits of these faces, as they are; those that cannot be placed are left out.

    Args:
        sets: faces with landmarks.
        indices: counted through all sets.
        side: of the portraits.
        averaged: whether averages of other faces are wanted too; a face that is turned further
            than any of them is left out.

    Raises:
        DataError: none is left, or a face has no landmarks.
    """
    made = [_make(sets, index, side, averaged, None) for index in indices]
    found = [one for one in made if one is not None]
    if not found:
        raise DataError(
            "expected faces that can be laid in a portrait, got none",
            hint="name a set whose landmarks lie on its faces",
        )
    return _stack(found)


def _make(
    sets: Sequence[FaceSet],
    index: int,
    side: int,
    averaged: bool,
    rng: np.random.Generator | None,
) -> _Made | None:
    portrait = portrait_of(sets, index, side, rng)
    if portrait is None or not averaged:
        return None if portrait is None else _Made(portrait, index, None)
    seed = index if rng is None else int(rng.integers(2**31))
    try:
        points = (portrait.landmarks + 0.5) * (SIDE / side) - 0.5
        picture_u8 = _sized(portrait.picture_u8, SIDE)
        average_u8 = average_like(picture_u8, points.astype(np.float32), seed)
    except LandmarksError:
        return None
    return _Made(portrait, index, _sized(average_u8, side))


def _sized(picture_u8: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    if len(picture_u8) == side:
        return picture_u8
    return np.asarray(cv2.resize(picture_u8, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def portrait_of(
    sets: Sequence[FaceSet], index: int, side: int, rng: np.random.Generator | None = None
) -> Portrait | None:
    """One face as a portrait, changed by chance if there is any; None where it cannot be placed.

    Args:
        sets: faces with landmarks.
        index: counted through all sets.
        side: of the portrait.
        rng: mirrors half of the faces, moves their landmarks by half a pixel or so, and changes
            brightness and contrast.

    Raises:
        DataError: the face has no landmarks.
    """
    faces, local = locate(sets, index)
    face_u8, points = faces.load(local), landmarks_of(faces, local)
    if rng is not None:
        if rng.random() < 0.5:
            face_u8, points = mirror(face_u8, points)
        points = points + rng.normal(0, 0.005, (5, 2)) * face_u8.shape[1]
        face_u8 = _relit(face_u8, rng)
    try:
        return to_portrait(face_u8, points, side)
    except MaskError:
        return None


def _relit(face_u8: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    levels = np.arange(256) / 255
    tones = 0.5 + rng.uniform(0.85, 1.1) * (levels ** np.exp(rng.normal(0, 0.12)) - 0.5)
    tables = np.clip(tones[:, None] * rng.normal(1, 0.03, 3), 0, 1)
    return np.asarray(cv2.LUT(face_u8, (255 * tables).round().astype(np.uint8)[None]), np.uint8)


def _stack(made: Sequence[_Made]) -> Portraits:
    averages = [one.average_u8 for one in made if one.average_u8 is not None]
    return Portraits(
        to_faces(np.stack([one.portrait.picture_u8 for one in made])),
        torch.from_numpy(np.stack([one.portrait.landmarks for one in made])),
        torch.tensor([one.index for one in made]),
        to_faces(np.stack(averages)) if averages else None,
    )


class PortraitBatches:
    """An endless stream of batches, made ahead by one background thread, epoch by epoch.

    Args:
        sets: the faces.
        indices: those to train on, counted through all sets.
        batch: faces in a batch.
        side: of the portraits.
        seed: of everything random; a resumed run passes another.
        averaged: whether averages of other faces are wanted too.
    """

    def __init__(
        self,
        sets: Sequence[FaceSet],
        indices: npt.NDArray[np.int64],
        batch: int,
        side: int,
        seed: int | np.random.SeedSequence,
        averaged: bool = False,
    ) -> None:
        self._sets, self._indices, self._batch, self._side = sets, indices, batch, side
        self._averaged = averaged
        self._rng = np.random.default_rng(seed)
        self._queue: queue.Queue[Portraits | BaseException] = queue.Queue(maxsize=3)
        threading.Thread(target=self._work, daemon=True).start()

    def __iter__(self) -> Iterator[Portraits]:
        while True:
            item = self._queue.get()
            if isinstance(item, BaseException):
                raise item
            yield item

    def _work(self) -> None:
        cv2.setNumThreads(1)  # its threads would fight torch's for the same cores
        try:
            made: list[_Made] = []
            while True:
                for index in self._rng.permutation(self._indices).tolist():
                    one = _make(self._sets, index, self._side, self._averaged, self._rng)
                    made += [one] if one is not None else []
                    if len(made) == self._batch:
                        self._queue.put(_stack(made))
                        made = []
        except BaseException as error:  # noqa: BLE001  (raised again by the reader)
            self._queue.put(error)
