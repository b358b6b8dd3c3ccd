"""Measures how an error of a shared picture comes back, for :mod:`engine.rounding`."""

from collections.abc import Callable
from typing import cast

import numpy as np
import torch
from torch import Tensor

from engine.networks.embedder import Embedder
from engine.networks.imn import Imn
from engine.rounding import SAMPLES, to_cells
from engine.scramble import Shuffle, random_shuffles, scramble, unscramble
from engine.training.batches import Batch
from engine.training.recipes import ImnRecipe, Recipe

_DRAWS = 4
_STEP = 1e-3
"""Of the differences that stand for derivatives: a quarter of a level."""

Recovery = Callable[[Tensor], Tensor]


def sensitivity_of(recover: Recovery, protected: Tensor, draws: int = _DRAWS) -> tuple[float, ...]:
    """Estimate ``E[J' J]`` of a recovery's Jacobian ``J`` within the cells of pictures.

    For white noise ``z`` the mean of ``(J' J z) z'`` is ``J' J`` (Hutchinson 1989), of which the
    part within a cell is kept, as the mean over all cells: an error in one cell is felt beside it
    too, but no cell knows of its neighbours' errors.

    Args:
        recover: (B, 3, H, W) to the same shape, differentiable.
        protected: (B, 3, H, W) in [0, 1], H and W even.
        draws: of the noise.

    Returns:
        144 numbers, row by row: a symmetric matrix without negative eigenvalues.
    """
    generator = torch.Generator().manual_seed(0)
    total = torch.zeros(SAMPLES, SAMPLES, dtype=torch.float64)
    for _ in range(draws):
        noise = torch.randn(protected.shape, generator=generator).to(protected)
        with torch.no_grad():
            ahead, behind = (recover(protected + way * noise) for way in (_STEP, -_STEP))
        felt = (ahead - behind) / (2 * _STEP)
        at = protected.detach().clone().requires_grad_()
        (back,) = torch.autograd.grad(recover(at), at, felt)
        total += (to_cells(back).T.double() @ to_cells(noise).double()).cpu()
    mean = total / (draws * len(to_cells(protected)))
    values, vectors = torch.linalg.eigh((mean + mean.T) / 2)
    found = vectors @ torch.diag(values.clamp_min(0)) @ vectors.T
    return tuple(float(f"{value:.6g}") for value in ((found + found.T) / 2).flatten().tolist())


def both_ways(
    model: Embedder | Imn, batch: Batch, recipe: Recipe, rng: np.random.Generator
) -> tuple[Tensor, Recovery]:
    """What a network in training makes of a batch, and its way back with the right key."""
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
        no_key = torch.zeros_like(key_map)
        made = model.protect(scramble(original, shuffle), mask, no_key)
        return made, lambda s: unscramble(model.recover(s, no_key), shuffle)
