"""How each method stands in a few figures, for who chooses one: closeness, and its attackers."""

import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from engine.results.judging import Trial, counts, judge
from engine.results.matching import known_shares, matches
from engine.results.reader import Reader
from engine.results.records import MeanScore, Run

__all__ = ["RELEASED_RESULTS", "Attacked", "Standing", "standings"]

RELEASED_RESULTS: Final = Path(__file__).resolve().parents[2] / "assets" / "benchmark.db"

_FIRST_SET: Final = "lfw"
_GAIN: Final = ("gain_psnr_db", "gain_psnr_db_margin", "steps")
_MATCH: Final = ("gain_identity_match", "gain_identity_match_margin")
_TOGETHER: Final = ("gain_identity_match_together", "gain_identity_match_together_margin")


@dataclass(frozen=True)
class Attacked:
    """What the networks that were trained against a method gained.

    Attributes:
        sense: of :func:`engine.results.judging.judge`.
        gain_db: over the mask alone, of the mask where it is greatest.
        mask: that one.
        margin_db: 95 % lie within so much of it; None where it was not measured.
        steps: that the network learned; None in rows of before they were stored.
        match: gain in identity match over all masks together.
        match_margin: 95 % lie within so much of it; infinite where it was not measured.
        faces: that were attacked under that mask.
        weights: hash of the attacked model, as its run has it; empty where there is none.
    """

    sense: Literal["holds", "leaks", "open"]
    gain_db: float
    mask: str
    margin_db: float | None
    steps: int | None
    match: float = 0.0
    match_margin: float = math.inf
    faces: int = 0
    weights: str = ""


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
                ("revealed:control", (*_GAIN, *_MATCH, *_TOGETHER)),
                ("original:control", "psnr_db"),
            )
        )
        together, known = matches(reader, runs), known_shares(reader, runs)
    weights = {run.id: _weights(run) for run in attacks}
    variants = {run.id: _variant(run) for run in attacks}
    every = _trials(gains, seen, variants)
    trials = _of_newest_weights(every, weights)
    before = [one for one in every if one not in trials]
    trials = [
        replace(
            one,
            together=together.get((one.run_id, one.method), one.together),
            known=known.get((one.run_id, one.method, one.mask)),
        )
        for one in trials
    ]
    methods = dict.fromkeys(mean.method for mean in (*close, *gains))
    return {method: _standing(method, close, (trials, before), weights) for method in methods}


def _is_keyless(run: Run) -> bool:
    """A finished one that verdicts count; see :func:`engine.results.judging.counts`."""
    try:
        config = json.loads(run.config)
    except json.JSONDecodeError:
        return False
    keyless = run.state == "finished" and config.get("attack") == "keyless"
    return keyless and counts(_variant(run))


def _variant(run: Run) -> str:
    return "+".join(sorted(str(json.loads(run.config).get("variant") or "").split("+")))


def _trials(
    gains: Iterable[MeanScore], seen: Iterable[MeanScore], variants: Mapping[int, str]
) -> list[Trial]:
    found: dict[tuple[int, str, str], dict[str, float]] = {}
    for m in gains:
        if m.mean is not None:
            found.setdefault((m.run_id, m.method, m.mask), {})[m.metric] = m.mean
    faces: Counter[tuple[int, str, str]] = Counter()
    for m in seen:
        faces[m.run_id, m.method, m.mask] += m.images
    return [
        Trial(*place, values[_GAIN[0]], values.get(_GAIN[1]), _both(*map(values.get, _MATCH)),
              faces[place], _whole(values.get(_GAIN[2])), variants[place[0]],
              _both(*map(values.get, _TOGETHER)))
        for place, values in found.items()
        if _GAIN[0] in values
    ]  # fmt: skip


def _weights(run: Run) -> dict[str, str]:
    told = json.loads(run.config).get("weights")
    return {str(k): str(v) for k, v in told.items()} if isinstance(told, dict) else {}


def _of_newest_weights(
    trials: Iterable[Trial], weights: Mapping[int, Mapping[str, str]]
) -> list[Trial]:
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
    method: str,
    close: Sequence[MeanScore],
    trials: tuple[Sequence[Trial], Sequence[Trial]],
    weights: Mapping[int, Mapping[str, str]],
) -> Standing:
    own = [m for m in close if m.method == method and m.mean is not None and m.source]
    sources = sorted({m.source for m in own}, key=lambda name: (name != _FIRST_SET, name))
    source = sources[0] if sources else ""
    return Standing(
        method, source, _mean(own, source, "mask:protected"),
        _mean(own, source, "original:recovered"), _attacked(method, trials, weights),
    )  # fmt: skip


def _attacked(
    method: str,
    trials: tuple[Sequence[Trial], Sequence[Trial]],
    weights: Mapping[int, Mapping[str, str]],
) -> Attacked | None:
    found = judge(method, *trials)
    if found is None:
        return None
    worst, match = found.worst, found.match
    return Attacked(
        found.sense, worst.gain, worst.mask, worst.margin, worst.steps, match.gain, match.margin,
        worst.faces, weights[worst.run_id].get(method, ""),
    )  # fmt: skip


def _mean(means: Iterable[MeanScore], source: str, pair: str) -> float | None:
    """Over the masks of a set, each as much as the others."""
    values = [m.mean for m in means if (m.source, m.pair) == (source, pair) and m.mean is not None]
    return math.fsum(values) / len(values) if values else None
