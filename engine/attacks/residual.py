"""Looks at protected minus mask under the microscope: amplified, a faint outline is a face.

The attacker has the protected picture and the mask, or an estimate of it, and no key.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.errors import ImageRangeError, ImageShapeError
from engine.images import check_photo

MID_GREY: Final = 128
MAX_TIMES: Final = 50.0
TILE: Final = 8
"""Side of the tiles that the baseline shuffles, pixels: what is alike nearby stays so."""

SHUFFLES: Final = 50


@dataclass(frozen=True)
class Outline:
    """How much of a face's outline a residual shows.

    Attributes:
        correlation: of the residual's gradient magnitude with the original's, -1 to 1.
        shuffled: the mean of the same where the original's tiles are shuffled: what chance gives.
        spread: standard deviation of those.
    """

    correlation: float
    shuffled: float
    spread: float


def residual(
    protected_u8: npt.NDArray[np.uint8], mask_u8: npt.NDArray[np.uint8]
) -> npt.NDArray[np.float32]:
    """Subtract the mask.

    Args:
        protected_u8: ``(H, W, 3)``.
        mask_u8: of the same size.

    Returns:
        ``(H, W, 3)`` in levels, -255 to 255.

    Raises:
        ImageShapeError: not pictures, or of unequal sizes.
    """
    check_photo(protected_u8)
    _check_size("mask_u8", mask_u8, protected_u8.shape)
    return protected_u8.astype(np.float32) - mask_u8


def amplify(
    protected_u8: npt.NDArray[np.uint8], mask_u8: npt.NDArray[np.uint8], times: float
) -> npt.NDArray[np.uint8]:
    """Make the residual visible: mid-grey plus ``times`` (protected - mask), clipped.

    Args:
        protected_u8: ``(H, W, 3)``.
        mask_u8: of the same size.
        times: 1 to :data:`MAX_TIMES`.

    Returns:
        ``(H, W, 3)``; 128 where the two are equal.

    Raises:
        ImageShapeError: as :func:`residual`.
        ImageRangeError: ``times`` outside its limits.
    """
    if not 1 <= times <= MAX_TIMES:
        raise ImageRangeError(
            f"times must lie in [1, {MAX_TIMES:g}], got {times}", hint="10 shows most"
        )
    grey = MID_GREY + times * residual(protected_u8, mask_u8)
    amplified: npt.NDArray[np.uint8] = np.rint(grey).clip(0, 255).astype(np.uint8)
    return amplified


def outline_correlation(
    residual: npt.NDArray[np.float32], original_u8: npt.NDArray[np.uint8], seed: int = 0
) -> Outline:
    """Correlate the edges of a residual with those of the original.

    Args:
        residual: ``(H, W, 3)`` in any unit, from :func:`residual`.
        original_u8: ``(H, W, 3)``, sides of at least two tiles of :data:`TILE`.
        seed: of the shuffles, 0 or more.

    Returns:
        Pearson's correlation over all pixels of whole tiles, and its baseline; 0 where one of the
        two has the same gradient everywhere, as an empty residual has.

    Raises:
        ImageShapeError: not of the same size, or too small.
    """
    check_photo(original_u8)
    _check_size("residual", residual, original_u8.shape)
    if min(original_u8.shape[:2]) < 2 * TILE:
        raise ImageShapeError(
            f"sides must be at least {2 * TILE} pixels, got {original_u8.shape[:2]}",
            hint="take a larger crop",
        )
    found, wanted = _tiles(_gradient(residual)), _tiles(_gradient(original_u8))
    draw = np.random.default_rng(seed)
    chance = [_correlation(found, draw.permutation(wanted)) for _ in range(SHUFFLES)]
    return Outline(_correlation(found, wanted), float(np.mean(chance)), float(np.std(chance)))


def _gradient(picture: npt.NDArray[np.uint8] | npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Magnitude over both directions and all colours, (H, W)."""
    down, right = np.gradient(picture.astype(np.float64), axis=(0, 1))
    magnitude: npt.NDArray[np.float64] = np.sqrt((down**2 + right**2).sum(2))
    return magnitude


def _tiles(plane: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Cut (H, W) in whole tiles, (tiles, TILE, TILE); what is left over at the edges is dropped."""
    rows, columns = (side // TILE for side in plane.shape)
    whole = plane[: rows * TILE, : columns * TILE].reshape(rows, TILE, columns, TILE)
    return whole.swapaxes(1, 2).reshape(-1, TILE, TILE)


def _correlation(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = math.sqrt(float((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / scale if scale > 0 else 0.0


def _check_size(
    name: str,
    picture: npt.NDArray[np.uint8] | npt.NDArray[np.float32],
    shape: tuple[int, ...],
) -> None:
    if picture.shape != shape:
        raise ImageShapeError(
            f"{name} must have the shape of the other picture, {shape}, got {picture.shape}",
            hint="cut both with the same box",
        )
