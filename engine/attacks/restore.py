"""Restores faces from the mask alone with a network that everybody has: the released enhancer.

Nobody trains anything here. The enhancer has learned, on other people, what faces look like, and
makes a blurred or coarse one clear (GPEN, Yang et al., CVPR 2021). What it draws is a face; whether
it is the face is what the rows say, of the method ``mask``: the mask's own figures stand beside. An
attacker finds the face by the landmarks of the original here, better than in the mask.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene
from engine.attacks.deblur import METHOD
from engine.attacks.pairs import scaled_strength
from engine.attacks.revealing import as_scores, compare, gains, metrics
from engine.errors import MaskError
from engine.faces import whole_face
from engine.masks import MASKS, mask_label
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
            yield from _attack(scene, mask, times)


def _attack(scene: Scene, mask: str, times: float) -> Iterator[Outcome]:
    strength = scaled_strength(mask, times)
    label, names, faces = mask_label(mask, strength, preset="paper"), metrics(), []
    for index in scene.chosen:
        record, original_u8 = scene.face(index)
        try:
            mask_u8 = scene.mask(record, original_u8, mask, "paper", strength)
            points = record.landmarks
            if points is None:
                points = whole_face(original_u8).landmarks
            pictures = {"restored": restored(mask_u8, points), "mask": mask_u8}
        except MaskError:
            scene.refuse(record, METHOD, label)
            continue
        faces.append(compare(record, original_u8, pictures, names))
        yield Outcome(as_scores(record, METHOD, label, faces[-1]))
    found = gains(faces, "restored", "mask")
    yield Outcome(
        tuple(
            scene.whole_run(METHOD, label, "restored:mask", name, value)
            for name, value in found.items()
        )
    )


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
