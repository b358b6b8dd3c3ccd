"""Trains the landmark network: rough landmarks, as a detector finds them, are refined.

Each face is placed by its own landmarks moved by chance, as far as those of the detector are off;
the network is to say where they are. It needs no teacher: the landmarks of the training faces,
which were found in larger pictures by a better detector, are the targets.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from engine.data import FaceSet
from engine.errors import DataError, LandmarksError, MaskError
from engine.faces import whole_face
from engine.landmarks import place_all, refined_by
from engine.masks.portrait import SIDE, to_portrait
from engine.networks.landmarks import LandmarkRegressor
from engine.training.ahead import made_ahead
from engine.training.alone import Alone, AloneRecipe
from engine.training.batches import mirror
from engine.training.degrade import degrade
from engine.training.learner import TrainOptions
from engine.training.portraits import none_placed, relit
from engine.training.precision import autocast
from engine.training.rounds import Say, logged, run_rounds
from engine.training.teachers import landmarks_of, locate, to_faces

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LandmarkRecipe(AloneRecipe):
    """All that the landmark network's training needs besides data and minutes.

    Attributes:
        name: model family.
        widths, blocks: of :class:`engine.networks.landmarks.LandmarkRegressor`.
        shift, scatter: how far a face's landmarks are moved, all alike and each by itself; standard
            deviations in shares of the eyes' distance. CenterFace's are off by .05 each.
        far: share of the faces whose landmarks are moved twice as far.
        worn: share of the faces that are blurred, coarse or compressed.
        measured: held-out faces that are measured, at most.
    """

    name: str = "landmarks"
    widths: tuple[int, int, int] = (32, 64, 96)
    blocks: tuple[int, int, int] = (1, 2, 2)
    shift: float = 0.08
    scatter: float = 0.05
    far: float = 0.2
    worn: float = 0.3
    measured: int = 200
    held_out: int = 100


LANDMARKS = LandmarkRecipe()


@dataclass(frozen=True)
class PlacedFaces:
    """A batch.

    Attributes:
        pictures: (B, 3, 112, 112) in [0, 1], portraits placed by rough landmarks.
        points: (B, 5, 2), the labels, as shares of the side from the middle.
    """

    pictures: Tensor
    points: Tensor


class LandmarkTrainer(Alone[LandmarkRegressor, LandmarkRecipe]):
    """A landmark network in training.

    Args:
        recipe: what to train.
        options: where and how long.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(self, recipe: LandmarkRecipe, options: TrainOptions) -> None:
        super().__init__(recipe, options, lambda: LandmarkRegressor(recipe.widths, recipe.blocks))

    def step(self, batch: PlacedFaces) -> dict[str, float]:
        """One optimizer step; returns every figure of it. The loss is in pixels of a portrait."""
        device = self.options.device
        with autocast(device):
            found = self.model(batch.pictures.to(device)).float()
        loss = SIDE * functional.l1_loss(found, batch.points.to(device))
        return self.descend(loss, len(batch.pictures))


def learn_landmarks(
    recipe: LandmarkRecipe,
    sets: Sequence[FaceSet],
    options: TrainOptions,
    report: Say = lambda line: None,
) -> LandmarkTrainer:
    """Train until the minutes are used up; interrupt it when you like, it goes on from there.

    Args:
        recipe: what to train.
        sets: faces with landmarks.
        options: where and how long.
        report: takes one line of text at a time.

    Raises:
        ModelError: the gradient is not finite.
        DataError: no face has landmarks that can be used, or the folder holds another run.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    trainer = LandmarkTrainer(recipe, options)
    every = np.arange(sum(map(len, sets)))
    kept, learned = every[:: recipe.held_out], every[every % recipe.held_out != 0]
    known = _detected(sets, kept[:: max(1, len(kept) // recipe.measured)].tolist())
    if not known or not len(learned):
        raise DataError(
            "expected faces to learn from and others whose landmarks a detector finds, got none",
            hint="name a set of more faces",
        )
    report(f"learning from {len(learned):,} faces, measuring {len(known)} others")
    batches = _batches(sets, learned, recipe, np.random.default_rng(trainer.batch_seed))
    with logged(trainer) as results:
        run_rounds(
            trainer, made_ahead(batches), results, partial(_measure, trainer, known), _told, report
        )
    return trainer


@dataclass(frozen=True, eq=False)
class _Known:
    """A held-out face, (H, W, 3), its landmarks, and where the detector of masks finds them."""

    face_u8: npt.NDArray[np.uint8]
    exact: F32
    rough: F32


def _detected(sets: Sequence[FaceSet], indices: Sequence[int]) -> list[_Known]:
    known = []
    for index in indices:
        faces, local = locate(sets, index)
        face_u8 = faces.load(local)
        rough = whole_face(face_u8).landmarks
        if rough is not None and _places(face_u8, rough):
            known.append(_Known(face_u8, landmarks_of(faces, local), rough))
    return known


def _places(face_u8: npt.NDArray[np.uint8], points: F32) -> bool:
    try:
        to_portrait(face_u8, points)
    except LandmarksError:
        return False
    return True


def _measure(trainer: LandmarkTrainer, known: Sequence[_Known]) -> dict[str, float]:
    """Mean distance to the labels, in shares of the eyes': as detected, and as refined."""
    refined = [refined_by(trainer.average, one.face_u8, one.rough).points for one in known]
    exact = [one.exact for one in known]
    return {
        "detected_error": _error([one.rough for one in known], exact),
        "refined_error": _error(refined, exact),
    }


def _error(found: Sequence[F32], exact: Sequence[F32]) -> float:
    away = np.stack(found) - np.stack(exact)
    eyes = np.stack([points[1] - points[0] for points in exact])
    of_faces = np.linalg.norm(away, axis=2).mean(1) / np.linalg.norm(eyes, axis=1)
    return float(of_faces.mean())


def _batches(
    sets: Sequence[FaceSet],
    indices: npt.NDArray[np.int64],
    recipe: LandmarkRecipe,
    rng: np.random.Generator,
) -> Iterator[PlacedFaces]:
    """Endless batches, epoch by epoch."""
    made: list[tuple[npt.NDArray[np.uint8], F32]] = []
    while True:
        before = len(made)
        for index in rng.permutation(indices).tolist():
            placed = _placed(sets, index, recipe, rng)
            made += [] if placed is None else [placed]
            if len(made) == recipe.batch:
                pictures, points = zip(*made, strict=True)
                yield PlacedFaces(to_faces(np.stack(pictures)), torch.from_numpy(np.stack(points)))
                made, before = [], -1
        if len(made) == before:
            raise none_placed()


def _placed(
    sets: Sequence[FaceSet], index: int, recipe: LandmarkRecipe, rng: np.random.Generator
) -> tuple[npt.NDArray[np.uint8], F32] | None:
    """A face placed by moved landmarks, and its own; None where it cannot be placed by these."""
    faces, local = locate(sets, index)
    face_u8, exact = faces.load(local), landmarks_of(faces, local)
    if rng.random() < 0.5:
        face_u8, exact = mirror(face_u8, exact)
    far = 2.0 if rng.random() < recipe.far else 1.0
    away = rng.normal(0, recipe.shift, 2) + rng.normal(0, recipe.scatter, (5, 2))
    rough = exact + far * away * np.linalg.norm(exact[1] - exact[0])
    try:
        portrait = to_portrait(relit(face_u8, rng), rough)
    except MaskError:
        return None
    picture_u8 = portrait.picture_u8
    if rng.random() < recipe.worn:
        picture_u8 = degrade(picture_u8, SIDE, rng)
    return picture_u8, place_all(exact, portrait)


def _told(figures: dict[str, float]) -> str:
    return (
        f"off by {figures['total']:.2f} px in training; of eyes' distance, held out: "
        f"{figures['refined_error']:.4f} for {figures['detected_error']:.4f}"
    )
