"""Gathers the faces that k-Same averages, and groups those that look alike.

Faces look one way (mirrored where they look the other) and are grouped by pose, colour and what
the recogniser of identities sees in them, so that averages stay unlike each other. Source: Newton,
Sweeney and Malin, IEEE TKDE 2005 (k-Same).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from engine.alignment import align
from engine.data import FaceSet
from engine.errors import DataError, LandmarksError
from engine.masks.ksame import mirrored, yaw_of
from engine.masks.matching import tone_of
from engine.masks.portrait import SIDE, Portrait, inner_matte, to_portrait
from engine.recognition import find_recognizer
from engine.zoo import IDENTITIES

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Groups = list[npt.NDArray[np.int64]]
Say = Callable[[str], None]

_CHUNK = 64


@dataclass(frozen=True)
class AveragesRecipe:
    """What the averages are made like.

    Attributes:
        name: of the recipe.
        least: faces in a group, of as many people where it is known who they are.
        components: that are kept of the averages.
        kept: share of the groups that is kept, those whose faces are most alike.
        pose: weight of a squared pixel of the landmarks against squared distances of embeddings.
        tone: weight of a squared step of colour in CIE Lab.
        furthest: pixels that a landmark may lie from the mean of all.
        darker: steps of lightness, CIE Lab, below the middle of the face from which on it is hair
            or shade; ``edge``, pixels beside it that go too.
        margin: pixels around the inner face that are kept, for the bending.
        character: at which the released recogniser looks at the averages: more than masks draw,
            so that it sees what they differ by.
    """

    name: str = "ksame"
    least: int = 10
    components: int = 160
    kept: float = 0.8
    pose: float = 0.08
    tone: float = 0.0007
    furthest: float = 16.0
    darker: float = 9.0
    edge: int = 2
    margin: int = 8
    character: float = 2.2


@dataclass(frozen=True, eq=False)
class Crowd:
    """What is known of every face that can be used.

    Attributes:
        places: which face of which set.
        people: who it is, or empty.
        landmarks: (N, 5, 2), in the portrait.
        tones: (N, 3).
        vectors: (N, D), of the recogniser.
    """

    places: list[tuple[int, int]]
    people: list[str]
    landmarks: F32
    tones: F32
    vectors: F32


def gather(sets: Sequence[FaceSet], report: Say = lambda line: None) -> Crowd:
    """Look at every face once; those without usable landmarks are left out."""
    judge = find_recognizer(IDENTITIES)
    places, people, landmarks, tones, vectors = [], [], [], [], []
    waiting: list[U8] = []

    def embed() -> None:
        batch = torch.from_numpy(np.stack(waiting)).permute(0, 3, 1, 2).float() / 255
        with torch.inference_mode():
            vectors.append(judge.embed(batch).numpy())
        waiting.clear()

    for number, faces in enumerate(sets):
        for index, face_u8, portrait in _portraits(faces):
            picture_u8, points = one_way(portrait)
            record = faces.records[index]
            places.append((number, index))
            people.append(f"{record.source}/{record.identity}" if record.identity else "")
            landmarks.append(points)
            tones.append(tone_of(picture_u8, inner_matte(SIDE)))
            waiting.append(align(face_u8, record.landmarks))
            if len(waiting) == _CHUNK:
                embed()
        report(f"looked at {faces.name}")
    if waiting:
        embed()
    if not places:
        raise DataError(
            "expected faces with landmarks, found none",
            hint="k-Same needs a zip with a csv of landmarks beside it",
        )
    return Crowd(places, people, np.stack(landmarks), np.stack(tones), np.concatenate(vectors))


def _portraits(faces: FaceSet) -> Iterator[tuple[int, U8, Portrait]]:
    for index, record in enumerate(faces.records):
        face_u8 = faces.load(index)
        try:
            yield index, face_u8, to_portrait(face_u8, record.landmarks)
        except LandmarksError:  # nothing is known of where this face lies
            continue


def portrait_of(sets: Sequence[FaceSet], place: tuple[int, int]) -> Portrait:
    """Decode the face at a place of :class:`Crowd` once more."""
    faces, index = sets[place[0]], place[1]
    return to_portrait(faces.load(index), faces.records[index].landmarks)


def one_way(portrait: Portrait) -> tuple[U8, F32]:
    """Picture and landmarks of a portrait, mirrored where it looks to the left."""
    if yaw_of(portrait.landmarks) < 0:
        return mirrored(portrait.picture_u8, portrait.landmarks)
    return portrait.picture_u8, portrait.landmarks


def form_groups(crowd: Crowd, recipe: AveragesRecipe, seed: int = 0) -> Groups:
    """Form groups of exactly ``least`` faces: a face at random, and those most like it.

    No face is in two groups, and no person known by name is twice in one.

    Raises:
        DataError: there are not enough faces for two groups.
    """
    away = crowd.landmarks - crowd.landmarks.mean(axis=0)
    features = np.hstack(
        [np.sqrt(recipe.pose) * away.reshape(len(away), 10), np.sqrt(recipe.tone) * crowd.tones,
         crowd.vectors]
    ).astype(np.float32)  # fmt: skip
    free = np.abs(away).max(axis=(1, 2)) < recipe.furthest
    lengths = (features**2).sum(axis=1)
    found: list[tuple[float, npt.NDArray[np.int64]]] = []
    for first in np.random.default_rng(seed).permutation(len(free)):
        if not free[first]:
            continue
        left = np.flatnonzero(free)
        order = left[np.argsort(lengths[left] - 2 * features[left] @ features[first])]
        group = _of_different_people(order, crowd.people, recipe.least)
        free[first] = False
        if len(group) == recipe.least:
            free[group] = False
            found.append((float(features[group].var(axis=0).sum()), group))
    if len(found) < 2:
        raise DataError(
            f"expected {2 * recipe.least} faces or more with landmarks, got {len(free)}",
            hint="name a folder of faces_train*.zip with their csv files",
        )
    found.sort(key=lambda one: one[0])
    return [group for _, group in found[: max(2, round(recipe.kept * len(found)))]]


def _of_different_people(
    order: npt.NDArray[np.int64], people: Sequence[str], count: int
) -> npt.NDArray[np.int64]:
    taken: list[int] = []
    seen: set[str] = set()
    for index in order.tolist():
        if len(taken) == count:
            break
        if people[index] not in seen:
            taken.append(index)
            seen |= {people[index]} - {""}
    return np.array(taken, np.int64)
