"""Bends a portrait so that its five landmarks lie elsewhere, and its border stays where it is."""

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]


def bend(portrait: F32, landmarks: npt.ArrayLike, goal: npt.ArrayLike) -> F32:
    """Move landmarks of a portrait by a thin-plate spline (Bookstein, IEEE TPAMI 1989).

    Args:
        portrait: (S, S, 3), of any range.
        landmarks: (5, 2), x and y where they are.
        goal: (5, 2), where they shall be.

    Returns:
        (S, S, 3); corners and middles of the border keep their places.
    """
    side = len(portrait)
    border = _border(side)
    wanted = np.vstack([np.asarray(goal, np.float64), border])
    found = np.vstack([np.asarray(landmarks, np.float64), border])
    weights = _weights(side, wanted.tobytes())
    places = (weights @ found).reshape(side, side, 2).astype(np.float32)
    bent = cv2.remap(
        portrait, places[..., 0], places[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(bent, np.float32)


def _border(side: int) -> F64:
    ends = (0.0, (side - 1) / 2, side - 1.0)
    return np.array([(x, y) for y in ends for x in ends if (x, y) != (ends[1], ends[1])])


@lru_cache(maxsize=4)  # a group of faces is bent to one goal
def _weights(side: int, wanted: bytes) -> F64:
    """How much each control point moves each pixel: (S * S, points)."""
    control = np.frombuffer(wanted).reshape(-1, 2)
    count = len(control)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _kernel(control, control)
    system[:count, count:] = np.hstack([np.ones((count, 1)), control])
    system[count:, :count] = system[:count, count:].T
    y, x = np.mgrid[:side, :side].astype(np.float64)
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    values = np.hstack([_kernel(pixels, control), np.ones((len(pixels), 1)), pixels])
    return np.asarray(values @ np.linalg.inv(system)[:, :count])


def _kernel(points: F64, control: F64) -> F64:
    squared = ((points[:, None] - control[None]) ** 2).sum(axis=-1)
    return np.asarray(squared * np.log(np.maximum(squared, 1e-12)) / 2)
