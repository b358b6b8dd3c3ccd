"""How every figure looks: colours that read on light and on dark, with signs beside them."""

from typing import Any, Final

import plotly.graph_objects as go

BETTER: Final = "#14998a"
WORSE: Final = "#d9670f"
PAPER: Final = "#87939b"
FAINT: Final = "rgba(135, 147, 155, 0.25)"

METHODS: Final[dict[str, str]] = {
    "proface-s-rand": "#3f7fd6",
    "proface-s-obfs": "#a357c9",
    "proface-k": "#14998a",
    "sealed": "#b7860b",
    "proface-k-rand": "#c9485b",
    "imn": "#6f7d3a",
}
ROW: Final = (
    "#3f7fd6", "#d9670f", "#a357c9", "#14998a", "#b7860b", "#c9485b", "#6f7d3a", "#5a6b9c",
    "#87939b",
)  # fmt: skip
DASHES: Final = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
HATCHES: Final = ("", "/", "\\", ".", "x", "-")
MARKERS: Final = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "hexagon")


def colour(name: str, place: int) -> str:
    """A method's own colour, else the one of its place."""
    return METHODS.get(name, ROW[place % len(ROW)])


def tinted(hex_colour: str, alpha: float) -> str:
    """A colour with some of the ground showing through."""
    red, green, blue = (int(hex_colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {alpha})"


def blank(height: int, **layout: Any) -> go.Figure:
    """An empty figure with our margins; colours of text and ground come from Streamlit's theme."""
    figure = go.Figure()
    ours = {
        "height": height,
        "margin": {"l": 8, "r": 8, "t": 30, "b": 8},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
        "hoverlabel": {"align": "left"},
    }
    figure.update_layout(**(ours | layout))
    figure.update_xaxes(automargin=True, zeroline=False)
    figure.update_yaxes(automargin=True, zeroline=False)
    return figure
