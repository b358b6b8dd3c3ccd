"""Makes batches of portraits in a background thread: mirrored, relit, moved, and given somebody."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.data import FaceSet
from engine.errors import DataError, LandmarksError, MaskError
from engine.masks.portrait import SIDE, Portrait, inner_matte, to_portrait
from engine.masks.swap import average_like
from engine.training.ahead import made_ahead
from engine.training.batches import mirror
from engine.training.teachers import landmarks_of, locate, to_faces


@dataclass(frozen=True)
class Portraits:
    """A batch.

    Attributes:
        pictures: (B, 3, S, S), RGB in [0, 1].
        landmarks: (B, 5, 2), x and y in their pixels.
        indices: (B,), of the faces, counted through all sets.
        averages: (B, 3, S, S), of ten faces, in their place; None where nobody asked for them. In
            training, a face may be one of its own average's ten.
        given: (B,), whose identity each gets, see :class:`Casting`; None without one.
    """

    pictures: Tensor
    landmarks: Tensor
    indices: Tensor
    averages: Tensor | None = None
    given: Tensor | None = None

    @cached_property
    def mattes(self) -> Tensor:
        """Where their inner faces are: (B, 1, S, S) in [0, 1]."""
        side = self.pictures.shape[-1]
        found = np.stack([inner_matte(side, points) for points in self.landmarks.numpy()])
        return torch.from_numpy(found)[:, None]


@dataclass(frozen=True, eq=False)
class Casting:
    """Who is given whose face, in the batches that a swapper learns from.

    Attributes:
        identities: (N + A, D) of length 1, of all faces and then of A agents.
        faces: those whose identities may be given to others, by number below N; none are needed
            where all of these are agents'.
        count: N; 0 where all identities are agents'.
        own: portraits of a batch that get their own identity; the others come in groups.
        each: identities that each of the others gets, one after the other in the batch.
        agents: share of these that are agents'; the rest are other faces'.
        like: share of the portraits that are shown an average which is like whom they get, as
            masks show it; the rest are shown any.
    """

    identities: npt.NDArray[np.float32]
    faces: npt.NDArray[np.int64]
    count: int
    own: int
    each: int
    agents: float
    like: float

    def give(self, index: int, place: int, rng: np.random.Generator) -> list[int]:
        """Whose identities a face gets that comes to this place of a batch."""
        if place < self.own:
            return [index]
        agents = rng.random(self.each) < self.agents
        nobody = np.arange(self.count, len(self.identities))
        of_agents = rng.choice(nobody, self.each, replace=False)
        if agents.all():
            return [int(one) for one in of_agents]
        of_faces = rng.choice(self.faces[self.faces != index], self.each, replace=False)
        return [int(one) for one in np.where(agents, of_agents, of_faces)]


@dataclass(frozen=True, eq=False)
class _Made:
    """One portrait of a batch to be."""

    portrait: Portrait
    index: int
    average_u8: npt.NDArray[np.uint8] | None = None
    given: int | None = None


def make_portraits(
    sets: Sequence[FaceSet],
    indices: Sequence[int],
    side: int,
    *,
    like: npt.NDArray[np.float32] | None = None,
) -> Portraits:
    """Portraits of these faces, as they are; those that cannot be placed are left out.

    Args:
        sets: faces with landmarks.
        indices: counted through all sets.
        side: of the portraits.
        like: an identity for each index, (N, D), where averages of other faces are wanted too,
            like these; a face that is turned further than any of them is left out.

    Raises:
        DataError: none is left, or a face has no landmarks.
    """
    made, wanted = [], [None] * len(indices) if like is None else like
    for number, (index, one) in enumerate(zip(indices, wanted, strict=True)):
        portrait = portrait_of(sets, index, side)
        average_u8 = None
        if portrait is not None and one is not None:
            average_u8 = _average(portrait, side, number, one)
        if portrait is not None and (like is None or average_u8 is not None):
            made.append(_Made(portrait, index, average_u8))
    if not made:
        raise none_placed()
    return _stack(made)


def none_placed() -> DataError:
    """Build the error to raise where a whole set has given no portrait."""
    return DataError(
        "expected faces that can be laid in a portrait, got none",
        hint="name a set whose landmarks lie on its faces",
    )


def _average(
    portrait: Portrait, side: int, seed: int, like: npt.NDArray[np.float32] | None
) -> npt.NDArray[np.uint8] | None:
    """An average in a portrait's place, as masks draw it; None where it is turned too far."""
    points = (portrait.landmarks + 0.5) * (SIDE / side) - 0.5
    picture_u8 = _sized(portrait.picture_u8, SIDE)
    try:
        average_u8 = average_like(picture_u8, points.astype(np.float32), seed, like)
    except LandmarksError:
        return None
    return _sized(average_u8, side)


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
        face_u8 = relit(face_u8, rng)
    try:
        return to_portrait(face_u8, points, side)
    except MaskError:
        return None


def relit(face_u8: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Change brightness, contrast and the light's colour of a face, (H, W, 3), by chance."""
    levels = np.arange(256) / 255
    tones = 0.5 + rng.uniform(0.85, 1.1) * (levels ** np.exp(rng.normal(0, 0.12)) - 0.5)
    tables = np.clip(tones[:, None] * rng.normal(1, 0.03, 3), 0, 1)
    return np.asarray(cv2.LUT(face_u8, (255 * tables).round().astype(np.uint8)[None]), np.uint8)


def _stack(made: Sequence[_Made]) -> Portraits:
    averages = [one.average_u8 for one in made if one.average_u8 is not None]
    given = [one.given for one in made if one.given is not None]
    return Portraits(
        to_faces(np.stack([one.portrait.picture_u8 for one in made])),
        torch.from_numpy(np.stack([one.portrait.landmarks for one in made])),
        torch.tensor([one.index for one in made]),
        to_faces(np.stack(averages)) if averages else None,
        torch.tensor(given) if given else None,
    )


class PortraitBatches:
    """Endless batches, epoch by epoch, made ahead by one background thread for each iterator.

    Args:
        sets: the faces.
        indices: those to train on, counted through all sets.
        batch: faces in a batch.
        side: of the portraits.
        seed: of everything random; a resumed run passes another.
        casting: who gets whose face, where averages of other faces are wanted too.
    """

    def __init__(
        self,
        sets: Sequence[FaceSet],
        indices: npt.NDArray[np.int64],
        batch: int,
        side: int,
        seed: int | np.random.SeedSequence,
        casting: Casting | None = None,
    ) -> None:
        self._sets, self._indices, self._batch, self._side = sets, indices, batch, side
        self._casting = casting
        self._rng = np.random.default_rng(seed)

    def __iter__(self) -> Iterator[Portraits]:
        return made_ahead(self._batches())

    def _batches(self) -> Iterator[Portraits]:
        made: list[_Made] = []
        while True:
            before = len(made)
            for index in self._rng.permutation(self._indices).tolist():
                made += self._make(index, len(made))
                if len(made) >= self._batch:
                    yield _stack(made)
                    made, before = [], -1
            if len(made) == before:
                raise none_placed()

    def _make(self, index: int, place: int) -> list[_Made]:
        """The portrait of a face for a place of a batch, as often as it gets an identity."""
        portrait, rng = portrait_of(self._sets, index, self._side, self._rng), self._rng
        if portrait is None or self._casting is None:
            return [] if portrait is None else [_Made(portrait, index)]
        made = []
        for given in self._casting.give(index, place, rng):
            like = self._casting.identities[given] if rng.random() < self._casting.like else None
            average_u8 = _average(portrait, self._side, int(rng.integers(2**31)), like)
            if average_u8 is None:
                return []
            made.append(_Made(portrait, index, average_u8, given))
        return made
