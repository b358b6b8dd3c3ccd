"""Trains the recogniser to see what its teachers see: their embeddings are the targets.

The teachers are asked once for every face. Their unit vectors are put one after the other and
turned onto the axes that keep most of their dot products: the target's cosine between two faces is
then the mean of the teachers' cosines, in as many dimensions as the recogniser has. One loss and no
heads that would be thrown away: what is trained is what is used.
"""

import dataclasses
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.data import FaceSet
from engine.errors import DataError
from engine.provenance import command_line, provenance
from engine.results import Loss, Results
from engine.training.aligned import AlignedBatches, Faces
from engine.training.loop import Say, TrainOptions, share_done
from engine.training.pupil import DistilRecipe, Pupil
from engine.training.teachers import (
    aligned_faces,
    ask_teachers,
    find_teachers,
    principal_axes,
    to_faces,
)

_LONGEST_STEP = 60.0
"""Seconds of a step that count at most."""


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
        teachers: folder of ``recognizer_*.ts``; asked before the first step, which is not counted
            in the minutes.
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
    trainer = Pupil(recipe, options)
    results = Results(options.folder / "results.db")
    progress = trainer.progress
    if not progress.run_id:
        command = command_line(sys.argv[1:])
        progress.run_id = results.start_run(
            "train", recipe.name, command, json.dumps(dataclasses.asdict(recipe)),
            provenance=provenance(), seed=options.seed, device=options.device,
            threads=torch.get_num_threads(),
        )  # fmt: skip
    try:
        with results.running(progress.run_id):
            _run(trainer, sets, targets, results, report)
    finally:
        trainer.save()
        results.close()
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
        np.save(file, principal_axes(vectors, recipe.dimensions))
    return functional.normalize(torch.from_numpy(vectors @ np.load(file)))


def _run(
    trainer: Pupil,
    sets: Sequence[FaceSet],
    targets: Tensor,
    results: Results,
    report: Say,
) -> None:
    options, progress, recipe = trainer.options, trainer.progress, trainer.recipe
    indices = np.flatnonzero(targets.any(dim=1).numpy())
    report(f"learning from {len(indices)} of {len(targets)} faces")
    kept = indices[:: recipe.held_out]
    others = np.setdiff1d(indices, kept)
    batches: Iterator[Faces] = iter(
        AlignedBatches(sets, others, targets, recipe.batch, recipe.changes, trainer.batch_seed)
    )
    known = to_faces(aligned_faces(sets, kept.tolist())), targets[torch.from_numpy(kept)]
    log = _Log(trainer, results, report, lambda: trainer.agreement(*known))
    last_save = last = time.monotonic()
    most = math.inf if options.max_steps is None else options.max_steps
    while progress.step < most and (done := share_done(progress, options)) < 1:
        trainer.set_rates(done)
        log.add(trainer.step(next(batches)))
        now = time.monotonic()
        # A machine that slept, or a process that was stopped, has not been training meanwhile.
        progress.seconds += min(now - last, _LONGEST_STEP)
        last = now
        if progress.step % options.log_steps == 0:
            log.write()
        if now - last_save > options.save_seconds:
            trainer.save()
            last_save = last = time.monotonic()
    log.end()


class _Log:
    """Means of the figures since the last line, into the results and to whoever watches."""

    def __init__(
        self, trainer: Pupil, results: Results, report: Say, agreement: Callable[[], float]
    ) -> None:
        self._trainer, self._results, self._report = trainer, results, report
        self._agreement = agreement
        self._sums: dict[str, float] = defaultdict(float)
        self._summed = 0

    def add(self, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self._sums[name] += value
        self._summed += 1

    def write(self) -> None:
        progress = self._trainer.progress
        means = {name: value / self._summed for name, value in self._sums.items()}
        means["held_out_cosine"] = self._agreement()
        seconds = round(progress.seconds, 1)
        self._results.add_losses(
            progress.run_id,
            [Loss(progress.step, name, value, seconds) for name, value in means.items()],
        )
        self._report(
            f"step {progress.step}  {progress.seconds / 60:.1f}/"
            f"{self._trainer.options.minutes:g} min  cosine {1 - means['total']:.3f}  "
            f"held out {means['held_out_cosine']:.3f}"
        )
        self._trainer.figures = means
        self._sums.clear()
        self._summed = 0

    def end(self) -> None:
        """Log the steps since the last line, if there are any."""
        if self._summed:
            self.write()
