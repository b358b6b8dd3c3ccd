"""What attacks gave, as sentences, cells and lines for the page; no Streamlit here."""

import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from dashboard import attack_words, series, words
from dashboard.attacks import TOLD, WHOLE, Attempt, Gain, faces
from dashboard.links import Links
from dashboard.matrix import Block, Cell, Line
from dashboard.race import is_of_race
from dashboard.verdicts import Verdict
from engine.results import LEAST_FACES, Cost, Matched, MeanScore

# --- verdicts -------------------------------------------------------------------------------------


def sentence(one: Verdict, known: Mapping[int, Attempt], links: Links) -> str:
    """A verdict as HTML, its figures with the way to their run."""
    worst = one.worst
    margin = "" if worst.margin is None else f" ± {words.number(worst.margin, 'psnr_db')}"
    number = words.number(worst.gain, "psnr_db", sign=True)
    said = (
        f"<b>{html.escape(words.method(one.method))}:</b> a trained attacker gained up to "
        f"<b>{number}{margin} dB</b> ({html.escape(words.mask(worst.mask))})"
    )
    if one.match is not None:
        said += f", and {_points(one.match)} of identity match with all masks together,"
    return f"{said} over guessing from the mask alone.<small>{_beside(one, known, links)}</small>"


def _points(match: Matched) -> str:
    said = figure(match.gain, "gain_identity_match")
    return said.replace(" points", f" ± {100 * match.margin:.1f} points")


def _beside(one: Verdict, known: Mapping[int, Attempt], links: Links) -> str:
    """What it cost, and what else was tried."""
    run_id = one.worst.run_id
    faces = words.counted(one.worst.faces, "face")
    spent = html.escape(", ".join(filter(None, (faces, effort(known[run_id])))))
    parts = [f"{spent}, {links.named([run_id])}"]
    if not one.proven and one.sense != "leaks":
        parts.append("an attacker that has seen through no other method: its failing proves little")
    if one.unmatched:
        masks = ", ".join(map(words.mask, one.unmatched))
        parts.append(html.escape(f"identity not measured under {masks}"))
    if fewest_faces(one) < LEAST_FACES:
        parts.append(f"too few faces to tell: {LEAST_FACES} at least")
    if one.opened is not None:
        parts.append(f"{one.opened[0]:,.0f} of {one.opened[1]:,.0f} wrong keys opened it")
    if one.noticed is not None:
        parts.append(f"tampering noticed in {share(one.noticed)}")
    return "; ".join(parts)


def fewest_faces(one: Verdict) -> int:
    """The faces of the verdict's figures, where they differ the fewest."""
    return min(gain.faces for gain in (one.worst, one.match) if gain is not None)


def share(value: float) -> str:
    """A share in per cent; all of it only where it is all."""
    return "100 %" if value == 1 else f"{min(99.9, 100 * value):.1f} %"


def effort(attempt: Attempt) -> str:
    """How hard a run tried, in few words: variant, and the budget up to its first colon."""
    time = re.match(r"[\d.,]+ (?:minutes|steps)", attempt.budget)
    spent = f"{time[0]} of training" if time else attempt.budget.partition(":")[0]
    return ", ".join(filter(None, (spent, attack_words.variant(attempt.variant))))


# --- gains ----------------------------------------------------------------------------------------


def gain_cells(found: Sequence[Gain]) -> dict[str, dict[str, Cell]]:
    """Gains as a table: a row for each method, a column for each mask."""
    masks = series.options(found, "mask")
    rows: dict[str, dict[str, Cell]] = {}
    for method in series.options(found, "method"):
        own = {one.mask: one for one in found if one.method == method}
        rows[words.method(method)] = {
            words.mask(mask): _gain_cell(own[mask]) for mask in masks if mask in own
        }
    return rows


def _gain_cell(one: Gain) -> Cell:
    gate = attack_words.GATES.get(one.metric)
    # A small gain is no good sign by itself: the attacker may have been weak.
    leaks = gate is not None and one.low > gate
    tint = -min(1.0, max(0.4, one.gain / (10 * gate))) if gate and leaks else 0.0
    margin = "" if one.margin is None else f"± {words.number(one.margin, one.metric)}"
    told = f"{one.more:.4g} beside {one.less:.4g}, {words.counted(one.faces, 'face')}"
    number = words.number(one.gain, one.metric, sign=True)
    return Cell(number, margin, told, (one.run_id,), tint)


def gain_lines(found: Iterable[Gain]) -> list[dict[str, object]]:
    """Gains for the export."""
    return [
        {"method": g.method, "mask": g.mask, "metric": g.metric, "gain": g.gain,
         "margin": g.margin, "revealed": g.more, "control": g.less, "faces": g.faces,
         "run": g.run_id}
        for g in found
    ]  # fmt: skip


# --- the world ------------------------------------------------------------------------------------

UNTOUCHED: Final = "untouched"
MASK: Final = "the mask alone"
_SPANS: Final = {"psnr_db": 15.0, "ssim": 0.4, "identity_cosine": 0.5, "identity_match": 0.5}
"""A figure that is better than the mask's by so much is tinted as good."""


def world_cells(found: Sequence[MeanScore], metric: str) -> dict[str, dict[str, Cell]]:
    """What the world left: a row for each thing that may happen, a column for each method.

    Args:
        found: figures of the world, each from the run that counts.
        metric: by which figure.
    """
    groups: dict[str, dict[str, list[MeanScore]]] = {}
    for m in found:
        groups.setdefault(_happened(m.pair), {}).setdefault(m.method, []).append(m)
    order = sorted(groups, key=lambda name: (name != UNTOUCHED, name != MASK))
    masks = groups.get(MASK, {})
    rows: dict[str, dict[str, Cell]] = {}
    for name in order:
        cells = {}
        for method in series.options(found, "method"):
            here, beside = groups[name].get(method, []), masks.get(method, [])
            cell = _world_cell(here, [] if name == MASK else beside, metric)
            if cell is not None:
                cells[words.method(method)] = cell
        if cells:
            rows[name if name in (UNTOUCHED, MASK) else attack_words.distortion(name)] = cells
    return rows


def _happened(pair: str) -> str:
    second = pair.partition(":")[2]
    return {"recovered": UNTOUCHED, "mask": MASK}.get(second, second)


def _world_cell(here: Sequence[MeanScore], masks: Sequence[MeanScore], metric: str) -> Cell | None:
    if metric in TOLD:
        return _told_cell(here, metric)
    figures = [m for m in here if m.metric == metric]
    runs = tuple(dict.fromkeys(m.run_id for m in here))
    opened = series.together(m for m in here if m.metric == "opened").mean
    if not figures:
        if opened == 0:
            return Cell("refused", told="the method opens nothing of it", runs=runs)
        return None
    summary = series.together(figures)
    value = float("inf") if summary.mean is None else summary.mean
    mask = series.together(m for m in masks if m.metric == metric).mean
    told = words.counted(summary.images, "figure")
    if mask is not None:
        told += f"; the mask alone {words.number(mask, metric)}"
    tint = 0.0 if mask is None else _tint(value - mask, metric)
    small = f"{share(opened)} open" if opened is not None and opened < 1 else ""
    return Cell(words.number(value, metric), small, told, runs, tint)


def _told_cell(here: Sequence[MeanScore], metric: str) -> Cell | None:
    """Where no pixel has changed, what is right is the face and not a reason."""
    for name, small in ((metric, ""), (TOLD[metric], "face given")):
        own = [m for m in here if m.metric == name and m.pair.startswith("protected:")]
        value = series.together(own).mean
        if value is not None:
            runs = tuple(dict.fromkeys(m.run_id for m in own))
            images = sum(m.images for m in own)
            told = f"{words.counted(images, 'answer')}"
            return Cell(share(value), small, told, runs, 2 * value - 1)
    return None


def _tint(beside: float, metric: str) -> float:
    share = beside / _SPANS.get(metric, 1.0) * (1 if words.metric(metric).higher else -1)
    return max(-1.0, min(1.0, share))


# --- the rest -------------------------------------------------------------------------------------


def blocks(
    means: Sequence[MeanScore],
    costs: Sequence[tuple[int, Cost]],
    known: Mapping[int, Attempt],
    *,
    every: bool,
) -> Iterator[Block]:
    """Each run's figures in lines, the newest first.

    Args:
        means: figures of attacks.
        costs: what they measured of times, by run; those of the race stand in its own table.
        known: their runs.
        every: all figures, and not only those that say how the attack went.
    """
    for run_id, attempt in sorted(known.items(), reverse=True):
        own = [m for m in means if m.run_id == run_id]
        titled = [(m, title) for m in own if (title := _headline(attempt, m)) is not None]
        if every or not (titled or attack_words.attack(attempt.attack).charted):
            titled = [(m, (words.figure(m.pair, m.metric), "")) for m in own]
        taken = [one for run, one in costs if run == run_id and not is_of_race(one)]
        lines = [*_lines(own, titled), *(_cost_line(run_id, one) for one in taken)]
        if lines:
            about = attack_words.attack(attempt.attack)
            extra = attack_words.variant(attempt.variant)
            name = f"{about.title}{f' ({extra})' if extra else ''}"
            yield Block(name, about.knowledge, attempt.budget, lines)


def _cost_line(run_id: int, one: Cost) -> Line:
    what = attack_words.COSTS.get(one.name) or words.metric(one.name).title
    value = attack_words.duration(one.median) if one.unit == "s" else f"{one.median:.4g} {one.unit}"
    return Line(words.method(one.method), words.mask(one.mask), what, value, "", "–", run_id)


def _headline(attempt: Attempt, mean: MeanScore) -> tuple[str, str] | None:
    for one in attack_words.attack(attempt.attack).headlines:
        found = re.fullmatch(one.pair, mean.pair)
        if found and re.fullmatch(one.metric, mean.metric):
            caught = (text.replace("_", " ") for text in found.groups())
            return one.title.format(*caught), one.wanted
    return None


def _lines(
    own: Sequence[MeanScore], titled: Sequence[tuple[MeanScore, tuple[str, str]]]
) -> Iterator[Line]:
    seen = faces(own)
    names = {(m.method, m.mask, m.pair, m.metric): title for m, title in titled}
    for (method, mask, pair, metric), group in _grouped(m for m, _ in titled).items():
        whole = [m for m in group if m.source == WHOLE]
        summary = series.together(whole or group)
        value = float("inf") if summary.mean is None else summary.mean
        what, wanted = names[method, mask, pair, metric]
        count = seen.get((group[0].run_id, method, mask), 0)
        yield Line(words.method(method), words.mask(mask), what, figure(value, metric), wanted,
                   f"{count:,}" if count else "–", group[0].run_id)  # fmt: skip


Key = tuple[str, str, str, str]


def _grouped(means: Iterable[MeanScore]) -> dict[Key, list[MeanScore]]:
    found: dict[Key, list[MeanScore]] = {}
    for m in means:
        found.setdefault((m.method, m.mask, m.pair, m.metric), []).append(m)
    return found


_SHARES: Final = (
    "noticed",
    "found",
    "false_alarm",
    "rank_1",
    "identity_match",
    "gain_identity_match",
)


def figure(value: float, metric: str) -> str:
    """A figure with its unit; a share in per cent, a count without decimals."""
    if metric in _SHARES:
        text = f"{100 * value:+.1f} points" if metric.startswith("gain_") else share(value)
        return text.replace("-", "−")
    if metric in ("tries", "opened", "rank", "steps"):
        return f"{value:,.4g}" if value % 1 else f"{value:,.0f}"
    return words.number(value, metric, unit=True, sign=metric.startswith("gain_"))
