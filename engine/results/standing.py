"""How each method stands in a few figures, for who chooses one: closeness, and its attackers.

The verdict is careful: ``holds`` and ``leaks`` need figures that are sure, all else is ``open``.
"""

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from engine.results.reader import Reader
from engine.results.records import MeanScore, Run

__all__ = [
    "GATE_DB",
    "GATE_MATCH",
    "LEAST_FACES",
    "RELEASED_RESULTS",
    "Attacked",
    "Standing",
    "pooled",
    "standings",
]

RELEASED_RESULTS: Final = Path(__file__).resolve().parents[2] / "assets" / "benchmark.db"

GATE_DB: Final = 0.3
"""What a keyless network may gain over its control, in dB, for a method to hold."""

GATE_MATCH: Final = 0.01
"""What it may gain in identity match, over all masks together: one point."""

LEAST_FACES: Final = 30
"""Fewer faces than these never show that a method holds."""

_FIRST_SET: Final = "lfw"
_GAIN: Final = ("gain_psnr_db", "gain_psnr_db_margin", "steps")
_MATCH: Final = ("gain_identity_match", "gain_identity_match_margin")


@dataclass(frozen=True)
class Attacked:
    """What the longest training of a keyless network gave against a method.

    Attributes:
        sense: ``leaks`` where a gain is surely above :data:`GATE_DB`; ``holds`` where no mask's can
            be over :data:`LEAST_FACES` faces, nor all masks' together above :data:`GATE_MATCH` in
            identity match, of an attack that broke another method in as many steps or fewer; else
            ``open``.
        gain_db: over the mask alone, of the mask where it is greatest.
        mask: that one.
        margin_db: 95 % lie within so much of it; None where it was not measured.
        steps: that the network learned; None in rows of before they were stored.
    """

    sense: Literal["holds", "leaks", "open"]
    gain_db: float
    mask: str
    margin_db: float | None
    steps: int | None


@dataclass(frozen=True)
class Standing:
    """A method's figures, each None where the database has no rows of it.

    Attributes:
        method: name.
        source: the set of faces that the first two are of.
        protected_db: mask:protected, mean over the masks.
        recovered_db: original:recovered.
        attacked: by a trained network.
    """

    method: str
    source: str = ""
    protected_db: float | None = None
    recovered_db: float | None = None
    attacked: Attacked | None = None


def standings(path: str | os.PathLike[str] = RELEASED_RESULTS) -> dict[str, Standing]:
    """Read how every method of a results database stands.

    Args:
        path: the SQLite file; the released one where none is named.

    Returns:
        By method; none where nothing was measured.

    Raises:
        ResultsError: no database, or one that cannot be read.
    """
    with Reader(path) as reader:
        attacks = [run for run in reader.runs("attack", hidden=False) if _is_keyless(run)]
        runs = [run.id for run in attacks]
        close = reader.means(
            protocol="png", metric="psnr_db", pair=["mask:protected", "original:recovered"]
        )
        gains, seen = (
            reader.means(runs, pair=pair, metric=metric) if runs else []
            for pair, metric in (
                ("revealed:control", (*_GAIN, *_MATCH)),
                ("original:control", "psnr_db"),
            )
        )
    trials = _of_newest_weights(_trials(gains, seen), {run.id: _weights(run) for run in attacks})
    broken = [one for one in trials if one.leaks]
    methods = dict.fromkeys(mean.method for mean in (*close, *gains))
    return {method: _standing(method, close, trials, broken) for method in methods}


@dataclass(frozen=True)
class _Trial:
    """One run's gain on one method and mask."""

    run_id: int
    method: str
    mask: str
    gain: float
    margin: float | None
    steps: int | None
    match: tuple[float, float] | None
    faces: int

    @property
    def leaks(self) -> bool:
        if self.match and self.match[1] and self.match[0] - self.match[1] > GATE_MATCH:
            return True
        return self.margin is not None and self.gain - self.margin > GATE_DB

    @property
    def within(self) -> bool:
        if not self.margin or self.faces < LEAST_FACES:
            return False
        return self.gain + self.margin <= GATE_DB


def _is_keyless(run: Run) -> bool:
    """A finished one with a key for each face; nobody who uses this program has one for all."""
    try:
        config = json.loads(run.config)
    except json.JSONDecodeError:
        return False
    variant = str(config.get("variant") or "").split("+")
    return (
        run.state == "finished" and config.get("attack") == "keyless" and "same-key" not in variant
    )


def _trials(gains: Iterable[MeanScore], seen: Iterable[MeanScore]) -> list[_Trial]:
    found: dict[tuple[int, str, str], dict[str, float]] = {}
    for m in gains:
        if m.mean is not None:
            found.setdefault((m.run_id, m.method, m.mask), {})[m.metric] = m.mean
    faces: Counter[tuple[int, str, str]] = Counter()
    for m in seen:
        faces[m.run_id, m.method, m.mask] += m.images
    return [
        _Trial(*place, values[_GAIN[0]], values.get(_GAIN[1]), _whole(values.get(_GAIN[2])),
               _both(*map(values.get, _MATCH)), faces[place])
        for place, values in found.items()
        if _GAIN[0] in values
    ]  # fmt: skip


def _weights(run: Run) -> dict[str, str]:
    told = json.loads(run.config).get("weights")
    return {str(k): str(v) for k, v in told.items()} if isinstance(told, dict) else {}


def _of_newest_weights(
    trials: Iterable[_Trial], weights: Mapping[int, Mapping[str, str]]
) -> list[_Trial]:
    """Without those of weights that a later run shows to be older; no hash is older than any."""
    newest: dict[str, str] = {}
    for _, one in sorted(weights.items()):
        newest |= one
    return [t for t in trials if weights[t.run_id].get(t.method) == newest.get(t.method)]


def _both(gain: float | None, margin: float | None) -> tuple[float, float] | None:
    return None if gain is None or margin is None else (gain, margin)


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)


def _standing(
    method: str, close: Sequence[MeanScore], trials: Sequence[_Trial], broken: Sequence[_Trial]
) -> Standing:
    own = [m for m in close if m.method == method and m.mean is not None and m.source]
    sources = sorted({m.source for m in own}, key=lambda name: (name != _FIRST_SET, name))
    source = sources[0] if sources else ""
    attacked = _attacked([one for one in trials if one.method == method], broken)
    return Standing(
        method, source, _mean(own, source, "mask:protected"),
        _mean(own, source, "original:recovered"), attacked,
    )  # fmt: skip


def _mean(means: Iterable[MeanScore], source: str, pair: str) -> float | None:
    """Over the masks of a set, each as much as the others."""
    values = [m.mean for m in means if (m.source, m.pair) == (source, pair) and m.mean is not None]
    return math.fsum(values) / len(values) if values else None


def _attacked(own: Sequence[_Trial], broken: Sequence[_Trial]) -> Attacked | None:
    if not own:
        return None
    leaks = [one for one in own if one.leaks]
    longest: dict[str, _Trial] = {}
    for one in sorted(own, key=lambda one: (one.steps or 0, one.run_id)):
        longest[one.mask] = one
    last = list(longest.values())
    worst = max(leaks or last, key=lambda one: one.gain)
    sense: Literal["holds", "leaks", "open"] = "open"
    least, most = _matched(last)
    if leaks or least > GATE_MATCH:
        sense = "leaks"
    elif all(one.within and _is_proven(one, broken) for one in last) and most <= GATE_MATCH:
        sense = "holds"
    return Attacked(sense, worst.gain, worst.mask, worst.margin, worst.steps)


def _matched(own: Sequence[_Trial]) -> tuple[float, float]:
    """Between what the gain in identity match lies over all masks: it says little of few faces."""
    known = [(*one.match, one.faces) for one in own if one.match and one.faces]
    if len(known) < len(own):
        return -math.inf, math.inf
    gain, margin = pooled(known)
    return gain - margin, gain + margin


def pooled(parts: Iterable[tuple[float, float, int]]) -> tuple[float, float]:
    """Several means as one.

    Args:
        parts: of each its mean, its margin, 0 where no face differs, and its faces, 1 or more.

    Returns:
        Mean and margin over all of them, as if no two were of one face: what a network gains on a
        face under one mask and under another does not go together (correlations of -.1 to .1 in
        the released runs). Where none differs, 95 % lie below three in their number.
    """
    found = [(mean, margin or 3 / faces, faces) for mean, margin, faces in parts]
    total = sum(faces for *_, faces in found)
    mean = math.fsum(faces * mean for mean, _, faces in found) / total
    return mean, math.hypot(*(faces * margin for _, margin, faces in found)) / total


def _is_proven(one: _Trial, broken: Iterable[_Trial]) -> bool:
    """An attacker that has learned nothing gains nothing either."""
    return any(
        other.method != one.method
        and (other.run_id == one.run_id or 0 < (other.steps or 0) <= (one.steps or 0))
        for other in broken
    )
