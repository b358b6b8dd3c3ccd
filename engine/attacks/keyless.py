"""Trains a network to see through a method without any key, against one that sees the mask alone.

The attacker protects other people's faces at home, under fresh random keys, and shows a network
each protected picture beside its original. The control is the same network, from
the same first weights, on the same faces, masks and crops in the same order, for as many steps: but
it sees the mask. What a method leaks to everybody is the gain over it. Sources: Sirichotedumrong
and Kiya, arXiv 2010.06198 (inverse-transformation networks); Revelio, arXiv 2506.12344 (masks can
be undone without any leak, hence the control).

Variants: ``large`` doubles the network's width; ``stacked`` shows it the residual too, ten times
amplified, and ``residual`` that alone; ``same-key`` protects every face, here and at home, under
one key, as the papers do, and gives the network planes of its own to learn it in.
"""

import dataclasses
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engine.attacks.apart import check_apart
from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene
from engine.attacks.pairs import PairConfig, PairMaker, Protector, make_protector
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
from engine.benchmark.plan import Subject
from engine.data import FaceFile
from engine.errors import CapacityError, MaskError, MethodError
from engine.images import from_u8, to_u8
from engine.networks.reveal import Reveal
from engine.results.matching import together
from engine.training.batches import PAPER_SIDE
from engine.training.reveal import WIDTHS, Lesson, RevealRecipe

__all__ = ["ATTACK", "VARIANTS"]

VARIANTS = ("large", "stacked", "residual", "same-key")

U8 = npt.NDArray[np.uint8]

Figures = dict[tuple[str, str], float]
"""Of one face, by pair and metric."""


@dataclass(frozen=True)
class _Plan:
    """What a configuration asks for."""

    words: tuple[str, ...]
    width: int
    pictures: int
    residual: bool
    same_key: bool
    pairs: PairConfig

    @classmethod
    def of(cls, config: AttackConfig) -> "_Plan":
        words = tuple(sorted(set(filter(None, config.variant.split("+")))))
        same_key = "same-key" in words
        pairs = PairConfig(config.masks, config.preset)
        if same_key:  # a key lies where it lies in a whole face
            pairs = dataclasses.replace(pairs, crop=PAPER_SIDE)
        width, residual = WIDTHS[size_of(words, VARIANTS)], "residual" in words
        if residual and "stacked" in words:
            raise MethodError(
                "the network must see the residual beside the picture or alone, got both",
                hint="choose one of stacked and residual",
            )
        return cls(words, width, 2 if "stacked" in words else 1, residual, same_key, pairs)

    def recipe(self, name: str, steps: int, seed: int, lessons: Mapping[str, Any]) -> RevealRecipe:
        return RevealRecipe(
            name=" ".join([name, *self.words]),
            steps=steps,
            width=self.width,
            pictures=self.pictures,
            places=PAPER_SIDE if self.same_key else 0,
            residual=self.residual,
            seed=seed,
            lessons=dataclasses.asdict(self.pairs) | dict(lessons),
        )


class _Teacher:
    """Turns pairs into lessons: what is seen of them, and the original."""

    def __init__(self, maker: PairMaker, plan: _Plan) -> None:
        self.maker, self.plan = maker, plan

    def __call__(self, step: int) -> Lesson:
        pairs = self.maker.make(step)
        shown = pairs.mask if pairs.protected is None else pairs.protected
        return see(shown, self.plan.pictures, residual=self.plan.residual), pairs.original


def _run(scene: Scene) -> Iterator[Outcome]:
    """Who has other people's faces to protect and learn from, and no key, wants the face."""
    config, plan, scene = scene.config, _Plan.of(scene.config), scene.at_paper_size()
    sets = training_sets(config)
    maker = PairMaker(sets, plan.pairs, config.seed)
    blind = _Teacher(maker, plan)
    check_apart(maker, scene)
    faces = {"training": [one.sha256() for one in sets]}
    one_key = config.seed if plan.same_key else None
    protectors = {name: make_protector(name, config.device, one_key) for name in config.methods}
    lessons = {name: _Teacher(maker.behind(one), plan) for name, one in protectors.items()}
    with workplace(config) as folder:
        trial = plan.recipe("trial", 1, config.seed, faces)
        networks = len(lessons) + 1
        steps = decide_steps(config, trial, [*lessons.values(), blind], folder, networks)
        for method, teach in lessons.items():
            attacked = faces | {"weights": Subject(method).weights_hash()}
            recipe = plan.recipe(method, steps, config.seed, attacked)
            revealer = learn(scene, recipe, teach, folder)
            control = learn(scene, plan.recipe("control", steps, config.seed, faces), blind, folder)
            known_key = protectors[method] if plan.same_key else None
            shown: dict[str, dict[str, Figures]] = {}
            for mask in config.masks:
                found = yield from _attack(scene, method, mask, revealer, control, known_key)
                shown[mask] = dict(found)
            told = {"steps": steps, **_together(shown)}
            for mask in config.masks:
                yield _whole(scene, method, mask, told)


def _attack(
    scene: Scene,
    method: str,
    mask: str,
    revealer: Reveal,
    control: Reveal,
    protector: Protector | None,
) -> Generator[Outcome, None, list[tuple[str, Figures]]]:
    """Let both networks loose on faces that neither has seen; returns what each gave, by file."""
    names, files, faces = metrics(), [], []
    for record, original_u8, mask_u8, protected_u8 in _shown(scene, method, mask, protector):
        pictures = {
            "revealed": reveal(protected_u8, revealer, fast=True),
            "control": reveal(mask_u8, control, fast=True),
            "mask": mask_u8,
        }
        files.append(record.file)
        faces.append(compare(record, original_u8, pictures, names))
        yield Outcome(as_scores(record, method, mask, faces[-1]))
    yield _whole(scene, method, mask, gains(faces, "revealed", "control"))
    return list(zip(files, faces, strict=True))


def _together(shown: Mapping[str, Mapping[str, Figures]]) -> dict[str, float]:
    """The gain in identity match over all masks, as every reader counts it from the rows."""
    metric = "identity_match"
    if metric not in metrics():
        return {}
    pairs = ("original:revealed", metric), ("original:control", metric)
    known = {
        mask: {file: (one[pairs[0]], one[pairs[1]]) for file, one in faces.items()}
        for mask, faces in shown.items()
    }
    found = together(known)
    names = f"gain_{metric}_together", f"gain_{metric}_together_margin"
    return {} if found is None else dict(zip(names, found, strict=True))


def _whole(scene: Scene, method: str, mask: str, found: Mapping[str, float]) -> Outcome:
    rows = (scene.whole_run(method, mask, "revealed:control", *one) for one in found.items())
    return Outcome(tuple(rows))


def _shown(
    scene: Scene, method: str, mask: str, protector: Protector | None
) -> Iterator[tuple[FaceFile, U8, U8, U8]]:
    """The faces under attack: original, mask and protected picture.

    They are files made as a person makes them, unless one key is to lie over them all.
    """
    if protector is None:
        for target in scene.targets(method, mask):
            yield target.record, target.original_u8, target.mask_u8, target.protected_u8
        return
    for index in scene.chosen:
        record, original_u8 = scene.face(index)
        draw = np.random.default_rng(scene.config.seed)
        try:
            mask_u8 = scene.mask(record, original_u8, mask)
            made = protector.protect(from_u8(original_u8), from_u8(mask_u8), draw)
        except (CapacityError, MaskError, MethodError):
            scene.refuse(record, method, mask)
        else:
            yield record, original_u8, mask_u8, to_u8(made)


def _budget(config: AttackConfig) -> str:
    plan = _Plan.of(config)
    steps = (
        f"{config.tries} steps for each network"
        if config.tries is not None
        else f"{config.minutes:g} minutes of training for all networks, each as many steps as the "
        "others"
    )
    left_out = ", ".join(sorted({"identity_cosine"} - set(metrics())))
    return (
        f"{steps}: a U-Net of width {plan.width} for each method and one for the control, on "
        f"{plan.pairs.batch} squares of {plan.pairs.crop} px a step, all masks mixed, from up to "
        f"{plan.pairs.faces} faces of {PAPER_SIDE} px"
        + (f"; without {left_out}, which cannot be had here" if left_out else "")
    )


ATTACK = Attack(
    name="keyless",
    title="Keyless network",
    knowledge="the program, its weights, and other people's faces to protect at home; no key",
    goal="more of the face than the mask alone gives away",
    budget=_budget,
    run=_run,
    variants=VARIANTS,
    options=("minutes", "training", "keep"),
)
