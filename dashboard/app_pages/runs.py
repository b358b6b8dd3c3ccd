"""Runs: search them, choose one to see it in full or several to compare, note what they were."""

import streamlit as st

from dashboard import frame, run_compare, run_detail, run_rows, words
from dashboard.data import Source
from engine.results import Run


def show(source: Source) -> None:
    """Draw the page."""
    frame.heading("Runs", "Every training, benchmark and attack, with what makes it again.")
    runs = source.runs()
    if not runs:
        frame.nothing("This database is empty: nothing has run yet.", words.BENCHMARK)
        return
    listed = filtered(runs)
    chosen = choose(runs, listed)
    if len(chosen) == 1:
        run_detail.show(source, chosen[0])
    elif chosen:
        run_compare.show(source, chosen)
    else:
        st.caption("Tick one run to see it in full, or several to compare them.")


def filtered(runs: list[Run]) -> list[Run]:
    """Runs that the person asks for; the URL holds the question."""
    kinds = sorted({run.kind for run in runs})
    states = sorted({run.state for run in runs})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        search = st.text_input(
            "Search", key="q", bind="query-params", placeholder="model, tag, note, command",
            width=300,
        )  # fmt: skip
        kind = st.pills("Kind", kinds, selection_mode="multi", key="kind", bind="query-params")
        state = st.pills("State", states, selection_mode="multi", key="state", bind="query-params")
        hidden = st.toggle("Hidden ones too", key="hidden", bind="query-params")
    shown = runs if hidden else [run for run in runs if not run.hidden]
    return run_rows.matching(shown, search or "", kind, state)


def choose(runs: list[Run], listed: list[Run]) -> list[Run]:
    """The list, and the runs that are chosen in it or named in the URL."""
    st.session_state.setdefault("turn", 0)
    box = st.container()
    with box:
        by_label = {run_rows.label(run): run for run in runs}
        names = st.multiselect(
            "Chosen", list(by_label), key="runs", bind="query-params", on_change=turn,
            placeholder="tick runs below, or choose them here",
        )  # fmt: skip
    if not listed:
        st.info("No run answers to this search.", icon=":material/info:")
    else:
        table(listed, [by_label[name] for name in names])
    return [by_label[name] for name in names]


def turn() -> None:
    """Give the list a new key, so that its ticks follow what was chosen elsewhere."""
    st.session_state["turn"] += 1


def table(listed: list[Run], chosen: list[Run]) -> None:
    """The list itself, sortable; its ticks choose."""
    ids = {run.id for run in chosen}
    ticked = [place for place, run in enumerate(listed) if run.id in ids]
    lines = [run_rows.line(run) for run in listed]
    signature = hash(tuple(run.id for run in listed))
    key = f"list-{st.session_state['turn']}-{signature}"

    def pick() -> None:
        places = st.session_state[key]["selection"]["rows"]
        apart = [run_rows.label(run) for run in chosen if run not in listed]
        st.session_state["runs"] = apart + [run_rows.label(listed[place]) for place in places]

    st.dataframe(
        lines, hide_index=True, key=key, on_select=pick, selection_mode="multi-row",
        selection_default={"selection": {"rows": ticked, "columns": [], "cells": []}},
        height=min(38 + 35 * len(lines), 420), alt="The list of runs",
        column_config={
            "run": st.column_config.NumberColumn(width=60, pinned=True),
            "command": st.column_config.TextColumn(width="large"),
        },
    )  # fmt: skip
    frame.export("runs", lines, table=False)


show(st.session_state["opened"])
