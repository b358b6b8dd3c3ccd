"""Trains the attacker's network: so many steps on a stream of pairs that is the same for its rival.

What one of these networks reaches means nothing alone. It is compared with another of the same
size, the same first weights, the same faces in the same order and as many steps, that sees less.
"""

import dataclasses
import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from engine.errors import ModelError
from engine.networks.reveal import Reveal
from engine.provenance import command_line, provenance
from engine.results import Loss, Results
from engine.training import losses
from engine.training.learner import Learner, warmed_up
from engine.training.muon import Muon
from engine.training.precision import autocast

Lesson = tuple[Tensor, Tensor]
"""What the network sees, (B, 3 P, S, S), and the originals, (B, 3, S, S), both in [0, 1]."""

Teach = Callable[[int], Lesson]
"""Makes the lesson of a step, the same one each time: a run may be stopped and gone on with."""

Tell = Callable[[int, int, str], None]
"""Takes steps done, steps in all, and one line of text; called where the training was."""

WIDTHS = {"small": 48, "large": 96}
"""Sizes of the network by name, in channels at half size."""


@dataclass(frozen=True)
class RevealRecipe:
    """All that decides what is trained; a checkpoint of another recipe is refused.

    Attributes:
        name: who learns, from what.
        steps: the budget, and the length of the schedule.
        width: channels of the network, see :data:`WIDTHS`.
        pictures: that it sees, stacked.
        places: side of the planes that it learns, or 0.
        residual: whether it sees residuals alone.
        seed: of its first weights.
        learning_rate: of Muon at its height.
        warm_up_steps: until it gets there.
        clip_norm: greatest norm of the gradient.
        average: decay of the moving average of the weights, which is what attacks.
        lessons: what the lessons are made of, to be kept with the run.
    """

    name: str
    steps: int
    width: int = WIDTHS["small"]
    pictures: int = 1
    places: int = 0
    residual: bool = False
    seed: int = 0
    learning_rate: float = 2e-3
    warm_up_steps: int = 20
    clip_norm: float = 1.0
    average: float = 0.99
    lessons: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class RevealOptions:
    """Where to train; none of it changes what comes out.

    Attributes:
        folder: checkpoint, log and network go here; a run of the same recipe there is gone on with.
        device: torch device name.
        save_seconds: time between checkpoints.
        log_steps: steps between two lines of the log.
    """

    folder: Path
    device: str = "cpu"
    save_seconds: float = 120.0
    log_steps: int = 20


class RevealTrainer(Learner[Reveal, RevealRecipe, RevealOptions]):
    """A :class:`engine.networks.reveal.Reveal` in training; its average is what attacks.

    Args:
        recipe: what to train.
        options: where.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(self, recipe: RevealRecipe, options: RevealOptions) -> None:
        super().__init__(
            recipe,
            options,
            lambda: new_reveal(recipe),
            lambda learning: Muon(learning, lr=recipe.learning_rate),
        )

    def _not_finite(self) -> ModelError:
        return ModelError(
            f"the gradient of {self.recipe.name} is not finite at step {self.progress.step}",
            hint="the last checkpoint is whole: start another run with another --seed",
        )

    def step(self, lesson: Lesson) -> dict[str, float]:
        """One optimizer step; returns its losses."""
        recipe, progress = self.recipe, self.progress
        seen, original = (tensor.to(self.options.device) for tensor in lesson)
        share = warmed_up(progress.step, recipe.warm_up_steps, progress.step / recipe.steps, 0.02)
        self._set_rate(recipe.learning_rate * share)
        with autocast(self.options.device):
            guess = self.model(seen).float()
        loss = losses.charbonnier(guess, original).mean()
        self._descend(loss, self.model)
        self._follow()
        self._count(len(original))
        reached = losses.psnr_db(original, guess.detach().clamp(0, 1))
        return {"reveal": float(loss.detach()), "original:revealed_db": reached}


def new_reveal(recipe: RevealRecipe) -> Reveal:
    """The network with its first weights: equal for equal recipes of whatever name and steps."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        network: Reveal = Reveal(
            width=recipe.width,
            pictures=recipe.pictures,
            places=recipe.places,
            residual=recipe.residual,
        )
    return network


def train_reveal(
    recipe: RevealRecipe,
    teach: Teach,
    options: RevealOptions,
    report: Tell = lambda done, total, line: None,
) -> Reveal:
    """Train until the steps are used up; stopped, it goes on from there.

    Args:
        recipe: what to train.
        teach: makes the lesson of each step; asked for the next one while a step runs, from
            another thread.
        options: where.
        report: told of every step.

    Returns:
        The moving average, for inference.

    Raises:
        ModelError: the gradient is not finite; the last checkpoint is whole.
        DataError: the folder holds a run of another recipe, or a damaged one.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    trainer = RevealTrainer(recipe, options)
    if trainer.progress.step < recipe.steps:
        results = Results(options.folder / "results.db")
        progress = trainer.progress
        if not progress.run_id:
            config = json.dumps(dataclasses.asdict(recipe), sort_keys=True)
            progress.run_id = results.start_run(
                "train", f"reveal {recipe.name}", command_line(sys.argv[1:]),
                config, provenance=provenance(), seed=recipe.seed, device=options.device,
                threads=torch.get_num_threads(),
            )  # fmt: skip
        try:
            with results.running(progress.run_id):
                _run(trainer, teach, results, report)
        finally:
            trainer.save()
            results.close()
    return cast(Reveal, trainer.average.requires_grad_(False))


def _run(trainer: RevealTrainer, teach: Teach, results: Results, report: Tell) -> None:
    options, progress, steps = trainer.options, trainer.progress, trainer.recipe.steps
    sums: dict[str, float] = {}
    summed, line = 0, f"learning {trainer.recipe.name}"
    last = last_save = time.monotonic()
    for lesson in ahead(teach, progress.step, steps):
        for name, value in trainer.step(lesson).items():
            sums[name] = sums.get(name, 0.0) + value
        summed += 1
        now = time.monotonic()
        progress.seconds += now - last
        last = now
        if progress.step % options.log_steps == 0 or progress.step == steps:
            means = {name: value / summed for name, value in sums.items()}
            seconds = round(progress.seconds, 1)
            rows = [Loss(progress.step, name, value, seconds) for name, value in means.items()]
            results.add_losses(progress.run_id, rows)
            line = _line(trainer, means)
            sums.clear()
            summed = 0
        report(progress.step, steps, line)
        if now - last_save > options.save_seconds:
            trainer.save()
            last = last_save = time.monotonic()


def ahead(teach: Teach, first: int, steps: int) -> Iterator[Lesson]:
    """Give the lessons of the steps from ``first`` on, the next one made while one is learned."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(teach, first)
        for step in range(first + 1, steps):
            lesson = coming.result()
            coming = thread.submit(teach, step)
            yield lesson
        yield coming.result()


def _line(trainer: RevealTrainer, means: dict[str, float]) -> str:
    progress, recipe = trainer.progress, trainer.recipe
    return (
        f"learning {recipe.name}: {means['original:revealed_db']:.2f} dB at step {progress.step}, "
        f"{progress.seconds / 60:.1f} min"
    )
