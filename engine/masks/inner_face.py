"""Where the inner face lies; so that the masks that cover it agree on what must be covered.

The canonical frame is that of the 112 px face crops of ArcFace: x to the right, y downwards, five
landmarks at fixed places. A *placement* is the (2, 3) affine matrix from this frame to the pixels
of a face picture. What covers a face covers brow to chin; what lays another face reaches higher,
see :mod:`engine.masks.portrait`.
"""

import cv2
import numpy as np
import numpy.typing as npt

from engine.errors import LandmarksError

FloatArray = npt.NDArray[np.float64]

LANDMARKS: FloatArray = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""The five landmarks in the canonical frame (x, y), as the ArcFace alignment defines them."""

CENTRE: FloatArray = np.array([56.0, 78.0])
"""Middle of the inner face, (x, y) in the canonical frame."""

AXES: FloatArray = np.array([43.0, 47.0])
"""Half width and half height of the inner face: brow to chin, cheek to cheek."""

POWER = 2.1
"""The inner face is a superellipse of this power, a little fuller than an ellipse (2)."""

_CORNER_REACH = 2.0 ** (1 / POWER)  # it is this much wider than the rectangle that it just covers
_SAFE_RADIUS = 0.75  # share of the inner face that a landmark may lie away from its middle
_SMALLEST_SHARE = 0.125  # of the picture's shorter side that the inner face's width must reach


def placement(height: int, width: int, landmarks: npt.ArrayLike | None) -> FloatArray:
    """Say where the inner face lies in a picture.

    With landmarks it is their similarity transform (Umeyama, IEEE TPAMI 1991), enlarged where a
    turned head brings the landmarks closer together, so that each of them stays well inside.
    Without landmarks the inner face is stretched until it covers the middle 80 % of both sides.

    Args:
        height: rows of the picture.
        width: columns of the picture.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order, or None.

    Returns:
        The ``(2, 3)`` matrix from the canonical frame to pixels.

    Raises:
        LandmarksError: landmarks of another shape, not finite, all in one place, or of a face that
            lies outside of the picture or is tiny in it: a mask placed by them would hide nothing.
    """
    if landmarks is None:
        return _centred(height, width)
    points = np.asarray(landmarks, dtype=np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all():
        raise LandmarksError(
            f"landmarks must be (5, 2) finite numbers, got {points.shape}",
            hint="pass None to cover the middle of the box",
        )
    matrix = _grown(_similarity(points), points)
    middle, across = matrix[:, :2] @ CENTRE + matrix[:, 2], 2 * np.hypot(*(matrix[:, 0] * AXES[0]))
    inside = (middle >= 0).all() and (middle < (width, height)).all()
    if not inside or across < _SMALLEST_SHARE * min(height, width):
        raise LandmarksError(
            "landmarks must be those of a face that fills the box, got a face beside it or tiny",
            hint="landmarks count from the box's corner; pass None to cover its middle",
        )
    return matrix


def inner_rectangle(
    height: int, width: int, landmarks: npt.ArrayLike | None
) -> tuple[int, int, int, int]:
    """Bound the inner face, as an XYXY box inside the picture.

    Args:
        height: rows of the picture.
        width: columns of the picture.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order, or None.

    Returns:
        ``(x0, y0, x1, y1)``, x1 and y1 exclusive; at least one pixel.

    Raises:
        LandmarksError: as :func:`placement`.
    """
    matrix = placement(height, width, landmarks)
    # An ellipse is bounded exactly; the inner face, a little fuller, reaches further at a slant.
    half = np.hypot(*(matrix[:, :2] * AXES).T) * 2.0 ** (0.5 - 1 / POWER)
    middle = matrix[:, :2] @ CENTRE + matrix[:, 2]
    low = np.floor(middle - half).astype(int)
    high = np.ceil(middle + half).astype(int)
    x0, y0 = min(max(0, int(low[0])), width - 1), min(max(0, int(low[1])), height - 1)
    return x0, y0, max(x0 + 1, min(width, int(high[0]))), max(y0 + 1, min(height, int(high[1])))


def _centred(height: int, width: int) -> FloatArray:
    size = np.array([width, height], dtype=np.float64)
    scale = 0.4 * size * _CORNER_REACH / AXES
    offset = (size - 1) / 2 - scale * CENTRE
    return np.array([[scale[0], 0.0, offset[0]], [0.0, scale[1], offset[1]]])


def _similarity(points: FloatArray) -> FloatArray:
    source, target = LANDMARKS - LANDMARKS.mean(0), points - points.mean(0)
    if np.abs(target).max() < 1e-3:
        raise LandmarksError(
            "landmarks must lie apart, got five in one place",
            hint="pass None to cover the middle of the box",
        )
    left, values, right = np.linalg.svd(target.T @ source)
    sign = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    linear = (left * sign) @ right * ((values * sign).sum() / (source**2).sum())
    return np.hstack([linear, (points.mean(0) - linear @ LANDMARKS.mean(0))[:, None]])


def _grown(matrix: FloatArray, points: FloatArray) -> FloatArray:
    linear, middle = matrix[:, :2], matrix[:, :2] @ CENTRE + matrix[:, 2]
    height = np.linalg.norm(points[3:].mean(0) - points[:2].mean(0))
    canonical = np.linalg.norm(LANDMARKS[3:].mean(0) - LANDMARKS[:2].mean(0))
    scale = np.sqrt(abs(np.linalg.det(linear)))
    if scale < 1e-6:
        raise LandmarksError(
            "landmarks must form a face, got points that do not",
            hint="pass None to cover the middle of the box",
        )
    grown = max(1.0, height / canonical / scale)
    inside = cv2.invertAffineTransform(
        np.hstack([linear * grown, (middle - linear * grown @ CENTRE)[:, None]])
    )
    radius = np.linalg.norm((points @ inside[:, :2].T + inside[:, 2] - CENTRE) / AXES, axis=1)
    grown *= max(1.0, float(radius.max()) / _SAFE_RADIUS)
    return np.hstack([linear * grown, (middle - linear * grown @ CENTRE)[:, None]])
