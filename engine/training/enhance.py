"""Trains an enhancer on portraits made poor."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.data import FaceSet
from engine.errors import DataError
from engine.recognition import load_torchscript
from engine.training.enhancing import EnhanceRecipe, EnhanceTrainer, resized
from engine.training.loop import Say, TrainOptions
from engine.training.losses import Distance
from engine.training.portraits import PortraitBatches, Portraits, make_portraits
from engine.training.rounds import logged, run_rounds
from engine.training.teachers import find_teachers, note_teachers

_CHUNK = 32


def learn_to_enhance(
    recipe: EnhanceRecipe,
    sets: Sequence[FaceSet],
    teachers: Path,
    options: TrainOptions,
    perceptual: Distance,
    report: Say = lambda line: None,
) -> EnhanceTrainer:
    """Train until the minutes are used up; interrupt it when you like, it goes on from there.

    Args:
        recipe: such as :data:`engine.training.enhancing.ENHANCER`.
        sets: faces with landmarks.
        teachers: folder of ``recognizer_*.ts``; the first is in the losses.
        options: where and how long.
        perceptual: LPIPS.
        report: takes one line of text at a time.

    Raises:
        ModelError: the gradient is not finite, or the teacher or the averages cannot be loaded.
        WeightsMissingError: there is no teacher.
        DataError: no face is left to learn from, one has no landmarks, or the folder holds
            another run.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    teacher = find_teachers(teachers)[0]
    note_teachers(sets, [teacher], options.folder)
    seen = load_torchscript(teacher, options.device, gradients=True)
    trainer = EnhanceTrainer(recipe, options, perceptual, seen)
    usable = _usable(sets, recipe)
    kept = usable[:: recipe.held_out]
    others = np.setdiff1d(usable, kept)
    with logged(trainer) as results:
        batches = PortraitBatches(sets, others, recipe.batch, recipe.large, trainer.batch_seed)
        known = make_portraits(sets, kept.tolist(), recipe.large)
        run_rounds(trainer, iter(batches), results, _judgement(trainer, known), _told, report)
    return trainer


def _usable(sets: Sequence[FaceSet], recipe: EnhanceRecipe) -> npt.NDArray[np.int64]:
    records = [record for faces in sets for record in faces.records]
    found = [i for i, record in enumerate(records) if record.source not in recipe.excluded]
    if len(found) < 2:
        raise DataError(
            f"expected faces of other sources than {', '.join(recipe.excluded)}",
            hint="name a folder with CelebA's faces",
        )
    return np.array(found, np.int64)


def _judgement(trainer: EnhanceTrainer, large: Portraits) -> Callable[[], dict[str, float]]:
    """LPIPS of held-out portraits: made poor, before and after; made poor and small, after."""
    known = resized(large, trainer.recipe.side)
    rng = np.random.default_rng(0)
    given = {
        "poor": (trainer.poor(known, 1, rng), known.pictures),
        "small": (trainer.poor(large, 2, rng), large.pictures),
    }

    def measure() -> dict[str, float]:
        found = {}
        for name, (poor, real) in given.items():
            scale = real.shape[-1] // poor.shape[-1]
            made = [_enhanced(trainer, part, scale) for part in torch.split(poor, _CHUNK)]
            found[f"{name}_lpips"] = _distance(trainer, torch.cat(made), real)
            if scale == 1:
                found[f"{name}_before_lpips"] = _distance(trainer, poor, real)
        return found

    return measure


def _enhanced(trainer: EnhanceTrainer, portraits: Tensor, scale: int) -> Tensor:
    with torch.inference_mode():
        return cast(Tensor, trainer.average(portraits.to(trainer.options.device), scale)).clamp(
            0, 1
        )


def _distance(trainer: EnhanceTrainer, made: Tensor, real: Tensor) -> float:
    device = trainer.options.device
    with torch.inference_mode():
        parts = zip(torch.split(made, _CHUNK), torch.split(real, _CHUNK), strict=True)
        found = [trainer.perceptual(one.to(device), other.to(device)) for one, other in parts]
        return float(torch.cat(found).mean())


def _told(figures: dict[str, float]) -> str:
    shown = ("pixels", "perceptual", "identity", "realism", "critic", "small_lpips")
    words = [f"{name} {figures[name]:.3f}" for name in shown]
    before, after = figures["poor_before_lpips"], figures["poor_lpips"]
    return "  ".join([*words, f"poor_lpips {before:.3f} to {after:.3f}"])
