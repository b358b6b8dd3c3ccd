"""Tries keys that are not the right one: any at all, one character off, right but for some bits.

The attacker has one protected file, the program and its weights, and guesses: at random, or from
nearly the right passphrase, or (which nobody does) from nearly the right key map; the goal is a key
that opens, or a picture that shows more than a wrong key should. A try is
one check of the face's tag, from a key of 32 bytes: what guesses at passphrases cost is another
attack's business. A method that authenticates by itself is asked as well, without the tag. Whether
one character off looks like any other key is a test for each method and mask; the more there are,
the surer one of them finds something by chance, so the p values are corrected for their number
(Holm, 1979).
"""

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import ks_2samp

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene, Target
from engine.attacks.guesses import all_one_character_off
from engine.attacks.keys import Trial, key_map_sweep, random_key
from engine.errors import WrongKeyError
from engine.header import context
from engine.images import from_u8
from engine.keys import Key
from engine.methods import BoundKey, Place, find_method
from engine.methods.proface_s import ProfaceS
from engine.metrics import available, measure
from engine.recovery import read_header
from engine.results.records import Score

__all__ = ["ATTACK", "SHARES", "distance_of_samples", "holm"]

SHARES = (1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5)
"""Of key map bits, which are made wrong, scattered and as one tile."""

_TRIES = 10_000
# One edited passphrase, one picture of either kind for so many tries: a network takes a tenth of a
# second for one. `sealed` itself is asked about every random key, 2.6 ms for a face of 112 px.
_PER_EDIT, _PER_PICTURE = 10, 40

_AT_ONCE = 16

_WANTED = ("psnr_db", "identity_cosine", "identity_match")


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


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p values for how many tests there were (Holm, Scand. J. Statist. 6, 1979).

    Args:
        p_values: of the tests of one family, 0 to 1.

    Returns:
        In their order, the least level at which each is still rejected while a false alarm in any
        of them stays below that level; 1 at most, and never below its own p value.
    """
    order = np.argsort(p_values)
    times = np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.maximum.accumulate(times * np.asarray(p_values)[order]).clip(max=1)
    return [float(value) for value in corrected]


def _run(scene: Scene) -> Iterator[Outcome]:
    """Who has one protected file, the program and its weights wants a key that opens or shows."""
    share = -(-(scene.config.tries or _TRIES) // max(1, len(scene.chosen)))
    tested: dict[tuple[str, str], float] = {}
    for method, mask in scene.combinations():
        opened: dict[str, list[bool]] = {}
        shown: dict[str, list[float]] = {"random": [], "one_char": []}
        for target in scene.targets(method, mask):
            for name, answers in _try(target, share, scene.config.seed).items():
                opened.setdefault(name, []).extend(answers)
            found = _show(target, max(2, -(-share // _PER_PICTURE)), scene.config.seed)
            # About their face's own mean: how faces differ would hide how the kinds of keys do.
            level = float(np.mean([kind["psnr_db"] for kind in found.values()]))
            for name, kind in found.items():
                shown[name].extend(value - level for value in kind["psnr_db"])
            scores = [*_of_face(target, found), *_sweep(target, scene.config.seed)]
            yield Outcome(tuple(scores))
        for name, answers in opened.items():
            yield Outcome(tuple(_counted(scene, method, mask, name, answers)))
        if shown["random"]:
            statistic, p_value = distance_of_samples(shown["random"], shown["one_char"])
            tested[method, mask] = p_value
            yield Outcome(tuple(_of_test(scene, method, mask, ks=statistic, ks_p=p_value)))
    for cell, corrected in zip(tested, holm([*tested.values()]), strict=True):
        yield Outcome(tuple(_of_test(scene, *cell, ks_p_corrected=corrected)))


def _try(target: Target, count: int, seed: int) -> dict[str, list[bool]]:
    """Ask the tag about random keys and edited passphrases; the method, about random keys."""
    trial = Trial(target.file)
    # Each of them once: one that repeats itself is one try, however often it is made.
    edits = islice(all_one_character_off(target.passphrase, seed), -(-count // _PER_EDIT))
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

        answers["seal"] = [unseals(random_key()) for _ in range(count)]
    return answers


Kind = dict[str, list[float]]
"""Of what one kind of wrong key shows, each metric's figures, one for each picture."""


def _show(target: Target, count: int, seed: int) -> dict[str, Kind]:
    """How near what a viewer sees comes to the original, by kind of wrong key."""
    trial = Trial(target.file)
    edited = list(islice(all_one_character_off(target.passphrase, seed), count))
    keys = {
        "random": [random_key() for _ in edited],
        "one_char": [trial.derive(words) for words in edited],
    }
    return {
        kind: _measured(target, [trial.show(key) for key in some]) for kind, some in keys.items()
    }


def _measured(target: Target, shown_u8: Sequence[npt.NDArray[np.uint8]]) -> Kind:
    """Figures of pictures against the original, a few pictures at a time: they may be large."""
    names = [name for name in _WANTED if available(name) is None]
    found: Kind = {name: [] for name in names}
    original, points = from_u8(target.original_u8), target.record.landmarks
    for start in range(0, len(shown_u8), _AT_ONCE):
        some = torch.cat([from_u8(one_u8) for one_u8 in shown_u8[start : start + _AT_ONCE]])
        figures = measure(names, original.expand_as(some), some, [points] * len(some))
        for name, values in figures.items():
            found[name] += values.tolist()
    return found


def _of_face(target: Target, found: dict[str, Kind]) -> Iterator[Score]:
    """The mean, and the nearest: one picture that shows the face is one too many."""
    for name, kind in found.items():
        for metric, values in kind.items():
            yield target.score(f"original:{name}", metric, float(np.mean(values)))
        for metric in kind.keys() - {"identity_match"}:
            yield target.score(f"original:{name}_nearest", metric, max(kind[metric]))


def _sweep(target: Target, seed: int) -> Iterator[Score]:
    method = find_method(target.method)
    if not isinstance(method, ProfaceS) or method.scrambled:
        return
    trial, original_u8 = Trial(target.file), target.original_u8
    for name, tile in (("flipped", False), ("tile", True)):
        points = key_map_sweep(trial, target.key, original_u8, SHARES, seed, tile)
        found = _measured(target, [point.recovered_u8 for point in points])
        for metric, values in found.items():
            for point, value in zip(points, values, strict=True):
                yield target.score(f"original:{name}_{point.share:g}", metric, value)


def _counted(
    scene: Scene, method: str, mask: str, name: str, answers: Sequence[bool]
) -> Iterator[Score]:
    yield scene.whole_run(method, mask, f"keys:{name}", "tries", len(answers))
    yield scene.whole_run(method, mask, f"keys:{name}", "opened", sum(answers))


def _of_test(scene: Scene, method: str, mask: str, **figures: float) -> Iterator[Score]:
    """Figures of how one character off differs from any other key."""
    for metric, value in figures.items():
        yield scene.whole_run(method, mask, "random:one_char", metric, value)


def _budget(config: AttackConfig) -> str:
    tries = config.tries or _TRIES
    edits, shown = (-(-tries // n) for n in (_PER_EDIT, _PER_PICTURE))
    left_out = ", ".join(name for name in _WANTED if available(name) is not None)
    return (
        f"for each method and mask, spread over its faces and at least so often: {tries} random "
        f"keys and {edits} edited passphrases, each once (all of a face's where there are fewer), "
        f"by the tag, {tries} random keys by the method itself where it can tell, {shown} pictures "
        "of either kind (2 of a face or more), whose p values are corrected for the number of "
        "methods and masks by Holm's method; and "
        f"{2 * len(SHARES)} pictures of each face under a key map with wrong bits"
        + (f"; without {left_out}, which cannot be had here" if left_out else "")
    )


ATTACK = Attack(
    name="wrong-keys",
    title="Wrong keys",
    knowledge="one protected file, the program and its weights, and no idea of the key",
    goal="a key that opens, or a picture that shows more than a wrong key should",
    budget=_budget,
    run=_run,
)
