"""Trains an enhancer on portraits made poor, and on swaps, of which no better one is known.

Of a portrait made poor the clear one is the aim. A swap is nobody's, and only a critic tells what
it lacks; two networks that look at faces judge with it, LPIPS's and the first recogniser. The last
recogniser is in no loss and tells how far swaps are from real faces.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from engine.data import FaceSet
from engine.errors import DataError
from engine.frechet import frechet
from engine.masks.portrait import SIDE
from engine.masks.swap import SHARES
from engine.recognition import load_torchscript
from engine.training.critic import FeatureMaps
from engine.training.enhancing import EnhanceRecipe, EnhanceTrainer, resized
from engine.training.learner import TrainOptions
from engine.training.losses import Distance
from engine.training.portraits import PortraitBatches, Portraits, make_portraits
from engine.training.rounds import Say, logged, run_rounds
from engine.training.shown import aligned
from engine.training.swapped import agents, laid_by_swappers, swap_batches
from engine.training.teachers import find_teacher_and_judge, note_teachers

_CHUNK = 32
_FEWEST = 2  # embeddings that have a covariance
_SHOWN = (
    *("pixels", "perceptual", "identity", "realism", "critic", "small_lpips"),
    *("swap_drawing", "swap_light", "swap_agent", "swap_realism", "swap_critic"),
)


def learn_to_enhance(
    recipe: EnhanceRecipe,
    sets: Sequence[FaceSet],
    teachers: Path,
    options: TrainOptions,
    perceptual: Distance,
    features: FeatureMaps,
    report: Say = lambda line: None,
) -> EnhanceTrainer:
    """Train until the minutes are used up; interrupt it when you like, it goes on from there.

    Args:
        recipe: such as :data:`engine.training.enhancing.ENHANCER`.
        sets: faces with landmarks.
        teachers: folder of two ``recognizer_*.ts`` or more: the first is in the losses, the last
            one judges.
        options: where and how long.
        perceptual: LPIPS.
        features: of a frozen network, by which the critic judges besides.
        report: takes one line of text at a time.

    Raises:
        ModelError: the gradient is not finite; or a teacher, the averages, a swapper or its agents
            cannot be loaded.
        WeightsMissingError: there are not two teachers.
        DataError: too few faces are left to learn from or to judge by, one has no landmarks, or
            the folder holds another run.
    """
    options.folder.mkdir(parents=True, exist_ok=True)
    teacher, last = find_teacher_and_judge(teachers)
    note_teachers(sets, [teacher], options.folder)
    seen = load_torchscript(teacher, options.device, gradients=True)
    judge = load_torchscript(last, options.device)
    trainer = EnhanceTrainer(recipe, options, perceptual, seen, features)
    usable = _usable(sets, recipe)
    kept = usable[:: recipe.held_out]
    others = np.setdiff1d(usable, kept)
    with logged(trainer) as results:
        seeds = trainer.batch_seed.spawn(2)
        own = PortraitBatches(sets, others, recipe.batch, recipe.large, seeds[0])
        swaps = swap_batches(sets, others, recipe.batch, seeds[1])
        known = make_portraits(sets, kept.tolist(), recipe.large)
        restored = _judgement(trainer, known)
        distant = _swaps_from_real(trainer, sets, kept, judge)
        batches = trainer.mixed(iter(own), iter(swaps))
        run_rounds(trainer, batches, results, lambda: restored() | distant(), _told, report)
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


def _swaps_from_real(
    trainer: EnhanceTrainer,
    sets: Sequence[FaceSet],
    kept: npt.NDArray[np.int64],
    judge: Callable[[Tensor], Tensor],
) -> Callable[[], dict[str, float]]:
    """Fréchet distance of held-out swaps from real faces to the judge, before and after.

    And their cosine to whom they hide: what is real around a face could lead back to it. So few
    faces give a much larger distance than ``masks`` finds among many.
    """
    device = trainer.options.device
    identities = np.concatenate(list(agents().values()))
    given = np.arange(len(kept)) * len(identities) // len(kept)  # as many of each swapper
    known = make_portraits(sets, kept.tolist(), SIDE, like=identities[given])
    if len(known.indices) < _FEWEST:
        raise DataError(
            f"expected {_FEWEST} held-out faces or more to judge by, got {len(known.indices)}",
            hint="give more faces, or let the recipe hold out more of them",
        )
    rows = np.searchsorted(kept, known.indices.numpy())
    shares = {model: first for model, (first, *_) in SHARES.items()}
    swaps = replace(known, given=torch.from_numpy(given[rows]))
    shown = laid_by_swappers(swaps, shares, device).cpu()

    def embeddings(faces: Tensor) -> npt.NDArray[np.float64]:
        laid = known.pictures + known.mattes * (faces - known.pictures)
        with torch.inference_mode():
            parts = torch.split(aligned(laid).clamp(0, 1).to(device), _CHUNK)
            found = functional.normalize(torch.cat([judge(part) for part in parts]))
        return found.double().cpu().numpy()

    real, before = embeddings(known.pictures), embeddings(shown)

    def compare(name: str, made: npt.NDArray[np.float64]) -> dict[str, float]:
        cosine = float((real * made).sum(1).mean())
        return {f"{name}_frechet": frechet(real, made), f"{name}_original_cosine": cosine}

    first = compare("swaps_before", before)

    def measure() -> dict[str, float]:
        made = torch.cat([_enhanced(trainer, part, 1).cpu() for part in torch.split(shown, _CHUNK)])
        return first | compare("swaps", embeddings(made))

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
    words = [f"{name} {figures[name]:.3f}" for name in _SHOWN if name in figures]
    for name in ("poor{}_lpips", "swaps{}_frechet", "swaps{}_original_cosine"):
        before, after = (figures[name.format(when)] for when in ("_before", ""))
        words.append(f"{name.format('')} {before:.3f} to {after:.3f}")
    return "  ".join(words)
