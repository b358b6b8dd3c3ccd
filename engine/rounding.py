"""Rounds to 8 bits so that the errors fall where recovery feels them least.

An error ``e`` of a cell of 8 x 8 pixels, 192 samples, comes back from recovery as about ``e' G e``,
where ``G`` is a network's *sensitivity*: fine detail of colour comes back with thousands of times
the energy of coarse light. Rounding each sample to its nearest level takes no notice of that. Here
each cell goes to a nearby point of the lattice of levels by that measure: Babai's nearest plane in
a basis that was reduced first. Nothing else changes: what comes out are 8 bits as any, and recovery
does not know how they were chosen. Sources: Lenstra, Lenstra and Lovász 1982; Babai, *On Lovász'
lattice reduction and the nearest lattice point problem*, 1986.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

COLOURS = 3

_STRIP_CELL = 2
"""Side of the cells of a strip that is too narrow for larger ones."""

_MASK_SHARE = 1.0
"""How much a level off the mask weighs beside a level off the original."""

_AT_ONCE = 2**21
"""Samples, at least of one row of cells; what is held for them takes some 80 MB."""

_BLOCK = 16
"""Coordinates that are settled before the others hear of them, all at once."""

_SCALE = 2**24
"""Of the reals that reduction, which counts in whole numbers, is given."""


class Lattice(NamedTuple):
    """A reduced basis of the lattice of levels of N samples, for one sensitivity.

    Attributes:
        basis: (N, N), whole numbers, determinant 1 or -1: a vector a column.
        triangle: (N, N), upper: lengths are those of ``triangle @ coordinates``.
    """

    basis: Tensor
    triangle: Tensor


def to_cells(image: Tensor, cell: int) -> Tensor:
    """Cut (B, 3, H, W), sides multiples of ``cell``, into cells: (B H W / cell², 3 cell²).

    The samples of one are the red of its pixels, row by row, then the green, then the blue.
    """
    count, colours, height, width = image.shape
    cut = image.reshape(count, colours, height // cell, cell, width // cell, cell)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(-1, colours * cell**2)


def from_cells(cells: Tensor, shape: torch.Size, cell: int) -> Tensor:
    """Undo :func:`to_cells`."""
    count, colours, height, width = shape
    laid = cells.reshape(count, height // cell, width // cell, colours, cell, cell)
    return laid.permute(0, 3, 1, 4, 2, 5).reshape(shape)


def cell_of(sensitivity: Tensor) -> int:
    """The side of the cells that a sensitivity is of.

    Raises:
        ValueError: no sensitivity: not of a square cell, or not symmetric and positive.
    """
    samples = len(sensitivity)
    cell = math.isqrt(samples // COLOURS)
    if sensitivity.shape != (COLOURS * cell**2, samples) or cell % _STRIP_CELL:
        raise ValueError(
            f"a sensitivity is square, of 12, 48, 108 ... samples, got {tuple(sensitivity.shape)}"
        )
    largest = float(sensitivity.abs().max())
    if not float((sensitivity - sensitivity.T).abs().max()) <= 1e-5 * largest:  # nor a NaN
        raise ValueError("a sensitivity is symmetric and has no negative eigenvalue")
    return cell


def within(sensitivity: Tensor, cell: int) -> Tensor:
    """The sensitivity of smaller cells, as the mean over those that a cell is made of."""
    whole = cell_of(sensitivity)
    places = to_cells(torch.arange(len(sensitivity)).view(1, COLOURS, whole, whole), cell)
    return torch.stack([sensitivity[at][:, at] for at in places]).mean(0)


def lattice_of(sensitivity: Tensor) -> Lattice:
    """Reduce the lattice of levels for a sensitivity, (N, N); those of the last few are kept.

    Raises:
        ValueError: no sensitivity, see :func:`cell_of`.
    """
    cell_of(sensitivity)
    values = sensitivity.detach().to("cpu", torch.float64).contiguous()
    return _lattice_of(values.numpy().tobytes())


@lru_cache(maxsize=16)
def _lattice_of(values: bytes) -> Lattice:
    flat = np.frombuffer(values, np.float64)
    samples = math.isqrt(len(flat))
    weights = flat.reshape(samples, samples)
    if np.linalg.eigvalsh(weights)[0] < -_MASK_SHARE / 2:
        raise ValueError("a sensitivity is symmetric and has no negative eigenvalue")
    weights = weights + _MASK_SHARE * np.eye(samples)
    vectors = np.linalg.cholesky(weights)  # a row for each sample, as long as its error is felt
    basis = _reduced(vectors / np.abs(vectors).max())
    triangle = np.linalg.qr(vectors.T @ basis)[1]
    return Lattice(torch.from_numpy(basis), torch.from_numpy(triangle))


def _reduced(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Whole combinations of the rows, one a column, that are short and nearly orthogonal."""
    from flint import fmpz_mat  # only needed where a sensitivity is known

    whole = [[int(value) for value in row] for row in np.rint(_SCALE * vectors)]
    _, combined = fmpz_mat(whole).lll(transform=True)
    return np.array([[int(value) for value in row] for row in combined.tolist()], np.float64).T


def round_by(image: Tensor, sensitivity: Tensor | None = None) -> Tensor:
    """Round to 8 bits, by a network's sensitivity.

    Args:
        image: (B, 3, H, W), H and W even, in [0, 1] but for what is clamped.
        sensitivity: of the network that recovers, (N, N), N = 3 cell²; or none, and each sample
            goes to its nearest level. A right or lower edge too narrow for a cell is cut into
            small ones.

    Returns:
        The same shape, each value a whole number of 255ths from 0 to 1.

    Raises:
        ValueError: no sensitivity, see :func:`cell_of`; or an odd side.
    """
    levels = 255 * image.detach().clamp(0, 1)
    if sensitivity is not None:
        cell, (height, width) = cell_of(sensitivity), levels.shape[-2:]
        if height % _STRIP_CELL or width % _STRIP_CELL:
            raise ValueError(f"sides must be even, got {width} x {height}")
        rows = max(1, _AT_ONCE // levels[..., :cell, :].numel()) * cell
        for band in torch.split(levels, rows, dim=2):
            _round_band(band, sensitivity, cell)
        levels.clamp_(0, 255)
    return (levels.round() / 255).to(image.dtype)


def _round_band(levels: Tensor, sensitivity: Tensor, cell: int) -> None:
    """Round in place: what is cut into cells, then what is left at the right, then below."""
    height, width = levels.shape[-2:]
    down, across = height // cell * cell, width // cell * cell
    for part, side in (
        (levels[..., :down, :across], cell),
        (levels[..., :down, across:], _STRIP_CELL),
        (levels[..., down:, :], _STRIP_CELL),
    ):
        if part.numel():
            lattice = lattice_of(sensitivity if side == cell else within(sensitivity, side))
            lattice = Lattice(*(one.to(levels.device) for one in lattice))
            part.copy_(from_cells(_nearest(to_cells(part, side), lattice), part.shape, side))


def _nearest(cells: Tensor, lattice: Lattice) -> Tensor:
    """Babai's nearest plane: one coordinate after the other, each making up for those before."""
    basis, triangle = lattice
    near = cells.round()
    left = (cells - near).double() @ torch.linalg.inv(basis).T
    ratios = triangle / torch.diagonal(triangle)[:, None]
    aims, taken = left.clone(), torch.empty_like(left)
    for end in range(len(basis), 0, -_BLOCK):
        start = max(0, end - _BLOCK)
        for i in reversed(range(start, end)):
            taken[:, i] = aims[:, i].round()
            left[:, i] -= taken[:, i]
            aims[:, start:i] += left[:, i, None] * ratios[start:i, i]
        aims[:, :start] += left[:, start:end] @ ratios[:start, start:end].T
    return near + (taken @ basis.T).to(cells.dtype)
