"""Lays masks over the faces of a whole photograph, each at its own place and size."""

import contextlib
import functools
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from engine.errors import MaskError
from engine.faces import Face, Region, crop, paste
from engine.masks import MASKS, Preset, Strength, make_mask


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
        seed: of masks that draw something, 0 or more; each next face has the next seed.

    Returns:
        A new photo of the same size.

    Raises:
        MaskError: as :func:`engine.masks.make_mask`; never for landmarks that cannot be used.
        BoxError, ImageError: as :func:`engine.faces.crop`.
    """
    masked_u8 = photo_u8.copy()
    make = functools.partial(make_mask, mask, preset=preset, strength=strength)
    placed = mask in MASKS and MASKS[mask].needs_landmarks
    lay = _mask_placed if placed else _mask_box
    for face in (face for region in regions for face in region.faces):
        for part in (face.others if placed else ()) or (face,):
            masked_u8 = paste(masked_u8, part.box, lay(make, crop(masked_u8, part.box), part, seed))
            seed += 1
    return masked_u8


def _mask_box(
    make: Callable[..., npt.NDArray[np.uint8]],
    crop_u8: npt.NDArray[np.uint8],
    face: Face,
    seed: int,
) -> npt.NDArray[np.uint8]:
    del face
    return make(crop_u8, seed=seed)


def _mask_placed(
    make: Callable[..., npt.NDArray[np.uint8]],
    crop_u8: npt.NDArray[np.uint8],
    face: Face,
    seed: int,
) -> npt.NDArray[np.uint8]:
    """Lay the mask where the landmarks say, or hide the whole crop where they cannot say it.

    Landmarks may be unknown, a profile's eyes may coincide, and a face cut by the edge has points
    outside. The face may then be anywhere in the crop, and the mask covers only its middle: all of
    the crop is blurred beyond recognition first, which hides more, not less.
    """
    if face.landmarks is not None:
        landmarks = face.landmarks - np.array(face.box[:2], np.float32)
        with contextlib.suppress(MaskError):
            return make(crop_u8, landmarks=landmarks, seed=seed)
    return make(make_mask("extreme_blur", crop_u8), seed=seed)
