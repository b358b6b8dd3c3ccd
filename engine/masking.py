"""Lays masks over the faces of a whole photograph, each at its own place and size."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.boxes import Box
from engine.errors import LandmarksError, StillKnownError
from engine.faces import MIN_SCORE, Face, Region, crop, paste
from engine.masks import MASKS, Preset, Strength, make_mask
from engine.masks.matching import same_person
from engine.masks.portrait import to_portrait
from engine.masks.sunglasses import eyes_are_covered
from engine.sources import Source

_REPLACED_TRIES = 4

_COVERED = "something dark covers the eyes, as sunglasses do"

_DOUBTFUL = "its landmarks are doubtful, as in profile, on its side or at the picture's edge"

_BADLY = "the head is turned far, and another face lies badly on it"

_UNSURE = "the detector is hardly sure that a face is there"

_TURNED = 0.45
"""Of the eyes' distance that the nose lies beside their middle, from which a head is turned far."""

_TINY = 10.0
"""Pixels between the eyes below which landmarks, and the mask that they place, may be well off."""


@dataclass(frozen=True)
class _Made:
    """A crop with its mask, and why it could not be laid as it should or is to be looked at."""

    crop_u8: npt.NDArray[np.uint8] = field(repr=False)
    reason: str = ""
    remark: str = ""


@dataclass(frozen=True)
class MaskNote:
    """What is to be told of a mask on a face.

    Attributes:
        region: number of the region, from 0.
        box: of the face, XYXY in pixels of the photograph.
        reason: what is the matter, in one line.
        instead: what hides the face now, in one line.
    """

    region: int
    box: Box
    reason: str
    instead: str


@dataclass(frozen=True, eq=False)
class Masked:
    """A photograph with its masks.

    Attributes:
        photo_u8: (H, W, 3).
        notes: one for each face that could not carry the mask; such a face is hidden all the same.
        laid: how many faces carry it as it should be.
        remarks: one for each of these whose user should look at it all the same.
    """

    photo_u8: npt.NDArray[np.uint8] = field(repr=False)
    notes: tuple[MaskNote, ...] = ()
    laid: int = 0
    remarks: tuple[MaskNote, ...] = ()


def mask_faces(
    photo_u8: npt.NDArray[np.uint8],
    regions: Sequence[Region],
    mask: str,
    *,
    preset: Preset = "scaled",
    strength: Strength | None = None,
    seed: int = 0,
    model: str = "",
    source: Source | None = None,
) -> npt.NDArray[np.uint8]:
    """Lay the mask over every face of every region; as :func:`lay_masks`, the picture alone."""
    made = lay_masks(
        photo_u8, regions, mask,
        preset=preset, strength=strength, seed=seed, model=model, source=source,
    )  # fmt: skip
    return made.photo_u8


def lay_masks(
    photo_u8: npt.NDArray[np.uint8],
    regions: Sequence[Region],
    mask: str,
    *,
    preset: Preset = "scaled",
    strength: Strength | None = None,
    seed: int = 0,
    model: str = "",
    source: Source | None = None,
) -> Masked:
    """Lay the mask over every face of every region, and say where it could not lie as it should.

    Args:
        photo_u8: (H, W, 3).
        regions: from :func:`engine.faces.merge_overlapping`.
        mask: name in :data:`engine.masks.MASKS`.
        preset: scaled with the face, or the papers' 112 px settings as they are.
        strength: settings that replace the preset's.
        seed: of masks that draw something, 0 or more; each next face has the next seed.
        model: of masks that take one.
        source: whose face masks that take one lay, the same over every face.

    Returns:
        A new photo of the same size, and what is to be said of it.

    Raises:
        MaskError: as :func:`engine.masks.make_mask`; never for landmarks that cannot be used.
        ModelError: the mask's network cannot be loaded; nothing is masked by another then.
        BoxError, ImageError: as :func:`engine.faces.crop`.
    """
    masked_u8, notes, remarks, laid = photo_u8.copy(), [], [], 0
    make = functools.partial(
        make_mask, mask, preset=preset, strength=strength, model=model, source=source
    )
    placed = mask in MASKS and MASKS[mask].needs_landmarks
    lay = functools.partial(_mask_placed, mask) if placed else _mask_box
    for number, face in ((n, face) for n, region in enumerate(regions) for face in region.faces):
        for part in (face.others if placed else ()) or (face,):
            made = lay(make, crop(masked_u8, part.box), part, seed)
            masked_u8 = paste(masked_u8, part.box, made.crop_u8)
            if made.reason:
                notes.append(MaskNote(number, part.box, made.reason, _instead(mask)))
            if made.remark:
                told = (
                    f"{mask} is laid over it all the same: see whether it will do, or take another"
                )
                remarks.append(MaskNote(number, part.box, made.remark, told))
            laid += not made.reason
            seed += 1
    return Masked(masked_u8, tuple(notes), laid, tuple(remarks))


def _mask_box(
    make: Callable[..., npt.NDArray[np.uint8]],
    crop_u8: npt.NDArray[np.uint8],
    face: Face,
    seed: int,
) -> _Made:
    del face
    return _Made(make(crop_u8, seed=seed))


def _mask_placed(
    mask: str,
    make: Callable[..., npt.NDArray[np.uint8]],
    crop_u8: npt.NDArray[np.uint8],
    face: Face,
    seed: int,
) -> _Made:
    """Lay the mask where the landmarks say, or hide the whole crop where they cannot say it.

    Landmarks may be unknown, a profile's eyes may coincide, and a face cut by the edge has points
    outside. The face may then be anywhere in the crop, and the mask covers only its middle: all of
    the crop is blurred beyond recognition first, which hides more, not less. A mask that lays
    another face has no middle to cover, and the blur stays alone; as it does where a recogniser
    still knows the person behind another face. A mask that lays one is given refined landmarks.

    Returns:
        The crop, masked.
    """
    replaces, reason = MASKS[mask].replaces, "its landmarks are not known"
    try:
        landmarks, doubtful = _landmarks(mask, crop_u8, face)
        if landmarks is not None or replaces:
            if replaces:
                made_u8 = _replaced(make, crop_u8, landmarks, seed)
            else:
                made_u8 = make(crop_u8, landmarks=landmarks, seed=seed)
            told = [_UNSURE] * (replaces and face.score < MIN_SCORE)
            told += filter(None, [_remark(mask, crop_u8, landmarks, doubtful)])
            return _Made(made_u8, remark="; ".join(told))
    except (LandmarksError, StillKnownError) as error:
        reason = str(error)
    blurred_u8 = make_mask("extreme_blur", crop_u8)
    made_u8 = blurred_u8 if replaces else make(blurred_u8, seed=seed)
    return _Made(made_u8, reason)


def _landmarks(
    mask: str, crop_u8: npt.NDArray[np.uint8], face: Face
) -> tuple[npt.NDArray[np.float32] | None, bool]:
    """Landmarks in pixels of the crop, if there are any, and whether they are doubtful.

    They are refined for masks that lay another face: beside its place it is seen, a sticker is not.

    Raises:
        LandmarksError, ModelError: as :func:`engine.landmarks.landmarks_in`.
    """
    if MASKS[mask].replaces:
        from engine.landmarks import landmarks_in  # torch takes seconds to load

        known = landmarks_in(crop_u8, face)
        return (None, False) if known is None else (known.points, known.doubtful)
    if face.landmarks is None:
        return None, False
    return face.landmarks - np.array(face.box[:2], np.float32), False


def _replaced(
    make: Callable[..., npt.NDArray[np.uint8]],
    crop_u8: npt.NDArray[np.uint8],
    landmarks: npt.NDArray[np.float32] | None,
    seed: int,
) -> npt.NDArray[np.uint8]:
    """Lay another face, and a next one where the released recogniser still sees the person.

    Raises:
        LandmarksError, StillKnownError: the mask cannot be laid so.
    """
    for step in range(_REPLACED_TRIES):
        made_u8 = make(crop_u8, landmarks=landmarks, seed=_seed_of_try(seed, step))
        if landmarks is not None and not same_person(crop_u8, made_u8, landmarks):
            return made_u8
    raise StillKnownError(
        f"a recogniser still knows who it is in each of {_REPLACED_TRIES} tries with other faces",
        hint="take a mask that hides more, such as gaussian or pixelate",
    )


def _seed_of_try(seed: int, step: int) -> int:
    """The seed itself at first, then others, drawn; two may begin with the same face all the same.

    They are not those of :func:`engine.masks.ksame.seed_of_turn`, which masks have tried already.
    """
    if step == 0:
        return seed
    return int(np.random.default_rng([seed, step, _REPLACED_TRIES]).integers(2**63))


def _remark(
    mask: str,
    crop_u8: npt.NDArray[np.uint8],
    landmarks: npt.NDArray[np.float32] | None,
    doubtful: bool,
) -> str:
    """What the user should look at in a face that a mask is laid over; empty for nothing."""
    told = [_DOUBTFUL] * doubtful
    if MASKS[mask].replaces:
        portrait = to_portrait(crop_u8, landmarks)
        told += [_COVERED] * eyes_are_covered(portrait.picture_u8, portrait.landmarks)
    left, right, nose = np.asarray(landmarks, np.float64)[:3]
    apart = float(np.hypot(*(right - left)))
    aside = abs((nose - (left + right) / 2) @ (right - left)) / apart**2
    told += [_BADLY] * (MASKS[mask].replaces and bool(aside > _TURNED))
    told += [f"the face is tiny, {apart:.1f} pixels between the eyes"] * (apart < _TINY)
    return "; ".join(told)


def _instead(mask: str) -> str:
    if MASKS[mask].replaces:
        return "the whole box is blurred instead"
    return f"the whole box is blurred, and the {mask} covers its middle"
