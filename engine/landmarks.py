"""Refines landmarks that a detector found roughly, by the released landmark network.

CenterFace's are off by a tenth of the eyes' distance, and a face laid by them lies so far beside
its place.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch

from engine.errors import LandmarksError
from engine.faces import Face
from engine.images import from_u8
from engine.masks.portrait import Portrait, to_portrait
from engine.networks.landmarks import LandmarkRegressor
from engine.zoo import LANDMARKS, load_model

_FURTHEST = 0.35
"""Of the eyes' distance that landmarks are moved on average, at most; a detector is off by .1."""

F32 = npt.NDArray[np.float32]

_PASSES = 2
"""The second one sees the face where the first one put it, as most of training does."""


@dataclass(frozen=True, eq=False)
class Refined:
    """Landmarks of a face in its crop.

    Attributes:
        points: (5, 2), x and y in pixels of the crop, ArcFace order.
        doubtful: whether the network would have them elsewhere by far, or nowhere: they are the
            detector's own then, and nobody knows how good.
    """

    points: F32
    doubtful: bool = False


def landmarks_in(crop_u8: npt.NDArray[np.uint8], face: Face) -> Refined | None:
    """Landmarks of a face in its crop, refined if whoever gave them is known to be off.

    Args:
        crop_u8: (H, W, 3), RGB, what :func:`engine.faces.crop` cuts out by the face's box.
        face: with or without landmarks, in pixels of the photo.

    Returns:
        None where the face has none.

    Raises:
        LandmarksError, ModelError: as :func:`refine_landmarks`.
    """
    if face.landmarks is None:
        return None
    points = face.landmarks - np.array(face.box[:2], np.float32)
    return refine_landmarks(crop_u8, points) if face.rough else Refined(points)


def refine_landmarks(face_u8: npt.NDArray[np.uint8], landmarks: npt.ArrayLike) -> Refined:
    """Say better where the landmarks are that a detector found roughly.

    Args:
        face_u8: (H, W, 3), RGB, the crop of a face.
        landmarks: (5, 2), x and y in its pixels, ArcFace order.

    Returns:
        The detector's own where the network would have them far away, as in profile, of which it
        has seen little, or where they would place no face, as at a picture's edge.

    Raises:
        LandmarksError: these cannot place a face, see :func:`engine.masks.portrait.to_portrait`.
        ModelError: as :func:`engine.zoo.load_model`.
    """
    return refined_by(cast(LandmarkRegressor, load_model(LANDMARKS)), face_u8, landmarks)


def refined_by(
    network: LandmarkRegressor, face_u8: npt.NDArray[np.uint8], landmarks: npt.ArrayLike
) -> Refined:
    """As :func:`refine_landmarks`, by any such network."""
    rough = np.asarray(landmarks, np.float32)
    portrait = to_portrait(face_u8, rough)
    try:
        for _ in range(_PASSES):
            with torch.inference_mode():
                found = network(from_u8(portrait.picture_u8).to(network.device))[0]
            points = take_back(found.float().cpu().numpy(), portrait)
            portrait = to_portrait(face_u8, points)
    except LandmarksError:
        return Refined(rough, doubtful=True)
    away = np.linalg.norm(points - rough, axis=1).mean()
    believed = away <= _FURTHEST * np.linalg.norm(rough[1] - rough[0])
    return Refined(points) if believed else Refined(rough, doubtful=True)


def place_all(points: F32, portrait: Portrait) -> F32:
    """Points of a face, (5, 2) in its pixels, as a network knows them of its portrait."""
    turn, shift = portrait.matrix[:, :2], portrait.matrix[:, 2]
    placed = np.linalg.solve(turn, (points - shift).T).T
    return np.asarray((placed + 0.5) / len(portrait.picture_u8) - 0.5, np.float32)


def take_back(placed: F32, portrait: Portrait) -> F32:
    """What :func:`place_all` gives, back in pixels of the face."""
    pixels = (placed + 0.5) * len(portrait.picture_u8) - 0.5
    return np.asarray(pixels @ portrait.matrix[:, :2].T + portrait.matrix[:, 2], np.float32)
