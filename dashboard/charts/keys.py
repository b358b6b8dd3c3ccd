"""What wrong keys give: by how much of the key map is wrong, and by each way of being wrong."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from dashboard import words
from dashboard.charts import style
from dashboard.series import Summary

Sweep = Mapping[str, Sequence[tuple[float, Summary]]]
Edits = Mapping[str, Mapping[str, Summary]]


def sweep(curves: Sweep, metric: str) -> go.Figure:
    """Quality over the share of wrong bits, with a band of one standard deviation."""
    figure = style.blank(400)
    for place, (method, points) in enumerate(curves.items()):
        known = [(share, s) for share, s in points if s.mean is not None]
        x = [100 * share for share, _ in known]
        y = [s.mean for _, s in known]
        above = [(s.mean or 0) + s.deviation for _, s in known]
        below = [(s.mean or 0) - s.deviation for _, s in known]
        colour = style.colour(method, place)
        figure.add_scatter(
            x=x + x[::-1], y=above + below[::-1], fill="toself", mode="lines",
            fillcolor=style.tinted(colour, 0.15), line={"width": 0}, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=y, name=words.method(method), mode="lines+markers",
            line={"color": colour, "width": 2.5, "dash": style.DASHES[place % 6]},
            marker={"symbol": style.MARKERS[place % 8], "size": 9},
            hovertemplate="%{x:g} % wrong: %{y:.4g}",
        )  # fmt: skip
    figure.update_xaxes(title="bits of the key map that are wrong (%)")
    figure.update_yaxes(title=words.axis(metric))
    return figure


def told_sweep(curves: Sweep, metric: str) -> str:
    """The sweep in words."""
    parts = []
    for method, points in curves.items():
        values = ", ".join(
            f"{words.number(s.mean, metric)} at {100 * share:g} %" for share, s in points
        )
        parts.append(f"{words.method(method)}: {values}")
    return f"{words.axis(metric)} by share of wrong bits of the key map. " + "; ".join(parts)


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
