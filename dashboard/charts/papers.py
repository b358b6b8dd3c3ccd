"""Ours against the papers as one picture: a line from the paper's figure to ours, set by set."""

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from dashboard import words
from dashboard.charts import style
from dashboard.comparison import GROUPS, Duel

HEAD: Final = 1.15
GAP: Final = 0.3


def places(duels: Sequence[Duel]) -> tuple[list[float], list[tuple[float, str]], float]:
    """Heights from above: of each row, of each group's heading with its text, and of the end."""
    rows: list[float] = []
    heads: list[tuple[float, str]] = []
    height = 0.0
    for group in GROUPS:
        own = [one for one in duels if one.group == group]
        if own:
            arrow = "↑" if own[0].better == "higher" else "↓"
            heads.append((height + 0.3, f"<b>{group.title}</b> {arrow} {group.sense}"))
            rows.extend(height + HEAD + i for i in range(len(own)))
            height += HEAD + len(own) + GAP
    return rows, heads, height


def dumbbells(duels: Sequence[Duel]) -> go.Figure:
    """Draw paper (hollow ring) and ours (filled mark), joined by a line in the sense's colour.

    What is better points up and says so, what is worse points down: nothing rests on colour alone.
    """
    rows, heads, end = places(duels)
    figure = style.blank(max(220, int(end * 21) + 80))
    _lines(figure, duels, rows)
    _paper(figure, duels, rows)
    for wins in (True, False):
        _ours(figure, duels, rows, wins)
    for height, text in heads:
        figure.add_annotation(
            x=0, xref="paper", xanchor="left", y=height, yref="y", text=text, showarrow=False,
            font={"size": 13},
        )  # fmt: skip
    if duels:
        _axes(figure, duels, rows, end)
    return figure


def _axes(figure: go.Figure, duels: Sequence[Duel], rows: list[float], end: float) -> None:
    values = [value for one in duels for value in (one.ours, one.paper)]
    low, high = min(values), max(values)
    room = (high - low) or 1
    figure.update_yaxes(
        range=[end, -0.2], tickvals=rows, ticktext=[words.source(one.source) for one in duels],
        showgrid=False,
    )  # fmt: skip
    figure.update_xaxes(
        title=words.axis(duels[0].metric),
        range=[low - 0.06 * room, high + 0.3 * room],
        side="bottom",
    )


def _lines(figure: go.Figure, duels: Sequence[Duel], rows: list[float]) -> None:
    for wins, colour in ((True, style.BETTER), (False, style.WORSE)):
        x: list[float | None] = []
        y: list[float | None] = []
        for one, row in zip(duels, rows, strict=True):
            if one.wins == wins:
                x += [one.paper, one.ours, None]
                y += [row, row, None]
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": colour, "width": 3}, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip


def _paper(figure: go.Figure, duels: Sequence[Duel], rows: list[float]) -> None:
    figure.add_scatter(
        x=[one.paper for one in duels],
        y=rows,
        mode="markers",
        name="paper",
        marker={
            "symbol": "circle-open", "size": 11, "color": style.PAPER,
            "line": {"width": 2.5, "color": style.PAPER},
        },
        customdata=[_told(one) for one in duels],
        hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip


def _ours(figure: go.Figure, duels: Sequence[Duel], rows: list[float], wins: bool) -> None:
    own = [(one, row) for one, row in zip(duels, rows, strict=True) if one.wins == wins]
    colour = style.BETTER if wins else style.WORSE
    figure.add_scatter(
        x=[one.ours for one, _ in own],
        y=[row for _, row in own],
        mode="markers",
        name="ours, better" if wins else "ours, worse",
        marker={"symbol": "triangle-up" if wins else "triangle-down", "size": 13, "color": colour},
        customdata=[_told(one) for one, _ in own],
        hovertemplate="%{customdata}<extra></extra>",
    )
    # The words stand right of both marks, where nothing lies under them.
    figure.add_scatter(
        x=[max(one.ours, one.paper) for one, _ in own],
        y=[row for _, row in own],
        mode="text",
        text=[f"    {words.number(one.difference, one.metric, sign=True)}" for one, _ in own],
        textposition="middle right",
        textfont={"color": colour, "size": 13},
        hoverinfo="skip",
        showlegend=False,
        cliponaxis=False,
    )


def _told(one: Duel) -> str:
    masks = ", ".join(words.mask(name) for name in one.masks)
    return (
        f"<b>{one.group.title}, {words.source(one.source)}</b><br>"
        f"ours {words.number(one.ours, one.metric, unit=True)}, "
        f"paper {words.number(one.paper, one.metric, unit=True)}<br>"
        f"masks that both have: {masks}<br>{one.images:,} measured pictures"
    )


def alt(duels: Sequence[Duel]) -> str:
    """The picture in words, for who cannot see it."""
    rows = (
        f"{one.group.title} on {words.source(one.source)}: ours "
        f"{words.number(one.ours, one.metric, unit=True)}, paper "
        f"{words.number(one.paper, one.metric, unit=True)}, "
        f"{'better' if one.wins else 'worse'}"
        for one in duels
    )
    return "Ours against the papers. " + "; ".join(rows)
