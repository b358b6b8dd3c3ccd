"""Curves of trainings: smoothed without bias, the raw values faint behind them."""

import math
from collections.abc import Iterator, Mapping, Sequence

import plotly.graph_objects as go

from dashboard import words
from dashboard.charts import style
from engine.results import Loss

Curves = Mapping[int, Mapping[str, Sequence[Loss]]]


def smoothed(values: Sequence[float], weight: float) -> list[float]:
    """Exponential moving average divided by the weight seen so far, so that it starts unbiased.

    Args:
        values: in order; infinite ones are passed over.
        weight: of what came before, 0 for none to below 1.
    """
    found: list[float] = []
    mean, seen = 0.0, 0.0
    for value in values:
        if math.isfinite(value):
            mean = weight * mean + (1 - weight) * value
            seen = weight * seen + (1 - weight)
        found.append(mean / seen if seen else value)
    return found


def names(curves: Curves) -> list[str]:
    """What was logged: the total first, then decibels, then the rest."""
    found = {name for own in curves.values() for name in own}
    return sorted(found, key=lambda name: (name != "total", not name.endswith("_db"), name))


def best(name: str, least: float, greatest: float) -> float:
    """The better end of a curve: decibels up, losses down."""
    return greatest if name.endswith("_db") else least


def curve(
    curves: Curves, name: str, labels: Mapping[int, str], weight: float, *, by_time: bool, log: bool
) -> go.Figure:
    """One logged value, a line for each run.

    Args:
        curves: by run and name.
        name: which value.
        labels: of the runs, for the legend.
        weight: of the smoothing.
        by_time: minutes instead of steps.
        log: logarithmic height.
    """
    figure = style.blank(300, margin={"l": 8, "r": 8, "t": 66, "b": 8})
    figure.update_layout(
        title={"text": title(name), "font": {"size": 14}, "y": 0.98, "yanchor": "top"}
    )
    for place, (run, own) in enumerate(curves.items()):
        losses = own.get(name, ())
        if losses:
            _line(figure, losses, labels[run], weight, place, by_time=by_time)
    unit = "minutes" if by_time else "step"
    figure.update_xaxes(title=unit)
    figure.update_yaxes(type="log" if log else "linear")
    figure.update_layout(hovermode="x", showlegend=len(curves) > 1)
    return figure


def _line(
    figure: go.Figure, losses: Sequence[Loss], label: str, weight: float, place: int, *,
    by_time: bool,
) -> None:  # fmt: skip
    colour, dash = style.ROW[place % len(style.ROW)], style.DASHES[place // len(style.ROW) % 6]
    x = [loss.seconds / 60 if by_time else loss.step for loss in losses]
    raw = [loss.value if math.isfinite(loss.value) else None for loss in losses]
    if weight:
        figure.add_scatter(
            x=x, y=raw, mode="lines", line={"color": style.tinted(colour, 0.3), "width": 1},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    figure.add_scatter(
        x=x,
        y=smoothed([loss.value for loss in losses], weight) if weight else raw,
        mode="lines" if len(x) > 1 else "markers",
        name=label,
        line={"color": colour, "width": 2.2, "dash": dash},
        hovertemplate="%{y:.4g}",
    )


def title(name: str) -> str:
    """``mask:protected_db`` in words."""
    pair, _, unit = name.rpartition("_")
    if unit == "db" and ":" in pair:
        return f"{words.pair(pair)}, dB ↑"
    return name.replace("_", " ")


def rows(curves: Curves) -> Iterator[dict[str, object]]:
    """The values as lines for the export."""
    for run, own in curves.items():
        for name, losses in own.items():
            for loss in losses:
                yield {"run": run, "name": name, "step": loss.step, "seconds": loss.seconds,
                       "value": loss.value}  # fmt: skip


def alt(curves: Curves, name: str, labels: Mapping[int, str]) -> str:
    """The picture in words."""
    parts = (
        f"{labels[run]} from {own[name][0].value:.3g} at step {own[name][0].step} to "
        f"{own[name][-1].value:.3g} at step {own[name][-1].step}"
        for run, own in curves.items()
        if own.get(name)
    )
    return f"{title(name)}: " + "; ".join(parts)
