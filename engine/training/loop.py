"""The training loop: one step, the schedule, the log, the checkpoints."""

import dataclasses
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn, optim

from engine.data import FaceSet
from engine.errors import ModelError
from engine.networks.embedder import Embedder
from engine.networks.imn import Imn
from engine.provenance import command_line, provenance
from engine.results import Loss, Results
from engine.training import checkpoint, losses
from engine.training.batches import Batch, Batches
from engine.training.checkpoint import Progress
from engine.training.muon import Muon
from engine.training.objective import compute_losses
from engine.training.precision import autocast
from engine.training.recipes import ImnRecipe, Recipe
from engine.training.sensitivity import both_ways, sensitivity_of

Say = Callable[[str], None]
"""Takes one line of text."""

_SENSE_STEPS = 100
"""Steps between two measurements of how the network feels rounding."""

_SENSED = 1
"""Pictures of a batch that tell it."""

_SENSE_SHARE = 0.3
"""How much the newest measurement counts beside those before."""


@dataclass(frozen=True)
class TrainOptions:
    """Where and how long to train.

    Attributes:
        folder: checkpoint, log and exported weights go here; a run found there is resumed, if it
            is of the same recipe.
        minutes: length of the schedule; a run that has had them already stops at once.
        device: torch device name.
        seed: 0 or more; a resumed run derives other numbers from it and its step.
        save_seconds: time between checkpoints.
        log_steps: steps between two lines of the log.
        start_from: weights of a released or exported model to start from, instead of fresh ones.
        steps: the schedule ends after so many steps, if its minutes do not end before: for runs
            that are compared.
        max_steps: stop after so many steps as well, in the middle of the schedule (tests).
    """

    folder: Path
    minutes: float
    device: str = "cpu"
    seed: int = 0
    save_seconds: float = 120.0
    log_steps: int = 20
    start_from: Path | None = None
    steps: int | None = None
    max_steps: int | None = None


class Trainer:
    """A network in training: model, moving average, optimizer, progress.

    Args:
        recipe: what to train.
        options: where and how long.
        perceptual: LPIPS as a (B,) distance of images in [0, 1]; needed where the recipe's weights
            ask for it.

    Attributes:
        figures: means of every loss over the latest steps, by name; empty before the first.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
    """

    def __init__(
        self, recipe: Recipe, options: TrainOptions, perceptual: losses.Distance | None = None
    ) -> None:
        torch.manual_seed(options.seed)
        self.recipe, self.options, self.perceptual = recipe, options, perceptual
        self.model = _new_network(recipe, options).to(options.device).train()
        self.average = _new_network(recipe, options).to(options.device).eval()
        self.average.load_state_dict(self.model.state_dict())
        kind = Muon if recipe.muon else optim.Adam
        self.optimizer = kind(self.model.parameters(), lr=recipe.learning_rate, betas=recipe.betas)
        self.progress = Progress()
        self.figures: dict[str, float] = {}
        if checkpoint.find(self._checkpoint) is not None:
            self.progress = checkpoint.load(
                self._checkpoint, self._modules(), self.optimizer, dataclasses.asdict(recipe)
            )
        # Streams of their own, or the wrong keys would be drawn from the numbers of the batches.
        seeds = np.random.SeedSequence([options.seed, self.progress.step])
        self.batch_seed, wrong_key_seed = seeds.spawn(2)
        self._rng = np.random.default_rng(wrong_key_seed)

    @property
    def _checkpoint(self) -> Path:
        return self.options.folder / "checkpoint"

    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "average": self.average}

    def save(self) -> None:
        """Write the checkpoint and the averaged weights as a model folder, ready to be loaded."""
        checkpoint.save(
            self._checkpoint,
            self._modules(),
            self.optimizer,
            self.progress,
            dataclasses.asdict(self.recipe),
        )
        checkpoint.export(self.options.folder / "model", self.average)

    def set_rates(self, done: float) -> None:
        """Warm up over the first steps, then a cosine to a fiftieth of the rate at ``done`` = 1."""
        warm_up = min(1.0, (self.progress.step + 1) / self.recipe.warm_up_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * warm_up * (0.02 + 0.98 * cosine)

    def step(self, batch: Batch) -> dict[str, float]:
        """One optimizer step; returns every loss of it."""
        if self.recipe.rounding_cell and self.progress.step % _SENSE_STEPS == 0:
            self._sense(batch)
        total, logged = compute_losses(
            self.model,
            batch,
            self.recipe,
            self._rng,
            self.perceptual,
            lambda: autocast(self.options.device),
        )
        self.model.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        if not math.isfinite(float(norm)):
            raise ModelError(
                f"the gradient is not finite at step {self.progress.step}",
                hint="the last step before it is saved: go on from there with another --seed",
            )
        self.optimizer.step()
        decay = min(self.recipe.average, (1 + self.progress.step) / (10 + self.progress.step))
        checkpoint.copy_average(self.average, self.model, decay)
        self.progress.step += 1
        self.progress.faces_seen += len(batch.original)
        return {**logged, "total": float(total.detach()), "gradient_norm": float(norm)}

    def _sense(self, batch: Batch) -> None:
        """Measure how recovery feels errors, and tell the network and its average."""
        some = Batch(*(part[:_SENSED] for part in (batch.original, batch.mask, batch.key_map)))
        protected, recover = both_ways(self.model, some, self.recipe, self._rng)
        found = sensitivity_of(recover, protected, self.recipe.rounding_cell)
        for network in (self.model, self.average):
            known = cast(Tensor, network.sensitivity)
            known.lerp_(found, _SENSE_SHARE if known.any() else 1.0)


def _new_network(recipe: Recipe, options: TrainOptions) -> Embedder | Imn:
    network: Embedder | Imn
    start = options.start_from
    settings: dict[str, Any] = {"emphasis": recipe.emphasis, "rounding_cell": recipe.rounding_cell}
    if isinstance(recipe, ImnRecipe):
        if start is None:
            network = Imn(blocks=recipe.blocks, growth=recipe.growth, **settings)
        else:
            network = Imn.from_pretrained(start, low_cpu_mem_usage=False, **settings).float()
            network = network.deepened(recipe.blocks)
        return network
    settings["keyed_recovery"] = recipe.keyed_recovery
    if start is None:
        network = Embedder(blocks=recipe.blocks, **settings)
    else:
        network = Embedder.from_pretrained(start, low_cpu_mem_usage=False, **settings).float()
    return network


def train(
    recipe: Recipe,
    sets: Sequence[FaceSet],
    options: TrainOptions,
    perceptual: losses.Distance | None = None,
    report: Say = lambda line: None,
) -> Trainer:
    """Train until the minutes are used up; interrupt it when you like, it goes on from there.

    Args:
        recipe: from :data:`engine.training.recipes.RECIPES`.
        sets: faces to train on.
        options: where and how long.
        perceptual: LPIPS, where the recipe asks for it.
        report: takes one line of text at a time.

    Raises:
        ModelError: the gradient is not finite; the last checkpoint is whole.
        MetricError: the recipe asks for LPIPS, and there is none.
        DataError: the folder holds a run of another recipe, or a damaged one.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, options, perceptual)
    results = Results(options.folder / "results.db")
    progress = trainer.progress
    if not progress.run_id:
        config = json.dumps(dataclasses.asdict(recipe))
        command = command_line(sys.argv[1:])
        progress.run_id = results.start_run(
            "train", recipe.name, command, config,
            provenance=provenance(), seed=options.seed, device=options.device,
            threads=torch.get_num_threads(),
        )  # fmt: skip
    try:
        batches = Batches(sets, recipe.batches, trainer.batch_seed)
        with results.running(progress.run_id):
            _run(trainer, iter(batches), results, report)
    finally:
        trainer.save()
        results.close()
    return trainer


def _run(trainer: Trainer, batches: Iterator[Batch], results: Results, report: Say) -> None:
    options, progress = trainer.options, trainer.progress
    sums: dict[str, float] = defaultdict(float)
    summed = 0  # not log_steps: a run may be resumed between two lines of the log
    last_save = last = time.monotonic()
    most = math.inf if options.max_steps is None else options.max_steps
    while progress.step < most and (done := share_done(progress, options)) < 1:
        trainer.set_rates(done)
        batch = next(batches)
        batch = Batch(*(t.to(options.device) for t in (batch.original, batch.mask, batch.key_map)))
        for name, value in trainer.step(batch).items():
            sums[name] += value
        summed += 1
        now = time.monotonic()
        progress.seconds += now - last
        last = now
        if progress.step % options.log_steps == 0:
            seconds = round(progress.seconds, 1)
            means = {name: value / summed for name, value in sums.items()}
            results.add_losses(
                progress.run_id,
                [Loss(progress.step, name, value, seconds) for name, value in means.items()],
            )
            report(_line(trainer, means))
            trainer.figures = means
            sums.clear()
            summed = 0
        if now - last_save > options.save_seconds:
            trainer.save()
            last_save = last = time.monotonic()
    if summed:
        trainer.figures = {name: value / summed for name, value in sums.items()}


def share_done(progress: Progress, options: TrainOptions) -> float:
    """Tell how much of the schedule is behind, 1 or more at its end."""
    by_time = progress.seconds / (60 * options.minutes) if options.minutes else 1.0
    return max(by_time, progress.step / options.steps if options.steps else 0.0)


def _line(trainer: Trainer, means: dict[str, float]) -> str:
    progress = trainer.progress
    figures = "  ".join(
        f"{name} {value:{'.2f' if name.endswith('_db') else '.4f'}}"
        for name, value in means.items()
    )
    spent = f"{progress.seconds / 60:.1f}/{trainer.options.minutes:g} min"
    return f"step {progress.step}  {spent}  {figures}"
