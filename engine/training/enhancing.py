"""The enhancer in training: its recipe, what it is shown, its losses, one step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from engine.errors import ModelError
from engine.images import batch_to_u8
from engine.masks.ksame import load_averages
from engine.masks.portrait import SIDE
from engine.networks.enhancer import Enhancer
from engine.training.critic import FeatureMaps, realism, sum_of, weak_matching
from engine.training.degrade import as_average, degrade
from engine.training.learner import TrainOptions
from engine.training.losses import Distance
from engine.training.opposed import Opposed, OpposedRecipe
from engine.training.portraits import Portraits
from engine.training.precision import autocast
from engine.training.shown import aligned, shaken
from engine.training.swapped import draw_shares, laid_by_swappers
from engine.training.teachers import to_faces
from engine.zoo import read_network

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class EnhanceWeights:
    """Weights of the losses.

    Attributes:
        pixels, perceptual: L1 and LPIPS to the portrait.
        identity: 1 - cosine to it, by a recogniser.
        realism: of the critic's verdict; ``matching``, of its deepest features.
        swap_drawing, swap_light, swap_agent: what a swap is not to lose, of which nobody knows the
            clear portrait: LPIPS, L1 of averages of 8 x 8 pixels, and 1 - cosine, all to the swap
            as it is shown.
        swap_grid: of :func:`grid_of` what is changed in a swap.
        swap_realism: of the critic's verdict on a swap.
    """

    pixels: float = 8.0
    perceptual: float = 3.0
    identity: float = 1.0
    realism: float = 0.1
    matching: float = 0.2
    swap_drawing: float = 1.0
    swap_light: float = 4.0
    swap_agent: float = 1.5
    swap_grid: float = 30.0
    swap_realism: float = 0.8


@dataclass(frozen=True)
class EnhanceRecipe(OpposedRecipe):
    """All that an enhancer's training needs besides data and minutes.

    Attributes:
        name: model family.
        widths, blocks: of :class:`engine.networks.enhancer.Enhancer`.
        side: of the portraits at scale 1, which is the swapper's.
        large: of the portraits at scale 2, of which half the side comes in; even in quarters.
        batch: portraits in a batch.
        swaps: share of the batches that swappers have drawn on, all at scale 1; the portraits of
            the others are made poor.
        twice: share of these others that are at scale 2.
        averaged: share of their portraits that are made poor as averages are, which masks lay.
        excluded: sources that it does not learn: UTKFace mirrors what lies beyond the border.
        held_out: every so many-th face is left out of training and tells how well it goes.
    """

    name: str
    widths: tuple[int, ...] = (32, 64, 128, 192)
    blocks: tuple[int, ...] = (1, 2, 2, 1)
    side: int = SIDE
    large: int = 144
    batch: int = 16
    swaps: float = 0.65
    twice: float = 0.3
    averaged: float = 0.6
    excluded: tuple[str, ...] = ("utkface",)
    held_out: int = 100
    weights: EnhanceWeights = EnhanceWeights()


ENHANCER = EnhanceRecipe("enhancer", learning_rate=2e-4, window=8)


class EnhanceTrainer(Opposed[Enhancer, EnhanceRecipe]):
    """An enhancer in training.

    Args:
        recipe: what to train.
        options: where and how long.
        perceptual: LPIPS as a (B,) distance of images in [0, 1].
        recogniser: (B, 3, 112, 112), aligned, in [0, 1], to (B, E).
        features: of a frozen network, by which the critic judges besides; it also judges by whom
            the recogniser sees.

    Raises:
        DataError: the folder holds a run of another recipe, or a damaged one.
        ModelError: the network to start from is of another size.
    """

    def __init__(
        self,
        recipe: EnhanceRecipe,
        options: TrainOptions,
        perceptual: Distance,
        recogniser: Callable[[Tensor], Tensor],
        features: FeatureMaps,
    ) -> None:
        self.perceptual, self.recogniser = perceptual, recogniser
        # The critic looks before the run has its own.
        self._rng = np.random.default_rng(options.seed)

        def maps(pictures: Tensor) -> list[Tensor]:
            # A pattern in one place would please it, were they not shaken.
            faces = shaken(aligned(pictures), self._rng).clamp(0, 1)
            with autocast(options.device):
                found = [*features(pictures), recogniser(faces)[..., None, None]]
            return [one.float() for one in found]

        super().__init__(recipe, options, lambda: _new(recipe, options.start_from), maps)

    def mixed(self, own: Iterator[Portraits], swaps: Iterator[Portraits]) -> Iterator[Portraits]:
        """Draw batches now from the one, now from the other, as the recipe says."""
        while True:
            yield next(swaps if self._rng.random() < self.recipe.swaps else own)

    def step(self, batch: Portraits) -> dict[str, float]:
        """One step of the enhancer and one of its critic; returns every figure of it.

        Args:
            batch: portraits to be made poor; or those of
                :func:`engine.training.swapped.swap_batches`, to come nearer to real faces.
        """
        if batch.given is not None:
            return self._step_on_swaps(batch)
        scale = 2 if self._rng.random() < self.recipe.twice else 1
        if scale == 1:
            batch = resized(batch, self.recipe.side)
        device = self.options.device
        return self._step(
            self.poor(batch, scale, self._rng).to(device), batch.pictures.to(device), scale
        )

    def poor(self, batch: Portraits, scale: int, rng: np.random.Generator) -> Tensor:
        """Portraits made poor by chance, (B, 3, S / scale, S / scale).

        Raises:
            ModelError: the released averages cannot be loaded.
        """
        side = batch.pictures.shape[-1] // scale
        small = resized(batch, SIDE)
        given = zip(
            batch_to_u8(batch.pictures),
            batch_to_u8(small.pictures),
            small.landmarks.numpy(),
            strict=True,
        )
        return to_faces(np.stack([self._poor(*one, side, rng) for one in given]))

    def _poor(
        self, large_u8: U8, portrait_u8: U8, points: F32, side: int, rng: np.random.Generator
    ) -> U8:
        if rng.random() >= self.recipe.averaged:
            return degrade(large_u8, side, rng)
        made_u8 = as_average(portrait_u8, points, load_averages(), rng.uniform(0.5, 1))
        if side == SIDE:
            return made_u8
        return np.asarray(cv2.resize(made_u8, (side, side), interpolation=cv2.INTER_AREA), np.uint8)

    def _step(self, poor: Tensor, real: Tensor, scale: int) -> dict[str, float]:
        with autocast(self.options.device):
            made = self.model(poor, scale).float()
            perceptual = self.perceptual(made, real).float()
        found = functional.normalize(self.recogniser(aligned(made).clamp(0, 1)))
        with torch.no_grad():
            wanted = functional.normalize(self.recogniser(aligned(real)))
            of_real = self.critic.patches(real)
        of_made = self.critic(made)
        parts = {
            "pixels": functional.l1_loss(made, real),
            "perceptual": perceptual.mean(),
            "identity": 1 - (found * wanted).sum(1).mean(),
            "realism": realism(of_made),
            "matching": weak_matching(of_real, of_made),
        }
        total = sum_of(getattr(self.recipe.weights, name) * part for name, part in parts.items())
        figures = {name: float(part.detach()) for name, part in parts.items()}
        return {**figures, **self.learn(total, real, made)}

    def _step_on_swaps(self, batch: Portraits) -> dict[str, float]:
        """What no clear portrait is known of: the critic alone tells what it lacks.

        It takes faces in their own colours for real, which an average's are to come near to as far
        as ``swap_light`` lets them.
        """
        device = self.options.device
        shown = laid_by_swappers(batch, draw_shares(self._rng), device)
        real, mattes = batch.pictures.to(device), batch.mattes.to(device)
        with autocast(device):
            made = self.model(shown).float()
        before, after = (real + mattes * (one - real) for one in (shown, made))
        with autocast(device):
            drawing = self.perceptual(after, before).float()
        found = functional.normalize(self.recogniser(aligned(after).clamp(0, 1)))
        with torch.no_grad():
            wanted = functional.normalize(self.recogniser(aligned(before)))
        window = self._window(real)
        light, shade = (functional.avg_pool2d(one, 8) for one in (after, before))
        parts = {
            "swap_drawing": drawing.mean(),
            "swap_light": functional.l1_loss(light, shade),
            "swap_agent": 1 - (found * wanted).sum(1).mean(),
            "swap_grid": grid_of(after - before),
            "swap_realism": realism(self.critic(after[window]), mattes[window]),
        }
        total = sum_of(getattr(self.recipe.weights, name) * part for name, part in parts.items())
        figures = {name: float(part.detach()) for name, part in parts.items()}
        told = self.learn(total, real[window], after[window], mattes[window])
        return {**figures, **{f"swap_{name}": figure for name, figure in told.items()}}


def grid_of(change: Tensor) -> Tensor:
    """How much of a grid is in pictures, which a critic of few steps takes for detail.

    The enhancer makes four pixels of each place, by weights of their own. Detail falls on any of
    the four; a grid on one of them, again and again.

    Args:
        change: (B, 3, S, S), S a multiple of 8.

    Returns:
        Mean distance of the four from each other, each averaged over 8 x 8 pixels.
    """
    means = functional.avg_pool2d(functional.pixel_unshuffle(change, 2), 4)
    four = means.view(len(means), -1, 4, *means.shape[2:])
    return (four - four.mean(2, keepdim=True)).abs().mean()


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
