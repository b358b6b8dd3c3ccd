"""Lays another face where the inner face was: the frame in which faces are swapped, there and back.

A *portrait* is a square picture of a face that has been turned and sized so that the inner face
always lies in the same place, with some hair and cheek around it. Masks that replace a face by
another look at portraits only; what they make is laid back at the face's own pixels.
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.errors import LandmarksError
from engine.masks.inner_face import AXES, CENTRE, POWER, FloatArray, placement

SIDE = 112
"""Side of a portrait for which the numbers below are given, in pixels."""

SHARE = 0.9
"""Scale at which a portrait shows the canonical frame: some hair and cheek are in it too."""

LIFT = 14.0
"""Pixels by which the inner face lies higher than in the canonical frame, which shows it low."""

_HIGHER = 11.0
"""Pixels of the canonical frame by which a face that is replaced reaches above one that is covered.

Brows and half of the forehead go too: recognisers know people by them, under any other face."""

_SOFT = 0.16
"""Width of the matte's seam, as a share of the inner face's radius; all of it lies inside."""

_NOSE = 17.6
"""Half the distance of the eyes in the canonical frame, pixels: so far a nose in profile moves."""

_STRAIGHT = 0.2
"""Share of it up to which a face looks straight ahead."""

_NARROWER = 0.6
"""Share of its half width that the inner face loses where it is turned away, in profile."""

_BESIDE = 4.0
"""Pixels of a portrait that the inner face reaches beyond each landmark, its seam not counted."""

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Portrait:
    """A face in the frame in which faces are swapped.

    Attributes:
        picture_u8: (S, S, 3), RGB; what the face's crop does not show is its border mirrored.
        landmarks: (5, 2), x and y in its pixels, ArcFace order.
        matrix: (2, 3), from the portrait's pixels to the face's.
    """

    picture_u8: npt.NDArray[np.uint8]
    landmarks: F32
    matrix: FloatArray

    @property
    def matte(self) -> F32:
        """Where its inner face lies: (S, S) in [0, 1], of :func:`inner_matte`."""
        return inner_matte(len(self.picture_u8), self.landmarks)


def to_portrait(
    face_u8: npt.NDArray[np.uint8], landmarks: npt.ArrayLike | None, side: int = SIDE
) -> Portrait:
    """Turn and size a face so that its inner face lies where every portrait has it.

    Args:
        face_u8: (H, W, 3), RGB.
        landmarks: (5, 2), x and y in its pixels, ArcFace order.
        side: of the portrait, in pixels.

    Raises:
        LandmarksError: no landmarks, since a face cannot be replaced where nobody knows how it
            lies; or such as cannot be used, see :func:`engine.masks.inner_face.placement`.
    """
    if landmarks is None:
        raise LandmarksError(
            "another face needs the landmarks of the one that it replaces, and none were found",
            hint="take a mask that covers the whole box, such as gaussian or pixelate",
        )
    height, width = face_u8.shape[:2]
    to_face = placement(height, width, landmarks)
    to_frame = canonical_to_portrait(side)
    matrix = _after(to_face, cv2.invertAffineTransform(to_frame))
    picture_u8 = _warp(face_u8, matrix, side)
    points = np.asarray(landmarks, np.float64)
    inverse = cv2.invertAffineTransform(matrix)
    placed = points @ inverse[:, :2].T + inverse[:, 2]
    return Portrait(picture_u8, placed.astype(np.float32), matrix)


def _warp(face_u8: npt.NDArray[np.uint8], matrix: FloatArray, side: int) -> npt.NDArray[np.uint8]:
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale > 1.5:  # a plain warp would skip pixels of a large face
        face_u8 = cv2.GaussianBlur(face_u8, (0, 0), 0.4 * scale)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(
        face_u8, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)


def _after(second: FloatArray, first: FloatArray) -> FloatArray:
    """The matrix that does ``first``, then ``second``."""
    return np.asarray(np.vstack([second, [0, 0, 1]]) @ np.vstack([first, [0, 0, 1]]))[:2]


def inner_matte(side: int = SIDE, landmarks: npt.ArrayLike | None = None) -> F32:
    """Where the inner face lies in a portrait: (S, S) in [0, 1], soft on its inside.

    A turned face ends nearer to its middle on the side that is turned away, which the nose points
    to: what lies beyond is background, but for the outer ends of brow and cheek, and stays.

    Args:
        side: of the portrait, in pixels.
        landmarks: (5, 2), x and y in its pixels, ArcFace order; of a face that looks straight
            ahead where there are none, which covers every other one's.
    """
    y, x = np.mgrid[:side, :side].astype(np.float64)
    scale = side / SIDE
    to_frame = canonical_to_portrait(side)
    middle = to_frame[:, :2] @ (CENTRE - [0, _HIGHER / 2]) + to_frame[:, 2]
    tall = (AXES[1] + _HIGHER / 2) * SHARE * scale
    left, right = _half_widths(middle[0], scale, landmarks)
    across = np.where(x < middle[0], (middle[0] - x) / left, (x - middle[0]) / right)
    down = np.abs((y - middle[1]) / tall)
    radius = (across**POWER + down**POWER) ** (1 / POWER)
    ramp = np.clip((1 - radius) / _SOFT, 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def _half_widths(
    middle: float, scale: float, landmarks: npt.ArrayLike | None
) -> tuple[float, float]:
    """From the middle to the inner face's left and right border, in pixels."""
    whole = AXES[0] * SHARE * scale
    if landmarks is None:
        return whole, whole
    across = np.asarray(landmarks, np.float64)[:, 0]
    turned = (across[2] - across[[0, 1, 3, 4]].mean()) / (_NOSE * SHARE * scale)
    narrow = whole * (1 - _NARROWER * np.clip(abs(turned) - _STRAIGHT, 0, 1))
    reach = across.max() - middle if turned > 0 else middle - across.min()
    narrow = float(np.clip((reach + _BESIDE * scale) / (1 - _SOFT), narrow, whole))
    return (whole, narrow) if turned > 0 else (narrow, whole)


def canonical_to_portrait(side: int = SIDE) -> FloatArray:
    """The (2, 3) matrix from the canonical frame, which ArcFace sees, to a portrait's pixels."""
    middle, scale = (SIDE - 1) / 2, side / SIDE
    shift = middle * (1 - SHARE) - np.array([0, LIFT])
    # Whole numbers are the middles of pixels, so the halves do not scale.
    shift = scale * (shift + 0.5) - 0.5
    return np.array([[scale * SHARE, 0, shift[0]], [0, scale * SHARE, shift[1]]])


def lay_back(
    face_u8: npt.NDArray[np.uint8], changed_u8: npt.NDArray[np.uint8], portrait: Portrait
) -> npt.NDArray[np.uint8]:
    """Lay the inner face of a changed portrait over the face it came from.

    Outside the inner face every pixel stays as it was, with all its detail.

    Args:
        face_u8: (H, W, 3).
        changed_u8: (S, S, 3), of the portrait's side.
        portrait: that it was, or one of another side: it says where in the face it lies.

    Returns:
        (H, W, 3), a new array.
    """
    height, width = face_u8.shape[:2]
    layer = np.dstack([changed_u8.astype(np.float32), portrait.matte])
    laid = cv2.warpAffine(
        layer,
        portrait.matrix,
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    share = np.clip(laid[..., 3:], 0, 1)
    mixed = share * np.clip(laid[..., :3], 0, 255) + (1 - share) * face_u8
    return np.asarray(np.where(share > 0, mixed + 0.5, face_u8), dtype=np.uint8)
