"""Every attack as a small chart of its own: a dot for each method and mask, and the line."""

from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from dashboard import glance, series, words
from dashboard.charts import style
from dashboard.glance import Facet

_HEAD: Final = 42
_LANE: Final = 24
_FOOT: Final = 30
_LEFT: Final = 92
_SPREAD: Final = 0.7


def height(facet: Facet) -> int:
    """How many pixels a facet takes."""
    return _HEAD + _LANE * len(series.options(facet.dots, "method")) + _FOOT


def halves(found: Sequence[Facet]) -> list[Sequence[Facet]]:
    """Two columns of about the same height; one where there is one facet."""
    if len(found) < 2:
        return [found]
    heights = [height(facet) for facet in found]
    cut = min(
        range(1, len(found)), key=lambda place: abs(sum(heights[:place]) - sum(heights[place:]))
    )
    return [found[:cut], found[cut:]]


def dots(found: Sequence[Facet], methods: Sequence[str]) -> go.Figure:
    """Facets one below the other, each with its own axis: their units differ.

    Args:
        found: attacks with their dots.
        methods: those of all columns in one order, so that each keeps its mark.
    """
    whole = max(1, sum(map(height, found)))
    figure = style.blank(
        whole, margin={"l": _LEFT, "r": 14, "t": 0, "b": 0}, showlegend=False, hovermode="closest"
    )
    top = 0
    for place, facet in enumerate(found, 1):
        ends = (1 - (top + height(facet) - _FOOT) / whole, 1 - (top + _HEAD) / whole)
        _axes(figure, place, facet, ends)
        _marks(figure, place, facet, methods)
        figure.add_annotation(
            text=f"<b>{facet.title}</b><br>{facet.look.what}; line: {facet.look.wanted}",
            x=0, xref="paper", xanchor="left", xshift=-_LEFT, y=1 - top / whole, yref="paper",
            yanchor="top", align="left", showarrow=False, font={"size": 12},
        )  # fmt: skip
        top += height(facet)
    return figure


def _axes(figure: go.Figure, place: int, facet: Facet, ends: tuple[float, float]) -> None:
    """Methods upwards, the figure along, and the line upright."""
    own = series.options(facet.dots, "method")
    low, high = span(facet)
    room = 0.04 * (high - low)
    unit = words.metric(facet.look.metrics[0]).unit
    suffix = ("" if facet.look.control else " %") if facet.look.share else unit and f" {unit}"
    number = "" if place == 1 else str(place)
    # Nobody opens half a key.
    ticks = {"dtick": max(1, round(high / 5))} if facet.look.metrics == ("opened",) else {}
    figure.update_layout({
        f"xaxis{number}": {
            "anchor": f"y{number}", "range": [low - room, high + room], "nticks": 6,
            "ticksuffix": suffix, "zeroline": False, "automargin": False,
            **ticks,
        },
        f"yaxis{number}": {
            "anchor": f"x{number}", "domain": list(ends), "range": [len(own) - 0.5, -0.5],
            "tickvals": list(range(len(own))), "ticktext": [words.method(one) for one in own],
            "zeroline": False, "automargin": True, "showgrid": False,
        },
    })  # fmt: skip
    at = facet.look.line * _times(facet)
    figure.add_shape(
        type="line", xref=f"x{number}", yref=f"y{number} domain", x0=at, x1=at, y0=0, y1=1,
        line={"color": style.WORSE, "width": 2, "dash": "dash"}, layer="below",
    )  # fmt: skip


def _times(facet: Facet) -> float:
    """Shares stand in per cent."""
    return 100.0 if facet.look.share else 1.0


def span(facet: Facet) -> tuple[float, float]:
    """The ends of a facet's axis: all of what can be where that is known, the line always in it."""
    look = facet.look
    if look.metrics == ("auc",) or (look.share and not look.control):
        return 0.0, _times(facet)
    reach = [
        _times(facet) * (dot.value + sign * (dot.margin or 0.0))
        for dot in facet.dots
        for sign in (-1, 1)
    ]
    ends = [*reach, 0.0, look.line * _times(facet)]
    low, high = min(ends), max(ends)
    return low, (high if high - low > 1e-9 else low + 1.0)


def _marks(figure: go.Figure, place: int, facet: Facet, methods: Sequence[str]) -> None:
    """A trace for each method; its masks a little apart, so that none hides another."""
    number = "" if place == 1 else str(place)
    for lane, method in enumerate(series.options(facet.dots, "method")):
        own = [dot for dot in facet.dots if dot.method == method]
        step = _SPREAD / max(1, len(own))
        known = methods.index(method)
        colour = style.colour(method, known)
        figure.add_scatter(
            x=[dot.value * _times(facet) for dot in own],
            y=[lane + step * (i - (len(own) - 1) / 2) for i in range(len(own))],
            error_x={"type": "data", "array": [_times(facet) * (d.margin or 0) for d in own],
                     "width": 2, "thickness": 1.5},
            mode="markers",
            name=words.method(method),
            marker={"color": colour, "symbol": style.MARKERS[known % 8], "size": 8},
            customdata=[f"{facet.title}<br>{glance.told(facet.look, dot)}" for dot in own],
            hovertemplate="%{customdata}<extra></extra>",
            xaxis=f"x{number}",
            yaxis=f"y{number}",
        )  # fmt: skip


def told(found: Sequence[Facet]) -> str:
    """The dots in words."""
    return " ".join(
        f"{facet.title}, {facet.look.what}, line {facet.look.wanted}: "
        + "; ".join(glance.told(facet.look, dot) for dot in facet.dots) + "."
        for facet in found
    )  # fmt: skip
