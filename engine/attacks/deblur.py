"""Restores faces from the mask alone: the floor that every method inherits from its mask.

No method is under attack here, and no key: what a network that knows faces makes of a blurred or
pixelated one (SECURITY.md, A12; McPherson et al., arXiv 1609.00408; Revelio, arXiv 2506.12344). One
network learns every mask from weak to strong; what it reaches at each strength is advice on how
strong a mask must be. Rows are of the method ``mask``, and name mask and strength.

The variant ``enhancer`` trains nothing: it shows each mask to the released enhancer, which has
learned to make poor portraits clear and never saw a mask of ours under that name.
"""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from engine.attacks.apart import check_apart
from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene
from engine.attacks.pairs import PairConfig, PairMaker, scaled_strength
from engine.attacks.revealing import (
    as_scores,
    compare,
    decide_steps,
    gains,
    learn,
    metrics,
    reveal,
    size_of,
    training_sets,
    workplace,
)
from engine.data import FaceFile
from engine.errors import MaskError, MethodError
from engine.masks import MASKS, mask_label
from engine.masks.enhance import enhance
from engine.masks.portrait import lay_back, to_portrait
from engine.training.reveal import WIDTHS, Lesson, RevealRecipe

__all__ = ["ATTACK", "METHOD", "STRENGTHS"]

U8 = npt.NDArray[np.uint8]

METHOD = "mask"
"""What stands for a method in the rows: there is none."""

STRENGTHS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Times the papers' strengths at 112 px; a mask without lengths has one."""

VARIANTS = ("large", "enhancer")

Restore = Callable[[U8, FaceFile], U8]
"""What an attacker makes of a mask, both (H, W, 3), and of where the face's landmarks are."""


def _run(scene: Scene) -> Iterator[Outcome]:
    config, scene = scene.config, scene.at_paper_size()
    _size(config)
    if "enhancer" in _words(config):
        yield from _attack_all(scene, _enhanced)
    else:
        yield from _learn_and_attack(scene)


def _learn_and_attack(scene: Scene) -> Iterator[Outcome]:
    config = scene.config
    sets = training_sets(config)
    maker = PairMaker(sets, _pairs(config), config.seed)
    check_apart(maker, scene)

    def teach(step: int) -> Lesson:
        pairs = maker.make(step)
        return pairs.mask, pairs.original

    recipe = RevealRecipe(
        name="deblur", steps=1, width=WIDTHS[_size(config)], seed=config.seed,
        lessons=dataclasses.asdict(_pairs(config)) | {"training": [one.sha256() for one in sets]},
    )  # fmt: skip
    with workplace(config) as folder:
        steps = decide_steps(config, recipe, teach, folder, networks=1)
        network = learn(scene, dataclasses.replace(recipe, steps=steps), teach, folder)
        yield from _attack_all(scene, lambda mask_u8, record: reveal(mask_u8, network))


def _enhanced(mask_u8: U8, record: FaceFile) -> U8:
    portrait = to_portrait(mask_u8, record.landmarks)
    return lay_back(mask_u8, enhance(portrait.picture_u8), portrait.matrix)


def _attack_all(scene: Scene, restore: Restore) -> Iterator[Outcome]:
    for mask in scene.config.masks:
        for times in STRENGTHS if MASKS[mask].lengths else (1.0,):
            yield from _attack(scene, mask, times, restore)


def _attack(scene: Scene, mask: str, times: float, restore: Restore) -> Iterator[Outcome]:
    strength = scaled_strength(mask, times)
    label, names, faces = mask_label(mask, strength, preset="paper"), metrics(), []
    for index in scene.chosen:
        record, original_u8 = scene.face(index)
        try:
            mask_u8 = scene.mask(record, original_u8, mask, "paper", strength)
            pictures = {"control": restore(mask_u8, record), "mask": mask_u8}
        except MaskError:
            scene.refuse(record, METHOD, label)
            continue
        faces.append(compare(original_u8, pictures, names))
        yield Outcome(as_scores(record, METHOD, label, faces[-1]))
    found = {**gains(faces, "control", "mask"), "strength": times}
    yield Outcome(
        tuple(
            scene.whole_run(METHOD, label, "control:mask", name, value)
            for name, value in found.items()
        )
    )


def _pairs(config: AttackConfig) -> PairConfig:
    return PairConfig(config.masks, "paper", strength="wide")


def _words(config: AttackConfig) -> list[str]:
    return [word for word in config.variant.split("+") if word]


def _size(config: AttackConfig) -> str:
    words = _words(config)
    if "enhancer" in words and len(words) > 1:
        raise MethodError("the enhancer has one size", hint="leave the other words out")
    return size_of(words, VARIANTS)


def _budget(config: AttackConfig) -> str:
    if "enhancer" in _words(config):
        return "one pass of the released enhancer for each face; the methods do not matter"
    size = _size(config)
    steps = f"{config.tries} steps" if config.tries is not None else f"{config.minutes:g} minutes"
    return (
        f"{steps} of one U-Net of width {WIDTHS[size]} on {_pairs(config).batch} squares of "
        f"{_pairs(config).crop} px a step; the methods do not matter"
    )


ATTACK = Attack(
    name="deblur",
    title="The mask alone",
    knowledge="the mask, which everybody sees, and other people's faces",
    goal="the face, or as much of it as a mask of each strength leaves",
    budget=_budget,
    run=_run,
)
