"""One figure that stands for each attack: for each method and mask its worst, beside its line."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from scipy.special import stdtrit

from dashboard import attack_rows, attack_words, attacks, series, words
from dashboard.attacks import WHOLE, Attempt
from dashboard.looks import LOOKS, Look
from dashboard.matrix import Cell
from engine.results import MeanScore, Restored

__all__ = ["LOOKS", "Dot", "Facet", "Look", "cells", "facets", "lines", "said", "told", "worst"]

_NAMED: Final = 3
_ALONE: Final = "mask"

Weak = Mapping[tuple[int, str], Restored | None]
"""De-blurrers that show too little, by run and mask: :func:`engine.results.too_weak`."""

# --- dots -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dot:
    """A method and mask under an attack: the figure that is worst for who is protected.

    Attributes:
        what: of several figures, which one.
        margin: 95 % lie within so much; 0 where no face differs, None where it was not measured.
        faces: that were looked at.
    """

    run_id: int
    method: str
    mask: str
    what: str
    value: float
    margin: float | None
    faces: int


@dataclass(frozen=True)
class Facet:
    """An attack with its dots."""

    attack: str
    look: Look
    dots: tuple[Dot, ...]

    @property
    def title(self) -> str:
        """The attack's name."""
        return attack_words.attack(self.attack).title


def facets(
    means: Sequence[MeanScore], known: Mapping[int, Attempt], weak: Weak | None = None
) -> list[Facet]:
    """Every attack that has figures, in the order of our words.

    Args:
        means: figures of finished attacks.
        known: their runs.
        weak: de-blurrers in whose place the control stands that does better, where there is one.
    """
    found = []
    for attack in attack_words.ATTACKS:
        look = LOOKS.get(attack)
        own = [m for m in means if known[m.run_id].attack == attack]
        if look is not None and own:
            if attack == "deblur":
                every = list(_floors(look, own, weak or {}))
            else:
                every = list(_gains(look, own) if look.control else _figures(look, own))
            if every:
                found.append(Facet(attack, look, tuple(_worst_of_each(look, every))))
    return found


def _gains(look: Look, own: Sequence[MeanScore]) -> Iterator[Dot]:
    """Over a control, as the page's other gains are."""
    margins = {(m.run_id, m.method, m.mask, m.pair, m.metric): m.mean for m in own}
    pictures = sorted({m.pair.partition(":")[2] for m in own if m.pair.startswith("original:")})
    for picture in pictures:
        caught = re.fullmatch(look.pair, picture)
        if caught is None:
            continue
        control, pair = caught.expand(look.control), caught.expand(look.stored)
        for metric in look.metrics:
            what = _which(look, picture, metric)
            for one in attacks.gains(own, metric, picture, control):
                key = (one.run_id, one.method, one.mask, pair, f"gain_{metric}_margin")
                margin = margins.get(key, one.margin)
                yield Dot(one.run_id, one.method, one.mask, what, one.gain, margin, one.faces)


def _figures(look: Look, own: Sequence[MeanScore]) -> Iterator[Dot]:
    """As they are stored, each of the run that counts."""
    faces = attacks.faces(own)
    tries = {(m.run_id, m.method, m.mask, m.pair): m.mean for m in own if m.metric == "tries"}
    strengths = {(m.run_id, m.mask): m.mean for m in own if m.metric == "strength"}
    for (run_id, method, mask, pair, metric), group in attacks.grouped(series.newest(own)).items():
        # A weaker mask than the papers' tells of that mask, not of the attack.
        as_in_papers = strengths.get((run_id, mask), 1.0) == 1.0
        if metric not in look.metrics or not re.fullmatch(look.pair, pair) or not as_in_papers:
            continue
        whole = [m for m in group if m.source == WHOLE]
        summary = series.together(whole or group)
        if summary.mean is not None:
            margin = None if whole else _margin(summary)
            count = faces.get((run_id, method, mask), 0)
            what = _which(look, pair.partition(":")[2], metric)
            if (run_id, method, mask, pair) in tries:
                what = f"{what} of {tries[run_id, method, mask, pair]:,.0f}"
            yield Dot(run_id, method, mask, what, summary.mean, margin,
                      count if whole else summary.images)  # fmt: skip


def _floors(look: Look, own: Sequence[MeanScore], weak: Weak) -> Iterator[Dot]:
    """What de-blurrers restore; of one that is too weak the control's figure instead."""
    better = {place: one for place, one in weak.items() if one is not None}
    left = [m for m in own if (m.run_id, _bare(m.mask)) not in better]
    dots = list(_figures(look, left))
    for dot in dots:
        few = (dot.run_id, _bare(dot.mask)) in weak
        yield replace(dot, what="at least: its network is too weak") if few else dot
    masks = {_bare(dot.mask) for dot in dots}
    for (run_id, mask), one in better.items():
        if mask not in masks:
            spread = math.sqrt(one.restored * (1 - one.restored) / (one.faces - 1))
            margin = float(stdtrit(one.faces - 1, 0.975)) * spread
            what = f"by a control, run {run_id} is too weak"
            yield Dot(one.run_id, _ALONE, mask, what, one.restored, margin, one.faces)
            masks.add(mask)


def _bare(mask: str) -> str:
    """A mask without its settings."""
    return mask.partition(":")[0]


def _which(look: Look, name: str, metric: str) -> str:
    """Names a figure where there are several."""
    several = re.fullmatch(r"[\w:]+", look.pair) is None
    parts = [attack_words.distortion(name)] if several else []
    return ", ".join([*parts, *([metric.replace("_", " ")] if len(look.metrics) > 1 else [])])


def _margin(summary: series.Summary) -> float | None:
    """Of a mean over faces, by Student's t."""
    count = summary.images - summary.exact
    if count < 2:
        return None
    return float(stdtrit(count - 1, 0.975)) * summary.deviation / math.sqrt(count - 1)


def _worst_of_each(look: Look, every: Iterable[Dot]) -> list[Dot]:
    """For each method and mask its worst, in the order of our words."""
    groups: dict[tuple[str, str], list[Dot]] = {}
    for dot in every:
        groups.setdefault((dot.method, dot.mask), []).append(dot)
    best = {place: _with_equals(worst(look, own), own) for place, own in groups.items()}
    methods, masks = (series.options(best.values(), name) for name in ("method", "mask"))
    return [
        best[place] for method in methods for mask in masks if (place := (method, mask)) in best
    ]


def _with_equals(one: Dot, own: Sequence[Dot]) -> Dot:
    """Where others are no better, all are named, or counted."""
    alike = [dot.what for dot in own if (dot.value, dot.margin) == (one.value, one.margin)]
    if len(alike) < 2:
        return one
    if len(alike) <= _NAMED:
        return replace(one, what=", ".join(alike))
    rest = len(alike) - 1
    return replace(
        one,
        what=f"each of {len(own)}" if len(alike) == len(own) else f"{one.what} and {rest} others",
    )


def worst(look: Look, dots: Iterable[Dot]) -> Dot:
    """That which is the most surely on the bad side: the farthest with its margin against it."""

    def sureness(dot: Dot) -> tuple[float, float]:
        beyond = dot.value - look.line
        far = {"above": beyond, "below": -beyond, "off": abs(beyond)}[look.bad]
        return (-math.inf if dot.margin is None else far - dot.margin), far

    return max(dots, key=sureness)


# --- words, cells and lines -----------------------------------------------------------------------


def said(look: Look, value: float) -> str:
    """A figure with its unit; gains with their sign."""
    if look.share:
        text = f"{100 * value:+.1f} points" if look.control else attack_rows.share(value)
        return text.replace("-", "−")
    if look.metrics == ("opened",):
        return f"{value:,.0f}"
    return words.number(value, look.metrics[0], unit=True, sign=bool(look.control))


def told(look: Look, dot: Dot) -> str:
    """A dot in words: method, mask, figure, margin, faces, run."""
    place = ", ".join(filter(None, (words.method(dot.method), words.mask(dot.mask), dot.what)))
    margin = "no margin stored" if dot.margin is None else "no face differs"
    if dot.margin:
        margin = f"± {100 * dot.margin:.1f} points" if look.share else (
            f"± {words.number(dot.margin, look.metrics[0], unit=True)}"
        )  # fmt: skip
    faces = words.counted(dot.faces, "face")
    return f"{place}: {said(look, dot.value)}, {margin}; {faces}, run {dot.run_id}"


def cells(found: Iterable[Facet]) -> dict[str, dict[str, Cell]]:
    """A row for each attack, a column for each method: its worst mask, and the way to its run."""
    found = list(found)
    columns = series.options([dot for facet in found for dot in facet.dots], "method")
    rows: dict[str, dict[str, Cell]] = {}
    for facet in found:
        look = facet.look
        row = {"line": Cell(look.wanted, told=look.what)}
        for method in columns:
            own = [dot for dot in facet.dots if dot.method == method]
            if own:
                one = worst(look, own)
                row[words.method(method)] = Cell(
                    said(look, one.value), words.mask(one.mask.partition(":")[0]), told(look, one),
                    (one.run_id,),
                )  # fmt: skip
        rows[facet.title] = row
    return rows


def lines(found: Iterable[Facet]) -> list[dict[str, object]]:
    """The dots for the export."""
    return [
        {"attack": facet.attack, "figure": facet.look.what, "line": facet.look.line,
         "method": dot.method, "mask": dot.mask, "which": dot.what, "value": dot.value,
         "margin": dot.margin, "faces": dot.faces, "run": dot.run_id}
        for facet in found
        for dot in facet.dots
    ]  # fmt: skip
