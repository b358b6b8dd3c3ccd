"""Makes batches of aligned faces in a background thread: moved, recoloured, covered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.alignment import SIDE, similarity
from engine.data import FaceSet
from engine.training.ahead import made_ahead
from engine.training.mixtures import Mixtures
from engine.training.teachers import landmarks_of, locate, to_faces

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Changes:
    """How far a face may be from the one that the teachers saw.

    Attributes:
        degrees, scale, shift: standard deviations of the turn, of the logarithm of the size, and
            of the place in pixels.
        loose: share of the faces that are moved three times as far, as faces are that are aligned
            by guess.
        grey, small, blurred, compressed, covered: shares of the faces that lose their colour, are
            made smaller and larger again, blurred, written as JPEG, or partly hidden.
    """

    degrees: float = 3.0
    scale: float = 0.03
    shift: float = 1.5
    loose: float = 0.1
    grey: float = 0.04
    small: float = 0.08
    blurred: float = 0.04
    compressed: float = 0.08
    covered: float = 0.06


def change(
    face_u8: U8, matrix: npt.NDArray[np.float64], changes: Changes, rng: np.random.Generator
) -> U8:
    """Align a face not quite exactly and change its looks, never who it is: (112, 112, 3).

    Args:
        face_u8: (H, W, 3), RGB.
        matrix: (2, 3) that aligns it exactly, of :func:`engine.alignment.similarity`.
        changes: how far to go.
        rng: decides everything.
    """
    matrix = _moved(matrix, changes, rng)
    border = (cv2.BORDER_CONSTANT, cv2.BORDER_REPLICATE)[int(rng.integers(2))]
    warped = cv2.warpAffine(face_u8, matrix, (SIDE, SIDE), borderMode=border)
    warped = np.ascontiguousarray(warped[:, ::-1]) if rng.random() < 0.5 else warped
    picture: U8 = _recoloured(warped, rng.random() < changes.grey, rng)
    if rng.random() < changes.small:
        side = int(rng.integers(28, 84))
        picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
        picture = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    if rng.random() < changes.blurred:
        picture = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.8, 3.5)))
    if rng.random() < changes.compressed:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
        data = cv2.imencode(".jpg", picture, quality)[1]
        picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    if rng.random() < changes.covered:
        _cover(picture, rng)
    return picture


def _moved(
    matrix: npt.NDArray[np.float64], changes: Changes, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    far = 3.0 if rng.random() < changes.loose else 1.0
    angle = np.deg2rad(rng.normal(0, changes.degrees * far))
    size = np.exp(rng.normal(0, changes.scale * far))
    turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.full(2, (SIDE - 1) / 2)
    moved = turn @ matrix
    moved[:, 2] += middle - turn @ middle + rng.normal(0, changes.shift * far, 2)
    return np.asarray(moved, np.float64)


def _recoloured(picture_u8: U8, grey: bool, rng: np.random.Generator) -> U8:
    """Contrast, brightness, saturation and the light's colour, through a table for each channel."""
    if grey:
        picture_u8 = cv2.cvtColor(cv2.cvtColor(picture_u8, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    levels = np.arange(256) / 255
    gamma, contrast = np.exp(rng.normal(0, 0.18)), rng.uniform(0.75, 1.2)
    tones = 0.5 + contrast * (levels**gamma - 0.5)
    light = rng.normal(1, 0.05, 3)
    tables = np.clip(tones[:, None] * light, 0, 1)
    return np.asarray(cv2.LUT(picture_u8, (255 * tables).round().astype(np.uint8)[None]), np.uint8)


def _cover(picture_u8: U8, rng: np.random.Generator) -> None:
    """Hide a rectangle of up to a fifth of the face, in one colour or in noise."""
    height, width = rng.integers(SIDE // 8, SIDE // 2, 2)
    top, left = rng.integers(0, SIDE - height), rng.integers(0, SIDE - width)
    area = picture_u8[top : top + height, left : left + width]
    area[:] = rng.integers(0, 256, area.shape if rng.random() < 0.5 else 3)


@dataclass(frozen=True)
class Faces:
    """A batch.

    Attributes:
        pictures: (B, 3, 112, 112) in [0, 1].
        targets: (B, D) of length 1.
    """

    pictures: Tensor
    targets: Tensor


class AlignedBatches:
    """Endless batches, epoch by epoch, made ahead by one background thread for each iterator.

    Args:
        sets: the faces.
        indices: those to train on, counted through all sets; behind the last set come mixtures.
        targets: (N, D), what shall come out for each face of the sets, and for each mixture.
        batch: faces in a batch.
        changes: how far they are changed.
        mixtures: of these sets; None where there are none among the indices.
        seed: of everything random; a resumed run passes another.
    """

    def __init__(
        self,
        sets: Sequence[FaceSet],
        indices: npt.NDArray[np.int64],
        targets: Tensor,
        batch: int,
        changes: Changes,
        mixtures: Mixtures | None,
        seed: int | np.random.SeedSequence,
    ) -> None:
        self._mixtures, self._own = mixtures, sum(map(len, sets))
        self._sets, self._indices, self._targets = sets, indices, targets
        self._batch, self._changes = batch, changes
        self._rng = np.random.default_rng(seed)
        self._matrices: dict[int, npt.NDArray[np.float64]] = {}

    def __iter__(self) -> Iterator[Faces]:
        return made_ahead(self._batches())

    def _batches(self) -> Iterator[Faces]:
        left = np.empty(0, np.int64)
        while True:
            while len(left) < self._batch:
                left = np.concatenate([left, self._rng.permutation(self._indices)])
            yield self._make(left[: self._batch])
            left = left[self._batch :]

    def _make(self, indices: npt.NDArray[np.int64]) -> Faces:
        pictures = [self._changed(index) for index in indices.tolist()]
        return Faces(to_faces(np.stack(pictures)), self._targets[torch.from_numpy(indices)])

    def _changed(self, index: int) -> U8:
        if self._mixtures is not None and index >= self._own:
            mixed = self._mixtures.make(index - self._own)
            return change(mixed, np.eye(2, 3), self._changes, self._rng)
        faces, local = locate(self._sets, index)
        return change(faces.load(local), self._matrix(index), self._changes, self._rng)

    def _matrix(self, index: int) -> npt.NDArray[np.float64]:
        if index not in self._matrices:  # finding one takes as long as decoding a face
            faces, local = locate(self._sets, index)
            self._matrices[index] = similarity(landmarks_of(faces, local))
        return self._matrices[index]
