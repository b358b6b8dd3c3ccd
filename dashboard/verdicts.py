"""How each method stands against trained attackers, and what else was tried on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dashboard import attack_words, series
from dashboard.attacks import Gain, gains
from engine.results import Judgement, Matched, MeanScore, Trial, judge


@dataclass(frozen=True)
class Verdict:
    """How a method stands against trained attackers.

    Attributes:
        sense: of :func:`engine.results.judge`.
        proven: whether the same attack, or a shorter one, has seen through another method.
        worst: the mask with the greatest gain in PSNR.
        match: the gain in identity match over all masks; None where no mask's was measured.
        unmatched: the masks whose identity match was not measured.
        opened: of so many wrong keys (the second) so many opened; None without any.
        noticed: share of changes that were noticed; None without any.
    """

    method: str
    sense: Literal["holds", "leaks", "open"]
    proven: bool
    worst: Gain
    match: Matched | None
    unmatched: tuple[str, ...]
    opened: tuple[float, float] | None
    noticed: float | None


def verdicts(
    means: Sequence[MeanScore],
    variants: Mapping[int, str] | None = None,
    together: Mapping[tuple[int, str], tuple[float, float]] | None = None,
    before: Sequence[MeanScore] = (),
) -> list[Verdict]:
    """A verdict on every method that a keyless network was trained against.

    Args:
        means: figures of attacks in which each face had a key of its own.
        variants: of the attack, by run; without, one for all.
        together: :func:`engine.results.matches` of the runs; what they stored themselves stands in
            for those that it has not.
        before: figures of superseded weights: who broke them is an attacker that counts.
    """
    decibels = {(one.run_id, one.method, one.mask): one for one in gains(means, "psnr_db")}
    trials = _trials(means, variants, together)
    proofs = _trials(before, variants, together)
    found = []
    for method in series.options(means, "method"):
        judged = judge(method, trials, proofs)
        if judged is not None:
            worst = judged.worst
            unmatched = tuple(
                dict.fromkeys(t.mask for t in trials if t.method == method and t.match is None)
            )
            found.append(
                Verdict(
                    method, judged.sense, judged.proven,
                    decibels[worst.run_id, worst.method, worst.mask], _known(judged), unmatched,
                    _opened(means, method), _noticed(means, method),
                )
            )  # fmt: skip
    return found


def _trials(
    means: Sequence[MeanScore],
    variants: Mapping[int, str] | None,
    together: Mapping[tuple[int, str], tuple[float, float]] | None,
) -> list[Trial]:
    decibels, matches = (
        {(one.run_id, one.method, one.mask): one for one in gains(means, name)}
        for name in attack_words.GATES
    )
    steps = {
        (m.run_id, m.method, m.mask): round(m.mean or 0.0)
        for m in means
        if (m.pair, m.metric) == ("revealed:control", "steps")
    }
    stored = _together(means)
    return [
        Trial(*place, one.gain, one.margin, _matched(matches.get(place)), one.faces,
              steps.get(place), (variants or {}).get(one.run_id, ""),
              (together or {}).get(place[:2], stored.get(place)), _known_of(matches.get(place)))
        for place, one in decibels.items()
    ]  # fmt: skip


def _matched(one: Gain | None) -> tuple[float, float] | None:
    return None if one is None or one.margin is None else (one.gain, one.margin)


def _known_of(one: Gain | None) -> float | None:
    """The greater share of faces that the network or its control knew."""
    return None if one is None else max(one.more, one.less)


def _together(means: Sequence[MeanScore]) -> dict[tuple[int, str, str], tuple[float, float]]:
    """Gains in identity match over all masks of a run, with their margins."""
    found: dict[str, dict[tuple[int, str, str], float]] = {"": {}, "_margin": {}}
    for m in means:
        ending = m.metric.removeprefix("gain_identity_match_together")
        if m.pair == "revealed:control" and ending in found and m.mean is not None:
            found[ending][m.run_id, m.method, m.mask] = m.mean
    return {
        place: (gain, found["_margin"][place])
        for place, gain in found[""].items()
        if place in found["_margin"]
    }


def _known(judged: Judgement) -> Matched | None:
    return judged.match if judged.match.margin < float("inf") else None


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
