"""Measures how an error of a shared picture comes back, for :mod:`engine.rounding`."""

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import Tensor

from engine.networks.embedder import Embedder
from engine.networks.imn import Imn
from engine.rounding import COLOURS, to_cells
from engine.scramble import Shuffle, random_shuffles, scramble, unscramble
from engine.training.batches import Batch
from engine.training.recipes import ImnRecipe, Recipe

_STEP = 1e-3
"""Of the differences that stand for derivatives: a quarter of a level."""

Recovery = Callable[[Tensor], Tensor]


def sensitivity_of(recover: Recovery, protected: Tensor, cell: int) -> Tensor:
    """Measure ``E[J' J]`` of a recovery's Jacobian ``J`` within the cells of pictures.

    One sample of every other cell, of every other row of them, is moved at a time, and what comes
    of it is taken from the square of twice a cell's side around: an error is felt beside its cell
    too, but no cell knows of its neighbours' errors.

    Args:
        recover: (B, 3, H, W) to the same shape.
        protected: (B, 3, H, W) in [0, 1], H and W at least twice the cell; beyond a multiple of
            that nothing is looked at.
        cell: side of a cell in pixels, even.

    Returns:
        (3 cell², 3 cell²), the mean over the cells that were moved: symmetric, without negative
        eigenvalues.

    Raises:
        ValueError: a picture too small for it.
    """
    square = 2 * cell
    height, width = (side // square * square for side in protected.shape[-2:])
    if not height or not width:
        size = " x ".join(map(str, protected.shape[:-3:-1]))
        raise ValueError(f"pictures must be {square} px or more each way, got {size}")
    protected = protected[..., :height, :width]
    # Of random sign, so that what reaches into another's square adds up to nothing.
    places = len(protected), height // square, width // square
    signs = torch.randint(0, 2, places, generator=torch.Generator().manual_seed(0))
    signs = 2 * signs.to(protected) - 1
    felt = []
    with torch.no_grad():
        still = recover(protected)
        for colour in range(COLOURS):
            for row in range(cell):
                for column in range(cell):
                    moved = protected.clone()
                    moved[:, colour, row::square, column::square] += _STEP * signs
                    change = (recover(moved) - still) / _STEP
                    around = change.roll((cell // 2, cell // 2), (-2, -1))
                    felt.append(to_cells(around, square))
    responses = torch.stack(felt, 1).double()
    return (responses @ responses.mT).mean(0).float()


def both_ways(
    model: Embedder | Imn, batch: Batch, recipe: Recipe, rng: np.random.Generator
) -> tuple[Tensor, Recovery]:
    """What a network in training makes of a batch, and its way back with the right key.

    What was scrambled comes back weighed as it was, but in its new places: as much is felt there.
    """
    original, mask, key_map = batch.original, batch.mask, batch.key_map
    with torch.no_grad():
        if isinstance(recipe, ImnRecipe):
            keyless = cast(Imn, model)
            return keyless.protect(original, mask), keyless.recover
        model = cast(Embedder, model)
        if not recipe.scrambled:
            return model.protect(original, mask, key_map), lambda s: model.recover(s, key_map)
        generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
        count, _, height, width = original.shape
        shuffle = random_shuffles(count, height, width, generator)
        shuffle = Shuffle(shuffle.source.to(original.device), shuffle.signs.to(original.device))
        unmoved = Shuffle(shuffle.source.sort(1).values, torch.ones_like(shuffle.signs))
        no_key = torch.zeros_like(key_map)
        made = model.protect(scramble(original, shuffle), mask, no_key)
        return made, lambda s: unscramble(model.recover(s, no_key), unmoved)
