"""Tells the right key from wrong ones by what it shows, without the original and without a tag.

Each oracle gives a number for every key that was tried on one face; the higher, the more like the
right key. What a wrong key shows is public (the header says which way it was trained), so the way
to look is known as well.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from engine.attacks.remask import can_remask, remask
from engine.record import Header

__all__ = ["ORACLES", "area_under_curve"]

U8 = npt.NDArray[np.uint8]
Oracle = Callable[[Sequence[U8], U8, Header], list[float] | None]
"""Takes the pictures that keys show, the protected face, its header; None where it cannot tell."""


def _sharpness(shown: Sequence[U8], protected_u8: U8, header: Header) -> list[float]:
    """Noise is rougher than a face, and a decoy, an average laid on a blur, is smoother.

    Where a wrong key shows the mask, it is as rough as that.
    """
    if header.wrong == "obfs":
        masked = _roughness(protected_u8)
        return [abs(_roughness(picture_u8) - masked) for picture_u8 in shown]
    if header.wrong == "decoy":
        return [_roughness(picture_u8) for picture_u8 in shown]
    return [-_roughness(picture_u8) for picture_u8 in shown]


def _roughness(picture_u8: U8) -> float:
    levels = picture_u8.astype(np.float64)
    return float(np.abs(np.diff(levels, axis=0)).mean() + np.abs(np.diff(levels, axis=1)).mean())


def _mask_consistency(shown: Sequence[U8], protected_u8: U8, header: Header) -> list[float] | None:
    """The right picture under the public mask again is the protected one.

    Where a wrong key shows the mask, so may that be (pixels twice are pixels): there it counts by
    how much the mask brings a picture nearer to the protected one.
    """
    if not can_remask(header.mask):
        return None
    masked = [_rmse(remask(header.mask, picture_u8), protected_u8) for picture_u8 in shown]
    if header.wrong == "obfs":
        bare = [_rmse(picture_u8, protected_u8) for picture_u8 in shown]
        return [before - after for before, after in zip(bare, masked, strict=True)]
    return [-distance for distance in masked]


def _outlier(shown: Sequence[U8], protected_u8: U8, header: Header) -> list[float]:
    """Wrong pictures lie alike about their mean, the right one elsewhere."""
    del protected_u8, header
    mean = np.mean([picture_u8.astype(np.float64) for picture_u8 in shown], axis=0)
    distances = np.array([_rmse(picture_u8, mean) for picture_u8 in shown])
    return [float(value) for value in np.abs(distances - np.median(distances))]


def _rmse(first: npt.NDArray[np.generic], second: npt.NDArray[np.generic]) -> float:
    difference = first.astype(np.float64) - second.astype(np.float64)
    return float(np.sqrt(np.square(difference).mean()))


ORACLES: Mapping[str, Oracle] = {
    "sharpness": _sharpness,
    "mask_consistency": _mask_consistency,
    "outlier": _outlier,
}


def area_under_curve(right: float, wrong: Sequence[float]) -> float:
    """How often the right key scores above a wrong one, ties half: 0.5 is guessing, 1 certainty.

    Args:
        right: score of the right key.
        wrong: scores of wrong keys on the same face, one or more.
    """
    others = np.asarray(wrong)
    return float(np.mean(right > others) + np.mean(right == others) / 2)
