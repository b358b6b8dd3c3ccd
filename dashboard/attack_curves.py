"""Curves of attacks: gain by known pairs, and what is made of a mask by its strength."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard import series
from dashboard.attacks import Gain, gains, grouped, strongest
from engine.results import MeanScore


@dataclass(frozen=True)
class Point:
    """A point of a curve: which line, how far along, how high, give or take; and the run."""

    line: str
    x: float
    y: float
    run_id: int
    faces: int
    dashed: bool = False
    margin: float | None = None


_KNOWN: Final = re.compile(r"original:(revealed|fitted)_(\d+)_(\w+)")
_OF_PAIRS: Final = re.compile(r"\w+:(revealed|fitted|control)_\d+_\w+")


def by_pairs(means: Sequence[MeanScore], metric: str) -> dict[str, dict[str, list[Point]]]:
    """Gain over the control by known pairs: first by kind of key, then by method.

    Args:
        means: figures of attacks.
        metric: by which figure.
    """
    means = [m for m in means if _OF_PAIRS.fullmatch(m.pair)]
    names = {m.pair: found for m in means if (found := _KNOWN.fullmatch(m.pair))}
    groups: dict[tuple[str, str, str, int], list[Gain]] = {}
    for found in names.values():
        way, count, keys = found.groups()
        ending = f"{count}_{keys}"
        for one in strongest(gains(means, metric, f"{way}_{ending}", f"control_{ending}")):
            groups.setdefault((keys, one.method, way, int(count)), []).append(one)
    curves: dict[str, dict[str, list[Point]]] = {}
    for (keys, method, way, number), own in sorted(groups.items()):
        height = sum(one.gain for one in own) / len(own)
        point = Point(way, number, height, own[0].run_id, own[0].faces, way == "fitted",
                      _margin(own))  # fmt: skip
        curves.setdefault(keys, {}).setdefault(method, []).append(point)
    return curves


def _margin(own: Sequence[Gain]) -> float | None:
    """That of the mean of several masks' gains: the faces are the same ones, so it is no less."""
    margins = [one.margin for one in own if one.margin is not None]
    return sum(margins) / len(own) if len(margins) == len(own) else None


def by_strength(
    means: Sequence[MeanScore], metric: str, weak: Collection[tuple[int, str]] = ()
) -> dict[str, list[Point]]:
    """What a network makes of the mask alone by its strength, beside the mask, by mask.

    Args:
        means: figures of attacks.
        metric: by which figure.
        weak: runs and masks of :func:`engine.results.too_weak`, whose line is no floor: ``weak``,
            and left out where there is a better run.
    """
    strengths = {
        (m.run_id, m.method, m.mask): m.mean
        for m in means
        if (m.pair, m.metric) == ("control:mask", "strength") and m.mean is not None
    }
    best: dict[tuple[str, float, str], tuple[tuple[int, int], Point]] = {}
    for (run_id, method, mask, pair, own_metric), own in grouped(means).items():
        strength, line = strengths.get((run_id, method, mask)), pair.removeprefix("original:")
        if strength is None or line not in ("control", "mask") or own_metric != metric:
            continue
        summary = series.together(own)
        if summary.mean is not None:
            name, weight = mask.partition(":")[0], (summary.images, run_id)
            line = "weak" if line == "control" and (run_id, name) in weak else line
            point = Point(line, strength, summary.mean, run_id, summary.images, line == "mask")
            key = (name, strength, line)
            if key not in best or best[key][0] < weight:
                best[key] = weight, point
    curves: dict[str, list[Point]] = {}
    for (name, strength, line), (_, point) in sorted(best.items()):
        if line == "weak" and (name, strength, "control") in best:
            continue
        curves.setdefault(name, []).append(point)
    return curves
