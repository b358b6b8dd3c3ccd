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
from engine.errors import MaskError
from engine.masks.portrait import Portrait, inner_matte, to_portrait
from engine.training.batches import mirror
from engine.training.teachers import landmarks_of, locate, to_faces


@dataclass(frozen=True)
class Portraits:
    """A batch.

    Attributes:
        pictures: (B, 3, S, S), RGB in [0, 1].
        landmarks: (B, 5, 2), x and y in their pixels.
        indices: (B,), of the faces, counted through all sets.
    """

    pictures: Tensor
    landmarks: Tensor
    indices: Tensor

    @property
    def mattes(self) -> Tensor:
        """Where their inner faces are: (B, 1, S, S) in [0, 1]."""
        side = self.pictures.shape[-1]
        found = np.stack([inner_matte(side, points) for points in self.landmarks.numpy()])
        return torch.from_numpy(found)[:, None]


def make_portraits(sets: Sequence[FaceSet], indices: Sequence[int], side: int) -> Portraits:
    """Portraits of these faces, as they are; those that cannot be placed are left out."""
    made = [(portrait_of(sets, index, side), index) for index in indices]
    return _stack([(portrait, index) for portrait, index in made if portrait is not None])


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


def _stack(made: Sequence[tuple[Portrait, int]]) -> Portraits:
    return Portraits(
        to_faces(np.stack([portrait.picture_u8 for portrait, _ in made])),
        torch.from_numpy(np.stack([portrait.landmarks for portrait, _ in made])),
        torch.tensor([index for _, index in made]),
    )


class PortraitBatches:
    """An endless stream of batches, made ahead by one background thread, epoch by epoch.

    Args:
        sets: the faces.
        indices: those to train on, counted through all sets.
        batch: faces in a batch.
        side: of the portraits.
        seed: of everything random; a resumed run passes another.
    """

    def __init__(
        self,
        sets: Sequence[FaceSet],
        indices: npt.NDArray[np.int64],
        batch: int,
        side: int,
        seed: int | np.random.SeedSequence,
    ) -> None:
        self._sets, self._indices, self._batch, self._side = sets, indices, batch, side
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
            made: list[tuple[Portrait, int]] = []
            while True:
                for index in self._rng.permutation(self._indices).tolist():
                    portrait = portrait_of(self._sets, index, self._side, self._rng)
                    made += [(portrait, index)] if portrait is not None else []
                    if len(made) == self._batch:
                        self._queue.put(_stack(made))
                        made = []
        except BaseException as error:  # noqa: BLE001  (raised again by the reader)
            self._queue.put(error)
