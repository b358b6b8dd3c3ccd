"""Figures as an HTML table whose cells are tinted by how good they are and link to their runs."""

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard import tables
from dashboard.links import Links
from dashboard.verdicts import Verdict

STYLE: Final = """<style>
.fv-table td a, .fv-said a, .fv-from a { color: inherit; text-decoration: underline;
  text-decoration-color: rgba(135,147,155,.55); text-underline-offset: 3px; }
.fv-table td a:hover, .fv-said a:hover, .fv-from a:hover { text-decoration-color: currentColor; }
.fv-table td.left, .fv-table th.left { text-align: left; }
.fv-table td.wide { white-space: normal; min-width: 11rem; }
.fv-table tr.head th { text-align: left; white-space: normal; padding-top: 12px; }
.fv-table tr.head small { font-weight: 400; white-space: normal; max-width: 60rem; }
.fv-table small { font-weight: 400; }
.fv-low { max-height: 44rem; overflow-y: auto; }
.fv-low thead th { position: sticky; top: 0; z-index: 2; background: var(--fv-ground); }
.fv-said { display: grid; grid-template-columns: max-content 1fr; gap: .55rem .8rem;
  align-items: baseline; margin: .2rem 0 .6rem; line-height: 1.45; }
.fv-said small { display: block; opacity: .75; }
.fv-table thead tr:first-child th { text-align: right; }
.fv-table thead tr:first-child th.row, .fv-table thead tr:first-child th.left { text-align: left; }
.fv-said .mark { font-weight: 650; font-size: .8rem; padding: .12rem .55rem; border-radius: 99px;
  white-space: nowrap; text-align: center; }
.fv-said .holds { background: rgba(20,153,138,.16); color: var(--fv-better); }
.fv-said .leaks { background: rgba(217,103,15,.16); color: var(--fv-worse); }
.fv-said .open { background: rgba(135,147,155,.22); }
@media (max-width: 640px) { .fv-said { grid-template-columns: 1fr; gap: .1rem; }
  .fv-said .mark { justify-self: start; margin-top: .5rem; }
  .fv-table th.row { white-space: normal; min-width: 5.5rem; max-width: 7rem; }
  .fv-table td, .fv-table th { padding-left: 3px; padding-right: 3px; } }
</style>"""

MARKS: Final = {"holds": "✓ holds", "leaks": "✕ leaks", "open": "? open"}


@dataclass(frozen=True)
class Cell:
    """One figure.

    Attributes:
        text: as it is read.
        small: below it.
        told: what stands behind it, for who points at it.
        runs: where it comes from.
        tint: from -1, bad, to 1, good; 0 for neither.
    """

    text: str
    small: str = ""
    told: str = ""
    runs: tuple[int, ...] = ()
    tint: float = 0.0


def table(
    corner: str, rows: Mapping[str, Mapping[str, Cell]], links: Links, *, dark: bool
) -> str:  # fmt: skip
    """Lay figures out in rows and columns; what is not there is a dash.

    Args:
        corner: what the rows are.
        rows: cells by column, by row.
        links: to the runs.
        dark: for a dark ground.
    """
    columns = list(dict.fromkeys(name for own in rows.values() for name in own))
    heads = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    lines = "".join(
        f'<tr><th class="row" scope="row">{html.escape(name)}</th>'
        + "".join(_cell(own.get(column), links) for column in columns)
        + "</tr>"
        for name, own in rows.items()
    )
    top = f'<tr><th class="row" scope="col">{html.escape(corner)}</th>{heads}</tr>'
    return _framed(top, lines, dark=dark)


def _cell(cell: Cell | None, links: Links) -> str:
    if cell is None:
        return '<td><span class="none">–</span></td>'
    text = links.around(cell.runs, cell.text) if cell.runs else html.escape(cell.text)
    small = f"<small>{html.escape(cell.small)}</small>" if cell.small else ""
    return f'<td style="{_tint(cell.tint)}" title="{html.escape(cell.told)}">{text}{small}</td>'


def _tint(value: float) -> str:
    if not value:
        return ""
    colour = "20,153,138" if value > 0 else "217,103,15"
    return f"background:rgba({colour},{0.04 + 0.30 * min(1.0, abs(value)):.2f})"


def _framed(heads: str, lines: str, *, dark: bool, low: bool = False) -> str:
    """A table in its frame; a low one scrolls by itself."""
    kind = "fv-wrap fv-low" if low else "fv-wrap"
    return (
        f'{tables.STYLE}{STYLE}<div class="{kind}" style="{_colours(dark=dark)}" tabindex="0">'
        f'<table class="fv-table"><thead>{heads}</thead><tbody>{lines}</tbody></table></div>'
    )


def _colours(*, dark: bool) -> str:
    return tables.DARK if dark else tables.LIGHT


def said(sentences: Iterable[tuple[Verdict, str]], *, dark: bool) -> str:
    """Verdicts one below the other, each with its sign.

    Args:
        sentences: each with its verdict; HTML.
        dark: for a dark ground.
    """
    lines = "".join(
        f'<span class="mark {one.sense}">{MARKS[one.sense]}</span><span>{sentence}</span>'
        for one, sentence in sentences
    )
    return f'{STYLE}<div class="fv-said" style="{_colours(dark=dark)}">{lines}</div>'


@dataclass(frozen=True)
class Line:
    """One figure of an attack that has no chart of its own."""

    method: str
    mask: str
    what: str
    value: str
    wanted: str
    faces: str
    run_id: int


@dataclass(frozen=True)
class Block:
    """One attack's figures under its title, what the attacker has, and the budget."""

    title: str
    knowledge: str
    budget: str
    lines: Sequence[Line]


def listing(blocks: Iterable[Block], links: Links, *, dark: bool) -> str:
    """Attacks one below the other, each figure with the way to its run."""
    heads = "".join(
        f'<th scope="col" class="{side}">{name}</th>'
        for name, side in (
            ("method", "left"), ("mask", "left"), ("figure", "left"), ("value", ""),
            ("holds at", "left"), ("faces", ""), ("run", ""),
        )
    )  # fmt: skip
    body = "".join(_block(block, links) for block in blocks)
    return _framed(f"<tr>{heads}</tr>", body, dark=dark, low=True)


def _block(block: Block, links: Links) -> str:
    told = "; ".join(
        f"{name}: {text}"
        for name, text in (("has", block.knowledge), ("budget", block.budget))
        if text
    )
    head = (
        f'<tr class="head first"><th scope="colgroup" colspan="7">{html.escape(block.title)}'
        f"<small>{html.escape(told)}</small></th></tr>"
    )
    return head + "".join(_line(line, links) for line in block.lines)


def _line(line: Line, links: Links) -> str:
    value = links.around((line.run_id,), line.value)
    return (
        f'<tr><td class="left">{html.escape(line.method)}</td>'
        f'<td class="left">{html.escape(line.mask)}</td>'
        f'<td class="left wide">{html.escape(line.what)}</td><td><b>{value}</b></td>'
        f'<td class="left">{html.escape(line.wanted)}</td><td>{html.escape(line.faces)}</td>'
        f"<td>{links.around((line.run_id,), str(line.run_id))}</td></tr>"
    )
