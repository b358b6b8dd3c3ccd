"""Figures sorted and put together for a page: filtered, split into groups, joined face by face."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard import words
from engine.results import MeanScore

KEY: Final = ("method", "mask", "source", "pair", "metric", "protocol")

NAMES: Final[dict[str, Callable[[str], str]]] = {
    "method": words.method,
    "mask": words.mask,
    "source": words.source,
}
"""What figures can be split by, and how each part is called."""

KNOWN: Final[dict[str, Iterable[str]]] = {
    "method": words.METHODS,
    "mask": words.MASKS,
    "source": words.SETS,
    "pair": words.PAIRS,
    "metric": words.METRICS,
}
"""The names that our words know, in their order."""


def is_sweep(method: str) -> bool:
    """Whether a method is a training with another number of blocks, for Figure 6 alone."""
    return method.rpartition("-")[2].removeprefix("n").isdigit() and "-n" in method


def is_main(mean: MeanScore) -> bool:
    """Whether a figure is of a released method on single faces: no sweep, no whole photographs."""
    return not is_sweep(mean.method) and not mean.source.startswith("faces ")


def newest(means: Iterable[MeanScore]) -> list[MeanScore]:
    """Each figure from the run that has it of most faces, then from the newest."""
    found: dict[tuple[Any, ...], MeanScore] = {}
    for mean in means:
        key = tuple(getattr(mean, name) for name in KEY)
        if key not in found or _weight(found[key]) < _weight(mean):
            found[key] = mean
    return list(found.values())


def _weight(mean: MeanScore) -> tuple[int, int]:
    return mean.images, mean.run_id


def matching(means: Iterable[MeanScore], **wanted: Sequence[str]) -> list[MeanScore]:
    """Those of the wanted names; an empty wish asks for all."""
    return [
        mean
        for mean in means
        if all(not names or getattr(mean, field) in names for field, names in wanted.items())
    ]


def options(means: Iterable[object], field: str) -> list[str]:
    """Which names there are, of means or gains, those that our words know first."""
    found = {getattr(mean, field) for mean in means}
    place = {name: i for i, name in enumerate(KNOWN[field])}
    return sorted(found, key=lambda name: (place.get(name, len(place)), name))


def split(means: Iterable[MeanScore], field: str) -> dict[str, list[MeanScore]]:
    """Group figures, in the order of our words."""
    means = list(means)
    return {name: [m for m in means if getattr(m, field) == name] for name in options(means, field)}


@dataclass(frozen=True)
class Summary:
    """Several series taken together.

    Attributes:
        mean: over all finite figures; None without any.
        deviation: of all finite figures.
        exact: how many are infinite.
    """

    mean: float | None
    deviation: float
    images: int
    exact: int


def together(means: Iterable[MeanScore]) -> Summary:
    """Pool means and spreads, each weighed by its faces."""
    means = list(means)
    own = [(m.mean, m.deviation or 0.0, m.images - m.exact) for m in means if m.mean is not None]
    images, exact = sum(m.images for m in means), sum(m.exact for m in means)
    count = sum(n for _, _, n in own)
    if not count:
        return Summary(None, 0.0, images, exact)
    mean = sum(value * n for value, _, n in own) / count
    variance = sum((spread**2 + (value - mean) ** 2) * n for value, spread, n in own) / count
    return Summary(mean, math.sqrt(variance), images, exact)


def ends(means: Iterable[MeanScore]) -> tuple[float, float] | None:
    """The least and greatest finite figure that is known; None without any.

    Where some are infinite, the greatest finite one is not kept: three deviations above the mean
    stand for it.
    """
    lows, highs = [], []
    for m in means:
        if m.mean is not None:
            lows.append(m.least)
            far = m.mean + 3 * (m.deviation or 0.0)
            highs.append(m.greatest if math.isfinite(m.greatest) else far)
    return (min(lows), max(highs)) if lows else None


def added(counts: Mapping[int, Sequence[int]], means: Iterable[MeanScore]) -> list[int]:
    """Histograms of several series as one."""
    return [sum(bins) for bins in zip(*(counts[m.series_id] for m in means), strict=True)]


def partners(
    means: Sequence[MeanScore], other: Sequence[MeanScore]
) -> list[tuple[MeanScore, MeanScore]]:
    """Series of two figures that are of the same method, mask, set and protocol."""
    place = {(m.method, m.mask, m.source, m.protocol): m for m in other}
    keys = ((m, (m.method, m.mask, m.source, m.protocol)) for m in means)
    return [(m, place[key]) for m, key in keys if key in place]


def second(pair: str) -> str:
    """What stands behind the colon: the picture that is judged, without an amount."""
    name = pair.partition(":")[2] or pair
    head, _, tail = name.rpartition("_")
    return head if head and _is_number(tail) else name


def amount(pair: str) -> float | None:
    """The amount at a pair's end, such as 0.05 of ``original:flipped_0.05``."""
    tail = pair.rpartition("_")[2]
    return float(tail) if _is_number(tail) else None


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def rows(means: Iterable[MeanScore]) -> list[dict[str, Any]]:
    """Means as lines for an export, under the database's own names."""
    return [
        {
            "method": m.method, "mask": m.mask, "set": m.source, "pair": m.pair,
            "metric": m.metric, "protocol": m.protocol, "mean": m.mean, "deviation": m.deviation,
            "least": m.least, "greatest": m.greatest, "faces": m.images, "exact": m.exact,
            "run": m.run_id,
        }
        for m in means
    ]  # fmt: skip
