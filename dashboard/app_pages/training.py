"""Training: loss curves, smoothed over the raw ones, by step or by time, several runs at once."""

import streamlit as st

from dashboard import frame, run_rows, words
from dashboard.charts import curves
from dashboard.data import Source
from engine.results import Run

NEWEST = 2


def show(source: Source) -> None:
    """Draw the page."""
    frame.heading("Training", "How the losses fell, and what was reached on the way.")
    runs = source.runs("train", hidden=False)
    if not runs:
        frame.nothing("No training is recorded here.", words.TRAIN)
        return
    by_label = {run_rows.label(run): run for run in runs}
    names = st.multiselect(
        "Runs", list(by_label), default=list(by_label)[:NEWEST], key="train", bind="query-params"
    )
    chosen = [by_label[name] for name in names]
    found = source.losses(tuple(run.id for run in chosen)) if chosen else {}
    found = {id: own for id, own in found.items() if own}
    if not found:
        st.info("Choose a run that has logged something.", icon=":material/info:")
        return
    weight, by_time, log = controls()
    rows = run_rows.last_and_best(chosen, source.extremes(tuple(run.id for run in chosen)))
    st.dataframe(rows, hide_index=True, alt="Last and best value of each curve")
    figures(found, chosen, weight, by_time=by_time, log=log)
    frame.export("curves", list(curves.rows(found)), table=False)


def controls() -> tuple[float, bool, bool]:
    """Smoothing, horizontal axis, vertical axis; the URL holds them."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        weight = st.slider(
            "Smoothing", 0.0, 0.98, 0.6, 0.02, key="smooth", bind="query-params", width=260,
            help="Weight of what came before, unbiased at the start. The raw values stay, faint.",
        )  # fmt: skip
        axis = st.segmented_control(
            "Along", ["step", "time"], default="step", required=True, key="along",
            bind="query-params",
        )  # fmt: skip
        log = st.toggle("Logarithmic", key="log", bind="query-params")
    return float(weight), axis == "time", log


def figures(
    found: curves.Curves, chosen: list[Run], weight: float, *, by_time: bool, log: bool
) -> None:
    """A small figure for each logged value, two in a row."""
    labels = {run.id: run_rows.label(run) for run in chosen}
    with st.grid(2, min_column_width=330):
        for name in curves.names(found):
            figure = curves.curve(found, name, labels, weight, by_time=by_time, log=log)
            st.plotly_chart(
                figure, alt=curves.alt(found, name, labels), key=f"curve-{name}",
                config=frame.config(name.replace(":", "-")),
            )  # fmt: skip


show(st.session_state["opened"])
