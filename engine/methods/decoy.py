"""Why here: somebody else's face for a wrong key: that of nobody, laid over what was shared."""

import contextlib
import functools
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from engine import detectors
from engine.alignment import typical_landmarks
from engine.errors import LandmarksError
from engine.masks import MASKS
from engine.masks.inner_face import AXES, CENTRE, placement
from engine.masks.ksame import ksame
from engine.methods.signature import BoundKey

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

_MADE: Final = 320  # longest side that a decoy is made at; larger ones are enlarged
_LOOKED_AT: Final = 224  # longest side in which a face is looked for
_LEAST_SCORE: Final = 0.4
_LEAST_WIDTH: Final = 0.2  # of the shorter side, that a found face takes up
_MOST_FACES: Final = 4

_SOFT: Final = 4 / 112  # blur of what was shared, over the shorter side: blocks and hair go
_FAR: Final = 12 / 112  # blur that carries the rim's colours into a covered middle
_RIM: Final = 0.09  # share of the shorter side at which what is around the face stays sharp

_CHARACTER: Final = 2.2
"""How far an average is exaggerated, more than in the mask, so that keys show different people."""

_CHOICES: Final = 150
"""Averages that keys choose from, more than the mask's seeds, so that two seldom show the same."""

_COLOURLESS: Final = ("edge", "noise")
"""Masks that fill the box and keep little of the skin's colour; what covers a face keeps none."""

_SKINS: Final = ((48.0, 15.0, 19.0), (68.0, 15.0, 17.0))
"""CIE Lab of the darkest and lightest skin painted; about the averages of ``ksame.v4``."""

_HAIRS: Final = ((12, 1, 2), (20, 5, 6), (30, 9, 14), (42, 12, 22), (62, 7, 26), (58, 0, 3))
"""CIE Lab, black to grey."""

_HEAD: Final = ((0, -6), AXES * (1.06, 1.2))
_HAIR: Final = ((0, -30), AXES * (1.3, 1.3))
"""Ellipses in the frame of :mod:`engine.masks.inner_face`: middle from its middle, half axes."""


def lay_decoy(shared_u8: U8, key: BoundKey, mask: str = "") -> U8:
    """Lay a face that is nobody's over what was shared (DecoyWR): the same for the same key.

    Every face that is found in what was shared, or else one where the face of a crop lies on
    average, is covered by the average of ten or more others, :func:`engine.masks.ksame.ksame`,
    chosen by the seed ``key.stream(context, "decoy", 8)``, u64be, and exaggerated. What the mask
    has changed around it is blurred, and where the mask keeps no colour of skin, a head is painted.
    Nothing else goes in, so that the decoy tells nothing of the original that what was shared did
    not tell. The networks that swap faces draw worse ones here: they need sharp surroundings.

    An onlooker who sees the wrong key's picture takes it for what was hidden, and another wrong key
    shows another face. Someone with this code can lay the same face over the same picture, and so
    knows that it is a decoy and that the key was wrong: against him it hides nothing, nor does it
    have to, since the tag tells him the same.

    Args:
        shared_u8: the place as it was shared, (h, w, 3).
        key: any.
        mask: its name, with or without settings, as a header names it; empty where unknown.

    Returns:
        (h, w, 3), a new array.

    Raises:
        ModelError: the averages are not here, as :func:`engine.zoo.load_model`. Nothing is shown
            in their place.
    """
    height, width = shared_u8.shape[:2]
    kind = _Kind.of(mask)
    smaller = min(1.0, _MADE / max(height, width))
    small_u8 = _resized(shared_u8, max(1, round(smaller * height)), max(1, round(smaller * width)))
    seed = int.from_bytes(key.key.stream(key.context, "decoy", 8), "big")
    made_u8 = _resized(_lay(small_u8, seed, kind), height, width)
    if not kind.placed:
        return made_u8
    inside = _inside(height, width)
    return np.asarray(cv2.blendLinear(made_u8, shared_u8, inside, 1 - inside), np.uint8)


@dataclass(frozen=True)
class _Kind:
    """What a mask leaves of a box.

    Attributes:
        placed: it lies where the face is, and leaves what is around the face.
        covers: it lies over the face and lets nothing of its colours through.
        pale: the face's place has not the colour of skin.
        clear: it is another face, and all around it is as it was.
    """

    placed: bool
    covers: bool
    pale: bool
    clear: bool

    @classmethod
    def of(cls, mask: str) -> "_Kind":
        """By the mask's name; a mask that is not known is taken to leave nothing."""
        name = mask.partition(":")[0]
        if name not in MASKS:
            return cls(placed=False, covers=False, pale=True, clear=False)
        entry = MASKS[name]
        covers = entry.needs_landmarks and not entry.replaces
        pale = covers or name in _COLOURLESS
        return cls(entry.needs_landmarks, covers, pale, clear=entry.replaces)


def _lay(shared_u8: U8, seed: int, kind: _Kind) -> U8:
    laid_u8 = _ground(shared_u8, kind)
    for number, landmarks in enumerate(_find(shared_u8) or [_usual(*shared_u8.shape[:2])]):
        if kind.pale:
            laid_u8 = _paint_head(laid_u8, landmarks, seed)
        laid_u8 = _face(laid_u8, landmarks, seed + number)
    return laid_u8


def _face(ground_u8: U8, landmarks: F32, seed: int) -> U8:
    """Lay an average face; upright where it is turned further than the averages are.

    Where that would lie beyond the box, in its middle.
    """
    usual = typical_landmarks(112, 112)
    grown = np.ptp(landmarks, 0).max() / np.ptp(usual, 0).max()
    upright = grown * (usual - usual.mean(0)) + landmarks.mean(0)
    lay = functools.partial(ksame, ground_u8, seed=seed, choices=_CHOICES, character=_CHARACTER)
    for points in (landmarks, upright):
        with contextlib.suppress(LandmarksError):
            return lay(landmarks=points)
    return lay(landmarks=_usual(*ground_u8.shape[:2]))


def _find(shared_u8: U8) -> list[F32]:
    """Landmarks of the faces in what was shared; if there are none, in a blur of it."""
    height, width = shared_u8.shape[:2]
    smaller = min(1.0, _LOOKED_AT / max(height, width))
    rows, columns = max(1, round(smaller * height)), max(1, round(smaller * width))
    small_u8 = _resized(shared_u8, rows, columns)
    for picture_u8 in (small_u8, _blurred(small_u8, _SOFT)):
        found = detectors.find(picture_u8, "centerface", _LEAST_SCORE)
        grown = np.array((width / columns, height / rows), np.float32)
        kept = [
            grown * one.landmarks
            for one in found
            if one.landmarks is not None
            and one.corners[2] - one.corners[0] >= _LEAST_WIDTH * min(rows, columns)
        ]
        usable = [landmarks for landmarks in kept if _is_usable(height, width, landmarks)]
        if usable:
            return usable[:_MOST_FACES]
    return []


def _is_usable(height: int, width: int, landmarks: F32) -> bool:
    try:
        placement(height, width, landmarks)
    except LandmarksError:  # a face that the box cuts off
        return False
    return True


def _usual(height: int, width: int) -> F32:
    """Landmarks of the face that fills the largest square in the middle."""
    side = min(height, width)
    corner = np.array(((width - side) / 2, (height - side) / 2), np.float32)
    return typical_landmarks(side, side) + corner


def _ground(shared_u8: U8, kind: _Kind) -> U8:
    """What was shared, blurred; where it covers a face, filled with the colours of the rim."""
    if kind.clear:
        return shared_u8
    if not kind.covers:
        return _blurred(shared_u8, _SOFT)
    rim = np.maximum(1 - _inside(*shared_u8.shape[:2]), 1e-4)[..., None]
    sigma = _FAR * min(shared_u8.shape[:2])
    summed = cv2.GaussianBlur(rim * shared_u8.astype(np.float32), (0, 0), sigma)
    weights = cv2.GaussianBlur(rim, (0, 0), sigma)
    return np.asarray(summed / weights[..., None] + 0.5, np.uint8)


def _paint_head(ground_u8: U8, landmarks: F32, seed: int) -> U8:
    """Paint hair and skin, out of focus, for a face to be laid on."""
    height, width = ground_u8.shape[:2]
    matrix = cv2.invertAffineTransform(placement(height, width, landmarks))
    y, x = np.mgrid[:height, :width].astype(np.float32)
    frame = np.dstack([row[0] * x + row[1] * y + row[2] for row in matrix]) - CENTRE
    rng, painted = np.random.default_rng(seed), ground_u8.astype(np.float32)
    darkest, lightest = np.array(_SKINS)
    skin = darkest + rng.random() * (lightest - darkest)
    for tone, (middle, axes) in ((rng.choice(_HAIRS), _HAIR), (skin, _HEAD)):
        radius = np.linalg.norm((frame - middle) / axes, axis=2, keepdims=True)
        colour = 255 * cv2.cvtColor(tone[None, None].astype(np.float32), cv2.COLOR_LAB2RGB)
        shaded = colour * (1 - 0.2 * _step(radius, 0.4, 1.1))
        painted = shaded + _step(radius, 0.8, 1.1) * (painted - shaded)
    return np.asarray(np.clip(painted + 0.5, 0, 255), np.uint8)


def _inside(height: int, width: int) -> F32:
    """0 on the rim, 1 further in than :data:`_RIM`: (h, w)."""
    deep = _RIM * min(height, width)
    rows, columns = (
        _step(np.minimum(np.arange(n), np.arange(n)[::-1]), 0, deep) for n in (height, width)
    )
    return np.asarray(rows[:, None] * columns, np.float32)


def _step(values: npt.NDArray[np.floating | np.integer], low: float, high: float) -> F32:
    """From 0 to 1 between two values, smoothly."""
    share = np.clip((values - low) / (high - low), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def _blurred(picture_u8: U8, share: float) -> U8:
    sigma = share * min(picture_u8.shape[:2])
    return np.asarray(cv2.GaussianBlur(picture_u8, (0, 0), sigma), np.uint8)


def _resized(picture_u8: U8, height: int, width: int) -> U8:
    if picture_u8.shape[:2] == (height, width):
        return picture_u8
    shrinks = height * width < picture_u8.shape[0] * picture_u8.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture_u8, (width, height), interpolation=how), np.uint8)
