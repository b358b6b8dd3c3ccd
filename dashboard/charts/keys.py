"""What wrong keys give: by how much of the key map is wrong, and by each way of being wrong."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import plotly.graph_objects as go

from dashboard import attack_words, words
from dashboard.charts import style
from dashboard.key_rows import KeyTest, Sweep
from dashboard.series import Summary

Edits = Mapping[str, Mapping[str, Summary]]

WAYS: Final = {"flipped": "scattered", "tile": "one tile"}
_TICKS: Final = (0.01, 0.1, 1, 10, 50)
_LEAST_P: Final = 1e-6
"""What is smaller stands here: it would leave no room for the rest."""


def sweep(curves: Sweep, metric: str) -> go.Figure:
    """Quality over the share of wrong bits, with a band of one standard deviation.

    A method has its colour and mark; scattered bits are solid and filled, a tile dashed and hollow.
    """
    figure = style.blank(400)
    methods = list(dict.fromkeys(method for method, _ in curves))
    for (method, way), points in curves.items():
        place = methods.index(method)
        known = [(share, s) for share, s in points if s.mean is not None]
        x = [100 * share for share, _ in known]
        above = [(s.mean or 0) + s.deviation for _, s in known]
        below = [(s.mean or 0) - s.deviation for _, s in known]
        colour, scattered = style.colour(method, place), way == "flipped"
        figure.add_scatter(
            x=x + x[::-1], y=above + below[::-1], fill="toself", mode="lines",
            fillcolor=style.tinted(colour, 0.1), line={"width": 0}, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip
        symbol = style.MARKERS[place % 8]
        figure.add_scatter(
            x=x, y=[s.mean for _, s in known], mode="lines+markers",
            name=f"{words.method(method)}, {WAYS[way]}",
            line={"color": colour, "width": 2.5, "dash": "solid" if scattered else "dash"},
            marker={"symbol": symbol if scattered else f"{symbol}-open", "size": 9},
            customdata=[words.counted(s.images, "face") for _, s in known],
            hovertemplate="%{x:g} % wrong: %{y:.4g}, %{customdata}",
        )  # fmt: skip
    figure.update_xaxes(
        title="wrong bits of the key map (%)", type="log", tickvals=_TICKS,
        ticktext=[f"{tick:g}" for tick in _TICKS],
    )  # fmt: skip
    figure.update_yaxes(title=words.axis(metric))
    return figure


def told_sweep(curves: Sweep, metric: str) -> str:
    """The sweep in words."""
    parts = []
    for (method, way), points in curves.items():
        values = ", ".join(
            f"{words.number(s.mean, metric)} at {100 * share:g} %" for share, s in points
        )
        parts.append(f"{words.method(method)}, {WAYS[way]}: {values}")
    return f"{words.axis(metric)} by share of wrong bits of the key map. " + "; ".join(parts)


def tests(found: Sequence[KeyTest]) -> go.Figure:
    """A line for each method and mask: its p value hollow, that corrected for all tests filled."""
    names = [_of_test(one) for one in found]
    figure = style.blank(110 + 26 * len(found))
    for title, symbol, values in (
        ("as tested", "circle-open", [one.p_value for one in found]),
        ("corrected for all tests", "diamond", [one.corrected for one in found]),
    ):
        there = [(v, name, one) for v, name, one in zip(values, names, found, strict=True)
                 if v is not None]  # fmt: skip
        figure.add_scatter(
            x=[max(value, _LEAST_P) for value, *_ in there], y=[name for _, name, _ in there],
            mode="markers", name=title,
            marker={"color": style.ROW[0], "symbol": symbol, "size": 10, "line": {"width": 2}},
            customdata=[told_test(one) for *_, one in there],
            hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    line = {"color": style.WORSE, "width": 2, "dash": "dash"}
    figure.add_vline(x=attack_words.SAME, line=line, layer="below")
    # Shapes have no place in the legend.
    told = f"like any other key above {attack_words.SAME:g}"
    figure.add_scatter(x=[None], y=[None], mode="lines", line=line, name=told)
    least = min([attack_words.SAME, *(one.p_value for one in found if one.p_value is not None)])
    low = math.log10(max(least, _LEAST_P)) - 0.3
    figure.update_xaxes(title="p value, logarithmic", type="log", range=[low, 0.1], dtick=1)
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1])
    return figure


def _of_test(one: KeyTest) -> str:
    return f"{words.method(one.method)}, {words.mask(one.mask)}"


def told_test(one: KeyTest) -> str:
    """A test in words; what is not stored is not said."""
    figures = (("p", one.p_value), ("corrected p", one.corrected), ("distance", one.distance))
    values = ", ".join(f"{name} {value:.3g}" for name, value in figures if value is not None)
    return f"{_of_test(one)}: {values}; {words.counted(one.faces, 'face')}, run {one.run_id}"


def told_tests(found: Sequence[KeyTest]) -> str:
    """The tests in words."""
    return "Whether one character off looks like any other key. " + "; ".join(map(told_test, found))


def edits(found: Edits, metric: str) -> go.Figure:
    """One line for each thing that may go in; a mark for each method, with one deviation."""
    known_pairs = {name: i for i, name in enumerate(words.PAIRS)}
    pairs = sorted(
        {pair for own in found.values() for pair in own},
        key=lambda pair: (known_pairs.get(pair, len(known_pairs)), pair),
    )
    figure = style.blank(54 * len(pairs) + 110)
    for place, (method, own) in enumerate(found.items()):
        known = {pair: s for pair, s in own.items() if s.mean is not None}
        figure.add_scatter(
            x=[s.mean for s in known.values()],
            y=[words.pair(pair) for pair in known],
            error_x={"type": "data", "array": [s.deviation for s in known.values()], "width": 4},
            mode="markers",
            name=words.method(method),
            marker={
                "color": style.colour(method, place), "symbol": style.MARKERS[place % 8],
                "size": 12,
            },
            hovertemplate="%{y}<br>%{x:.4g}",
        )  # fmt: skip
    order = [words.pair(pair) for pair in pairs]
    figure.update_xaxes(title=words.axis(metric))
    figure.update_yaxes(categoryorder="array", categoryarray=order[::-1])
    return figure


def told_edits(found: Edits, metric: str) -> str:
    """The edits in words."""
    parts = (
        f"{words.method(method)}, {words.pair(pair)}: {words.number(s.mean, metric)}"
        for method, own in found.items()
        for pair, s in own.items()
    )
    return f"{words.axis(metric)}. " + "; ".join(parts)
