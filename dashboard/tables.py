"""A paper's table as HTML: ours large, the paper's small, the difference with arrow and tint."""

import html
import math
from collections.abc import Iterable, Sequence
from typing import Final

from dashboard import comparison, words
from engine.results import PaperCell

STYLE: Final = """<style>
.fv-wrap { overflow-x: auto; border: 1px solid rgba(135,147,155,.35); border-radius: 8px; }
.fv-table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .82rem;
  font-variant-numeric: tabular-nums; }
.fv-table th, .fv-table td { padding: 5px 6px; text-align: right; white-space: nowrap;
  border-bottom: 1px solid rgba(135,147,155,.22); }
.fv-table thead th { font-weight: 600; }
.fv-table thead tr:first-child th { text-align: center; border-bottom: 0; }
.fv-table th.row { text-align: left; font-weight: 500; position: sticky; left: 0; z-index: 1;
  background: var(--fv-ground); }
.fv-table tr.first > * { border-top: 2px solid rgba(135,147,155,.45); }
.fv-table th.set, .fv-table td.set { border-left: 1px solid rgba(135,147,155,.35); }
.fv-table b { font-weight: 650; }
.fv-table small { display: block; opacity: .72; font-size: .74rem; }
.fv-table i { font-style: normal; font-weight: 600; margin-left: 4px; }
.fv-table td.better { background: rgba(20,153,138,.13); }
.fv-table td.better i { color: var(--fv-better); }
.fv-table td.worse { background: rgba(217,103,15,.13); }
.fv-table td.worse i { color: var(--fv-worse); }
.fv-table .none { opacity: .6; font-style: italic; }
</style>"""

LIGHT: Final = "--fv-ground:#ffffff;--fv-better:#0d6f64;--fv-worse:#a34a05"
DARK: Final = "--fv-ground:#11171b;--fv-better:#4fd0bf;--fv-worse:#ffa45c"

Column = tuple[str, str, str]
RowKey = tuple[str, str]


def columns(cells: Iterable[PaperCell]) -> list[Column]:
    """Set, pair and metric of each column, in the paper's order."""
    return list(dict.fromkeys((cell.source, cell.pair, cell.metric) for cell in cells))


def rows(cells: Iterable[PaperCell]) -> list[RowKey]:
    """Method and mask of each row, in the paper's order, but each method's rows together."""
    found = list(dict.fromkeys((cell.method, cell.mask) for cell in cells))
    place = {method: i for i, method in reversed(list(enumerate(method for method, _ in found)))}
    return sorted(found, key=lambda row: place[row[0]])


def name(method: str) -> str:
    """A row's method, without the name of the paper that it stands in."""
    return words.method(method.removeprefix("PRO-Face S ").removeprefix("PRO-Face-S "))


def table(cells: Sequence[PaperCell], *, dark: bool) -> str:
    """Lay a paper's table out.

    Args:
        cells: of one table and protocol.
        dark: for a dark ground.
    """
    heads = columns(cells)
    # A cost has no set, and its masks differ from line to line.
    found = {(cell.method, cell.mask, cell.source, cell.pair, cell.metric): cell for cell in cells}
    lines = []
    before = ""
    for method, mask in rows(cells):
        row = "".join(
            _cell(found.get((method, mask, *head)), starts=starts)
            for head, starts in zip(heads, _starts(heads), strict=True)
        )
        title = html.escape(name(method))
        small = f"<small>{html.escape(words.mask(mask))}</small>" if mask else ""
        first = ' class="first"' if method != before else ""
        lines.append(f'<tr{first}><th class="row" scope="row">{title}{small}</th>{row}</tr>')
        before = method
    return (
        f'{STYLE}<div class="fv-wrap" style="{DARK if dark else LIGHT}" tabindex="0">'
        f'<table class="fv-table"><thead>{_heads(heads)}</thead><tbody>{"".join(lines)}</tbody>'
        "</table></div>"
    )


def _starts(heads: Sequence[Column]) -> list[bool]:
    """Where another set or pair begins."""
    return [i == 0 or head[:2] != heads[i - 1][:2] for i, head in enumerate(heads)]


def _heads(heads: Sequence[Column]) -> str:
    groups: list[tuple[str, int]] = []
    pairs = {pair for _, pair, _ in heads}
    for (source, pair, _), starts in zip(heads, _starts(heads), strict=True):
        if starts:
            name = ", ".join(filter(None, (
                words.source(source) if source else "", words.pair(pair) if len(pairs) > 1 else "",
            )))  # fmt: skip
            groups.append((name, 0))
        groups[-1] = (groups[-1][0], groups[-1][1] + 1)
    top = "".join(
        f'<th class="set" scope="colgroup" colspan="{span}">{html.escape(name)}</th>'
        for name, span in groups
    )
    below = "".join(
        f'<th scope="col"{_set(starts)}>{html.escape(words.axis(metric))}</th>'
        for (_, _, metric), starts in zip(heads, _starts(heads), strict=True)
    )
    return f'<tr><th class="row"></th>{top}</tr><tr><th class="row"></th>{below}</tr>'


def _set(starts: bool) -> str:
    return ' class="set"' if starts else ""


def _cell(cell: PaperCell | None, *, starts: bool) -> str:
    side = " set" if starts else ""
    if cell is None:
        return f'<td class="none{side}" title="neither the paper nor we have this">–</td>'
    paper = words.number(cell.paper_value, cell.metric)
    beside = "" if cell.paper_value is None else f"<small>paper {paper}</small>"
    value = comparison.ours(cell)
    if value is None:
        missing = "missing" if cell.our_method else "paper only"
        why = "no run has this yet" if cell.our_method else "a method that is not ours"
        return (
            f'<td class="{side.strip()}" title="{why}"><span class="none">{missing}</span>'
            f"{beside}</td>"
        )
    text = f"<b>{words.number(value, cell.our_metric or cell.metric)}</b>"
    sense = ""
    if comparison.comparable(cell):
        wins = comparison.cell_is_better(cell)
        sense = "better" if wins else "worse"
        text += f"<i>{'▲' if wins else '▼'} {_difference(cell, value)}</i>"
    return f'<td class="{sense}{side}" title="{html.escape(told(cell))}">{text}{beside}</td>'


def _difference(cell: PaperCell, value: float) -> str:
    assert cell.paper_value is not None
    if math.isinf(value):
        return "exact"
    return words.number(value - cell.paper_value, cell.metric, sign=True)


def told(cell: PaperCell) -> str:
    """What stands behind a cell: faces, spread, run, and what to know before comparing."""
    parts = [f"{cell.images:,} measured" if cell.images else ""]
    if cell.least is not None and cell.greatest is not None and cell.mask != "average":
        least, greatest = (words.number(v, cell.metric) for v in (cell.least, cell.greatest))
        parts.append(f"from {least} to {greatest}")
    if cell.exact:
        parts.append(f"{cell.exact:,} exact, left out of the mean")
    if cell.mask == "average" and cell.masks is not None and cell.masks != comparison.MASKS:
        parts.append(f"ours over {cell.masks} masks, the paper's over {comparison.MASKS}")
    if cell.our_metric and cell.our_metric != cell.metric:
        parts.append(f"ours is {words.metric(cell.our_metric).title}, not comparable")
    parts.append(f"run {cell.run_id}" if cell.run_id else "")
    parts.append(cell.note)
    return "; ".join(filter(None, parts))


def notes(cells: Iterable[PaperCell]) -> list[str]:
    """What to know before comparing, each once, with the figures that it is about."""
    cells = list(cells)
    found: dict[str, set[str]] = {}
    for cell in cells:
        for note in filter(None, cell.note.split("; ")):
            found.setdefault(note, set()).add(words.metric(cell.metric).title)
    listed = [
        f"**{', '.join(sorted(names))}** in the paper: {note}" for note, names in found.items()
    ]
    short = {
        words.method(cell.our_method): cell.masks
        for cell in cells
        if cell.mask == "average" and cell.masks is not None and cell.masks != comparison.MASKS
    }
    if short:
        over = ", ".join(f"{count} for {method}" for method, count in short.items())
        listed.append(
            f"**Mean of masks:** the paper's is over {comparison.MASKS}, ours over {over}, so "
            "these are not compared; each mask is"
        )
    return listed
