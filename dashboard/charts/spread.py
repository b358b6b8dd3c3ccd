"""How figures spread over faces: histograms, boxes, and two figures face by face."""

import statistics
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from dashboard import words
from dashboard.charts import style

Points = Sequence[tuple[str, float, float]]


def histogram(
    groups: Mapping[str, Sequence[int]], low: float, high: float, metric: str,
    colours: Mapping[str, str] | None = None, height: int = 380,
) -> go.Figure:  # fmt: skip
    """Steps for each group, as a share of its faces, so that groups of any size compare.

    Args:
        groups: counts in equal parts from ``low`` to ``high``.
        low: the left end.
        high: the right end.
        metric: of the horizontal axis.
        colours: of groups that have their own.
        height: in pixels.
    """
    figure = style.blank(height)
    for place, (name, counts) in enumerate(groups.items()):
        colour = (colours or {}).get(name) or style.ROW[place % len(style.ROW)]
        total, width = sum(counts) or 1, (high - low) / len(counts)
        shares = [100 * count / total for count in counts]
        figure.add_scatter(
            x=[low, *(low + width * i for i in range(len(counts))), high],
            y=[0, *shares, 0],
            name=name,
            mode="lines",
            line={"shape": "hv", "color": colour, "width": 2},
            fill="tozeroy",
            fillpattern={
                "shape": style.HATCHES[place % 6],
                "fgcolor": style.tinted(colour, 0.45),
                "bgcolor": style.tinted(colour, 0.10),
                "size": 6,
                "solidity": 0.2,
            },
            hovertemplate=f"{name}<br>%{{y:.1f}} % of faces from %{{x:.4g}}<extra></extra>",
        )
    figure.update_xaxes(title=words.axis(metric))
    figure.update_yaxes(title="share of faces (%)", rangemode="tozero")
    return figure


def boxes(groups: Mapping[str, Sequence[float]], metric: str) -> go.Figure:
    """Median, quartiles, and the 5th to 95th percentile of each group."""
    figure = style.blank(max(220, 60 * len(groups) + 90), showlegend=False)
    for place, (name, values) in enumerate(groups.items()):
        low, q1, median, q3, high = five(values)
        figure.add_box(
            y=[name], q1=[q1], median=[median], q3=[q3], lowerfence=[low], upperfence=[high],
            mean=[statistics.fmean(values)], orientation="h", name=name,
            marker={"color": style.ROW[place % len(style.ROW)]}, line={"width": 2},
        )  # fmt: skip
    figure.update_xaxes(title=words.axis(metric))
    figure.update_yaxes(autorange="reversed")
    return figure


def five(values: Sequence[float]) -> tuple[float, float, float, float, float]:
    """The 5th, 25th, 50th, 75th and 95th percentile."""
    if len(values) == 1:
        return (values[0],) * 5  # type: ignore[return-value]
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return cuts[0], cuts[4], cuts[9], cuts[14], cuts[18]


def scatter(groups: Mapping[str, Points], x_title: str, y_title: str) -> go.Figure:
    """Two figures face by face, a colour and a mark for each group; the face is in customdata."""
    figure = style.blank(460)
    for place, (name, points) in enumerate(groups.items()):
        figure.add_scattergl(
            x=[x for _, x, _ in points],
            y=[y for _, _, y in points],
            customdata=[[image] for image, _, _ in points],
            mode="markers",
            name=name,
            marker={
                "color": style.ROW[place % len(style.ROW)], "symbol": style.MARKERS[place % 8],
                "size": 7, "opacity": 0.65,
            },
            hovertemplate="%{customdata[0]}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title=x_title)
    figure.update_yaxes(title=y_title)
    figure.update_layout(dragmode="pan", clickmode="event+select")
    return figure


def told(groups: Mapping[str, Sequence[float]], metric: str) -> str:
    """Distributions in words: the middle of each group and where nine in ten faces lie."""
    parts = []
    for name, values in groups.items():
        low, _, median, _, high = five(values)
        between = f"{words.number(low, metric)} to {words.number(high, metric)}"
        parts.append(f"{name} at {words.number(median, metric)}, nine in ten from {between}")
    return f"{words.axis(metric)} over faces: " + "; ".join(parts)


def counted(groups: Mapping[str, Sequence[int]], low: float, high: float, metric: str) -> str:
    """A histogram in words: where each group is highest."""
    parts = []
    for name, counts in groups.items():
        peak = low + (high - low) * (counts.index(max(counts)) + 0.5) / len(counts)
        parts.append(f"{name} is highest near {words.number(peak, metric)}")
    return f"Histogram of {words.axis(metric)} over faces: " + "; ".join(parts)
