"""What things take, and what they give for it; the papers' figures hollow beside ours."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard import words
from dashboard.charts import style


@dataclass(frozen=True)
class Bar:
    """One amount: of ours with quartiles, or of a paper."""

    label: str
    value: float
    low: float
    high: float
    paper: bool


def bars(found: Sequence[Bar], *, log: bool) -> go.Figure:
    """Bars from the least, ours filled, the papers' hollow and named so."""
    figure = style.blank(max(200, 34 * len(found) + 110), margin={"l": 8, "r": 52, "t": 30, "b": 8})
    for paper in (False, True):
        own = [bar for bar in found if bar.paper == paper]
        if own:
            figure.add_bar(
                x=[bar.value for bar in own],
                y=[bar.label for bar in own],
                orientation="h",
                name="paper" if paper else "ours",
                marker={
                    "color": style.FAINT if paper else style.ROW[0],
                    "line": {"width": 2, "color": style.PAPER if paper else style.ROW[0]},
                },
                error_x={
                    "type": "data",
                    "array": [bar.high - bar.value for bar in own],
                    "arrayminus": [bar.value - bar.low for bar in own],
                },
                text=[short(bar.value) for bar in own],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{y}: %{x:,.4g}<extra></extra>",
            )
    order = [bar.label for bar in sorted(found, key=lambda bar: bar.value)]
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1])
    figure.update_xaxes(title="logarithmic" if log else None, type="log" if log else "linear")
    return figure


def short(value: float) -> str:
    """A number in three digits, millions as M."""
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def told(found: Sequence[Bar], title: str) -> str:
    """The bars in words."""
    return f"{title}: " + "; ".join(
        f"{bar.label}{' (paper)' if bar.paper else ''} {short(bar.value)}" for bar in found
    )


@dataclass(frozen=True)
class Bargain:
    """A method's quality under a mask, and what it costs."""

    method: str
    mask: str
    seconds: float
    quality: float
    paper: bool


def bargains(found: Sequence[Bargain], metric: str) -> go.Figure:
    """Quality over seconds, a mark for each method, the mask written beside: up and left is better.

    Args:
        found: what has both.
        metric: of the quality.
    """
    figure = style.blank(420)
    for place, (paper, method) in enumerate(dict.fromkeys((o.paper, o.method) for o in found)):
        own = [one for one in found if (one.paper, one.method) == (paper, method)]
        colour = style.PAPER if paper else style.colour(method, place)
        symbol = style.MARKERS[place % len(style.MARKERS)]
        name = f"{words.method(method)} (paper)" if paper else words.method(method)
        figure.add_scatter(
            x=[one.seconds for one in own],
            y=[one.quality for one in own],
            text=[words.mask(one.mask) if one.mask else "" for one in own],
            mode="markers+text",
            textposition=["top center", "bottom center"][place % 2],
            name=name,
            marker={
                "symbol": f"{symbol}-open" if paper else symbol, "size": 13, "color": colour,
                "line": {"width": 2.5, "color": colour},
            },
            hovertemplate=f"{name}<br>%{{text}}<br>%{{x:.3g}} s, %{{y:.4g}}<extra></extra>",
            cliponaxis=False,
        )  # fmt: skip
    figure.update_xaxes(title="seconds for 16 faces of 112 px, logarithmic", type="log")
    figure.update_yaxes(title=f"recovery, {words.axis(metric)}")
    return figure


def told_bargains(found: Sequence[Bargain]) -> str:
    """Quality and cost in words."""
    return "Recovery beside seconds for 16 faces: " + "; ".join(
        f"{words.method(one.method)} {words.mask(one.mask)}{' (paper)' if one.paper else ''} "
        f"{one.quality:.4g} in {one.seconds:.3g} s"
        for one in found
    )
