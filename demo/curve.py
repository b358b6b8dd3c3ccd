"""The one plot of the demo: how fast a face goes when bits of its key map are wrong."""

from typing import Final

import plotly.graph_objects as go

from demo import words
from demo.lab import SHARES

_COLOURS: Final = {"proface-s-rand": "#1f9c8d", "proface-s-obfs": "#c2703d"}
_GREY: Final = "#7b868e"  # readable on white and on black


def figure(curves: dict[str, list[float]], share: float) -> go.Figure:
    """Draw PSNR against the share of wrong bits.

    Args:
        curves: dB for each of :data:`demo.lab.SHARES`, by method.
        share: where the slider stands.
    """
    plot = go.Figure()
    for method, values in curves.items():
        plot.add_trace(
            go.Scatter(
                x=[100 * at for at in SHARES], y=values, mode="lines+markers",
                name=words.METHOD_TITLES[method], line={"color": _COLOURS[method], "width": 2.5},
                hovertemplate="%{x:g} % wrong: %{y:.1f} dB<extra></extra>",
            )
        )  # fmt: skip
    plot.add_vline(x=100 * share, line={"color": _GREY, "width": 1, "dash": "dot"})
    axis = {"gridcolor": "rgba(123,134,142,.25)", "zeroline": False, "linecolor": _GREY}
    plot.update_layout(
        height=300,
        margin={"l": 50, "r": 10, "t": 34, "b": 45},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": _GREY, "family": "system-ui, sans-serif", "size": 13},
        legend={"orientation": "h", "y": 1.17, "x": 0},
        xaxis={**axis, "title": "wrong bits of the key map, %"},
        yaxis={**axis, "title": "nearness to the face, dB", "rangemode": "tozero"},
    )
    return plot
