"""Trains the recogniser to see what its teachers see: their embeddings are the targets.

The teachers are asked once for every face, and in every step for mixtures of two. Their unit
vectors are put one after the other and turned onto the axes that keep most of their dot products:
the target's cosine between two faces is then the mean of the teachers' cosines, in as many
dimensions as the recogniser has. One loss and no heads that would be thrown away: what is trained
is what is used.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.data import FaceSet
from engine.errors import DataError
from engine.files import replacing
from engine.recognition import load_torchscript
from engine.results import Results
from engine.training.aligned import AlignedBatches, Faces
from engine.training.loop import Say, TrainOptions
from engine.training.pupil import DistilRecipe, Pupil
from engine.training.rounds import logged, run_rounds
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
        ask_minutes: to ask the teachers for; faces they were not asked about are left out until
            the run is gone on with.
        report: takes one line of text at a time.

    Raises:
        ModelError: the gradient is not finite, or a teacher cannot be loaded.
        WeightsMissingError: there are no teachers.
        DataError: a face has no landmarks, or the folder holds another run.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    targets = _targets(recipe, sets, teachers, options, ask_minutes, report)
    trainer = Pupil(recipe, options, _asking(teachers, options))
    with logged(trainer) as results:
        _run(trainer, sets, targets, results, report)
    return trainer


def _targets(
    recipe: DistilRecipe,
    sets: Sequence[FaceSet],
    teachers: Path,
    options: TrainOptions,
    minutes: float,
    report: Say,
) -> Tensor:
    """What shall come out for each face: (N, D) of length 1, zeros where nobody has been asked."""
    last = time.monotonic()

    def told(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > 30:
            last = time.monotonic()
            report(f"asked the teachers about {done} of {total} faces")

    folder = options.folder
    answers = ask_teachers(sets, find_teachers(teachers), folder, options.device, minutes, told)
    vectors = np.asarray(answers, np.float32)
    if not vectors.any(axis=1).sum() > 1:
        raise DataError(
            "the teachers must have been asked about two faces or more",
            hint="give them longer with --ask-minutes, or a set of more faces",
        )
    file = folder / "axes.npy"
    if not file.is_file():  # later answers must not turn what earlier ones have taught
        with replacing(file) as whole:
            np.save(whole, principal_axes(vectors, recipe.dimensions))
    return functional.normalize(torch.from_numpy(vectors @ np.load(file)))


def _asking(teachers: Path, options: TrainOptions) -> Callable[[Tensor], Tensor]:
    """What the teachers see in faces that they have not been asked about, as :func:`_targets`."""
    networks = [load_torchscript(file, options.device) for file in find_teachers(teachers)]
    axes = torch.from_numpy(np.load(options.folder / "axes.npy")).to(options.device)

    def ask(faces: Tensor) -> Tensor:
        with torch.no_grad():
            seen = torch.cat([network(faces) for network in networks], dim=1)
            return functional.normalize(seen @ axes)

    return ask


def _run(
    trainer: Pupil,
    sets: Sequence[FaceSet],
    targets: Tensor,
    results: Results,
    report: Say,
) -> None:
    recipe = trainer.recipe
    indices = np.flatnonzero(targets.any(dim=1).numpy())
    report(f"learning from {len(indices)} of {len(targets)} faces")
    kept = indices[:: recipe.held_out]
    others = np.setdiff1d(indices, kept)
    batches: Iterator[Faces] = iter(
        AlignedBatches(
            sets,
            others,
            targets,
            recipe.batch,
            recipe.changes,
            int(recipe.mixed * recipe.batch),
            trainer.batch_seed,
        )
    )
    known = to_faces(aligned_faces(sets, kept.tolist())), targets[torch.from_numpy(kept)]

    def measure() -> dict[str, float]:
        return {"held_out_cosine": trainer.agreement(*known)}

    run_rounds(trainer, batches, results, measure, _described, report)


def _described(figures: dict[str, float]) -> str:
    return f"cosine {1 - figures['total']:.3f}  held out {figures['held_out_cosine']:.3f}"
