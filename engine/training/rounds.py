"""The rounds of every training but the attacker's: schedule, log, checkpoints."""

import dataclasses
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import fmean
from typing import Any, Protocol, TypeVar

import torch

from engine.provenance import command_line, provenance
from engine.results import Loss, Results
from engine.training.checkpoint import Progress
from engine.training.learner import TrainOptions

Say = Callable[[str], None]
"""Takes one line of text."""

_LONGEST_STEP = 60.0
"""Seconds of a step that count at most."""

Batch = TypeVar("Batch", contravariant=True)
Any_ = TypeVar("Any_")


class InRounds(Protocol[Batch]):
    """What is trained in rounds.

    Attributes:
        figures: means of every figure over the latest steps, by name; empty before the first.
    """

    options: TrainOptions
    progress: Progress
    figures: dict[str, float]

    @property
    def recipe(self) -> Any:
        """A dataclass with a ``name``: all that decides what is trained."""
        ...

    def set_rates(self, done: float) -> None:
        """Set the learning rates for this share of the schedule."""
        ...

    def step(self, batch: Batch, /) -> dict[str, float]:
        """One optimizer step; returns every figure of it."""
        ...

    def save(self) -> None:
        """Write the checkpoint and the model."""
        ...


@contextmanager
def logged(learner: InRounds[Any_]) -> Iterator[Results]:
    """Open the log of a run, begin its row or go on with it; in the end, save and close."""
    results, options = Results(learner.options.folder / "results.db"), learner.options
    progress, recipe = learner.progress, learner.recipe
    if not progress.run_id:
        progress.run_id = results.start_run(
            "train", recipe.name, command_line(sys.argv[1:]),
            json.dumps(dataclasses.asdict(recipe)),
            provenance=provenance(), seed=options.seed, device=options.device,
            threads=torch.get_num_threads(),
        )  # fmt: skip
    try:
        with results.running(progress.run_id):
            yield results
    finally:
        learner.save()
        results.close()


def run_rounds(
    learner: InRounds[Any_],
    batches: Iterator[Any_],
    results: Results,
    measure: Callable[[], dict[str, float]],
    describe: Callable[[dict[str, float]], str],
    report: Say,
) -> None:
    """Train until the minutes or steps of the options are used up.

    Args:
        learner: what is trained.
        batches: without an end.
        results: of :func:`logged`.
        measure: figures of the held-out faces, taken for each line of the log.
        describe: the figures of a line in words.
        report: takes one line of text at a time.
    """
    options, progress = learner.options, learner.progress
    log = _Log(learner, results, measure, describe, report)
    last_save = last = time.monotonic()
    most = math.inf if options.max_steps is None else options.max_steps
    while progress.step < most and (done := share_done(progress, options)) < 1:
        learner.set_rates(done)
        log.add(learner.step(next(batches)))
        now = time.monotonic()
        # A machine that slept, or a process that was stopped, has not been training meanwhile.
        progress.seconds += min(now - last, _LONGEST_STEP)
        last = now
        if progress.step % options.log_steps == 0:
            log.write()
        if now - last_save > options.save_seconds:
            learner.save()
            last_save = last = time.monotonic()
    log.end()


def share_done(progress: Progress, options: TrainOptions) -> float:
    """Tell how much of the schedule is behind, 1 or more at its end."""
    by_time = progress.seconds / (60 * options.minutes) if options.minutes else 1.0
    return max(by_time, progress.step / options.steps if options.steps else 0.0)


class _Log:
    """Means of the figures since the last line, into the results and to whoever watches."""

    def __init__(
        self,
        learner: InRounds[Any_],
        results: Results,
        measure: Callable[[], dict[str, float]],
        describe: Callable[[dict[str, float]], str],
        report: Say,
    ) -> None:
        self._learner, self._results, self._report = learner, results, report
        self._measure, self._describe = measure, describe
        self._added: dict[str, list[float]] = defaultdict(list)

    def add(self, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self._added[name].append(value)

    def write(self) -> None:
        progress = self._learner.progress
        # Steps of several kinds tell different figures.
        means = {name: fmean(values) for name, values in self._added.items()}
        means |= self._measure()
        seconds = round(progress.seconds, 1)
        self._results.add_losses(
            progress.run_id,
            [Loss(progress.step, name, value, seconds) for name, value in means.items()],
        )
        self._report(
            f"step {progress.step}  {progress.seconds / 60:.1f}/"
            f"{self._learner.options.minutes:g} min  {self._describe(means)}"
        )
        self._learner.figures = means
        self._added.clear()

    def end(self) -> None:
        """Log the steps since the last line, if there are any."""
        if self._added:
            self.write()
