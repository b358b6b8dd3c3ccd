"""Whether each method holds against trained attackers, by the gains of their runs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard import attack_words, series
from dashboard.attacks import Gain, gains, strongest
from engine.results import LEAST_FACES, MeanScore, pooled

Sense = Literal["holds", "leaks", "open"]


@dataclass(frozen=True)
class Verdict:
    """How a method stands against trained attackers.

    Attributes:
        sense: ``holds`` where no mask's gain in decibels, nor that of all masks together in
            identity match, can be above the gate of an attacker that is proven, ``leaks`` where one
            is, ``open`` where that is not known.
        proven: whether the same attack, or a shorter one, has seen through another method.
        worst: the mask with the greatest gain in PSNR.
        match: that with the greatest gain in identity match; None where it was not measured.
        unmatched: the masks whose identity match was not measured.
        opened: of so many wrong keys (the second) so many opened; None without any.
        noticed: share of changes that were noticed; None without any.
    """

    method: str
    sense: Sense
    proven: bool
    worst: Gain
    match: Gain | None
    unmatched: tuple[str, ...]
    opened: tuple[float, float] | None
    noticed: float | None


def verdicts(means: Sequence[MeanScore]) -> list[Verdict]:
    """A verdict on every method that a keyless network was trained against.

    Args:
        means: figures of attacks in which each face had a key of its own.
    """
    every = {name: gains(means, name) for name in attack_words.GATES}
    by_metric = {name: strongest(own) for name, own in every.items()}
    steps = {
        (m.run_id, m.method, m.mask): m.mean or 0.0
        for m in means
        if (m.pair, m.metric) == ("revealed:control", "steps")
    }
    breaks = [one for own in every.values() for one in own if _leaks(one)]
    found = []
    for method in series.options(means, "method"):
        decibels = [one for one in by_metric["psnr_db"] if one.method == method]
        matches = [one for one in by_metric["identity_match"] if one.method == method]
        if decibels:
            worst = max(decibels, key=lambda one: one.gain)
            match = max(matches, key=lambda one: one.gain, default=None)
            proven = all(_is_proven(one, breaks, steps) for one in decibels)
            judged = {one.mask for one in matches}
            unmatched = tuple(one.mask for one in decibels if one.mask not in judged)
            sense = _sense(decibels, matches, proven=proven and not unmatched)
            opened, noticed = _opened(means, method), _noticed(means, method)
            found.append(Verdict(method, sense, proven, worst, match, unmatched, opened, noticed))
    return found


def _leaks(one: Gain) -> bool:
    return one.low > attack_words.GATES[one.metric]


def _is_proven(
    one: Gain, breaks: Iterable[Gain], steps: Mapping[tuple[int, str, str], float]
) -> bool:
    """Whether an attacker of this run, or one that learned no longer, broke another method.

    An attacker that has learned nothing gains nothing either.
    """

    def length(gain: Gain) -> float | None:
        return steps.get((gain.run_id, gain.method, gain.mask))

    for other in breaks:
        if other.method == one.method:
            continue
        ours, theirs = length(one), length(other)
        if other.run_id == one.run_id or (ours and theirs and theirs <= ours):
            return True
    return False


def _sense(decibels: Sequence[Gain], matches: Sequence[Gain], *, proven: bool) -> Sense:
    least, most = _matched(matches)
    gate = attack_words.GATES["identity_match"]
    if least > gate or any(_leaks(one) for one in (*decibels, *matches)):
        return "leaks"
    inside = proven and all(_is_inside(one) for one in decibels)
    return "holds" if inside and most <= gate else "open"


def _is_inside(one: Gain) -> bool:
    enough = one.faces >= LEAST_FACES
    return enough and one.high <= attack_words.GATES[one.metric]


def _matched(matches: Sequence[Gain]) -> tuple[float, float]:
    """Between what the gain in identity match lies over all masks together."""
    if not matches or any(one.margin is None for one in matches):
        return -math.inf, math.inf
    gain, margin = pooled((one.gain, one.margin or 0.0, one.faces) for one in matches)
    return gain - margin, gain + margin


def _opened(means: Sequence[MeanScore], method: str) -> tuple[float, float] | None:
    own = [m for m in series.newest(means) if m.method == method and m.pair.startswith("keys:")]
    tries = {(m.mask, m.pair): m.mean or 0.0 for m in own if m.metric == "tries"}
    opened = {(m.mask, m.pair): m.mean or 0.0 for m in own if m.metric == "opened"}
    both = tries.keys() & opened.keys()
    if not both:
        return None
    return sum(opened[key] for key in both), sum(tries[key] for key in both)


def _noticed(means: Sequence[MeanScore], method: str) -> float | None:
    """Of files with a tag; without one some go unnoticed, which the list says."""
    own = [
        m
        for m in series.newest(means)
        if (m.method, m.metric) == (method, "noticed") and m.pair.startswith("protected:")
    ]
    return series.together(own).mean if own else None
