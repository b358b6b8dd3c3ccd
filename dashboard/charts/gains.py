"""What attackers gain over their controls: as bars, by known pairs, and by the mask's strength."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import plotly.graph_objects as go

from dashboard import attack_words, series, words
from dashboard.attack_curves import Point
from dashboard.attacks import Gain
from dashboard.charts import style

Curves = Mapping[str, Sequence[Point]]

WAYS: Final = {
    "revealed": "a network", "fitted": "the secret fitted", "control": "restored by a network",
    "mask": "the mask itself", "weak": "at least, by a network that is too weak",
}  # fmt: skip


def bars(found: Sequence[Gain], metric: str) -> go.Figure:
    """A group for each method, a bar for each mask, the interval of 95 % and the gate as a line."""
    methods = series.options(found, "method")
    masks = series.options(found, "mask")
    height = 110 + 15 * len(methods) * max(2, len(masks) + 1)
    figure = style.blank(height, margin={"l": 8, "r": 8, "t": 56, "b": 8})
    for place, mask in enumerate(masks):
        own = {one.method: one for one in found if one.mask == mask}
        chosen = [own[method] for method in methods if method in own]
        colour = style.ROW[place % len(style.ROW)]
        figure.add_bar(
            x=[one.gain for one in chosen],
            y=[words.method(one.method) for one in chosen],
            orientation="h",
            name=words.mask(mask),
            marker={
                "color": colour,
                "pattern": {
                    "shape": style.HATCHES[place % 6],
                    "fillmode": "overlay",
                    "fgcolor": "rgba(255, 255, 255, 0.8)",
                    "size": 7,
                    "solidity": 0.25,
                },
            },
            error_x={"type": "data", "array": [one.margin or 0 for one in chosen], "width": 3,
                     "thickness": 1.5, "color": style.PAPER},
            customdata=[told_one(one) for one in chosen],
            hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    _gate(figure, metric, upright=True)
    figure.add_vline(x=0, line={"color": style.PAPER, "width": 1})
    figure.update_xaxes(title=f"gain over the control, {words.axis(metric)}")
    figure.update_yaxes(
        categoryorder="array", categoryarray=[words.method(name) for name in methods],
        autorange="reversed",
    )  # fmt: skip
    figure.update_layout(barmode="group", bargap=0.3)
    return figure


def _gate(figure: go.Figure, metric: str, *, upright: bool) -> None:
    gate = attack_words.GATES.get(metric)
    if gate is None:
        return
    line = {"color": style.WORSE, "width": 2, "dash": "dash"}
    if upright:
        figure.add_vline(x=gate, line=line)
    else:
        figure.add_hline(y=gate, line=line)
    # Shapes have no place in the legend, and words beside the line would lie on the bars.
    name = f"holds up to {gate:g} {words.metric(metric).unit}".strip()
    figure.add_scatter(x=[None], y=[None], mode="lines", line=line, name=name)


def told_one(one: Gain) -> str:
    """One gain in words."""
    margin = "" if one.margin is None else f" ± {words.number(one.margin, one.metric)}"
    gain = words.number(one.gain, one.metric, sign=True)
    return (
        f"{words.method(one.method)}, {words.mask(one.mask)}: {gain}{margin}; "
        f"{words.number(one.more, one.metric)} beside {words.number(one.less, one.metric)}, "
        f"{words.counted(one.faces, 'face')}, run {one.run_id}"
    )


def told(found: Sequence[Gain], metric: str) -> str:
    """The bars in words."""
    return f"Gain over the control, {words.axis(metric)}. " + "; ".join(map(told_one, found))


def by_pairs(curves: Curves, metric: str) -> go.Figure:
    """Gain by known pairs and 95 %, a colour for each method, dashes for what was fitted."""
    figure = style.blank(340)
    for place, (method, points) in enumerate(curves.items()):
        for line in dict.fromkeys(point.line for point in points):
            own = [point for point in points if point.line == line]
            name = f"{words.method(method)}, {WAYS.get(line, line)}"
            _curve(figure, own, name, metric, style.colour(method, place), place)
    _gate(figure, metric, upright=False)
    numbers = sorted({point.x for points in curves.values() for point in points})
    figure.update_xaxes(
        title="known pairs", type="log", tickvals=numbers, ticktext=[f"{n:g}" for n in numbers]
    )
    figure.update_yaxes(title=f"gain, {words.axis(metric)}")
    return figure


def by_strength(curves: Curves, metric: str) -> go.Figure:
    """What a network makes of the mask alone, a colour for each mask; the mask itself dashed."""
    figure = style.blank(340)
    for place, (mask, points) in enumerate(curves.items()):
        for line in dict.fromkeys(point.line for point in points):
            own = [point for point in points if point.line == line]
            name = f"{words.mask(mask)}, {WAYS.get(line, line)}"
            _curve(figure, own, name, metric, style.ROW[place % len(style.ROW)], place)
    figure.update_xaxes(title="strength of the mask, times the paper's")
    figure.update_yaxes(title=words.axis(metric))
    return figure


def _curve(
    figure: go.Figure, points: Sequence[Point], name: str, metric: str, colour: str, place: int
) -> None:
    points = sorted(points, key=lambda point: point.x)
    figure.add_scatter(
        x=[point.x for point in points],
        y=[point.y for point in points],
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 2.5, "dash": "dot" if points[0].dashed else "solid"},
        marker={"symbol": style.MARKERS[place % 8], "size": 9},
        error_y={
            "type": "data",
            "array": [point.margin or 0 for point in points],
            "width": 3,
            "thickness": 1.5,
            "visible": any(point.margin for point in points),
        },
        customdata=[
            f"{_reach(p, metric)}{words.counted(p.faces, 'face')}, run {p.run_id}" for p in points
        ],
        hovertemplate=f"{name}<br>%{{x:g}}: %{{y:.4g}}<br>%{{customdata}}<extra></extra>",
    )


def _reach(point: Point, metric: str) -> str:
    return "" if point.margin is None else f"± {words.number(point.margin, metric)}, "


def told_curves(curves: Curves, metric: str, lead: str, names: Mapping[str, str]) -> str:
    """Curves in words.

    Args:
        curves: by method or mask.
        metric: of the height.
        lead: what they are.
        names: how each curve's group is called.
    """
    parts = (
        f"{names.get(key, key)}, {WAYS.get(point.line, point.line)}, at {point.x:g}: "
        f"{words.number(point.y, metric)} {_reach(point, metric)}".rstrip(", ")
        for key, points in curves.items()
        for point in points
        if math.isfinite(point.y)
    )
    return f"{lead}, {words.axis(metric)}. " + "; ".join(parts)
