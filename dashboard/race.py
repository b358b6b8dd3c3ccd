"""The race for a passphrase: keys a second by key derivation, time and price of whole spaces."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard import attack_words
from dashboard.matrix import Cell
from engine.results import Cost

RATE: Final = "keys_per_second"
_SPACE: Final = re.compile(r"exhaust_(.+)_(s|usd)")
_EFF_WORDS: Final = 7776.0
_DAY, _AGE = 86_400.0, 100 * 31_557_600.0


@dataclass(frozen=True)
class Racer:
    """A key derivation on a machine: its rate with quartiles, and what each space takes."""

    name: str
    run_id: int
    rate: Cost
    seconds: Mapping[str, float]
    dollars: Mapping[str, float]


def racers(costs: Iterable[tuple[int, Cost]]) -> list[Racer]:
    """Those whose rate is known, of the newest run that has them, the fastest first.

    Args:
        costs: with their runs, the newest first.
    """
    found: dict[str, tuple[int, Cost]] = {}
    spaces: dict[tuple[int, str], dict[str, dict[str, float]]] = {}
    for run_id, one in costs:
        if one.name == RATE:
            found.setdefault(one.method, (run_id, one))
        elif match := _SPACE.fullmatch(one.name):
            space, unit = match.groups()
            own = spaces.setdefault((run_id, one.method), {"s": {}, "usd": {}})
            own[unit][space] = one.median
    made = [
        Racer(name, run_id, rate, **_amounts(spaces.get((run_id, name), {})))
        for name, (run_id, rate) in found.items()
    ]
    return sorted(made, key=lambda one: -one.rate.median)


def _amounts(own: Mapping[str, Mapping[str, float]]) -> dict[str, Mapping[str, float]]:
    return {"seconds": _with_six(own.get("s", {})), "dollars": _with_six(own.get("usd", {}))}


def _with_six(own: Mapping[str, float]) -> Mapping[str, float]:
    """The same with six words, which older runs did not store: four words fewer than ten."""
    if "10_words" not in own:
        return own
    return {"6_words": own["10_words"] / _EFF_WORDS**4, **own}


def is_of_race(one: Cost) -> bool:
    """Whether a cost stands in the race's own table."""
    return one.name == RATE or _SPACE.fullmatch(one.name) is not None


def rows(found: Sequence[Racer]) -> dict[str, dict[str, Cell]]:
    """For the table: a row for each racer, a column for each space of keys."""
    lines: dict[str, dict[str, Cell]] = {}
    for one in found:
        cells = {"keys a second": Cell(rate(one.rate.median), runs=(one.run_id,))}
        for space in sorted(one.seconds, key=_place):
            title = attack_words.SPACES.get(space, space.replace("_", " "))
            dollars = one.dollars.get(space)
            cells[title] = Cell(
                attack_words.duration(one.seconds[space]),
                "" if dollars is None else attack_words.price(dollars),
                f"every key of {title} tried by {attack_words.kdf(one.name)}",
                (one.run_id,),
                _tint(one.seconds[space]),
            )
        lines[attack_words.kdf(one.name)] = cells
    return lines


def _place(space: str) -> tuple[int, str]:
    known = list(attack_words.SPACES)
    return (known.index(space) if space in known else len(known)), space


def _tint(seconds: float) -> float:
    """Bad below a day, good above a hundred years."""
    if seconds < _DAY:
        return -1.0
    return 1.0 if seconds > _AGE else 0.0


def rate(value: float) -> str:
    """Keys a second in two or three digits, great ones with a power of ten."""
    if value >= 1e6:
        return f"{value / 10 ** math.floor(math.log10(value)):.1f} × {attack_words.power(value)}"
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def export(found: Sequence[Racer]) -> list[dict[str, object]]:
    """The race as lines."""
    return [
        {"kdf": one.name, "keys_per_second": one.rate.median, "low": one.rate.low,
         "high": one.rate.high, **{f"{k}_s": v for k, v in one.seconds.items()},
         **{f"{k}_usd": v for k, v in one.dollars.items()}, "run": one.run_id}
        for one in found
    ]  # fmt: skip
