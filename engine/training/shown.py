"""Swaps as masks lay them, portraits as recognisers see them: aligned, for a loss shaken too."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from engine.alignment import SIDE as ALIGNED_SIDE
from engine.masks.portrait import canonical_to_portrait
from engine.masks.swap import LUMA


def lightened(pictures: Tensor, others: Tensor, share: float) -> Tensor:
    """Pictures, (B, 3, S, S), a share of the way as light as others, as masks lay a swap.

    What is beyond [0, 1] in the others, or in what comes out, is cut off, as there.
    """
    luma = torch.tensor(LUMA, device=pictures.device).view(3, 1, 1)
    change = ((others.clamp(0, 1) - pictures) * luma).sum(1, keepdim=True)
    return (pictures + share * change).clamp(0, 1)


def aligned(portraits: Tensor) -> Tensor:
    """Portraits, (B, 3, S, S), as a recogniser wants its faces: (B, 3, 112, 112)."""
    side = portraits.shape[-1]
    matrix = canonical_to_portrait(side)
    line = torch.arange(ALIGNED_SIDE, dtype=torch.float32, device=portraits.device)
    across, down = (
        2 * (float(matrix[axis, axis]) * line + float(matrix[axis, 2]) + 0.5) / side - 1
        for axis in (0, 1)
    )
    grid = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1)
    grid = grid.expand(len(portraits), -1, -1, -1)
    return functional.grid_sample(portraits, grid, padding_mode="border", align_corners=False)


def shaken(faces: Tensor, rng: np.random.Generator) -> Tensor:
    """Aligned faces, (B, 3, S, S), each a little turned, scaled and moved, half of them mirrored.

    Most batches are made coarse besides, and half of the faces lack a part. What a recogniser sees
    in them all the same is a face, all over it, and not a pattern made to please it: an unseen one
    then sees it too.
    """
    count, side = len(faces), faces.shape[-1]
    angle, scale = rng.normal(0, 0.06, count), np.exp(rng.normal(0, 0.04, count))
    flip = np.where(rng.random(count) < 0.5, -1.0, 1.0)
    across, down = scale * np.cos(angle), scale * np.sin(angle)
    shift = rng.normal(0, 0.03, (count, 2))
    theta = np.stack([flip * across, -down, shift[:, 0], flip * down, across, shift[:, 1]], 1)
    matrices = torch.from_numpy(theta.reshape(count, 2, 3).astype(np.float32)).to(faces.device)
    grid = functional.affine_grid(matrices, list(faces.shape), align_corners=False)
    if rng.random() < 0.7:
        coarse = int(side * rng.uniform(0.3, 0.9))
        small = functional.interpolate(faces, (coarse, coarse), mode="bilinear", antialias=True)
        faces = functional.interpolate(small, (side, side), mode="bilinear")
    left = torch.ones(count, 1, side, side, device=faces.device)
    for one in np.flatnonzero(rng.random(count) < 0.5):
        height, width = (int(side * share) for share in rng.uniform(0.2, 0.45, 2))
        y, x = rng.integers(0, side - height), rng.integers(0, side - width)
        left[one, :, y : y + height, x : x + width] = 0
    # What is left out is as bright as the face: a hole would be seen first of all.
    faces = faces * left + faces.mean((2, 3), keepdim=True) * (1 - left)
    return functional.grid_sample(faces, grid, padding_mode="border", align_corners=False)
