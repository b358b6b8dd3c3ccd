"""Why here: recognisers want every face in the same place: five landmarks onto ArcFace's five.

The template is insightface's own, so that a face aligned here is the face that its packs expect.
"""

from functools import lru_cache
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from engine.errors import ImageShapeError

SIDE = 112
"""Side of an aligned face in pixels."""

TYPICAL = (
    (0.369, 0.413), (0.625, 0.410), (0.498, 0.561), (0.393, 0.675), (0.611, 0.673)
)  # fmt: skip
"""Mean landmarks of the training faces, as x and y over the sides of a crop of margin 1.35."""

_Pixels = TypeVar("_Pixels", npt.NDArray[np.uint8], npt.NDArray[np.float32])


@lru_cache(maxsize=1)
def template() -> npt.NDArray[np.float32]:
    """Where ArcFace wants the five landmarks: (5, 2), x and y in pixels of a face of 112 x 112.

    Source: Deng et al., ArcFace, 2019; the points are those of ``insightface.utils.face_align``.
    """
    from insightface.utils import face_align  # it takes a second to load

    points: npt.NDArray[np.float32] = face_align.arcface_dst
    return points


def typical_landmarks(height: int, width: int) -> npt.NDArray[np.float32]:
    """Where the landmarks of a crop are on average, for want of better: (5, 2), x and y in pixels.

    Args:
        height: rows of a crop as :func:`engine.crops.crop_box` makes them, with its usual margin.
        width: columns of it.
    """
    return np.array(TYPICAL, np.float32) * np.array((width, height), np.float32)


def similarity(landmarks: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Find the turn, scale and shift that bring landmarks nearest to the template (Umeyama 1991).

    Args:
        landmarks: (5, 2), x and y in pixels, ArcFace order.

    Returns:
        (2, 3): maps (x, y, 1) of the face to x, y of the aligned one.

    Raises:
        ImageShapeError: not five finite points, or all in one place.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (5, 2) or not np.isfinite(points).all() or not np.ptp(points, axis=0).any():
        raise ImageShapeError(
            f"landmarks must be five different points (5, 2), got {points.shape}",
            hint="pass what engine.detect found, or None where it is not known",
        )
    # Least squares in complex numbers: what scikit-image finds, forty times as fast, and training
    # does it for every face.
    faces, wanted = (_complex(some) for some in (points, template()))
    spread = faces - faces.mean()
    turn = np.vdot(spread, wanted) / np.vdot(spread, spread).real
    shift = wanted.mean() - turn * faces.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def _complex(points: npt.NDArray[np.floating]) -> npt.NDArray[np.complex128]:
    return points[:, 0].astype(np.float64) + 1j * points[:, 1]


def align(face: _Pixels, landmarks: npt.ArrayLike | None = None) -> _Pixels:
    """Warp a face so that its landmarks lie where a recogniser expects them.

    Without landmarks the face is taken for a crop of the usual margin and its landmarks for
    :func:`typical_landmarks`: a fixed resize and shift. That suits faces that look ahead; measure
    with landmarks where they are known.

    Args:
        face: (H, W, 3), uint8 or float32 of any range.
        landmarks: (5, 2), x and y in its pixels, ArcFace order.

    Returns:
        (112, 112, 3) of the same kind; black where it reaches beyond the face.

    Raises:
        ImageShapeError: not such a face, or not such landmarks.
    """
    if face.ndim != 3 or face.shape[2] != 3 or not face.size:
        raise ImageShapeError(
            f"face must be (H, W, 3), got {face.shape}", hint="pass one RGB picture"
        )
    points = typical_landmarks(*face.shape[:2]) if landmarks is None else landmarks
    warped: _Pixels = cv2.warpAffine(face, similarity(points), (SIDE, SIDE), borderValue=0.0)
    return warped
