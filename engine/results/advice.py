"""How strong a mask must be: of how many faces a trained de-blurrer brings the person back.

Read from the rows of ``python -m engine attack deblur``, and of the controls of ``attack keyless``,
which learn one strength and the masks alone. Every method inherits this floor from its mask,
so it is advice for who chooses a mask, whatever the method.
"""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from engine.results.judging import LEAST_FACES
from engine.results.reader import Reader
from engine.results.records import MeanScore, Run
from engine.results.standing import RELEASED_RESULTS

__all__ = ["GATE_KNOWN", "Advice", "Restored", "advise", "restorations", "too_weak"]

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
        least: a stronger network restores more: all that was measured here is of networks that do
            clearly less at the papers' strength than a control, see :func:`too_weak`.
        run_id: of the run that measured it.
    """

    mask: str
    strength: float
    restored: float
    masked: float | None
    faces: int
    steps: int | None
    least: bool = False
    run_id: int = field(default=0, compare=False)

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
            the strongest is not, or is only known to be no less.
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
    strength where it, too, brought back more than some mask shows, of each mask the longest and on
    the most faces. A de-blurrer that brought back much less there than that control
    (:func:`too_weak`) says what is restored at least. Of what is left the run that knew most faces
    counts, and what was found behind a strong mask is there behind a weaker one.

    Args:
        path: the SQLite file; the released one where none is named.

    Returns:
        By mask, weakest first; none where nothing was measured.

    Raises:
        ResultsError: no database, or one that cannot be read.
    """
    with Reader(path) as reader:
        attacks = reader.runs("attack", hidden=False)
        runs = [run.id for run in attacks if _is(run, "deblur") or _is(run, "keyless")]
        metrics = ("identity_match", "strength", "steps", *_GAIN)
        means = reader.means(runs, metric=metrics) if runs else []
    controls, deblurred = _measured(attacks, means)
    weak = too_weak(attacks, means)
    places: dict[tuple[str, float], list[Restored]] = defaultdict(list)
    for one in controls.values():
        places[one.mask, one.strength].append(one)
    for run_id, own in deblurred.items():
        for one in own:
            least = (run_id, one.mask) in weak
            places[one.mask, one.strength].append(replace(one, least=least))
    found: dict[str, list[Restored]] = defaultdict(list)
    for (mask, strength), ones in sorted(places.items(), reverse=True):
        most = max([*ones, *found[mask][-1:]], key=_tells)
        least = all(one.least for one in ones)
        found[mask].append(replace(most, strength=strength, least=least))
    return {mask: tuple(reversed(ones)) for mask, ones in sorted(found.items())}


def too_weak(
    runs: Iterable[Run], means: Sequence[MeanScore]
) -> dict[tuple[int, str], Restored | None]:
    """Which de-blurrers have learned too little to show what a mask gives away.

    Such a one makes fewer than four fifths as many faces known again at the papers' strength as the
    control of a keyless attack, where that is above :data:`GATE_KNOWN`. That it fails at other
    strengths too says nothing, nor that it fails on masks of which there is no control.

    Args:
        runs: attacks, of any kind and state.
        means: their figures.

    Returns:
        By run and mask without its settings, the control that does better behind that mask; None
        where the run is too weak behind others and no control has seen this one.
    """
    controls, deblurred = _measured(runs, means)
    found: dict[tuple[int, str], Restored | None] = {}
    for run_id, own in deblurred.items():
        behind = {one.mask for one in own if _is_behind(one, controls.get(one.mask))}
        for mask in {one.mask for one in own}:
            if mask in behind or (behind and mask not in controls):
                found[run_id, mask] = controls.get(mask)
    return found


def _is_behind(one: Restored, control: Restored | None) -> bool:
    if control is None or abs(one.strength - 1) >= _NEAR or control.known <= GATE_KNOWN:
        return False
    return one.known < _NEARLY * control.known


def _measured(
    runs: Iterable[Run], means: Sequence[MeanScore]
) -> tuple[dict[str, Restored], dict[int, list[Restored]]]:
    """The best control of each mask, and what each de-blurrer that learned something restored."""
    runs = list(runs)
    deblur = {run.id: run for run in runs if _is(run, "deblur")}
    keyless = {run.id for run in runs if _is(run, "keyless")}
    own = [m for m in means if m.run_id in deblur and m.method == _METHOD]
    whole = _of_whole_runs(own)
    able = {run_id for (run_id, _), values in whole.items() if _has_learned(values)}
    found: dict[int, list[Restored]] = defaultdict(list)
    for place, values in whole.items():
        if place[0] in able and "strength" in values:
            one = _restored(place, values, own, deblur[place[0]])
            if one is not None:
                found[place[0]].append(one)
    return _longest(_controls(m for m in means if m.run_id in keyless)), found


def _longest(ones: Iterable[Restored]) -> dict[str, Restored]:
    """Of each mask that of the longest training, on the most faces: often one network, seen again.

    To take the run that happened to know most would choose the luckiest faces.
    """
    ordered = sorted(ones, key=lambda one: (one.steps or 0, one.faces, one.known))
    return {one.mask: one for one in ordered}


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
        if one.known > gate or one.least:
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
    """What each keyless attack's control restored, which sees masks alone.

    One that never brought back more than a mask shows has learned nothing.
    """
    groups: dict[tuple[int, str, str], list[MeanScore]] = defaultdict(list)
    for m in means:
        groups[m.run_id, m.method, m.mask].append(m)
    found: dict[tuple[int, str], list[Restored]] = defaultdict(list)
    for (run_id, method, mask), own in groups.items():
        shares, faces = _shares(m for m in own if m.metric == "identity_match")
        restored, masked = shares.get("original:control"), shares.get("original:mask")
        count = faces["original:control"]
        if restored is None or masked is None or count < LEAST_FACES:
            continue
        steps = next((m.mean for m in own if m.metric == "steps"), None)
        counted = None if steps is None else round(steps)
        one = Restored(mask, 1.0, restored, masked, count, counted, run_id=run_id)
        found[run_id, method].append(one)
    for ones in found.values():
        if any(one.restored > (one.masked or 0.0) for one in ones):
            yield from ones


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
        None if steps is None else round(steps), run_id=place[0],
    )  # fmt: skip


def _shares(means: Iterable[MeanScore]) -> tuple[dict[str, float], Counter[str]]:
    """Share and number of faces by pair, all sets together."""
    faces, sums = Counter[str](), defaultdict[str, float](float)
    for m in means:
        if m.mean is not None:
            sums[m.pair] += m.images * m.mean
            faces[m.pair] += m.images
    return {pair: total / faces[pair] for pair, total in sums.items()}, faces
