"""Keys a second as bars on a logarithmic axis: measured ones filled, modelled ones hollow."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard import attack_words
from dashboard.charts import style
from dashboard.race import Racer, rate


def bars(found: Sequence[Racer]) -> go.Figure:
    """The fastest at the top: what is good for the attacker."""
    figure = style.blank(90 + 58 * len(found), margin={"l": 8, "r": 60, "t": 30, "b": 8})
    for modelled in (False, True):
        own = [one for one in found if ("(modelled" in one.name) == modelled]
        if own:
            figure.add_bar(
                x=[one.rate.median for one in own],
                y=[_label(one) for one in own],
                orientation="h",
                name="modelled" if modelled else "measured",
                marker={
                    "color": style.FAINT if modelled else style.ROW[0],
                    "line": {"width": 2, "color": style.PAPER if modelled else style.ROW[0]},
                },
                error_x={
                    "type": "data",
                    "array": [one.rate.high - one.rate.median for one in own],
                    "arrayminus": [one.rate.median - one.rate.low for one in own],
                },
                text=[rate(one.rate.median) for one in own],
                textposition="outside",
                cliponaxis=False,
                hovertemplate="%{y}<br>%{x:,.3g} keys a second<extra></extra>",
            )
    names = [_label(one) for one in found]
    figure.update_yaxes(categoryorder="array", categoryarray=names[::-1])
    # The figures stand at the bars; on a phone the powers of ten would lie upon each other.
    figure.update_xaxes(title="keys a second, logarithmic", type="log", showticklabels=False)
    return figure


def _label(one: Racer) -> str:
    """In lines, so that a phone leaves room for the bars."""
    return attack_words.kdf(one.name).replace(", ", ",<br>").replace("; ", ";<br>")


def told(found: Sequence[Racer]) -> str:
    """The bars in words."""
    return "Keys a second: " + "; ".join(
        f"{attack_words.kdf(one.name)} {rate(one.rate.median)}" for one in found
    )
