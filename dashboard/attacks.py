"""What attacks gave, sorted for the page: gains over controls, verdicts, what the world left."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from scipy.special import stdtrit

from dashboard import attack_words, run_rows, series
from dashboard.series import Summary
from engine.results import EXACT_DB, MeanScore, Run, judging

WHOLE: Final = "all"
"""The set of a figure that belongs to a whole run."""


@dataclass(frozen=True)
class Attempt:
    """A finished run of the lab: which attack, what it was given, and its models' hashes."""

    run_id: int
    label: str
    attack: str
    budget: str
    variant: str
    weights: Mapping[str, str] = field(default_factory=dict)

    @property
    def counts(self) -> bool:
        """Whether verdicts count it; see :func:`engine.results.judging.counts`."""
        return judging.counts(self.variant)


def attempts(runs: Iterable[Run]) -> dict[int, Attempt]:
    """The finished attacks of a database, by run."""
    return {run.id: _attempt(run) for run in runs if run.state == "finished"}


def _attempt(run: Run) -> Attempt:
    try:
        config: Any = json.loads(run.config)
    except json.JSONDecodeError:
        config = None
    told = config if isinstance(config, dict) else {}
    attack, budget, kind = (str(told.get(n) or "") for n in ("attack", "budget", "variant"))
    weights = told.get("weights")
    known = {str(k): str(v) for k, v in weights.items()} if isinstance(weights, dict) else {}
    return Attempt(run.id, run_rows.label(run), attack, budget, kind, known)


def of_newest_weights(means: Iterable[MeanScore], known: Mapping[int, Attempt]) -> list[MeanScore]:
    """Figures without those of weights that a later run shows to be a method's older ones.

    Where some run notes a hash, those that note none are taken for older.
    """
    newest: dict[str, str] = {}
    for _, one in sorted(known.items()):
        newest |= one.weights
    return [m for m in means if newest.get(m.method) == known[m.run_id].weights.get(m.method)]


# --- gains ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gain:
    """How much more one picture shows than its control, over the faces of one run.

    Attributes:
        more: mean of the attacker's.
        less: of the control's.
        margin: 95 % lie within so much of the difference; None for one face.
    """

    run_id: int
    method: str
    mask: str
    metric: str
    more: float
    less: float
    margin: float | None
    faces: int

    @property
    def gain(self) -> float:
        """The difference."""
        return self.more - self.less

    @property
    def low(self) -> float:
        """The lower end of the interval."""
        return -math.inf if self.margin is None else self.gain - self.margin

    @property
    def high(self) -> float:
        """The upper end; where no face differs, three in their number, which holds for 95 %."""
        return math.inf if self.margin is None else self.gain + (self.margin or 3 / self.faces)


def gains(
    means: Sequence[MeanScore], metric: str, more: str = "revealed", less: str = "control"
) -> list[Gain]:
    """Each run's gain by method and mask, over all its sets.

    Args:
        means: of any runs.
        metric: by which figure.
        more: the attacker's picture, ``original:revealed``.
        less: the control's.
    """
    groups = grouped(m for m in means if m.metric == metric and m.source != WHOLE)
    # Older runs of known plaintext stored it under what the attacker's picture is called in short,
    # which another picture may bear in full: that name counts only where there is no better.
    stored = (f"{more.partition('_')[0]}:{less}", f"{more}:{less}")
    margins = {
        (m.run_id, m.method, m.mask): m.mean
        for name in stored
        for m in means
        if m.pair == name and m.metric == f"gain_{metric}_margin"
    }
    found = []
    for (run_id, method, mask, pair, _), own in groups.items():
        other = groups.get((run_id, method, mask, f"original:{less}", metric))
        if pair != f"original:{more}" or other is None:
            continue
        ours, theirs = series.together(own), series.together(other)
        reached, usual = _with_exact(ours), _with_exact(theirs)
        if reached is not None and usual is not None:
            margin = margins.get((run_id, method, mask), _unpaired(ours, theirs))
            found.append(Gain(run_id, method, mask, metric, reached, usual, margin, ours.images))
    return found


def _with_exact(summary: Summary) -> float | None:
    """The mean over all faces, those equal to the original as the attacks count them."""
    finite = summary.images - summary.exact
    if not summary.images:
        return None
    return ((summary.mean or 0.0) * finite + EXACT_DB * summary.exact) / summary.images


Key = tuple[int, str, str, str, str]


def grouped(means: Iterable[MeanScore]) -> dict[Key, list[MeanScore]]:
    """Figures of one run, method, mask, pair and metric together, of all their sets."""
    found: dict[Key, list[MeanScore]] = {}
    for m in means:
        found.setdefault((m.run_id, m.method, m.mask, m.pair, m.metric), []).append(m)
    return found


def faces(means: Iterable[MeanScore]) -> dict[tuple[int, str, str], int]:
    """How many faces were looked at, by run, method and mask; without those of whole runs alone."""
    found: dict[tuple[int, str, str], int] = {}
    for (run_id, method, mask, *_), own in grouped(m for m in means if m.source != WHOLE).items():
        count = sum(m.images for m in own)
        found[run_id, method, mask] = max(found.get((run_id, method, mask), 0), count)
    return found


def _unpaired(ours: Summary, theirs: Summary) -> float | None:
    """The margin as if the faces were not the same ones: too wide rather than too narrow.

    By Student's t; where the run has stored the margin of the differences, that one is taken.
    """
    counts = ours.images - ours.exact, theirs.images - theirs.exact
    if min(counts) < 2:
        return None
    variance = sum(
        one.deviation**2 / (n - 1) for one, n in zip((ours, theirs), counts, strict=True)
    )
    return float(stdtrit(min(counts) - 1, 0.975)) * math.sqrt(variance)


def strongest(found: Iterable[Gain]) -> list[Gain]:
    """For each method and mask the attack whose gain is surest: of the greatest lower end."""
    best: dict[tuple[str, str], Gain] = {}
    for gain in found:
        key = (gain.method, gain.mask)
        if key not in best or (best[key].low, best[key].gain) < (gain.low, gain.gain):
            best[key] = gain
    return list(best.values())


# --- the world ------------------------------------------------------------------------------------

TOLD: Final = {
    "told": "recovered",
    "told_with_sidecar": "recovered_with_sidecar",
    "told_reencoded": "recovered",
    "told_reencoded_with_sidecar": "recovered_with_sidecar",
}
"""Whether the right thing was said, judged by itself and not beside a picture; and what stands in
its place where no pixel has changed: whether the face was given."""


def world(means: Iterable[MeanScore], known: Mapping[int, Attempt]) -> list[MeanScore]:
    """Figures of what the world left, with those of the untouched picture and of the mask."""
    runs = [*means]
    homes = {m.run_id for m in runs if attack_words.is_distortion(m.pair.partition(":")[2])}
    homes |= {one.run_id for one in known.values() if one.attack == "world"}
    return [m for m in runs if m.run_id in homes and _of_world(m, known)]


def _of_world(mean: MeanScore, known: Mapping[int, Attempt]) -> bool:
    first, _, second = mean.pair.partition(":")
    if known[mean.run_id].attack == "world":
        return first in ("original", "protected")
    return attack_words.is_distortion(second)
