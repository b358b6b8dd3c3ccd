"""Lays masks over the faces of a whole photograph, each at its own place and size."""

import functools
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from engine.errors import MaskError
from engine.faces import Face, Region, crop, paste
from engine.masks import Preset, Strength, make_mask


def mask_faces(
    photo_u8: npt.NDArray[np.uint8],
    regions: Sequence[Region],
    mask: str,
    *,
    preset: Preset = "scaled",
    strength: Strength | None = None,
    seed: int = 0,
) -> npt.NDArray[np.uint8]:
    """Lay the mask over every face of every region; the preview of what will be seen.

    Args:
        photo_u8: (H, W, 3).
        regions: from :func:`engine.faces.merge_overlapping`.
        mask: name in :data:`engine.masks.MASKS`.
        preset: scaled with the face, or the papers' 112 px settings as they are.
        strength: settings that replace the preset's.
        seed: of masks that draw something.
    """
    masked_u8 = photo_u8.copy()
    make = functools.partial(make_mask, mask, preset=preset, strength=strength)
    for face in (face for region in regions for face in region.faces):
        mask_u8 = _mask_face(make, crop(masked_u8, face.box), face, seed)
        masked_u8 = paste(masked_u8, face.box, mask_u8)
        seed += 1
    return masked_u8


def _mask_face(
    make: Callable[..., npt.NDArray[np.uint8]],
    crop_u8: npt.NDArray[np.uint8],
    face: Face,
    seed: int,
) -> npt.NDArray[np.uint8]:
    """Mask one crop by its landmarks, or all of it where the landmarks cannot place the mask.

    A profile's eyes may coincide, and a face cut by the edge has points outside. The mask is then
    laid over the whole crop, which hides more, not less.
    """
    if face.landmarks is None:
        return make(crop_u8, seed=seed)
    landmarks = face.landmarks - np.array(face.box[:2], np.float32)
    try:
        return make(crop_u8, landmarks=landmarks, seed=seed)
    except MaskError:
        return make(crop_u8, seed=seed)
