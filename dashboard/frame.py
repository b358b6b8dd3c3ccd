"""What stands around every page: the database, its state, headings, charts with their export."""

import csv
import io
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import plotly.graph_objects as go
import streamlit as st

from dashboard import data, matrix, words
from dashboard.data import Source
from dashboard.links import Links
from engine.results import Run

Row = Mapping[str, Any]

MARGINS: Final = """<style>
.stMainBlockContainer { padding: 2.6rem 2rem 4rem; }
@media (max-width: 640px) { .stMainBlockContainer { padding: 3rem 1rem 3rem; } }
[data-testid="stMetricLabel"] p, [data-testid="stMetricValue"] p, [data-testid="stMetricDelta"] p,
[data-testid="stMetricLabel"] div, [data-testid="stMetricValue"] div {
  white-space: normal; overflow: visible; text-overflow: clip; }
[data-testid="stButtonGroup"] [role="radiogroup"], [data-testid="stButtonGroup"] > div {
  flex-wrap: wrap; max-width: 100%; }
[data-testid="stMetricLabel"] p { line-height: 1.3; }
[data-testid="stMetricValue"] { line-height: 1.25; }
</style>"""
"""Streamlit leaves half of a small window empty, and cuts the words of a narrow tile off; its theme
has no setting for either."""

REFRESH: Final = 5
"""Seconds between two looks at a database that a run is writing to."""


def choose_database() -> str:
    """Let the person choose in the sidebar; the URL holds it."""
    names = list(data.databases())
    with st.sidebar:
        return st.selectbox(
            "Database", names, key="db", bind="query-params",
            help=f"The released benchmark, those under runs/, and what {data.VARIABLE} names.",
        )  # fmt: skip


def database() -> str:
    """The open database as links name it: empty where it is the one that opens without asking."""
    chosen = str(st.session_state.get("db") or "")
    return "" if chosen == next(iter(data.databases()), "") else chosen


def from_runs(runs: Iterable[int], links: Links) -> None:
    """Which runs a figure comes from."""
    st.html(f'{matrix.STYLE}<small class="fv-from">From {links.named(runs)}.</small>')


def choose_protocol() -> str:
    """Let the person choose whose habits of measuring count; the URL holds it."""
    return st.segmented_control(
        "Measured", list(words.PROTOCOLS), default="png", required=True, key="protocol",
        bind="query-params", format_func=words.PROTOCOLS.__getitem__, help=words.PROTOCOL_HELP,
    )  # fmt: skip


def heading(title: str, lead: str) -> None:
    """A page's title, and in one line what it answers."""
    st.html(MARGINS)
    st.title(title, anchor=False)
    st.markdown(f":gray[{lead}]")


def nothing(what: str, command: str, lead: str = "This command makes it:") -> None:
    """Say that something is not there, and which command makes it."""
    st.info(what, icon=":material/info:")
    st.caption(lead)
    st.code(command, language="bash", wrap_lines=True)


def broken(message: str, hint: str) -> None:
    """Say that the database cannot be read, what to do, and how a new one is made."""
    heading("No results to show", "The dashboard shows what the benchmark has measured.")
    st.error(f"{message}.", icon=":material/error:")
    if hint:
        st.markdown(f"**What to do:** {hint}. Or choose another database at the left.")
    st.caption("This command measures and keeps the figures:")
    st.code(words.BENCHMARK, language="bash", wrap_lines=True)
    st.code(f"{data.VARIABLE}=FILE streamlit run dashboard/app.py", language="bash")


def plot(figure: go.Figure, alt: str, name: str, rows: Sequence[Row], **options: Any) -> Any:
    """Show a figure with its description, its numbers as a table, and their export.

    Args:
        figure: to be shown.
        alt: what is to be seen, in words.
        name: of the exported files.
        rows: the numbers behind it.
        options: further ones of ``st.plotly_chart``.
    """
    state = st.plotly_chart(figure, alt=alt, config=config(name), **options)
    export(name, rows)
    return state


def config(name: str) -> dict[str, Any]:
    """Settings of plotly's own buttons: PNG under this name, no advertisement."""
    return {
        "displaylogo": False,
        "modeBarButtonsToRemove": ["lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
        "toImageButtonOptions": {"format": "png", "filename": name, "scale": 2},
    }


def export(name: str, rows: Sequence[Row], *, table: bool = True) -> None:
    """Offer rows as a table, as CSV and as JSON; the figure as PNG by its camera.

    Args:
        name: of the files, without ending.
        rows: one mapping for each line.
        table: show them too.
    """
    with st.popover("Numbers and export" if table else "Export", type="tertiary"):
        if table and rows:
            st.dataframe(list(rows), hide_index=True, alt=f"The numbers of {name}")
        with st.container(horizontal=True):
            st.download_button(
                "CSV", lambda: as_csv(rows), f"{name}.csv", "text/csv", key=f"{name}-csv",
                on_click="ignore",
            )  # fmt: skip
            st.download_button(
                "JSON", lambda: as_json(rows), f"{name}.json", "application/json",
                key=f"{name}-json", on_click="ignore",
            )  # fmt: skip
        if table:
            st.caption("PNG: the camera in the figure's upper right corner.")


def as_csv(rows: Sequence[Row]) -> str:
    """Rows as CSV with a heading; what a spreadsheet would run as a formula is quoted."""
    if not rows:
        return ""
    names = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="")
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in row.items()} for row in rows)
    return out.getvalue()


_FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULAS else value


def as_json(rows: Sequence[Row]) -> str:
    """Rows as JSON; an infinite figure is the word ``exact``, as JSON knows no infinity."""
    plain = [
        {
            name: "exact" if isinstance(value, float) and math.isinf(value) else value
            for name, value in row.items()
        }
        for row in rows
    ]
    return json.dumps(plain, indent=1, ensure_ascii=False)


def watch(source: Source, look_again: Callable[[], Source]) -> None:
    """Follow a run that is being written: look every few seconds, and redraw when there is more.

    Args:
        source: what the page was drawn from.
        look_again: opens the same database anew.
    """
    running = [run for run in source.runs() if run.state == "running"]
    if not running:
        return
    with st.sidebar:
        follow = st.toggle("Follow running runs", value=True, key="follow", bind="query-params")
    pause = REFRESH if follow else None

    @st.fragment(run_every=pause)
    def pulse() -> None:
        names = ", ".join(f"{run.id} ({words.plain(run.model)})" for run in running)
        st.markdown(f":green[●] **Running:** {names}")
        st.caption(f"last written {_ago(running[0])}" + ("" if follow else ", not followed"))
        now = look_again()
        ended = {run.id for run in running} != {r.id for r in now.runs() if r.state == "running"}
        if follow and (ended or (now.version, now.identity) != (source.version, source.identity)):
            st.rerun()

    with st.sidebar:
        pulse()


def _ago(run: Run) -> str:
    if not run.heartbeat_at:
        return "at a time nobody knows"
    then = datetime.fromisoformat(run.heartbeat_at)
    return f"{max(0, (datetime.now(UTC) - then).total_seconds()):.0f} s ago"
