"""Robustness and attacks: what is left after the world or an attacker has had the picture."""

import streamlit as st

from dashboard import frame, series, words
from dashboard.charts import keys
from dashboard.data import Source
from engine.results import MeanScore

BASE = ("original:recovered",)


def show(source: Source) -> None:
    """Draw the page."""
    frame.heading(
        "Robustness and attacks",
        "What comes back after re-encoding, resizing or filtering, and what an attacker makes.",
    )
    protocol = frame.choose_protocol()
    attacks = [run.id for run in source.runs("attack", hidden=False) if run.state == "finished"]
    means = series.newest([
        *source.means(protocol=protocol),
        *(source.means(attacks, protocol=protocol) if attacks else []),
    ])  # fmt: skip
    found = [m for m in means if is_attack(m)]
    if not found:
        frame.nothing(
            "No re-encoding and no trained attacker has been measured yet. Until then, assume that "
            "any re-encoding destroys what is hidden, and that a trained attacker sees something.",
            words.KEY_ATTACKS,
            "Figures of a run of the kind attack appear here. What the benchmark can try today are "
            "wrong keys, spoofs and byproducts, which the page Wrong keys shows:",
        )  # fmt: skip
        return
    metrics = series.options(found, "metric")
    metric = st.segmented_control(
        "By", metrics, default=metrics[0], required=True, key="by", bind="query-params",
        format_func=lambda name: words.metric(name).title,
    )  # fmt: skip
    picture(found, means, metric)


def is_attack(mean: MeanScore) -> bool:
    """Whether a figure is of what the world or an attacker made, and not of keys alone."""
    judged = series.second(mean.pair)
    return ":" in mean.pair and judged not in (*series.KEYS, *series.PLAIN)


def picture(found: list[MeanScore], means: list[MeanScore], metric: str) -> None:
    """Each attack's figures, method by method, under the untouched recovery."""
    shown = [m for m in found if m.metric == metric]
    methods = {m.method for m in shown}
    base = [m for m in means if m.pair in BASE and m.method in methods and m.metric == metric]
    groups = {
        method: {p: series.together(mine) for p, mine in series.split(own, "pair").items()}
        for method, own in series.split([*base, *shown], "method").items()
    }
    frame.plot(
        keys.edits(groups, metric), keys.told_edits(groups, metric), "robustness",
        series.rows(shown),
    )  # fmt: skip
    st.caption("Marks are means over faces, masks and sets; the lines are one standard deviation.")


show(st.session_state["opened"])
