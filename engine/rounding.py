"""Rounds to 8 bits so that the errors fall where recovery feels them least.

An error ``e`` of a cell of 2 x 2 pixels, 12 samples, comes back from recovery as about ``e' G e``,
where ``G`` is a network's *sensitivity*: fine detail of colour comes back ten thousand times as
strong as coarse light. Rounding each sample to its nearest level takes no notice of that. Here each
cell goes to a nearby point of the lattice of levels by that measure: Babai's nearest plane in a
basis that was reduced first. Nothing else changes: what comes out are 8 bits as any, and recovery
does not know how they were chosen. Sources: Lenstra, Lenstra and Lovász 1982; Babai, *On Lovász'
lattice reduction and the nearest lattice point problem*, 1986.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

CELL = 2
SAMPLES = 3 * CELL**2
"""Of a cell: red, green and blue of its pixels, row by row."""

_MASK_SHARE = 0.3
"""How much a level off the mask weighs beside a level off the original."""

_AT_ONCE = 2**17
"""Cells; what is held for them takes some 30 MB."""

_SCALE = 2**24
"""Of the reals that reduction, which counts in whole numbers, is given."""


class Lattice(NamedTuple):
    """A reduced basis of the lattice of levels, for one sensitivity.

    Attributes:
        basis: (12, 12), whole numbers, determinant 1 or -1: a vector a column.
        triangle: (12, 12), upper: lengths are those of ``triangle @ coordinates``.
    """

    basis: Tensor
    triangle: Tensor


def to_cells(image: Tensor) -> Tensor:
    """Cut (B, 3, H, W), H and W even, into cells: (B H W / 4, 12)."""
    count, colours, height, width = image.shape
    cut = image.reshape(count, colours, height // CELL, CELL, width // CELL, CELL)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(-1, SAMPLES)


def from_cells(cells: Tensor, shape: torch.Size) -> Tensor:
    """Undo :func:`to_cells`."""
    count, colours, height, width = shape
    laid = cells.reshape(count, height // CELL, width // CELL, colours, CELL, CELL)
    return laid.permute(0, 3, 1, 4, 2, 5).reshape(shape)


@lru_cache(maxsize=16)
def lattice_of(sensitivity: tuple[float, ...]) -> Lattice:
    """Reduce the lattice of levels for a sensitivity, 144 numbers, row by row; the last are kept.

    Raises:
        ValueError: no sensitivity: another length, or not symmetric and positive.
    """
    weights = np.array(sensitivity, np.float64)
    if weights.size != SAMPLES**2:
        raise ValueError(f"a sensitivity has {SAMPLES**2} numbers, got {weights.size}")
    weights = weights.reshape(SAMPLES, SAMPLES)
    if not np.allclose(weights, weights.T) or np.linalg.eigvalsh(weights)[0] < -_MASK_SHARE / 2:
        raise ValueError("a sensitivity is symmetric and has no negative eigenvalue")
    weights = weights + _MASK_SHARE * np.eye(SAMPLES)
    vectors = np.linalg.cholesky(weights)  # a row for each sample, as long as its error is felt
    basis = _reduced(vectors / np.abs(vectors).max())
    triangle = np.linalg.qr(vectors.T @ basis)[1]
    return Lattice(torch.from_numpy(basis), torch.from_numpy(triangle))


def _reduced(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Whole combinations of the rows, one a column, that are short and nearly orthogonal."""
    from sympy import QQ, ZZ  # slow to import, and only needed where a sensitivity is known
    from sympy.polys.matrices import DomainMatrix

    whole = [[ZZ(int(value)) for value in row] for row in np.rint(_SCALE * vectors)]
    matrix = DomainMatrix(whole, (SAMPLES, SAMPLES), ZZ)
    _, combined = matrix.lll_transform(delta=QQ(99, 100))
    return np.array(combined.to_list(), np.float64).T


def round_by(image: Tensor, sensitivity: tuple[float, ...] = ()) -> Tensor:
    """Round to 8 bits, by a network's sensitivity.

    Args:
        image: (B, 3, H, W), H and W even, in [0, 1] but for what is clamped.
        sensitivity: of the network that recovers, 144 numbers; or none, and each sample goes to
            its nearest level.

    Returns:
        The same shape, each value a whole number of 255ths from 0 to 1.
    """
    levels = 255 * image.detach().clamp(0, 1)
    if sensitivity:
        lattice = lattice_of(tuple(sensitivity))
        parts = torch.split(to_cells(levels), _AT_ONCE)
        found = torch.cat([_nearest(part, lattice) for part in parts])
        levels = from_cells(found, image.shape).clamp(0, 255)
    return (levels.round() / 255).to(image.dtype)


def _nearest(cells: Tensor, lattice: Lattice) -> Tensor:
    """Babai's nearest plane: one coordinate after the other, each making up for those before."""
    basis, triangle = (part.to(cells.device) for part in lattice)
    near = cells.round()
    wanted = (cells - near).double() @ torch.linalg.inv(basis).T
    taken = torch.zeros_like(wanted)
    for i in reversed(range(SAMPLES)):
        owed = (wanted[:, i + 1 :] - taken[:, i + 1 :]) @ (triangle[i, i + 1 :] / triangle[i, i])
        taken[:, i] = (wanted[:, i] + owed).round()
    return near + (taken @ basis.T).to(cells.dtype)
