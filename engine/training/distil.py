"""Trains the recogniser to see what its teachers see: their embeddings are the targets.

The teachers are asked once for every face, and for mixtures of two faces. Their unit vectors are
put one after the other and turned onto the axes that keep most of their dot products: the target's
cosine between two faces is then the mean of the teachers' cosines, in as many dimensions as the
recogniser has. One loss and no heads that would be thrown away: what is trained
is what is used.
"""

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from engine.data import FaceSet
from engine.errors import DataError
from engine.files import replacing
from engine.results import Results
from engine.training.aligned import AlignedBatches, Faces
from engine.training.learner import TrainOptions
from engine.training.mixtures import Mixtures
from engine.training.pupil import DistilRecipe, Pupil
from engine.training.rounds import Say, logged, run_rounds
from engine.training.teachers import (
    aligned_faces,
    ask_teachers,
    find_teachers,
    principal_axes,
    to_faces,
)


def distil(
    recipe: DistilRecipe,
    sets: Sequence[FaceSet],
    teachers: Path,
    options: TrainOptions,
    ask_minutes: float = math.inf,
    report: Say = lambda line: None,
) -> Pupil:
    """Train until the minutes are used up; interrupt it when you like, it goes on from there.

    Args:
        recipe: what to train.
        sets: faces with landmarks.
        teachers: folder of ``recognizer_*.ts``; asked about the faces before the first step, which
            is not counted in the minutes.
        options: where and how long.
        ask_minutes: to ask the teachers for, about faces first and then about mixtures; what they
            were not asked about is left out until the run is gone on with.
        report: takes one line of text at a time.

    Raises:
        ModelError: the gradient is not finite, or a teacher cannot be loaded.
        WeightsMissingError: there are no teachers.
        DataError: a face has no landmarks, or the folder holds another run.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    trainer = Pupil(recipe, options)  # first: it refuses a folder that holds another run
    files, last = find_teachers(teachers), time.monotonic()
    end = last + 60 * ask_minutes

    def told(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > 30:
            last = time.monotonic()
            report(f"asked the teachers about {done} of {total}")

    answers = ask_teachers(sets, files, options.folder, options.device, ask_minutes, told)
    targets = _targets(answers, options.folder / "axes.npy", recipe.dimensions)
    known = targets.any(dim=1).numpy()
    held_out = np.arange(len(known)) % recipe.held_out == 0
    mixtures = Mixtures(sets, np.flatnonzero(~held_out), recipe.mixtures)
    left = max(0.0, end - time.monotonic()) / 60
    more = mixtures.ask(files, options.folder, options.device, left, told)
    targets = torch.cat([targets, _targets(more, options.folder / "axes.npy", recipe.dimensions)])
    learned = np.concatenate([known & ~held_out, more.any(axis=1)])
    report(
        f"learning from {learned[: len(known)].sum()} faces, {learned[len(known) :].sum()} mixtures"
    )
    kept = np.flatnonzero(known & held_out)
    if not len(kept) or not learned.any():
        raise _too_few()
    with logged(trainer) as results:
        _run(trainer, mixtures, kept, learned, targets, results, report)
    return trainer


def _targets(answers: npt.NDArray[np.float16], axes: Path, dimensions: int) -> Tensor:
    """What shall come out for each face: (N, D) of length 1, zeros where nobody has been asked."""
    vectors = np.asarray(answers, np.float32)
    if not axes.is_file():  # later answers must not turn what earlier ones have taught
        if not vectors.any(axis=1).sum() > 1:
            raise _too_few()
        with replacing(axes) as whole:
            np.save(whole, principal_axes(vectors, dimensions))
    return functional.normalize(torch.from_numpy(vectors @ np.load(axes)))


def _too_few() -> DataError:
    return DataError(
        "the teachers must have been asked about two faces or more, to learn from and to measure",
        hint="give them longer with --ask-minutes, or a set of more faces",
    )


def _run(
    trainer: Pupil,
    mixtures: Mixtures,
    kept: npt.NDArray[np.int64],
    learned: npt.NDArray[np.bool_],
    targets: Tensor,
    results: Results,
    report: Say,
) -> None:
    recipe = trainer.recipe
    batches: Iterator[Faces] = iter(
        AlignedBatches(
            mixtures.sets,
            np.flatnonzero(learned),
            targets,
            recipe.batch,
            recipe.changes,
            mixtures,
            trainer.batch_seed,
        )
    )
    faces = to_faces(aligned_faces(mixtures.sets, kept.tolist())), targets[torch.from_numpy(kept)]

    def measure() -> dict[str, float]:
        return {"held_out_cosine": trainer.agreement(*faces)}

    run_rounds(trainer, batches, results, measure, _described, report)


def _described(figures: dict[str, float]) -> str:
    return f"cosine {1 - figures['total']:.3f}  held out {figures['held_out_cosine']:.3f}"
