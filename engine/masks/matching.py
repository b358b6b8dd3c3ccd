"""What masks that lay another face share: its light and colour made those of the face that was.

Nothing finer than about a third of the face's width passes from the old face to the new one.
"""

from collections.abc import Iterable

import cv2
import numpy as np
import numpy.typing as npt

from engine.masks.portrait import SIDE

ALIKE = 0.3
"""Cosine from which on two laid faces may pass for one person; below the released recogniser's
threshold, since another one sees otherwise."""

_SOFT = 0.05
"""Of the step, in cosines, from two people to one: a pair just below the threshold counts too."""

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

UNKNOWN = 0.2
"""Cosine to who the face was, by the released recogniser, below which another face will do."""

_BROAD = 30.0
"""Standard deviation of the blur that is kept of the old face, in pixels of a portrait of 112."""


def lit_as(other: F32, portrait_u8: U8, matte: F32, detail: float = 1.0) -> U8:
    """Give another face the light and colour of the one that it shall replace.

    In CIE Lab, by the difference of both faces' low-passes over the inner face.

    Args:
        other: (S, S, 3), RGB in [0, 255], in the place of a portrait.
        portrait_u8: (S, S, 3), of the face that is replaced.
        matte: (S, S), where its inner face is.
        detail: contrast of the other face's own detail; more than 1 sharpens it.

    Returns:
        (S, S, 3); of use within the inner face.
    """
    new, old = _lab(other), _lab(portrait_u8.astype(np.float32))
    own = _low_pass(new, matte)
    lit = new + _low_pass(old, matte) - own
    lit[..., 0] += (detail - 1) * (new - own)[..., 0]
    return _rgb_u8(lit)


def tone_of(portrait_u8: U8, matte: F32) -> F32:
    """Mean colour of the inner face, which lies where the matte, (S, S), says: (3,), CIE Lab."""
    weighed = matte[..., None] * _lab(portrait_u8.astype(np.float32))
    return np.asarray(weighed.sum(axis=(0, 1)) / matte.sum(), np.float32)


def same_person(first_u8: U8, second_u8: U8, landmarks: F32) -> bool:
    """Tell whether the released recogniser takes two pictures for one person's.

    Args:
        first_u8: (H, W, 3), RGB.
        second_u8: the same face's place, with another face.
        landmarks: (5, 2), x and y in pixels of both, ArcFace order.

    Raises:
        ModelError: as :func:`engine.recognition.find_recognizer`.
    """
    from engine.images import from_u8  # torch takes seconds to load
    from engine.recognition import cosines, find_recognizer

    threshold = find_recognizer().threshold
    cosine = float(cosines(from_u8(first_u8), from_u8(second_u8), [landmarks]))
    return threshold is None or cosine >= threshold


def least_known(face_u8: U8, landmarks: F32, tried: Iterable[U8]) -> U8:
    """Take the first picture in which the released recogniser sees little of a face's person.

    Args:
        face_u8: (H, W, 3), RGB.
        landmarks: (5, 2), x and y in its pixels, ArcFace order.
        tried: one picture or more of its shape, with other faces in its place.

    Returns:
        That picture, or the one of all in which it sees least.

    Raises:
        ModelError: as :func:`engine.recognition.find_recognizer`.
    """
    from engine.images import from_u8  # torch takes seconds to load
    from engine.recognition import embed

    own = embed(from_u8(face_u8), [landmarks])[0]
    best: tuple[float, U8] | None = None
    for made_u8 in tried:
        cosine = float(embed(from_u8(made_u8), [landmarks])[0] @ own)
        if best is None or cosine < best[0]:
            best = cosine, made_u8
        if cosine < UNKNOWN:
            break
    assert best is not None
    return best[1]


def most_unlike(made: F32, count: int, threshold: float = ALIKE) -> npt.NDArray[np.int64]:
    """Choose the faces that are least often taken for each other.

    From all of them the one goes that is most alike to those that are left, again and again.

    Args:
        made: (A, F, D), embeddings of length 1 of each; several where each can be drawn on F faces.
        count: how many are wanted; all where they are no more.
        threshold: cosine from which on two are taken for one person.

    Returns:
        (N,) indices, rising; N is ``count``, or A where that is less.
    """
    if len(made) <= count:
        return np.arange(len(made))
    alike = np.zeros((len(made), len(made)), np.float32)
    for of_face in made.transpose(1, 0, 2):
        alike += 1 / (1 + np.exp((threshold - of_face @ of_face.T) / _SOFT))
    np.fill_diagonal(alike, 0)
    left, sums = np.ones(len(made), bool), alike.sum(1)
    for _ in range(len(made) - count):
        worst = int(np.where(left, sums, -np.inf).argmax())
        left[worst] = False
        sums -= alike[worst]
    return np.flatnonzero(left)


def _lab(picture: F32) -> F32:
    return np.asarray(cv2.cvtColor(np.clip(picture / 255, 0, 1), cv2.COLOR_RGB2LAB), np.float32)


def _rgb_u8(lab: F32) -> U8:
    rgb = cv2.cvtColor(lab.astype(np.float32), cv2.COLOR_LAB2RGB)
    return np.asarray(np.clip(255 * rgb + 0.5, 0, 255), np.uint8)


def _low_pass(picture: F32, matte: F32) -> F32:
    """Blur the inner face, as if nothing else were there."""
    sigma = _BROAD * len(picture) / SIDE
    weighed = cv2.GaussianBlur(matte[..., None] * picture, (0, 0), sigma)
    weights = cv2.GaussianBlur(matte, (0, 0), sigma)
    return np.asarray(weighed / np.maximum(weights, 1e-6)[..., None], np.float32)
