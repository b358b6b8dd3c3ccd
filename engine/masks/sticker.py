"""A cartoon over the face: the mask that hides who it is and keeps the picture cheerful."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from engine.masks.cartoon import CANVAS, ORIGIN, draw
from engine.masks.inner_face import FloatArray, placement

_SIDES = (96, 128, 192, 256, 384, 512, 768, 1024)
_CACHED_SIDE = 256

_draw_small = lru_cache(maxsize=256)(draw)


def sticker(
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
) -> npt.NDArray[np.uint8]:
    """Hide a face behind a cartoon that turns and grows with it.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order; None covers the middle of the box.
        seed: which character, 0 or more; equal seeds draw equal stickers.

    Returns:
        The mask, same shape as ``face_u8``.

    Raises:
        MaskError: landmarks that cannot be used.
    """
    colour, matte = sticker_layer(*face_u8.shape[:2], landmarks=landmarks, seed=seed)
    laid = colour + face_u8 * (1.0 - matte)
    return np.asarray(np.clip(laid + 0.5, 0, 255), dtype=np.uint8)


def sticker_layer(
    height: int, width: int, *, landmarks: npt.ArrayLike | None = None, seed: int = 0
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Place a sticker in an empty picture.

    Args:
        height: rows of the picture.
        width: columns of the picture.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order; None covers the middle of the box.
        seed: which character, 0 or more.

    Returns:
        ``(colour, matte)``: RGB already multiplied by the matte, ``(H, W, 3)`` in [0, 255], and the
        matte, ``(H, W, 1)`` in [0, 1].

    Raises:
        MaskError: landmarks that cannot be used.
    """
    matrix = placement(height, width, landmarks)
    side = _side_for(matrix)
    art = _draw_small(seed, side) if side <= _CACHED_SIDE else draw(seed, side)
    unit = CANVAS / side
    shift = np.array(
        [[unit, 0.0, ORIGIN[0] + unit / 2], [0.0, unit, ORIGIN[1] + unit / 2], [0, 0, 1]]
    )
    to_face = matrix @ shift
    laid = cv2.warpAffine(art, to_face, (width, height), flags=cv2.INTER_LINEAR)
    return laid[:, :, :3].astype(np.float32), laid[:, :, 3:].astype(np.float32) / 255.0


def _side_for(matrix: FloatArray) -> int:
    shown = CANVAS * float(np.linalg.norm(matrix[:, :2], axis=0).max())
    return next((side for side in _SIDES if side * 1.15 >= shown), _SIDES[-1])
