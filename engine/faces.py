"""Why here: where the faces are: detect, five landmarks, crop boxes, cut out and paste back.

A crop is an axis-aligned box at the photo's own pixels: nothing is resampled. Faces are numbered
from 1, left to right, by their place in the list. Finding too much is preferred to finding too
little, because a missed face leaves in the clear.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from engine import detectors
from engine.crops import MARGIN, MIN_SIDE, crop, crop_box, overlap, paste, touches, union
from engine.errors import NoFaceError
from engine.images import Box, check_photo, even_box

__all__ = [
    "MARGIN",
    "MIN_SCORE",
    "MIN_SIDE",
    "Face",
    "Region",
    "crop",
    "crop_box",
    "detect",
    "faces_from_boxes",
    "merge_overlapping",
    "no_face_error",
    "paste",
    "select",
    "whole_face",
]

MIN_SCORE = 0.4
"""Detections below are left out; low, since one face too many is better than one in the clear."""


@dataclass(frozen=True)
class Face:
    """A face of a photo.

    Attributes:
        box: what to protect, XYXY in whole pixels, far sides exclusive, margin included.
        detection: XYXY as the detector gave it; may reach beyond the photo. The box itself, where
            a person drew it.
        landmarks: ``(5, 2)`` float32, x and y in pixels of the photo, ArcFace order: image-left
            eye, image-right eye, nose, left and right mouth corner. None where unknown.
        score: the detector's, 0..1; 1 where a person said that here is a face.
        others: the faces found in a drawn box that holds several, their boxes inside it; a mask
            that lies where a face is goes over each of them. Empty otherwise.
        rough: whether the landmarks are about a tenth of the eyes' distance off, as CenterFace's
            are; :func:`engine.landmarks.landmarks_in` gives better ones then.
    """

    box: Box
    detection: tuple[float, float, float, float]
    landmarks: npt.NDArray[np.float32] | None = field(compare=False)
    score: float
    others: tuple["Face", ...] = field(default=(), compare=False)
    rough: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Region:
    """A box to cut out, and the faces in it: several where their boxes overlap.

    Attributes:
        box: holds the boxes of all its faces; XYXY in whole pixels, far sides exclusive.
        faces: one or more, in the order of their numbers.
    """

    box: Box
    faces: tuple[Face, ...]


def detect(
    photo_u8: npt.NDArray[np.uint8],
    *,
    detector: str = "centerface",
    min_score: float = MIN_SCORE,
    margin: float = MARGIN,
) -> list[Face]:
    """Find the faces of a photo.

    CenterFace looks at long sides of 320, 640 and 1600 pixels (at most twice the photo's own), or
    up to 3200 where the photo has them. On the last it sees faces of about 24 pixels of height,
    and clear ones from 15: in a photo 4000 pixels wide, from about 30.

    Args:
        photo_u8: ``(H, W, 3)``, RGB, 0..255, upright.
        detector: ``"centerface"``, or ``"insightface:NAME"``: a pack on this machine, by its name
            in ``INSIGHTFACE_HOME/models`` (``~/.insightface/models``) or by its path. insightface's
            own pretrained packs are for non-commercial research only.
        min_score: 0.05 to 1; lower finds more faces and more that are none.
        margin: side of the crop over the longer side of the detection, at least 1.

    Returns:
        Left to right by their middles, ties top to bottom. Empty where none is found, which is
        not the same as nothing to hide: see :func:`no_face_error`.

    Raises:
        ImageShapeError, ImageTooLargeError: as :func:`engine.images.check_photo`.
        BoxError: ``margin`` below 1.
        ModelError, UnknownModelError, WeightsMissingError: as :func:`engine.detectors.find`.
    """
    check_photo(photo_u8)
    height, width = photo_u8.shape[:2]
    faces = [
        Face(
            crop_box(found.corners, height, width, margin),
            found.corners,
            found.landmarks,
            found.score,
            rough=found.rough,
        )
        for found in detectors.find(photo_u8, detector, min_score)
        if touches(found.corners, height, width)
    ]
    return sorted(faces, key=_place)


def select(faces: Sequence[Face], choice: str, min_score: float = MIN_SCORE) -> list[Face]:
    """Choose faces by their numbers.

    Args:
        faces: as :func:`detect` gave them.
        choice: ``"all"``, or numbers from 1 with commas between, such as ``"1,3"``.
        min_score: that they were found with.

    Returns:
        The chosen ones in their own order, each once.

    Raises:
        NoFaceError: no such number, not a number, or nothing to choose from.
    """
    if not faces:
        raise no_face_error(min_score=min_score)
    if choice.strip().lower() == "all":
        return list(faces)
    words = [word.strip() for word in choice.split(",")]
    numbers = {int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 9}
    known = all(word.isascii() and word.isdigit() and len(word) < 9 for word in words)
    if not known or not numbers <= set(range(1, len(faces) + 1)):
        raise NoFaceError(
            f"faces must be 'all' or numbers from 1 to {len(faces)}, got {choice!r}",
            hint=f"{len(faces)} found, numbered left to right; commas between, as in 1,3",
        )
    return [faces[number - 1] for number in sorted(numbers)]


def no_face_error(
    photo_u8: npt.NDArray[np.uint8] | None = None, min_score: float = MIN_SCORE
) -> NoFaceError:
    """Build the error to raise where nothing was found, so that no clear face leaves.

    Args:
        photo_u8: ``(H, W, 3)``; its size is named, if given.
        min_score: that was looked with; a lower one is proposed where that may help.
    """
    size = "" if photo_u8 is None else f" of {photo_u8.shape[1]}x{photo_u8.shape[0]}"
    return NoFaceError(
        f"expected at least one face, found none in the picture{size}",
        hint="try --min-score 0.2, or " * (min_score > 0.2)
        + "say where with --whole or --box X0,Y0,X1,Y1",
    )


def faces_from_boxes(
    boxes: Sequence[Box],
    height: int,
    width: int,
    *,
    photo_u8: npt.NDArray[np.uint8] | None = None,
    detector: str = "centerface",
) -> list[Face]:
    """Take boxes that a person drew, in the person's order, grown only to even sides.

    Args:
        boxes: XYXY in whole pixels, far sides exclusive; at least one.
        height: rows of the photo.
        width: columns of the photo.
        photo_u8: ``(height, width, 3)``; if given, faces are looked for inside each box.
        detector: as in :func:`detect`.

    Returns:
        One face for each box, with the landmarks of the one face found in it; with several found,
        without landmarks and with these as ``others``.

    Raises:
        NoFaceError: no box.
        BoxError: a box is empty or leaves the photo.
        ImageError, ModelError: as :func:`detect`, if a photo is given.
    """
    if not boxes:
        raise no_face_error(photo_u8)
    faces = []
    for drawn in boxes:
        face = Face(even_box(drawn, height, width), _floats(drawn), None, 1.0)
        faces.append(face if photo_u8 is None else _looked_into(photo_u8, face, detector))
    return faces


def whole_face(photo_u8: npt.NDArray[np.uint8], *, detector: str = "centerface") -> Face:
    """Take the whole picture as one face, for ready-made crops; the sides stay odd if they are.

    Args:
        photo_u8: ``(H, W, 3)``, RGB, 0..255.
        detector: looks for the faces in it, as in :func:`detect`.

    Returns:
        One face, as :func:`faces_from_boxes` makes it of a box.

    Raises:
        ImageError, ModelError: as :func:`detect`.
    """
    check_photo(photo_u8)
    box = (0, 0, photo_u8.shape[1], photo_u8.shape[0])
    return _looked_into(photo_u8, Face(box, _floats(box), None, 1.0), detector)


def merge_overlapping(faces: Sequence[Face], height: int, width: int) -> list[Region]:
    """Join boxes that overlap, until none do, so that each pixel is protected once.

    Args:
        faces: any number, with boxes inside the picture.
        height: rows of the picture.
        width: columns of the picture.

    Returns:
        Regions with even sides (where the picture allows), left to right; no two overlap.

    Raises:
        BoxError: a box is empty or leaves the picture.
    """
    regions: list[tuple[Box, list[int]]] = []
    for number, face in enumerate(faces):
        box, members = even_box(face.box, height, width), [number]
        while hit := next((region for region in regions if overlap(box, region[0])), None):
            regions.remove(hit)
            box, members = even_box(union(box, hit[0]), height, width), members + hit[1]
        regions.append((box, members))
    return [Region(box, tuple(faces[i] for i in sorted(known))) for box, known in sorted(regions)]


def _place(face: Face) -> tuple[float, float]:
    x0, y0, x1, y1 = face.detection
    return x0 + x1, y0 + y1


def _looked_into(photo_u8: npt.NDArray[np.uint8], drawn: Face, detector: str) -> Face:
    """Add what is found in a drawn box: every face, because one that is left out stays clear."""
    left, top = drawn.box[:2]
    found = [
        _moved(face, left, top) for face in detect(crop(photo_u8, drawn.box), detector=detector)
    ]
    if len(found) == 1:
        return replace(drawn, landmarks=found[0].landmarks, rough=found[0].rough)
    return replace(drawn, others=tuple(found))


def _moved(face: Face, right: int, down: int) -> Face:
    (x0, y0, x1, y1), (u0, v0, u1, v1), points = face.box, face.detection, face.landmarks
    return replace(
        face,
        box=(x0 + right, y0 + down, x1 + right, y1 + down),
        detection=(u0 + right, v0 + down, u1 + right, v1 + down),
        landmarks=None if points is None else points + np.array((right, down), np.float32),
    )


def _floats(box: Box) -> tuple[float, float, float, float]:
    return float(box[0]), float(box[1]), float(box[2]), float(box[3])
