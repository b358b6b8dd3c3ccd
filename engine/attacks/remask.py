"""Makes a mask again from what a header says of it, as anyone can who has the file."""

import numpy as np
import numpy.typing as npt

from engine.masks import MASKS, Preset, make_mask

__all__ = ["can_remask", "remask"]

_DRAWN = ("noise",)
"""Masks that differ each time though they need no landmarks: their seed is secret."""

_SCALED = " at 112 px"


def can_remask(label: str) -> bool:
    """Whether a mask is the same each time, so that its label says all of it.

    Args:
        label: of a header, as :func:`engine.masks.mask_label` writes it.
    """
    name = label.partition(":")[0]
    return name in MASKS and not MASKS[name].needs_landmarks and name not in _DRAWN


def remask(label: str, face_u8: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Lay the mask of a label over any picture.

    Args:
        label: of a header, as :func:`engine.masks.mask_label` writes it; see :func:`can_remask`.
        face_u8: (H, W, 3).

    Returns:
        The mask, same shape.

    Raises:
        MaskError: no mask of ours, or not for a picture of this size.
    """
    name, _, values = label.removesuffix(_SCALED).partition(":")
    pairs = (one.split("=") for one in values.split(",") if one)
    strength = {key: float(value) for key, value in pairs}
    preset: Preset = "scaled" if label.endswith(_SCALED) else "paper"
    return make_mask(name, face_u8, preset=preset, strength=strength)
