"""Learns a passphrase's secret from pictures whose originals are known, and opens others with it.

The attacker has n originals with their protected pictures under ONE passphrase, and wants another
picture under that passphrase. Twice: with one key for every picture, as the
papers have it (``same_key``), and with our salt for each (``salted``). Two ways: a small network
learns the pairs, against its control on their masks; and where the method has a secret of a known
form, the key map is fitted along the network's gradient, or the shuffle of a scrambled method is
read off by correlating coefficients.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene
from engine.attacks.pairs import make_protector
from engine.attacks.relaxed_map import FIT_RATE, fit, recovered_by
from engine.attacks.revealing import (
    as_scores,
    compare,
    gains,
    learn,
    metrics,
    reveal,
    workplace,
)
from engine.attacks.shuffle_match import match_shuffle
from engine.benchmark.plan import Subject
from engine.data import FaceFile
from engine.errors import CapacityError, DataError, MaskError, MethodError
from engine.images import from_u8, to_u8
from engine.methods import find_method
from engine.methods.embedding import load_embedder
from engine.methods.proface_s import ProfaceS
from engine.networks.embedder import Embedder
from engine.networks.reveal import Reveal
from engine.scramble import unscramble
from engine.training.batches import PAPER_SIDE
from engine.training.reveal import Lesson, RevealRecipe

__all__ = ["ATTACK", "COUNTS", "KEYS"]

COUNTS = (1, 10, 100)
"""Known pairs."""

KEYS = ("same_key", "salted")

_STEPS = 100
_WIDTH = 24
_BATCH = 4
_FIT_STEPS = 200
"""Of a fit: at 112 px a hundred hardly pass what the mask shows, and it still climbs there."""

_FITTED = 8
"""Known pairs that a map is fitted to in one step, drawn from all of them anew for each."""

_PASSPHRASE = "known plaintext, one passphrase for all"

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class _Known:
    """A face of which the attacker, or the judge, knows everything."""

    record: FaceFile
    original_u8: U8 = field(repr=False)
    mask_u8: U8 = field(repr=False)
    protected_u8: U8 = field(repr=False)


def _run(scene: Scene) -> Iterator[Outcome]:
    """Who has some originals and their protected pictures, and no key, wants another face."""
    scene = scene.at_paper_size()
    with workplace(scene.config) as folder:
        for method, mask in scene.combinations():
            for keys in KEYS:
                yield from _attack(scene, method, mask, keys, folder)


def _attack(scene: Scene, method: str, mask: str, keys: str, folder: Path) -> Iterator[Outcome]:
    others = _protected(scene, method, mask, keys, _others(scene))
    known = list(islice(others, max(COUNTS)))
    fresh = list(_protected(scene, method, mask, keys, scene.chosen))
    # Where most faces are refused, the attacker knows fewer.
    counts = [count for count in COUNTS if count <= len(known)]
    names = metrics()
    faces: list[dict[tuple[str, str], float]] = [{} for _ in fresh]
    for count in counts:
        ending = f"{count}_{keys}"
        revealed = _taught(scene, known[:count], method, f"{method} {mask} {ending}", folder)
        control = _taught(scene, known[:count], "", f"control {mask} {ending}", folder)
        fitted = _fitted(method, known[:count], fresh, scene.config)
        for i, one in enumerate(fresh):
            pictures = {
                f"revealed_{ending}": reveal(one.protected_u8, revealed),
                f"control_{ending}": reveal(one.mask_u8, control),
            }
            if fitted:
                pictures[f"fitted_{ending}"] = fitted[i]
            faces[i] |= compare(one.record, one.original_u8, pictures, names)
    for one, found in zip(fresh, faces, strict=True):
        yield Outcome(as_scores(one.record, method, mask, found))
    yield Outcome(
        tuple(
            scene.whole_run(method, mask, f"{way}_{ending}:control_{ending}", name, value)
            for ending in (f"{count}_{keys}" for count in counts)
            for way in ("revealed", "fitted")
            for name, value in _gain(faces, f"{way}_{ending}", f"control_{ending}")
        )
    )


def _gain(
    faces: Sequence[dict[tuple[str, str], float]], more: str, less: str
) -> list[tuple[str, float]]:
    if not any((f"original:{more}", "psnr_db") in one for one in faces):
        return []
    return list(gains(faces, more, less).items())


def _others(scene: Scene) -> list[int]:
    """The faces whose originals the attacker may know: none of those under attack, in any order."""
    left = sorted(set(range(len(scene.faces))) - set(scene.chosen))
    if len(left) < max(COUNTS):
        raise DataError(
            f"the attacker must know {max(COUNTS)} other faces of the set, got {len(left)}",
            hint="attack fewer faces with --limit",
        )
    rng = np.random.default_rng(scene.config.seed)
    return [int(i) for i in rng.permutation(left)]


def _protected(
    scene: Scene, method: str, mask: str, keys: str, indices: Sequence[int]
) -> Iterator[_Known]:
    """The faces that the method and the mask take; the others are noted and left out."""
    config = scene.config
    protector = make_protector(method, config.device, one_key=config.seed)
    rng = np.random.default_rng(config.seed)
    for index in indices:
        record, original_u8 = scene.face(index)
        try:
            if keys == "salted":
                target = scene.protect(index, method, mask, secret=_PASSPHRASE)
                yield _Known(record, original_u8, target.mask_u8, target.protected_u8)
                continue
            mask_u8 = scene.mask(record, original_u8, mask)
            made = protector.protect(from_u8(original_u8), from_u8(mask_u8), rng)
        except (CapacityError, MaskError, MethodError):
            scene.refuse(record, method, mask)
        else:
            yield _Known(record, original_u8, mask_u8, to_u8(made))


def _taught(scene: Scene, known: Sequence[_Known], method: str, name: str, folder: Path) -> Reveal:
    """A small network that has learned these pairs, and planes of its own for what stays put.

    Without a method it is the control, which sees the masks.
    """
    config, shown = scene.config, "protected_u8" if method else "mask_u8"
    lessons = {
        "pairs": [one.record.file for one in known],
        "data": scene.faces.sha256(),
        "preset": config.preset,
        "weights": Subject(method).weights_hash() if method else "",
    }
    recipe = RevealRecipe(
        name=name, steps=config.tries or _STEPS, width=_WIDTH, places=PAPER_SIDE,
        seed=config.seed, lessons=lessons,
    )  # fmt: skip

    def teach(step: int) -> Lesson:
        rng = np.random.default_rng([config.seed, step])
        picks = rng.choice(len(known), min(_BATCH, len(known)), replace=False)
        seen = torch.cat([from_u8(getattr(known[i], shown)) for i in picks])
        return seen, torch.cat([from_u8(known[i].original_u8) for i in picks])

    return learn(scene, recipe, teach, folder)


# --- secrets of a known form ----------------------------------------------------------------------


def _fitted(
    method: str, known: Sequence[_Known], fresh: Sequence[_Known], config: AttackConfig
) -> list[U8]:
    """What the secret fitted to the known pairs shows of the others; empty for other methods."""
    found = find_method(method)
    if not isinstance(found, ProfaceS):
        return []
    network = load_embedder(found.model).to(config.device)
    if found.scrambled:
        return _fitted_shuffle(network, known, fresh)
    return _fitted_map(network, known, fresh, config)


def _fitted_map(
    network: Embedder, known: Sequence[_Known], fresh: Sequence[_Known], config: AttackConfig
) -> list[U8]:
    originals = torch.cat([from_u8(one.original_u8) for one in known]).to(network.device)
    shared = torch.cat([from_u8(one.protected_u8) for one in known]).to(network.device)
    steps = config.tries or _FIT_STEPS
    key_map = fit(network, shared, originals, steps, config.seed, batch=_FITTED)
    return [
        to_u8(recovered_by(network, from_u8(one.protected_u8).to(network.device), key_map).cpu())
        for one in fresh
    ]


def _fitted_shuffle(
    network: Embedder, known: Sequence[_Known], fresh: Sequence[_Known]
) -> list[U8]:
    """Everybody gets the scrambled picture from the network; only the shuffle is secret."""

    def hidden(one: _Known) -> Tensor:
        shared = from_u8(one.protected_u8)
        no_key = torch.zeros(1, 1, *shared.shape[-2:])
        with torch.inference_mode():
            made = network.recover(shared.to(network.device), no_key.to(network.device))
        return made.float().cpu().clone()

    originals = torch.cat([from_u8(one.original_u8) for one in known])
    shuffle = match_shuffle(originals, torch.cat([hidden(one) for one in known]))
    return [to_u8(unscramble(hidden(one), shuffle).clamp(0, 1)) for one in fresh]


def _budget(config: AttackConfig) -> str:
    steps = config.tries or _STEPS
    counts = ", ".join(map(str, COUNTS))
    return (
        f"for each method, mask and kind of key {counts} known pairs: {steps} steps of a U-Net of "
        f"width {_WIDTH} on up to {_BATCH} of them and as many for its control; "
        f"{config.tries or _FIT_STEPS} steps of Adam at a rate of {FIT_RATE:g} on the key map of a "
        f"network that has one, each on up to {_FITTED} of them drawn anew, or one correlation of "
        "all coefficients of a scrambled one"
    )


ATTACK = Attack(
    name="known-plaintext",
    title="Known plaintext",
    knowledge="some originals with their protected pictures under one passphrase; no passphrase",
    goal="another face under the same passphrase",
    budget=_budget,
    run=_run,
    options=("keep",),
)
