"""Makes a portrait clear that another face was laid in, as large as the face needs it."""

from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import numpy.typing as npt

from engine.errors import MaskError
from engine.images import from_u8, to_u8
from engine.masks.portrait import Portrait, lay_back, to_portrait
from engine.zoo import load_model

if TYPE_CHECKING:
    from engine.networks.enhancer import Enhancer

ENHANCER = "enhancer.v3"
"""The released enhancer."""

ENHANCED = 0.75
"""Share of the enhancer's picture of what swappers draw, by default.

On training faces a recogniser finds swaps about as near to real faces from a half on, and with all
of it lines are harder."""

_TWICE_FROM = 1.3
"""Pixels of the face for each of the portrait from which on twice the pixels show."""

_WIDER = 3.0
"""Times a portrait's matte, up to 1, is where another face lies alone while it is made clear."""

U8 = npt.NDArray[np.uint8]


def enhance(portrait_u8: U8, scale: int = 1, model: str = ENHANCER) -> U8:
    """Give a portrait the detail that blur, few pixels or an average have taken from it.

    What it gives is what faces look like. It has learned to make of a poor portrait the very face
    that it was, hair and all around being that person's; and of a face that a swapper drew, one
    that a critic takes for real. It guesses at no more than is to be seen.

    Args:
        portrait_u8: (S, S, 3), RGB, from :func:`engine.masks.portrait.to_portrait`, S even.
        scale: 1, or 2 for twice the side.
        model: a released enhancer.

    Returns:
        (S * scale, S * scale, 3).

    Raises:
        ImageShapeError: another scale, or an odd side.
        ModelError: as :func:`engine.zoo.load_model`.
    """
    import torch

    network = cast("Enhancer", load_model(model))
    with torch.inference_mode():
        made = network(from_u8(portrait_u8).to(network.device), scale)
    return to_u8(made.float().clamp(0, 1).cpu())


def scale_for(matrix: npt.NDArray[np.float64]) -> int:
    """The scale that a face needs.

    Args:
        matrix: (2, 3), from its portrait's pixels to its own.
    """
    pixels = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    return 2 if pixels > _TWICE_FROM else 1


def check_enhance(enhance: float) -> None:
    """Refuse a share that is none.

    Raises:
        MaskError: a number outside [0, 1].
    """
    if not 0 <= enhance <= 1:
        raise MaskError(
            f"enhance must lie in [0, 1], got {enhance:g}",
            hint="1 makes the face clear, 0 does not",
        )


def hide(portrait_u8: U8, matte: npt.NDArray[np.float32], other_u8: U8) -> U8:
    """Lay another face in a portrait for an enhancer to see.

    Wider than the matte, or its seam would hold twice as much of the face that was.

    Args:
        portrait_u8: (S, S, 3), RGB.
        matte: (S, S) in [0, 1], where its inner face lies.
        other_u8: (S, S, 3), another face in its place.

    Returns:
        (S, S, 3).
    """
    hidden = np.minimum(_WIDER * matte, 1)[..., None]
    return np.asarray(np.rint(hidden * other_u8 + (1 - hidden) * portrait_u8), np.uint8)


def lay_clear(
    face_u8: U8, landmarks: npt.ArrayLike | None, portrait: Portrait, other_u8: U8, clear: float
) -> U8:
    """Lay another inner face over the face that a portrait is of, made clear first if wanted.

    Args:
        face_u8: (H, W, 3), RGB.
        landmarks: (5, 2), x and y in its pixels, ArcFace order.
        portrait: of it.
        other_u8: (S, S, 3), another face in the portrait's place, of use within the inner face.
        clear: share of the enhancer's picture, 0 to 1; at twice the side, where the face is large
            enough to show it.

    Returns:
        (H, W, 3), equal to the face outside the inner face.

    Raises:
        ModelError: as :func:`enhance`.
    """
    if not clear:
        return lay_back(face_u8, other_u8, portrait)
    scale = scale_for(portrait.matrix)
    shown_u8 = hide(portrait.picture_u8, portrait.matte, other_u8)
    clear_u8 = enhance(shown_u8, scale)
    if clear < 1:
        large_u8 = cv2.resize(shown_u8, clear_u8.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        clear_u8 = np.asarray(cv2.addWeighted(clear_u8, clear, large_u8, 1 - clear, 0), np.uint8)
    place = portrait if scale == 1 else to_portrait(face_u8, landmarks, len(clear_u8))
    return lay_back(face_u8, clear_u8, place)
