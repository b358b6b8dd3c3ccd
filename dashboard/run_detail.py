"""One run in full: how to make it again, what it measured, and what a person notes of it."""

import streamlit as st

from dashboard import frame, run_rows, words
from dashboard.data import Source
from dashboard.faces import strip
from engine.results import Results, ResultsError, Run


def show(source: Source, run: Run) -> None:
    """Draw a run."""
    st.subheader(f"Run {run.id}: {words.plain(f'{run.kind} of {run.model}')}", anchor=False)
    with st.container(horizontal=True):
        colours = {"finished": "green", "running": "blue", "crashed": "orange", "stopped": "orange"}
        st.badge(words.STATES.get(run.state, run.state), color=colours.get(run.state, "gray"))  # type: ignore[arg-type]
        st.badge(f"took {run_rows.took(run)}", color="gray")
        st.badge(words.counted(run.figures, "figure"), color="gray")
        if run.tag:
            st.badge(words.plain(run.tag), color="primary")
        if run.hidden:
            st.badge("hidden", color="orange")
    st.caption("This makes it again:")
    st.code(again(run), language="bash", wrap_lines=True)
    if run.dirty:
        st.caption("The code differed from this commit, so the figures may differ slightly.")
    tabs = st.tabs(["Figures", "Made with", "Curves", "Pictures", "Note, tag, hide"])
    with tabs[0]:
        figures(source, run)
    with tabs[1]:
        made_with(run)
    with tabs[2]:
        curves(source, run)
    with tabs[3]:
        strip(source, run.id, None)
    with tabs[4]:
        annotate(source, run)


def again(run: Run) -> str:
    """The commands that make a run again: the code of then, and what was typed."""
    lines = [f"git checkout {run.commit_hash}"] if run.commit_hash else []
    return "\n".join([*lines, run.command or "# nobody wrote down the command"])


def figures(source: Source, run: Run) -> None:
    """Every mean of a run, and its costs."""
    rows = run_rows.figures(source.means((run.id,)))
    costs = [
        {"method": words.method(c.method), "mask": words.mask(c.mask), "what": c.name,
         "batch": c.batch, "median": c.median, "low": c.low, "high": c.high, "unit": c.unit}
        for id, c in source.costs() if id == run.id
    ]  # fmt: skip
    if not rows and not costs:
        st.caption("This run has no figures of faces.")
    if rows:
        st.dataframe(rows, hide_index=True, alt=f"Figures of run {run.id}")
        frame.export(f"run-{run.id}", rows, table=False)
    if costs:
        st.dataframe(costs, hide_index=True, alt=f"Costs of run {run.id}")
        frame.export(f"run-{run.id}-costs", costs, table=False)


def made_with(run: Run) -> None:
    """Commit, weights, data, seed, versions, configuration."""
    rows = [{"setting": k, "value": v} for k, v in run_rows.settings(run).items() if v]
    st.dataframe(rows, hide_index=True, alt=f"Settings of run {run.id}")


def curves(source: Source, run: Run) -> None:
    """Last and best of what was logged, and the way to the curves."""
    rows = run_rows.last_and_best([run], source.extremes((run.id,)))
    if not rows:
        st.caption("This run logged no curves.")
        return
    st.dataframe(rows, hide_index=True, alt=f"Last and best values of run {run.id}")
    st.caption("Choose it on the page Training to see the curves.")


def annotate(source: Source, run: Run) -> None:
    """Let a person keep a note, a tag, and hide the run, where the file may be written."""
    reason = source.read_only()
    if reason:
        st.info(f"Notes cannot be kept here: {reason}.", icon=":material/lock:")
    if run.note:
        st.text(run.note)
    if reason:
        return
    with st.form(f"annotate-{run.id}"):
        note = st.text_area("Note", run.note, max_chars=2000)
        tag = st.text_input("Tag", run.tag, max_chars=40)
        hidden = st.checkbox("Hide it: its figures are then shown nowhere but here", run.hidden)
        if st.form_submit_button("Keep", type="primary"):
            keep(source, run, note, tag, hidden)


def keep(source: Source, run: Run, note: str, tag: str, hidden: bool) -> None:
    """Write what a person says of a run, and draw the page anew."""
    try:
        results = Results(source.path)
        try:
            results.annotate(run.id, note=note, tag=tag.strip(), hidden=hidden)
        finally:
            results.close()
    except ResultsError as error:
        st.error(f"{error}. {error.hint}")
        return
    st.rerun()
