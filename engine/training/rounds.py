"""The rounds of a training that learns from pictures alone: schedule, log, checkpoints."""

import dataclasses
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

import torch

from engine.provenance import command_line, provenance
from engine.results import Loss, Results
from engine.training.checkpoint import Progress
from engine.training.loop import Say, TrainOptions, share_done

_LONGEST_STEP = 60.0
"""Seconds of a step that count at most."""

Batch = TypeVar("Batch", contravariant=True)
Any_ = TypeVar("Any_")


class Learner(Protocol[Batch]):
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
def logged(learner: Learner[Any_]) -> Iterator[Results]:
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
    learner: Learner[Any_],
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


class _Log:
    """Means of the figures since the last line, into the results and to whoever watches."""

    def __init__(
        self,
        learner: Learner[Any_],
        results: Results,
        measure: Callable[[], dict[str, float]],
        describe: Callable[[dict[str, float]], str],
        report: Say,
    ) -> None:
        self._learner, self._results, self._report = learner, results, report
        self._measure, self._describe = measure, describe
        self._sums: dict[str, float] = defaultdict(float)
        self._summed = 0

    def add(self, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self._sums[name] += value
        self._summed += 1

    def write(self) -> None:
        progress = self._learner.progress
        means = {name: value / self._summed for name, value in self._sums.items()}
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
        self._sums.clear()
        self._summed = 0

    def end(self) -> None:
        """Log the steps since the last line, if there are any."""
        if self._summed:
            self.write()
