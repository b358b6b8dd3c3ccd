"""Why here: what a mask leaves of a face: a face in the same place, and nobody that one knows.

A mask that lays another face must hide who it was and still be a face in the same place. Each
figure is of one mask on one face, but for those of seeds, which are of three; the recogniser that
judges should be one that had no part in the making of the mask.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from engine.data import FaceFile, FaceSet
from engine.errors import DataError, LandmarksError
from engine.faces import detect, merge_overlapping, whole_face
from engine.frechet import frechet
from engine.images import from_u8
from engine.landmarks import landmarks_in
from engine.masking import Masked, lay_masks
from engine.masks import Preset, Strength, strengths_of
from engine.masks.portrait import lay_back, to_portrait
from engine.masks.swap import SWAPPERS, swap_face
from engine.perceptual import missing, perceptual_distance
from engine.recognition import Judge, align_batch
from engine.verification import FAR, different_cosines, embed_set, threshold_at

U8 = npt.NDArray[np.uint8]

_EYES = (0, 1)

_SEEDS = 3
"""Masks of each face, so that each gives three pairs of seeds: one pair says little.

All are drawn at random: of seeds that follow each other masks make sure that they differ."""


@dataclass(frozen=True)
class Likeness:
    """What a mask leaves, over the faces of a set.

    Attributes:
        faces: that were measured.
        noted: share that could not carry the mask, by their landmarks or because they stayed
            known, with any of the seeds; they are hidden otherwise, and count in no other figure.
        threshold: cosine from which the judge takes two faces for one person's.
        match: share of masks that the judge still takes for the original's person.
        cosine: mean of original and mask.
        seeds_match: share of the pairs of three seeds, drawn at random, whose masks of one face
            pass for one person.
        seeds_margin: 95 % lie within so much of it, over faces; None of one face.
        seeds_cosine: mean of two such masks.
        found: share of masks in which the detector finds a face.
        found_in_originals: share of all faces in which it finds one before they are masked.
        landmarks_error: mean distance of the mask's landmarks from the original's, both as
            detected, in percent of the original's distance of the eyes.
        frechet: Fréchet distance of the masks' embeddings from the originals', of length 1, by the
            judge; it falls with the number of faces, so that only figures of as many compare. None
            of a single face.
        agent_nearer: share of masks that are nearer to their agent than to the original; None of a
            mask without agents. Not by the judge, who knows no agents: by the recogniser in whose
            space they are, and which has had its say in the choice of the agent.
        outside_lpips: mean LPIPS (squeeze) once the inner face is made equal; None without its
            weights.
        largest_change_outside: of any sample outside the inner face, in steps of 255.
    """

    faces: int
    noted: float
    threshold: float
    match: float
    cosine: float
    seeds_match: float
    seeds_margin: float | None
    seeds_cosine: float
    found: float
    found_in_originals: float
    landmarks_error: float
    frechet: float | None
    agent_nearer: float | None
    outside_lpips: float | None
    largest_change_outside: int


@dataclass(frozen=True, eq=False)
class _Masks:
    """A face, some masks of it, where its landmarks are known to be and where masks have them.

    The former align faces for the judge, the same way for all; by the latter the masks were laid.
    """

    original_u8: U8
    first_u8: U8
    others_u8: tuple[U8, ...]
    record: FaceFile
    points: npt.NDArray[np.float32] | None
    seed: int


def calibrate(faces: FaceSet, judge: Judge, device: str = "cpu") -> float:
    """Find the cosine that a share of 1e-3 of the pairs of two persons reaches.

    Raises:
        DataError: nobody's identity is known.
    """
    vectors = embed_set(faces, judge, device)
    return threshold_at(different_cosines(faces.records, vectors), FAR)


def measure_likeness(
    faces: FaceSet,
    indices: Sequence[int],
    mask: str,
    judge: Judge,
    threshold: float,
    *,
    preset: Preset = "scaled",
    strength: Strength | None = None,
    model: str = "",
    device: str = "cpu",
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Likeness:
    """Measure what a mask leaves of the faces of a set.

    Args:
        faces: with landmarks.
        indices: which of them.
        mask: name in :data:`engine.masks.MASKS`.
        judge: the recogniser.
        threshold: see :func:`calibrate`.
        preset: of the mask's strengths.
        strength: settings that replace the preset's.
        model: of a mask that takes one.
        device: where the judge runs.
        report: told how many of how many are done.

    Raises:
        DataError: no face has landmarks that can carry the mask.
        MaskError, ModelError: as :func:`engine.masks.make_mask`.
    """
    lay = functools.partial(lay_masks, mask=mask, preset=preset, strength=strength, model=model)
    pairs: list[_Masks] = []
    detected = []
    for done, index in enumerate(indices):
        report(done, len(indices))
        face_u8 = faces.load(index)
        detected.append(_landmarks_in(face_u8) is not None)
        pairs += _masked(face_u8, faces.records[index], index, mask, lay)
    if not pairs:
        raise DataError(
            f"no face of {faces.name} could carry the mask {mask}",
            hint="name a zip with a csv of landmarks beside it",
        )
    found = _judged(pairs, judge, threshold, device)
    places = [(_landmarks_in(pair.original_u8), _landmarks_in(pair.first_u8)) for pair in pairs]
    errors = [_error(*both) for both in places if both[0] is not None and both[1] is not None]
    outside = [_outside(pair) for pair in pairs]
    return Likeness(
        **found,
        faces=len(indices),
        noted=1 - len(pairs) / len(indices),
        threshold=threshold,
        found=float(np.mean([mask is not None for _, mask in places])),
        found_in_originals=float(np.mean(detected)),
        landmarks_error=float(np.mean(errors)) if errors else float("nan"),
        agent_nearer=_agent_nearer(pairs, mask, strengths_of(mask, preset, strength)),
        outside_lpips=_lpips(outside),
        largest_change_outside=max(largest_difference(*both) for both in outside),
    )


def largest_difference(first_u8: U8, second_u8: U8) -> int:
    """Largest difference of two 8-bit pictures."""
    return int(np.abs(first_u8.astype(np.int16) - second_u8).max())


def _masked(
    face_u8: U8, record: FaceFile, index: int, mask: str, lay: Callable[..., Masked]
) -> list[_Masks]:
    """The face and masks of it; nothing where one could not lie as it should."""
    height, width = face_u8.shape[:2]
    whole = whole_face(face_u8)  # as the program takes a ready-made crop: by its own detector
    regions = merge_overlapping([whole], height, width)
    seeds = np.random.default_rng(index).integers(2**31, size=_SEEDS).tolist()
    made = [lay(face_u8, regions, seed=seed) for seed in seeds]
    if record.landmarks is None or any(one.notes for one in made):
        return []
    first_u8, *others_u8 = (one.photo_u8 for one in made)
    points = landmarks_in(face_u8, whole)
    laid_by = None if points is None else points.points
    return [_Masks(face_u8, first_u8, tuple(others_u8), record, laid_by, seeds[0])]


def _embedded(
    pairs: Sequence[_Masks], judge: Judge, device: str
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Originals, (N, D), and their masks, (S, N, D), all aligned by the original's landmarks."""

    def embed(pictures_u8: Sequence[U8]) -> npt.NDArray[np.float64]:
        found = []
        for picture_u8, one in zip(pictures_u8, pairs, strict=True):
            with torch.inference_mode():
                aligned = align_batch(from_u8(picture_u8), [one.record.landmarks]).to(device)
                found.append(judge.embed(aligned)[0].double().cpu().numpy())
        return np.stack(found)

    masks = [
        embed(of_seed) for of_seed in zip(*((p.first_u8, *p.others_u8) for p in pairs), strict=True)
    ]
    return embed([one.original_u8 for one in pairs]), np.stack(masks)


def _judged(pairs: Sequence[_Masks], judge: Judge, threshold: float, device: str) -> dict[str, Any]:
    """The figures that the judge alone decides."""
    originals, masks = _embedded(pairs, judge, device)
    own = (originals * masks[0]).sum(1)
    seeds = np.stack([(masks[a] * masks[b]).sum(1) for a, b in combinations(range(_SEEDS), 2)])
    alike = (seeds >= threshold).mean(0)  # of each face: its pairs are not independent
    return {
        "match": float(np.mean(own >= threshold)),
        "cosine": float(own.mean()),
        "seeds_match": float(alike.mean()),
        "seeds_margin": float(1.96 * alike.std() / np.sqrt(len(alike))) if len(pairs) > 1 else None,
        "seeds_cosine": float(seeds.mean()),
        "frechet": frechet(originals, masks[0]) if len(pairs) > 1 else None,
    }


def _agent_nearer(pairs: Sequence[_Masks], mask: str, strength: Strength) -> float | None:
    """Make each mask again: only who makes it knows whose face was given to it."""
    if mask not in SWAPPERS:
        return None
    model, clear = SWAPPERS[mask], strength["enhance"]
    # Where the detector found several faces in the crop, each got a mask of its own.
    made = [
        swap_face(model, p.original_u8, p.points, p.seed, enhance=clear)
        for p in pairs
        if p.points is not None
    ]
    return float(np.mean([one.given_cosine > one.original_cosine for one in made]))


def _landmarks_in(face_u8: U8) -> npt.NDArray[np.float32] | None:
    """Landmarks of the face that the detector finds nearest to the middle, or None."""
    known = [face.landmarks for face in detect(face_u8) if face.landmarks is not None]
    middle = np.array(face_u8.shape[1::-1]) / 2
    return min(known, key=lambda points: np.hypot(*(points.mean(0) - middle)), default=None)


def _error(original: npt.NDArray[np.float32] | None, mask: npt.NDArray[np.float32] | None) -> float:
    assert original is not None and mask is not None
    eyes = np.hypot(*(original[_EYES[0]] - original[_EYES[1]]))
    return float(100 * np.hypot(*(mask - original).T).mean() / max(float(eyes), 1.0))


def _outside(pair: _Masks) -> tuple[U8, U8]:
    """The original, and the mask with the original's inner face."""
    height, width = pair.original_u8.shape[:2]
    black = np.zeros((height, width, 3), np.uint8)
    try:
        portrait = to_portrait(black, pair.points)
    except LandmarksError:  # nobody can say where the inner face is: nothing counts as outside
        return pair.original_u8, pair.original_u8
    inner = lay_back(black, np.full_like(portrait.picture_u8, 255), portrait) > 0
    return pair.original_u8, np.where(inner, pair.original_u8, pair.first_u8)


def _lpips(outside: Sequence[tuple[U8, U8]]) -> float | None:
    if missing("squeeze") is not None:
        return None
    distance = perceptual_distance("squeeze")
    with torch.inference_mode():
        values = [float(distance(from_u8(one), from_u8(other))) for one, other in outside]
    return float(np.mean(values))
