"""Restores faces from the mask alone with a network that everybody has: the released enhancer.

Nobody trains anything here. The enhancer has learned, on other people, to make of a blurred, coarse
or averaged face the one that it was (GPEN, Yang et al., CVPR 2021). What it draws is a face;
whether it is the face is what the rows say, of the method ``mask``: the mask's own figures stand
beside. An attacker finds the face by the landmarks of the original here, better than in the mask.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene
from engine.attacks.deblur import attack_strength
from engine.data import FaceFile
from engine.faces import whole_face
from engine.landmarks import landmarks_in
from engine.masks import MASKS
from engine.masks.enhance import ENHANCER, lay_clear
from engine.masks.portrait import to_portrait

__all__ = ["ATTACK", "STRENGTHS", "restored"]

STRENGTHS = (0.5, 1.0, 2.0)
"""Times the papers' strengths at 112 px; a mask without lengths has one."""

U8 = npt.NDArray[np.uint8]


def restored(mask_u8: U8, landmarks: npt.ArrayLike | None) -> U8:
    """Give a masked face the detail that faces have.

    Args:
        mask_u8: (H, W, 3), RGB.
        landmarks: (5, 2), x and y in its pixels.

    Returns:
        (H, W, 3): the same picture with another inner face.

    Raises:
        LandmarksError: no landmarks, or such that cannot be used.
        ModelError: as :func:`engine.masks.enhance.lay_clear`.
    """
    portrait = to_portrait(mask_u8, landmarks)
    return lay_clear(mask_u8, landmarks, portrait, portrait.picture_u8, clear=1)


def _run(scene: Scene) -> Iterator[Outcome]:
    """Who has the mask and the released enhancer wants the face behind the mask."""
    scene = scene.at_paper_size()
    for mask in scene.config.masks:
        for times in STRENGTHS if MASKS[mask].lengths else (1.0,):
            yield from attack_strength(scene, mask, times, "restored", _draw, {})


def _draw(record: FaceFile, original_u8: U8, mask_u8: U8) -> U8:
    points = record.landmarks
    if points is None:
        found = landmarks_in(original_u8, whole_face(original_u8))
        points = None if found is None else found.points
    return restored(mask_u8, points)


def _budget(config: AttackConfig) -> str:
    del config
    return f"one pass of {ENHANCER} for each mask; the methods do not matter"


ATTACK = Attack(
    name="restore",
    title="The mask and an enhancer",
    knowledge="the mask, which everybody sees, and the released enhancer",
    goal="the face, drawn as faces are",
    budget=_budget,
    run=_run,
)
