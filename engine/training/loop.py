"""The training loop: one step, the schedule, the log, the checkpoints."""

import dataclasses
import json
import math
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn, optim

from engine.data import FaceSet
from engine.errors import MetricError, ModelError
from engine.networks.embedder import Embedder
from engine.results import Loss, Results
from engine.training import checkpoint, losses
from engine.training.batches import Batch, Batches, wrong_key_map
from engine.training.checkpoint import Progress
from engine.training.recipes import LossWeights, Recipe

Report = Callable[[str], None]


@dataclass(frozen=True)
class TrainOptions:
    """Where and how long to train.

    Attributes:
        folder: checkpoint, log and exported weights go here; a run found there is resumed.
        minutes: length of the schedule; a run that has had them already stops at once.
        device: torch device name.
        seed: of the first step; a resumed run derives another from it and its step.
        save_seconds: time between checkpoints.
        log_steps: steps between two lines of the log.
        start_from: weights of a released or exported model to start from, instead of fresh ones.
        max_steps: stop after so many steps as well (tests).
    """

    folder: Path
    minutes: float
    device: str = "cpu"
    seed: int = 0
    save_seconds: float = 120.0
    log_steps: int = 20
    start_from: Path | None = None
    max_steps: int | None = None


class Trainer:
    """An embedder in training: model, moving average, optimizer, progress.

    Args:
        recipe: what to train.
        options: where and how long.
        perceptual: LPIPS as a (B,) distance of images in [0, 1]; needed where the recipe's weights
            ask for it.
    """

    def __init__(
        self, recipe: Recipe, options: TrainOptions, perceptual: losses.Distance | None = None
    ) -> None:
        torch.manual_seed(options.seed)
        self.recipe, self.options, self.perceptual = recipe, options, perceptual
        self.model = _new_embedder(recipe, options).to(options.device).train()
        self.average = _new_embedder(recipe, options).to(options.device).eval()
        self.average.load_state_dict(self.model.state_dict())
        self.optimizer = optim.AdamW(
            self.model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.99), weight_decay=0.0
        )
        self.progress = Progress(threads=torch.get_num_threads())
        self._rng = np.random.default_rng(options.seed)
        if checkpoint.find(options.folder / "checkpoint") is not None:
            self.progress = checkpoint.load(
                options.folder / "checkpoint", self._modules(), self.optimizer
            )
            self._rng = np.random.default_rng(options.seed + self.progress.step)

    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "average": self.average}

    def save(self) -> None:
        """Write the checkpoint and the averaged weights as a model folder, ready to be loaded."""
        checkpoint.save(
            self.options.folder / "checkpoint", self._modules(), self.optimizer, self.progress
        )
        self.average.save_pretrained(self.options.folder / "model")

    def set_rates(self, done: float) -> None:
        """Warm up over the first steps, then a cosine to a fiftieth of the rate at ``done`` = 1."""
        warm_up = min(1.0, (self.progress.step + 1) / self.recipe.warm_up_steps)
        cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * warm_up * (0.02 + 0.98 * cosine)

    def step(self, batch: Batch) -> dict[str, float]:
        """One optimizer step; returns every loss of it."""
        total, logged = compute_losses(
            self.model, batch, self.recipe, self._rng, self.perceptual, self._autocast
        )
        self.model.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip_norm)
        if not math.isfinite(float(norm)):
            raise ModelError(
                f"the gradient is not finite at step {self.progress.step}",
                hint="go on from the last checkpoint with another --seed",
            )
        self.optimizer.step()
        decay = min(self.recipe.average, (1 + self.progress.step) / (10 + self.progress.step))
        checkpoint.copy_average(self.average, self.model, decay)
        self.progress.step += 1
        self.progress.faces_seen += len(batch.original)
        return {**logged, "total": float(total.detach()), "gradient_norm": float(norm)}

    def _autocast(self) -> AbstractContextManager[object]:
        # bfloat16 pays only where the processor computes in it; elsewhere it is ten times slower.
        if has_fast_bfloat16(self.options.device):
            return torch.autocast(self.options.device.split(":")[0], dtype=torch.bfloat16)
        return nullcontext()


def has_fast_bfloat16(device: str) -> bool:
    """Tell whether convolutions in bfloat16 are computed in hardware on this device."""
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported())
    return bool(getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)())


def _new_embedder(recipe: Recipe, options: TrainOptions) -> Embedder:
    network: Embedder
    if options.start_from is None:
        network = Embedder(blocks=recipe.blocks)
    else:
        network = Embedder.from_pretrained(options.start_from, low_cpu_mem_usage=False)
    return network


def compute_losses(
    model: Embedder,
    batch: Batch,
    recipe: Recipe,
    rng: np.random.Generator,
    perceptual: losses.Distance | None,
    autocast: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> tuple[Tensor, dict[str, float]]:
    """Protect, round to 8 bits, recover with the right key and with wrong ones; judge all three.

    Returns:
        The weighted sum, and each figure by name; ``*_db`` are PSNR in dB.
    """
    weights = recipe.weights
    original, mask, key_map = batch.original, batch.mask, batch.key_map
    with autocast():
        protected = model.protect(original, mask, key_map).float()
        shared = losses.round_to_8_bits(protected)
        recovered = model.recover(shared, key_map).float()
        some = max(1, round(recipe.wrong_share * len(original)))
        wrong_map = wrong_key_map(key_map[:some], rng)
        wrong = model.recover(shared[:some], wrong_map).float()
    aim = losses.key_noise(wrong_map) if recipe.wrong == "rand" else mask[:some]
    terms = {
        "protect": weights.protect * losses.charbonnier(mask, protected).mean(),
        "recover": weights.recover * losses.charbonnier(original, recovered).mean(),
        "wrong": weights.wrong * losses.charbonnier(aim, wrong).mean(),
        **_paper_terms(weights, batch, protected, recovered, wrong, perceptual),
    }
    figures = {
        "mask:protected_db": losses.psnr_db(mask, shared),
        "original:recovered_db": losses.psnr_db(original, recovered),
        "aim:wrong_db": losses.psnr_db(aim, wrong),
    }
    total = torch.stack(list(terms.values())).sum()
    return total, {**figures, **{name: float(term.detach()) for name, term in terms.items()}}


def _paper_terms(
    weights: LossWeights,
    batch: Batch,
    protected: Tensor,
    recovered: Tensor,
    wrong: Tensor,
    perceptual: losses.Distance | None,
) -> dict[str, Tensor]:
    """The losses of PRO-Face S, Sec. IV-E, those with a weight."""
    some = len(wrong)
    original, mask = batch.original, batch.mask
    terms: dict[str, Tensor] = {}
    if weights.protect_l1:
        terms["protect_l1"] = weights.protect_l1 * losses.l1(mask, protected).mean()
    if weights.recover_l1:
        terms["recover_l1"] = weights.recover_l1 * losses.l1(original, recovered).mean()
    if weights.triplet_l1:
        hinge = losses.triplet(original[:some], recovered[:some], wrong, losses.l1)
        terms["triplet_l1"] = weights.triplet_l1 * hinge.mean()
    if perceptual is None:
        if weights.protect_lpips or weights.triplet_lpips:
            raise MetricError(
                "the recipe asks for LPIPS, but training was given no perceptual distance",
                hint="pass engine.metrics.perceptual_distance(), or set its weights to 0",
            )
        return terms
    if weights.protect_lpips:
        terms["protect_lpips"] = weights.protect_lpips * perceptual(mask, protected).mean()
    if weights.triplet_lpips:
        hinge = losses.triplet(original[:some], recovered[:some], wrong, perceptual)
        terms["triplet_lpips"] = weights.triplet_lpips * hinge.mean()
    return terms


def train(
    recipe: Recipe,
    sets: Sequence[FaceSet],
    options: TrainOptions,
    perceptual: losses.Distance | None = None,
    report: Report = lambda line: None,
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
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, options, perceptual)
    results = Results(options.folder / "results.db")
    progress = trainer.progress
    if not progress.run_id:
        config = json.dumps(dataclasses.asdict(recipe))
        progress.run_id = results.start_run("train", recipe.name, " ".join(sys.argv), config)
    try:
        _run(
            trainer,
            iter(Batches(sets, recipe.batches, options.seed + progress.step)),
            results,
            report,
        )
    finally:
        trainer.save()
        results.close()
    return trainer


def _run(trainer: Trainer, batches: Iterator[Batch], results: Results, report: Report) -> None:
    options, progress = trainer.options, trainer.progress
    sums: dict[str, float] = defaultdict(float)
    summed = 0  # not log_steps: a run may be resumed between two lines of the log
    last_save = last = time.monotonic()
    most = math.inf if options.max_steps is None else options.max_steps
    while progress.seconds < 60 * options.minutes and progress.step < most:
        trainer.set_rates(progress.seconds / (60 * options.minutes))
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
            sums.clear()
            summed = 0
        if now - last_save > options.save_seconds:
            trainer.save()
            last_save = last = time.monotonic()


def _line(trainer: Trainer, means: dict[str, float]) -> str:
    progress = trainer.progress
    figures = "  ".join(
        f"{name} {value:.2f}" for name, value in means.items() if name.endswith("_db")
    )
    return (
        f"step {progress.step}  {progress.seconds / 60:.1f}/{trainer.options.minutes:g} min  "
        f"{figures}  total {means['total']:.3f}"
    )
