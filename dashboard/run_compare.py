"""Several runs beside each other: settings that differ, figures, last and best, curves."""

import streamlit as st

from dashboard import frame, run_rows
from dashboard.charts import curves
from dashboard.data import Source
from engine.results import Run


def show(source: Source, runs: list[Run]) -> None:
    """Draw a comparison."""
    names = ", ".join(str(run.id) for run in runs)
    st.subheader(f"Runs {names} compared", anchor=False)
    tabs = st.tabs(["Settings", "Figures", "Last and best", "Curves"])
    with tabs[0]:
        settings(runs)
    with tabs[1]:
        figures(source, runs)
    with tabs[2]:
        values(source, runs)
    with tabs[3]:
        laid_over(source, runs)


def settings(runs: list[Run]) -> None:
    """What the runs were made with, side by side."""
    only = st.toggle("Only what differs", value=True, key="differs", bind="query-params")
    rows = run_rows.differences(runs, only=only)
    if rows:
        st.dataframe(rows, hide_index=True, alt="Settings of the runs side by side")
        frame.export("settings-compared", rows, table=False)
    else:
        st.caption("They were made with the same settings.")


def figures(source: Source, runs: list[Run]) -> None:
    """What the runs measured, side by side."""
    rows = run_rows.side_by_side(runs, source.means(tuple(run.id for run in runs)))
    if not rows:
        st.caption("None of them has figures of faces.")
        return
    names = [run_rows.label(run) for run in runs]
    shared = st.toggle(
        "Only what all measured", key="shared", bind="query-params",
        value=any(all(row[name] is not None for name in names) for row in rows),
    )  # fmt: skip
    if shared:
        rows = [row for row in rows if all(row[name] is not None for name in names)]
    if rows:
        st.dataframe(rows, hide_index=True, alt="Figures of the runs side by side")
        frame.export("figures-compared", rows, table=False)
    else:
        st.caption("There is no figure that all of them have.")


def values(source: Source, runs: list[Run]) -> None:
    """The last and the best of each logged value."""
    rows = run_rows.last_and_best(runs, source.extremes(tuple(run.id for run in runs)))
    if rows:
        st.dataframe(rows, hide_index=True, alt="Last and best values of the runs")
        frame.export("values-compared", rows, table=False)
    else:
        st.caption("None of them logged values while it ran.")


def laid_over(source: Source, runs: list[Run]) -> None:
    """The runs' curves in one figure."""
    found = {id: own for id, own in source.losses(tuple(run.id for run in runs)).items() if own}
    if not found:
        st.caption("None of them logged curves.")
        return
    name = st.selectbox(
        "Value", curves.names(found), key="curve", bind="query-params", format_func=curves.title
    )
    labels = {run.id: run_rows.label(run) for run in runs}
    figure = curves.curve(found, name, labels, 0.6, by_time=False, log=False)
    rows = [row for row in curves.rows(found) if row["name"] == name]
    frame.plot(figure, curves.alt(found, name, labels), "curves-compared", rows)
