"""Tells whether something dark covers a face's eyes, as sunglasses do, and where it lies."""

import cv2
import numpy as np
import numpy.typing as npt

from engine.masks.inner_face import FloatArray

DARK = 0.37
"""Lightness around both eyes, as a share of the cheeks', below which something dark covers them.

Fewer than one in a hundred training faces are below, and of those looked at nine in ten wore
sunglasses; the others are lit from below or in deep shade."""

_EYE = 0.22
_CHEEK = 0.15
_GLASS = 0.45
"""Radii in distances of the eyes: of an eye with its lids, of a cheek, of a glass."""

_LIT = 80.0
"""Percentile of lightness that is taken of an eye: that of its lids, not of pupil and lashes."""

_DOWN = 0.55
"""Share of the way from an eye to the corner of the mouth at which a cheek lies."""


def eyes_are_covered(portrait_u8: npt.NDArray[np.uint8], landmarks: npt.ArrayLike) -> bool:
    """Tell whether both eyes are much darker than the cheeks below them.

    Args:
        portrait_u8: (S, S, 3), RGB.
        landmarks: (5, 2), x and y in its pixels, ArcFace order.
    """
    points = np.asarray(landmarks, np.float64)
    lab = cv2.cvtColor(portrait_u8.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    light = np.asarray(lab[..., 0], np.float32)
    apart = _apart(points)
    shares = []
    for eye, corner in zip(points[:2], points[3:], strict=True):
        lids = light[_disc(light.shape[0], eye, _EYE * apart)]
        cheek = light[_disc(light.shape[0], eye + _DOWN * (corner - eye), _CHEEK * apart)]
        if not (len(lids) and len(cheek)):  # outside the portrait: nothing can be said
            return False
        shares.append(float(np.percentile(lids, _LIT)) / max(float(np.median(cheek)), 1.0))
    return max(shares) < DARK


def glasses_matte(side: int, landmarks: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Where sunglasses would lie: (S, S), 1 around both eyes, 0 elsewhere.

    Args:
        side: of the portrait, in pixels.
        landmarks: as of :func:`eyes_are_covered`.
    """
    points = np.asarray(landmarks, np.float64)
    left, right = (_disc(side, eye, _GLASS * _apart(points)) for eye in points[:2])
    return np.asarray(left | right, np.float32)


def _apart(points: FloatArray) -> float:
    return float(np.linalg.norm(points[1] - points[0]))


def _disc(side: int, middle: FloatArray, radius: float) -> npt.NDArray[np.bool_]:
    y, x = np.mgrid[:side, :side]
    return np.asarray((x - middle[0]) ** 2 + (y - middle[1]) ** 2 < radius**2)
