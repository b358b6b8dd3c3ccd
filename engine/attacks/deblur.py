"""Restores faces from the mask alone: the floor that every method inherits from its mask.

No method is under attack here, and no key: what a network that knows faces makes of a blurred or
pixelated one (McPherson et al., arXiv 1609.00408; Revelio, arXiv 2506.12344). One
network learns every mask from weak to strong; what it reaches at each strength is advice on how
strong a mask must be. Rows are of the method ``mask``, and name mask and strength. Variants:
``large`` doubles the network's width; ``stacked`` shows it the mask's fine detail ten times
amplified too, where most of what a blur leaves of a face lies.
"""

import dataclasses
from collections.abc import Iterator

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
from engine.errors import MaskError
from engine.masks import MASKS, mask_label
from engine.networks.reveal import Reveal
from engine.training.reveal import WIDTHS, Lesson, RevealRecipe

__all__ = ["ATTACK", "METHOD", "STRENGTHS"]

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
        for mask in config.masks:
            for times in STRENGTHS if MASKS[mask].lengths else (1.0,):
                yield from _attack(scene, mask, times, network, steps)


def _attack(
    scene: Scene, mask: str, times: float, network: Reveal, steps: int
) -> Iterator[Outcome]:
    strength = scaled_strength(mask, times)
    label, names, faces = mask_label(mask, strength, preset="paper"), metrics(), []
    for index in scene.chosen:
        record, original_u8 = scene.face(index)
        try:
            mask_u8 = scene.mask(record, original_u8, mask, "paper", strength)
        except MaskError:
            scene.refuse(record, METHOD, label)
            continue
        pictures = {"control": reveal(mask_u8, network, fast=True), "mask": mask_u8}
        faces.append(compare(record, original_u8, pictures, names))
        yield Outcome(as_scores(record, METHOD, label, faces[-1]))
    found = {**gains(faces, "control", "mask"), "strength": times, "steps": steps}
    yield Outcome(
        tuple(
            scene.whole_run(METHOD, label, "control:mask", name, value)
            for name, value in found.items()
        )
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
