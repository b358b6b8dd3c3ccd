"""Restores faces from the mask alone: the floor that every method inherits from its mask.

No method is under attack here, and no key: what a network that knows faces makes of a blurred or
pixelated one (McPherson et al., arXiv 1609.00408; Revelio, arXiv 2506.12344). One
network learns every mask from weak to strong; what it reaches at each strength is advice on how
strong a mask must be. Rows are of the method ``mask``, and name mask and strength. Variants:
``large`` doubles the network's width; ``stacked`` shows it the mask's fine detail ten times
amplified too, where most of what a blur leaves of a face lies.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping

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
    see,
    size_of,
    training_sets,
    workplace,
)
from engine.data import FaceFile
from engine.errors import MaskError
from engine.masks import MASKS, mask_label
from engine.training.reveal import WIDTHS, Lesson, RevealRecipe

__all__ = ["ATTACK", "METHOD", "STRENGTHS", "attack_strength"]

U8 = npt.NDArray[np.uint8]

METHOD = "mask"
"""What stands for a method in the rows: there is none."""

STRENGTHS = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Times the papers' strengths at 112 px; a mask without lengths has one."""

VARIANTS = ("large", "stacked")


def _run(scene: Scene) -> Iterator[Outcome]:
    """Who has the mask and other people's faces to learn from wants the face behind the mask."""
    config, scene = scene.config, scene.at_paper_size()
    sets = training_sets(config)
    maker = PairMaker(sets, _pairs(config), config.seed)
    check_apart(maker, scene)
    words = _words(config)
    pictures = 2 if "stacked" in words else 1

    def teach(step: int) -> Lesson:
        pairs = maker.make(step)
        return see(pairs.mask, pictures), pairs.original

    recipe = RevealRecipe(
        name=" ".join(["deblur", *words]), steps=1, width=WIDTHS[_size(config)],
        pictures=pictures, seed=config.seed,
        lessons=dataclasses.asdict(_pairs(config)) | {"training": [one.sha256() for one in sets]},
    )  # fmt: skip
    with workplace(config) as folder:
        steps = decide_steps(config, recipe, [teach], folder, networks=1)
        network = learn(scene, dataclasses.replace(recipe, steps=steps), teach, folder)

        def draw(record: FaceFile, original_u8: U8, mask_u8: U8) -> U8:
            del record, original_u8  # a network needs to be shown no place
            return reveal(mask_u8, network, fast=True)

        for mask in config.masks:
            for times in STRENGTHS if MASKS[mask].lengths else (1.0,):
                told = {"strength": times, "steps": steps}
                yield from attack_strength(scene, mask, times, "control", draw, told)


def attack_strength(
    scene: Scene,
    mask: str,
    times: float,
    picture: str,
    draw: Callable[[FaceFile, U8, U8], U8],
    told: Mapping[str, float],
) -> Iterator[Outcome]:
    """Measure what is drawn from a mask of one strength, beside the mask itself.

    Args:
        scene: at the papers' size.
        mask: name.
        times: the papers' strength, so often.
        picture: what the rows call that which is drawn.
        draw: takes the face's record, the original, only to find the face in it, and the mask, both
            (H, W, 3); returns a picture of that shape.
        told: more figures of the whole run.
    """
    strength = scaled_strength(mask, times)
    label, names, faces = mask_label(mask, strength, preset="paper"), metrics(), []
    for index in scene.chosen:
        record, original_u8 = scene.face(index)
        try:
            mask_u8 = scene.mask(record, original_u8, mask, "paper", strength)
            pictures = {picture: draw(record, original_u8, mask_u8), "mask": mask_u8}
        except MaskError:
            scene.refuse(record, METHOD, label)
            continue
        faces.append(compare(record, original_u8, pictures, names))
        yield Outcome(as_scores(record, METHOD, label, faces[-1]))
    found = {**gains(faces, picture, "mask"), **told}
    pair = f"{picture}:mask"
    yield Outcome(
        tuple(scene.whole_run(METHOD, label, pair, name, value) for name, value in found.items())
    )


def _pairs(config: AttackConfig) -> PairConfig:
    return PairConfig(config.masks, "paper", strength="wide")


def _words(config: AttackConfig) -> list[str]:
    return sorted(set(filter(None, config.variant.split("+"))))


def _size(config: AttackConfig) -> str:
    return size_of(_words(config), VARIANTS)


def _budget(config: AttackConfig) -> str:
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
    variants=VARIANTS,
    options=("minutes", "training", "keep"),
)
