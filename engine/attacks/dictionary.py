"""Runs through a list of common passphrases, and asks who could tell the right one without a tag.

The attacker has one protected file, the program and its weights, and a list that holds the right
passphrase, as it does for whoever chose a common one; the goal is the passphrase.
The list is tried through the tag at the cheapest key derivation, which changes no rank; what the
derivation costs in earnest is measured apart, ours beside the paper's, and so is what whole spaces
of keys would take. Without a tag the attacker looks at what each key shows: the oracles. The
paper's system has no tag, so its derivation is also timed with such a look at every guess. What
wrong keys show is the owner's choice, and the oracles see each choice: rows of a mode that is not
the method's own end with its name, as ``oracle:sharpness_decoy``.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene, Target
from engine.attacks.common_passphrases import common_passphrases
from engine.attacks.keys import Trial, random_key
from engine.attacks.oracles import ORACLES, area_under_curve
from engine.attacks.rates import CORE_HOUR_USD, GPU_HOUR_USD, machine, rate_costs
from engine.benchmark.plan import drawn
from engine.data import FaceFile
from engine.errors import CapacityError, MaskError, MethodError
from engine.methods import WrongMode, find_method
from engine.results.records import Cost, Score

__all__ = ["ATTACK", "find_rank"]

_WRONG = 12
"""Wrong keys that each oracle sees beside the right one, on each face."""

_FACES_OF_A_MODE = 2
"""Faces that are protected again for each wrong mode that is not the method's own."""

_FIND: Final = {
    "argon2id": "find_s",
    "argon2id (modelled GPU)": "find_gpu_s",
    "pbkdf2-10": "find_paper_s",
    "pbkdf2-10 (modelled GPU)": "find_paper_gpu_s",
}
"""By key derivation, the row that says how long deriving every key up to the right one takes."""


def find_rank(trial: Trial, words: Sequence[str]) -> int | None:
    """Try passphrases in order until one opens.

    Args:
        trial: a face protected with a tag.
        words: the list.

    Returns:
        The place of the right one, from 1, or None where it is not on the list.
    """
    for rank, word in enumerate(words, 1):
        if trial.opens(trial.derive(word)):
            return rank
    return None


def _run(scene: Scene) -> Iterator[Outcome]:
    """Who has a protected file, the program, its weights and a list wants the passphrase on it."""
    costs = rate_costs()
    yield Outcome(costs=tuple(costs))
    rates = {cost.method: cost.median for cost in costs if cost.name == "keys_per_second"}
    words = common_passphrases()[: scene.config.tries]
    for method, mask in scene.combinations():
        guessed: list[tuple[int | None, float]] = []
        areas: dict[str, list[float]] = {}
        secret = partial(_planted, words, scene.config.seed)
        for target in scene.targets(method, mask, secret=secret):
            trial = Trial(target.file)
            rank = find_rank(trial, words)
            scores = [target.score("keys:dictionary", "found", float(rank is not None))]
            if rank is not None:
                scores.append(target.score("keys:dictionary", "rank", rank))
            start = time.process_time()
            for name, area in _look(trial, target).items():
                areas.setdefault(name, []).append(area)
            guessed.append((rank, (time.process_time() - start) / (_WRONG + 1)))
            yield Outcome(tuple(scores))
        summary = _areas(scene, method, mask, "", areas)
        yield Outcome(summary, tuple(_costs(method, mask, guessed, rates)))
        for mode in find_method(method).wrong_modes[1:]:
            areas = _look_in_mode(scene, method, mask, secret, mode)
            yield Outcome(_areas(scene, method, mask, f"_{mode}", areas))


def _areas(
    scene: Scene, method: str, mask: str, ending: str, areas: Mapping[str, Sequence[float]]
) -> tuple[Score, ...]:
    """Each oracle's mean over faces."""
    return tuple(
        scene.whole_run(method, mask, f"oracle:{name}{ending}", "auc", statistics.fmean(values))
        for name, values in areas.items()
    )


def _look_in_mode(
    scene: Scene, method: str, mask: str, secret: Callable[[FaceFile], str], mode: WrongMode
) -> dict[str, list[float]]:
    """What the oracles tell of some faces that are protected so that wrong keys show the mode."""
    areas: dict[str, list[float]] = {}
    for index in scene.chosen[:_FACES_OF_A_MODE]:
        words = secret(scene.faces.records[index])
        try:
            target = scene.protect(index, method, mask, secret=words, wrong=mode)
        except (CapacityError, MaskError, MethodError):
            continue  # noted in the method's own mode
        for name, area in _look(Trial(target.file), target).items():
            areas.setdefault(name, []).append(area)
    return areas


def _planted(words: Sequence[str], seed: int, record: FaceFile) -> str:
    """The passphrase of somebody who chose a common one."""
    return words[int.from_bytes(drawn(seed, record.file, "planted")[:8], "big") % len(words)]


def _look(trial: Trial, target: Target) -> dict[str, float]:
    """How often each oracle prefers the right key to a wrong one, by what the keys show."""
    keys = [target.key, *(random_key() for _ in range(_WRONG))]
    shown = [trial.show(key) for key in keys]
    found = {}
    for name, oracle in ORACLES.items():
        values = oracle(shown, target.protected_u8, target.header)
        if values is not None:
            found[name] = area_under_curve(values[0], values[1:])
    return found


def _costs(
    method: str,
    mask: str,
    guessed: Sequence[tuple[int | None, float]],
    rates: Mapping[str, float],
) -> Iterator[Cost]:
    """How long the planted passphrases take to find in earnest, and a look, by processor time.

    Args:
        method: under attack.
        mask: its mask.
        guessed: of each face the rank of its passphrase, and the processor seconds of a look.
        rates: keys a second by derivation, of all cores; all of them look as well.
    """
    found = [(rank, look) for rank, look in guessed if rank is not None]
    if found:
        for kdf, name in _FIND.items():
            yield _spread(method, mask, name, [rank / rates[kdf] for rank, _ in found])
        paper, cores = rates["pbkdf2-10"], os.cpu_count() or 1
        seconds = [rank * (1 / paper + look / cores) for rank, look in found]
        yield _spread(method, mask, "find_paper_look_s", seconds)
    if guessed:
        yield _spread(method, mask, "look_s", [look for _, look in guessed])


def _spread(method: str, mask: str, name: str, seconds: Sequence[float]) -> Cost:
    several = seconds if len(seconds) > 1 else [*seconds, *seconds]
    low, middle, high = statistics.quantiles(several, n=4, method="inclusive")
    return Cost(method, mask, name, 1, middle, low, high, "s")


def _budget(config: AttackConfig) -> str:
    count = len(common_passphrases()[: config.tries])
    return (
        f"a list of {count} common passphrases made by rule, the right one among them; {_WRONG} "
        "wrong keys beside the right one for each oracle, and again on up to "
        f"{_FACES_OF_A_MODE} faces for each other thing that a wrong key of the method can show; "
        f"rates measured on {machine()}; assumed prices of {CORE_HOUR_USD:g} USD for a core and "
        f"{GPU_HOUR_USD:g} USD for the modelled card, an hour"
    )


ATTACK = Attack(
    name="dictionary",
    title="Dictionary and oracles",
    knowledge="one protected file, the program and its weights, and a list with the passphrase",
    goal="the passphrase, with the tag or without it",
    budget=_budget,
    run=_run,
)
