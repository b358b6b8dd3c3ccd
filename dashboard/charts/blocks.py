"""Figure 6 of PRO-Face S: quality by the number of coupling blocks."""

from collections import defaultdict
from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard import words
from dashboard.charts import style
from engine.results import MeanScore

Blocks = Sequence[tuple[int, MeanScore]]


def means_by_pair(found: Blocks, metric: str) -> dict[str, list[tuple[int, float]]]:
    """Mean over masks and sets for each pair of pictures and number of blocks."""
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number, mean in found:
        if mean.metric == metric and mean.mean is not None:
            values[mean.pair][number].append(mean.mean)
    return {
        pair: [(number, sum(own) / len(own)) for number, own in sorted(numbers.items())]
        for pair, numbers in values.items()
    }


def by_number(found: Blocks, metric: str) -> go.Figure:
    """One line for each pair of pictures."""
    figure = style.blank(380)
    for place, (pair, points) in enumerate(means_by_pair(found, metric).items()):
        figure.add_scatter(
            x=[number for number, _ in points],
            y=[value for _, value in points],
            mode="lines+markers",
            name=words.pair(pair),
            line={"color": style.ROW[place % len(style.ROW)], "dash": style.DASHES[place % 6]},
            marker={"symbol": style.MARKERS[place % 8], "size": 9},
        )
    figure.update_xaxes(title="number of blocks", dtick=1)
    figure.update_yaxes(title=words.axis(metric))
    return figure


def alt(found: Blocks, metric: str) -> str:
    """The picture in words."""
    parts = (
        f"{words.pair(pair)} from {words.number(points[0][1], metric)} with {points[0][0]} to "
        f"{words.number(points[-1][1], metric)} with {points[-1][0]}"
        for pair, points in means_by_pair(found, metric).items()
    )
    return f"{words.axis(metric)} by number of blocks: " + "; ".join(parts)
