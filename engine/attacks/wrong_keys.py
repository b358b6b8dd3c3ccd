"""Tries keys that are not the right one: any at all, one character off, right but for some bits.

The attacker has one protected file, the program and its weights, and guesses: at random, or from
nearly the right passphrase, or (which nobody does) from nearly the right key map; the goal is a key
that opens, or a picture that shows more than a wrong key should (SECURITY.md, A1 to A3). A try is
one check of the face's tag, from a key of 32 bytes: what guesses at passphrases cost is another
attack's business. A method that authenticates by itself is asked as well, without the tag.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import ks_2samp

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene, Target
from engine.attacks.keys import Trial, key_map_sweep, one_character_off, random_key
from engine.errors import WrongKeyError
from engine.header import context
from engine.images import from_u8
from engine.keys import Key
from engine.methods import BoundKey, Place, find_method
from engine.methods.proface_s import ProfaceS
from engine.metrics import psnr_db
from engine.recovery import read_header
from engine.results.records import Score

__all__ = ["ATTACK", "SHARES", "distance_of_samples"]

SHARES = (1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5)
"""Of key map bits, which are made wrong, scattered and as one tile."""

_TRIES = 10_000
# One edited passphrase, one question to the method itself, one picture for so many tries.
_PER_EDIT, _PER_SEAL, _PER_PICTURE = 10, 100, 200


def distance_of_samples(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """Test whether two samples come from one distribution (Kolmogorov and Smirnov).

    Args:
        first: any numbers.
        second: any numbers.

    Returns:
        The greatest distance of the two distribution functions, 0 to 1, and the p value.
    """
    found = ks_2samp(first, second)
    return float(found.statistic), float(found.pvalue)


def _run(scene: Scene) -> Iterator[Outcome]:
    share = -(-(scene.config.tries or _TRIES) // max(1, len(scene.chosen)))
    for method, mask in scene.combinations():
        opened: dict[str, list[bool]] = {}
        shown: dict[str, list[float]] = {"random": [], "one_char": []}
        for target in scene.targets(method, mask):
            for name, answers in _try(target, share, scene.config.seed).items():
                opened.setdefault(name, []).extend(answers)
            found = _show(target, max(2, share // _PER_PICTURE), scene.config.seed)
            # About their face's own mean: how faces differ would hide how the kinds of keys do.
            level = float(np.mean([value for values in found.values() for value in values]))
            for name, values in found.items():
                shown[name].extend(value - level for value in values)
            scores = [*_of_face(target, found), *_sweep(target, scene.config.seed)]
            yield Outcome(tuple(scores))
        yield Outcome(tuple(_summary(scene, method, mask, opened, shown)))


def _try(target: Target, count: int, seed: int) -> dict[str, list[bool]]:
    """Ask the tag about random keys and edited passphrases, and the method itself about a few."""
    trial = Trial(target.file)
    edits = (one_character_off(target.passphrase, seed + i) for i in range(-(-count // _PER_EDIT)))
    answers = {
        "random": [trial.opens(random_key()) for _ in range(count)],
        "one_char": [trial.opens(trial.derive(words)) for words in edits],
    }
    if find_method(target.method).authenticates:
        _, signed_u8 = read_header(target.file)
        face = target.header.faces[0]
        place, bound = Place(face.box, face.data, "rand"), context(target.header, 0)

        def unseals(key: Key) -> bool:
            try:
                find_method(target.method).recover(signed_u8, place, BoundKey(key, bound))
            except WrongKeyError:
                return False
            return True

        answers["seal"] = [unseals(random_key()) for _ in range(-(-count // _PER_SEAL))]
    return answers


def _show(target: Target, count: int, seed: int) -> dict[str, list[float]]:
    """How near what a viewer sees comes to the original, PSNR in dB, by kind of wrong key."""
    trial, original = Trial(target.file), from_u8(target.original_u8)
    edits = [one_character_off(target.passphrase, seed + i) for i in range(count)]
    keys = {
        "random": [random_key() for _ in range(count)],
        "one_char": [trial.derive(words) for words in edits],
    }
    return {
        name: [psnr_db(original, from_u8(trial.show(key))).item() for key in some]
        for name, some in keys.items()
    }


def _of_face(target: Target, found: dict[str, list[float]]) -> Iterator[Score]:
    """The mean, and the nearest: one picture that shows the face is one too many."""
    for name, values in found.items():
        yield target.score(f"original:{name}", "psnr_db", float(np.mean(values)))
        yield target.score(f"original:{name}_nearest", "psnr_db", max(values))


def _sweep(target: Target, seed: int) -> Iterator[Score]:
    method = find_method(target.method)
    if not isinstance(method, ProfaceS) or method.scrambled:
        return
    trial, original_u8 = Trial(target.file), target.original_u8
    for name, tile in (("flipped", False), ("tile", True)):
        for point in key_map_sweep(trial, target.key, original_u8, SHARES, seed, tile):
            yield target.score(f"original:{name}_{point.share:g}", "psnr_db", point.psnr_db)


def _summary(
    scene: Scene,
    method: str,
    mask: str,
    opened: dict[str, list[bool]],
    shown: dict[str, list[float]],
) -> Iterator[Score]:
    for name, answers in opened.items():
        yield scene.whole_run(method, mask, f"keys:{name}", "tries", len(answers))
        yield scene.whole_run(method, mask, f"keys:{name}", "opened", sum(answers))
    if shown["random"]:
        statistic, p_value = distance_of_samples(shown["random"], shown["one_char"])
        yield scene.whole_run(method, mask, "random:one_char", "ks", statistic)
        yield scene.whole_run(method, mask, "random:one_char", "ks_p", p_value)


def _budget(config: AttackConfig) -> str:
    tries = config.tries or _TRIES
    return (
        f"for each method and mask {tries} random keys and {tries // _PER_EDIT} edited passphrases "
        f"by the tag, about {tries // _PER_SEAL} by the method itself where it can tell, "
        f"{tries // _PER_PICTURE} pictures of either kind, and {2 * len(SHARES)} of a face's key "
        "map with wrong bits"
    )


ATTACK = Attack(
    name="wrong-keys",
    title="Wrong keys",
    knowledge="one protected file, the program and its weights, and no idea of the key",
    goal="a key that opens, or a picture that shows more than a wrong key should",
    budget=_budget,
    run=_run,
)
