"""The enhancer in training: its recipe, what it is shown, its losses, one step."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.errors import ModelError
from engine.images import batch_to_u8
from engine.masks.portrait import SIDE
from engine.networks.enhancer import Enhancer
from engine.training.critic import realism, sum_of, weak_matching
from engine.training.degrade import degrade
from engine.training.loop import TrainOptions
from engine.training.losses import Distance
from engine.training.opposed import Opposed, OpposedRecipe
from engine.training.portraits import Portraits
from engine.training.precision import autocast
from engine.training.teachers import to_faces
from engine.zoo import read_network


@dataclass(frozen=True)
class EnhanceWeights:
    """Weights of the losses: L1, LPIPS, the critic's verdict, and its deepest features."""

    pixels: float = 8.0
    perceptual: float = 3.0
    realism: float = 0.1
    matching: float = 0.2


@dataclass(frozen=True)
class EnhanceRecipe(OpposedRecipe):
    """All that an enhancer's training needs besides data and minutes.

    Attributes:
        name: model family.
        widths, blocks: of :class:`engine.networks.enhancer.Enhancer`.
        side: of the portraits at scale 1, which is the swapper's.
        large: of the portraits at scale 2, of which half the side comes in; even in quarters.
        batch: portraits in a batch.
        twice: share of the steps at scale 2.
        excluded: sources that it does not learn: UTKFace mirrors what lies beyond the border.
        held_out: every so many-th face is left out of training and tells how well it goes.
    """

    name: str
    widths: tuple[int, ...] = (32, 64, 128, 192)
    blocks: tuple[int, ...] = (1, 2, 2, 1)
    side: int = SIDE
    large: int = 144
    batch: int = 16
    twice: float = 0.3
    excluded: tuple[str, ...] = ("utkface",)
    held_out: int = 100
    weights: EnhanceWeights = EnhanceWeights()


ENHANCER = EnhanceRecipe("enhancer")


class EnhanceTrainer(Opposed[Enhancer, EnhanceRecipe]):
    """An enhancer in training.

    Args:
        recipe: what to train.
        options: where and how long.
        perceptual: LPIPS as a (B,) distance of images in [0, 1].

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
        ModelError: the network to start from is of another size.
    """

    def __init__(
        self,
        recipe: EnhanceRecipe,
        options: TrainOptions,
        perceptual: Distance,
    ) -> None:
        super().__init__(recipe, options, lambda: _new(recipe, options.start_from))
        self.perceptual = perceptual

    def step(self, batch: Portraits) -> dict[str, float]:
        """One step of the enhancer and one of its critic; returns every figure of it."""
        if self._rng.random() < self.recipe.twice:
            real = batch.pictures.to(self.options.device)
            return self._step(self.poor(real, 2, self._rng), real, 2)
        batch = resized(batch, self.recipe.side)
        real = batch.pictures.to(self.options.device)
        return self._step(self.poor(real, 1, self._rng), real, 1)

    def poor(self, real: Tensor, scale: int, rng: np.random.Generator) -> Tensor:
        """Portraits made poor by chance, (B, 3, S / scale, S / scale)."""
        side = real.shape[-1] // scale
        made = [degrade(one, side, rng) for one in batch_to_u8(real.cpu())]
        return to_faces(np.stack(made)).to(real.device)

    def _step(self, poor: Tensor, real: Tensor, scale: int) -> dict[str, float]:
        with autocast(self.options.device):
            made = self.model(poor, scale).float()
            perceptual = self.perceptual(made, real).float()
        with torch.no_grad():
            of_real = self.critic(real)
        of_made = self.critic(made)
        parts = {
            "pixels": functional.l1_loss(made, real),
            "perceptual": perceptual.mean(),
            "realism": realism(of_made),
            "matching": weak_matching(of_real, of_made),
        }
        total = sum_of(getattr(self.recipe.weights, name) * part for name, part in parts.items())
        figures = {name: float(part.detach()) for name, part in parts.items()}
        return {**figures, **self.learn(total, real, made)}


def _new(recipe: EnhanceRecipe, start: Path | None) -> Enhancer:
    fresh: Enhancer = Enhancer(recipe.widths, recipe.blocks)
    if start is None:
        return fresh
    found = cast(Enhancer, read_network(start, "Enhancer"))
    size = [(name, value.shape) for name, value in found.state_dict().items()]
    if size != [(name, value.shape) for name, value in fresh.state_dict().items()]:
        raise ModelError(
            f"{start.name} must hold an enhancer of the same widths and blocks",
            hint="leave out --start-from, or name another",
        )
    return found


def resized(batch: Portraits, side: int) -> Portraits:
    """The same portraits at another side, no larger."""
    scale = side / batch.pictures.shape[-1]
    pictures = functional.interpolate(
        batch.pictures, (side, side), mode="bilinear", antialias=True, align_corners=False
    )
    # Whole numbers are the middles of pixels.
    return Portraits(pictures.clamp(0, 1), scale * (batch.landmarks + 0.5) - 0.5, batch.indices)
