"""How strong a mask must be: of how many faces a trained de-blurrer brings the person back.

Read from the rows of ``python -m engine attack deblur``, and of the controls of ``attack keyless``,
which learn one strength and the masks alone. Every method inherits this floor from its mask
(SECURITY.md, A12), so it is advice for who chooses a mask, whatever the method.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.results.judging import LEAST_FACES
from engine.results.reader import Reader
from engine.results.records import MeanScore, Run
from engine.results.standing import RELEASED_RESULTS

__all__ = ["GATE_KNOWN", "Advice", "Restored", "advise", "restorations"]

GATE_KNOWN: Final = 0.05
"""A mask hides enough where at most this share of faces is known again."""

_METHOD: Final = "mask"
_GAIN: Final = ("gain_identity_match", "gain_identity_match_margin")
_NEAR: Final = 1e-6
_NEARLY: Final = 0.8

Place = tuple[int, str]


@dataclass(frozen=True)
class Restored:
    """What a network without any key restored of a mask at one strength.

    Attributes:
        mask: name in :data:`engine.masks.MASKS`, as the papers set it at 112 px.
        strength: times the papers'.
        restored: share of the faces that a recogniser knows again from what was restored, 0 to 1.
        masked: the same from the mask as it is; None where it was not measured.
        faces: in all.
        steps: that the network learned; None where nobody wrote it down.
    """

    mask: str
    strength: float
    restored: float
    masked: float | None
    faces: int
    steps: int | None

    @property
    def known(self) -> float:
        """The greater of both shares: whoever looks takes what shows more."""
        return max(self.restored, self.masked or 0.0)


@dataclass(frozen=True)
class Advice:
    """What is measured about a mask at a strength; nothing between two measurements is guessed.

    Attributes:
        strength: that was asked for, times the papers'.
        weaker: the nearest measurement at that strength or below; None where there is none.
        stronger: at that strength or above; the same one where just that strength was measured.
        enough: the weakest from which on every stronger one, too, is within the gate; None where
            the strongest is not.
    """

    strength: float
    weaker: Restored | None
    stronger: Restored | None
    enough: Restored | None

    @property
    def exact(self) -> Restored | None:
        """The measurement at that strength itself, if there is one."""
        return self.weaker if self.weaker is self.stronger else None


def restorations(
    path: str | os.PathLike[str] = RELEASED_RESULTS,
) -> dict[str, tuple[Restored, ...]]:
    """Read what de-blurrers restored, where that says something.

    A finished run counts for a mask and strength where it looked at :data:`LEAST_FACES` faces or
    more, and only if somewhere it surely brought more faces back than the mask shows: a network
    that has learned nothing restores nothing. The control of a keyless attack counts at the papers'
    strength where it brought back more than its mask shows, the longest and on the most faces, and
    a de-blurrer's run only where it brought back nearly as much there of each mask as that control.
    Of what is left the run that knew most faces counts, and what was found behind a strong mask is
    there behind a weaker one.

    Args:
        path: the SQLite file; the released one where none is named.

    Returns:
        By mask, weakest first; none where nothing was measured.

    Raises:
        ResultsError: no database, or one that cannot be read.
    """
    with Reader(path) as reader:
        attacks = reader.runs("attack", hidden=False)
        runs = {run.id: run for run in attacks if _is(run, "deblur")}
        metrics = ("identity_match", "strength", "steps", *_GAIN)
        means = reader.means(list(runs), method=_METHOD, metric=metrics) if runs else []
        keyless = [run.id for run in attacks if _is(run, "keyless")]
        beside = reader.means(keyless, metric=("identity_match", "steps")) if keyless else []
    whole = _of_whole_runs(means)
    able = {run_id for (run_id, _), values in whole.items() if _has_learned(values)}
    controls = _longest(_controls(beside))
    usual = {one.mask: one.known for one in controls}
    runs_found: dict[int, list[Restored]] = defaultdict(list)
    for place, values in whole.items():
        if place[0] in able and "strength" in values:
            one = _restored(place, values, means, runs[place[0]])
            if one is not None:
                runs_found[place[0]].append(one)
    worst: dict[tuple[str, float], Restored] = {}
    for one in controls + [o for own in runs_found.values() if _is_good(own, usual) for o in own]:
        key = one.mask, one.strength
        worst[key] = max(one, worst.get(key, one), key=_tells)
    found: dict[str, list[Restored]] = defaultdict(list)
    for (mask, strength), one in sorted(worst.items(), reverse=True):
        most = max([one, *found[mask][-1:]], key=_tells)
        found[mask].append(replace(most, strength=strength))
    return {mask: tuple(reversed(ones)) for mask, ones in sorted(found.items())}


def _longest(ones: Iterable[Restored]) -> list[Restored]:
    """Of each mask that of the longest training, on the most faces: often one network, seen again.

    To take the run that happened to know most would choose the luckiest faces.
    """
    found: dict[str, Restored] = {}
    for one in sorted(ones, key=lambda one: (one.steps or 0, one.faces, one.known)):
        found[one.mask] = one
    return list(found.values())


def _is_good(own: Sequence[Restored], usual: Mapping[str, float]) -> bool:
    """Whether a de-blurrer does at the papers' strength nearly what a control does that learned it.

    One that does not has learned too little: that it fails at other strengths too says nothing.
    """
    return all(
        one.known >= _NEARLY * usual.get(one.mask, 0.0)
        for one in own
        if abs(one.strength - 1) < _NEAR
    )


def _tells(one: Restored) -> tuple[float, int]:
    return one.known, one.faces


def advise(found: Sequence[Restored], strength: float, gate: float = GATE_KNOWN) -> Advice:
    """Say what is measured about a mask at a strength and around it.

    Args:
        found: of one mask, from :func:`restorations`, in any order.
        strength: times the papers'.
        gate: share of faces that may be known again, 0 to 1.

    Returns:
        The nearest measurements on both sides; None on a side that nobody has measured.
    """
    ones = sorted(found, key=lambda one: one.strength)
    weaker = [one for one in ones if one.strength <= strength + _NEAR]
    stronger = [one for one in ones if one.strength >= strength - _NEAR]
    enough = None
    for one in reversed(ones):
        if one.known > gate:
            break
        enough = one
    return Advice(
        strength, weaker[-1] if weaker else None, stronger[0] if stronger else None, enough
    )


def _is(run: Run, attack: str) -> bool:
    """Whether a finished run is of an attack, on masks at the papers' strength or at many."""
    try:
        config = json.loads(run.config)
    except json.JSONDecodeError:
        return False
    preset = config.get("preset", "paper") if attack == "keyless" else "paper"
    return run.state == "finished" and config.get("attack") == attack and preset == "paper"


def _controls(means: Iterable[MeanScore]) -> Iterator[Restored]:
    """What each keyless attack's control restored, which sees masks alone."""
    groups: dict[tuple[int, str, str], list[MeanScore]] = defaultdict(list)
    for m in means:
        groups[m.run_id, m.method, m.mask].append(m)
    for (_, _, mask), own in groups.items():
        shares, faces = _shares(m for m in own if m.metric == "identity_match")
        restored, masked = shares.get("original:control"), shares.get("original:mask")
        if restored is None or masked is None or restored <= masked:
            continue
        steps = next((m.mean for m in own if m.metric == "steps"), None)
        if faces["original:control"] >= LEAST_FACES:
            counted = None if steps is None else round(steps)
            yield Restored(mask, 1.0, restored, masked, faces["original:control"], counted)


def _of_whole_runs(means: Iterable[MeanScore]) -> dict[Place, dict[str, float]]:
    """What is said of all faces together, by run and mask with its strength."""
    found: dict[Place, dict[str, float]] = defaultdict(dict)
    for m in means:
        if m.pair == "control:mask" and m.mean is not None:
            found[m.run_id, m.mask][m.metric] = m.mean
    return found


def _has_learned(values: Mapping[str, float]) -> bool:
    gain, margin = (values.get(name, 0.0) for name in _GAIN)
    return margin > 0 and gain > margin


def _restored(
    place: Place, values: Mapping[str, float], means: Iterable[MeanScore], run: Run
) -> Restored | None:
    own = [m for m in means if (m.run_id, m.mask) == place and m.metric == "identity_match"]
    shares, faces = _shares(own)
    restored, masked = shares.get("original:control"), shares.get("original:mask")
    if restored is None or faces["original:control"] < LEAST_FACES:
        return None
    steps = values.get("steps", json.loads(run.config).get("tries"))
    name = place[1].partition(":")[0]
    return Restored(
        name, values["strength"], restored, masked, faces["original:control"],
        None if steps is None else round(steps),
    )  # fmt: skip


def _shares(means: Iterable[MeanScore]) -> tuple[dict[str, float], Counter[str]]:
    """Share and number of faces by pair, all sets together."""
    faces, sums = Counter[str](), defaultdict[str, float](float)
    for m in means:
        if m.mean is not None:
            sums[m.pair] += m.images * m.mean
            faces[m.pair] += m.images
    return {pair: total / faces[pair] for pair, total in sums.items()}, faces
