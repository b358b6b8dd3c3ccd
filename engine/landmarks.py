"""Finds landmarks exactly where a detector found them roughly, by the released landmark network.

CenterFace's are off by a tenth of the eyes' distance, and a face laid by them lies so far beside
its place.
"""

from typing import cast

import numpy as np
import numpy.typing as npt
import torch

from engine.images import from_u8
from engine.masks.portrait import Portrait, to_portrait
from engine.networks.landmarks import LandmarkRegressor
from engine.zoo import LANDMARKS, load_model

_FURTHEST = 0.35
"""Of the eyes' distance that landmarks are moved on average, at most; a detector is off by .1."""

F32 = npt.NDArray[np.float32]

_PASSES = 2
"""The second one sees the face where the first one put it, as most of training does."""


def refine_landmarks(face_u8: npt.NDArray[np.uint8], landmarks: npt.ArrayLike) -> F32:
    """Say exactly where the landmarks are that a detector found roughly.

    Args:
        face_u8: (H, W, 3), RGB, the crop of a face.
        landmarks: (5, 2), x and y in its pixels, ArcFace order.

    Returns:
        (5, 2), the same way; the detector's own where the network would have them far away: it has
        seen few faces in profile, and has no say there.

    Raises:
        LandmarksError: these cannot place a face, see :func:`engine.masks.portrait.to_portrait`.
        ModelError: as :func:`engine.zoo.load_model`.
    """
    rough = np.asarray(landmarks, np.float32)
    exact = exact_in(cast(LandmarkRegressor, load_model(LANDMARKS)), face_u8, rough)
    away = np.linalg.norm(exact - rough, axis=1).mean()
    return exact if away <= _FURTHEST * np.linalg.norm(rough[1] - rough[0]) else rough


def exact_in(
    network: LandmarkRegressor, face_u8: npt.NDArray[np.uint8], landmarks: npt.ArrayLike
) -> F32:
    """As :func:`refine_landmarks`, by any such network."""
    points = np.asarray(landmarks, np.float32)
    for _ in range(_PASSES):
        portrait = to_portrait(face_u8, points)
        with torch.inference_mode():
            found = network(from_u8(portrait.picture_u8).to(network.device))[0]
        points = take_back(found.float().cpu().numpy(), portrait)
    return points


def place_all(points: F32, portrait: Portrait) -> F32:
    """Points of a face, (5, 2) in its pixels, as a network knows them of its portrait."""
    turn, shift = portrait.matrix[:, :2], portrait.matrix[:, 2]
    placed = np.linalg.solve(turn, (points - shift).T).T
    return np.asarray((placed + 0.5) / len(portrait.picture_u8) - 0.5, np.float32)


def take_back(placed: F32, portrait: Portrait) -> F32:
    """What :func:`place_all` gives, back in pixels of the face."""
    pixels = (placed + 0.5) * len(portrait.picture_u8) - 0.5
    return np.asarray(pixels @ portrait.matrix[:, :2].T + portrait.matrix[:, 2], np.float32)
