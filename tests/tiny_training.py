"""A training small enough for tests: a recipe, drawn faces, batches, and looks at its state."""

import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from engine.training import losses
from engine.training.batches import Batch, BatchConfig, random_key_map
from engine.training.learner import TrainOptions
from engine.training.loop import Trainer
from engine.training.recipes import LossWeights, Recipe

TINY = Recipe(
    name="tiny",
    wrong="rand",
    weights=LossWeights(),
    batches=BatchConfig(masks={"gaussian": 1.0}, batch=2, crop=16, paper_share=0, sides=(16, 24)),
    blocks=1,
    wrong_share=0.5,
    warm_up_steps=1,
)
LOGGED = {
    "total",
    "gradient_norm",
    "protect",
    "recover",
    "wrong",
    "mask:protected_db",
    "original:recovered_db",
    "aim:wrong_db",
}


def draw_face(seed: int, side: int = 32) -> npt.NDArray[np.uint8]:
    """A round skin-coloured patch with eyes and a mouth on a plain ground, drawn here."""
    rng = np.random.default_rng(seed)
    picture = np.empty((side, side, 3), np.uint8)
    picture[:] = rng.integers(0, 256, 3)
    rows, columns = np.mgrid[:side, :side] / side - 0.5
    picture[rows**2 + columns**2 < 0.18] = (200, 150 + seed % 40, 120)
    for x in (-0.15, 0.15):
        picture[(rows + 0.1) ** 2 + (columns - x) ** 2 < 0.004] = 20
    picture[(abs(rows - 0.2) < 0.04) & (abs(columns) < 0.15)] = (150, 40, 40)
    return picture


def options(tmp_path: Path, **changes: object) -> TrainOptions:
    return dataclasses.replace(
        TrainOptions(folder=tmp_path / "run", minutes=60, log_steps=2, max_steps=4),
        **changes,  # type: ignore[arg-type]
    )


def make_batch(seed: int = 0, size: int = 2, side: int = 16) -> Batch:
    rng = np.random.default_rng(seed)
    pictures = np.stack([draw_face(seed + i, side) for i in range(size)])
    original = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    mask = functional.avg_pool2d(original, 5, stride=1, padding=2, count_include_pad=False)
    return Batch(original, mask, random_key_map(size, side, side, rng))


def pooled_distance(first: Tensor, second: Tensor) -> Tensor:
    """A distance that, like LPIPS, does not look at single pixels."""
    return losses.l1(functional.avg_pool2d(first, 2), functional.avg_pool2d(second, 2))


def maps_of(pictures: Tensor) -> list[Tensor]:
    """As a frozen network's: three maps, from fine to coarse."""
    return [functional.avg_pool2d(pictures, size).repeat(1, size, 1, 1) for size in (2, 4, 8)]


def state_of(trainer: Trainer) -> dict[str, Tensor]:
    """Every tensor of a training: all networks' weights and the optimizer's moments."""
    moments = trainer.optimizer.state_dict()["state"]
    return {
        **{
            f"{part}.{name}": value
            for part, module in trainer._modules().items()
            for name, value in module.state_dict().items()
        },
        **{
            f"{i}.{name}": torch.as_tensor(value)
            for i, entry in moments.items()
            for name, value in entry.items()
        },
    }


def assert_same_state(first: Trainer, second: Trainer) -> None:
    a, b = state_of(first), state_of(second)
    assert a.keys() == b.keys()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert first.progress == second.progress
