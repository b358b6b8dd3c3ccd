"""Paper tables: every table of the papers with ours beside it, and what is missing said to be."""

from dataclasses import asdict

import streamlit as st

from dashboard import comparison, frame, tables, words
from dashboard.charts import blocks
from dashboard.data import Source
from engine.results import TABLES, PaperCell

FIGURE = "figure_6"


def title(name: str) -> str:
    """A table's name as in its paper."""
    if name == FIGURE:
        return "PRO-Face S, Figure 6: number of blocks"
    paper, number, about = TABLES[name]
    return f"{paper}, Table {number}: {about[:1].lower()}{about[1:]}"


def show(source: Source) -> None:
    """Draw the page."""
    frame.heading("Paper tables", "What the papers print, and what we measure.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Table", [*TABLES, FIGURE], key="table", bind="query-params", format_func=title,
            width=400,
        )  # fmt: skip
        protocol = frame.choose_protocol()
        which = st.segmented_control(
            "Rows", ["all", "ours"], default="all", required=True, key="rows", bind="query-params",
            format_func={"all": "All", "ours": "With ours"}.__getitem__,
        )  # fmt: skip
    if name == FIGURE:
        figure_6(source)
        return
    cells = [cell for cell in source.paper_table(name, protocol) if not is_sweep(cell)]
    count = comparison.tally(cells)
    shown = with_ours(cells) if which == "ours" else cells
    summary(count)
    if shown:
        st.html(tables.table(shown, dark=st.context.theme.type == "dark"))
    else:
        st.info("No row of this table has a figure of ours.", icon=":material/info:")
    explain(shown, count, name, protocol)


def is_sweep(cell: PaperCell) -> bool:
    """Whether a row of ours belongs to Figure 6: a training with another number of blocks."""
    return cell.place is None and cell.our_method.rpartition("-")[2].removeprefix("n").isdigit()


def with_ours(cells: list[PaperCell]) -> list[PaperCell]:
    """The rows that have a figure of ours."""
    rows = {(cell.method, cell.mask) for cell in cells if cell.images is not None}
    return [cell for cell in cells if (cell.method, cell.mask) in rows]


def summary(count: comparison.Tally) -> None:
    """How many cells are measured, and how they stand."""
    with st.container(horizontal=True):
        st.badge(f"{count.measured} of {count.cells} cells measured", color="gray")
        st.badge(f"▲ {count.better} as good or better", color="green")
        st.badge(f"▼ {count.worse} worse", color="orange")
        if count.apart:
            st.badge(f"{count.apart} not comparable", color="gray")


def explain(shown: list[PaperCell], count: comparison.Tally, name: str, protocol: str) -> None:
    """Legend, what to know before comparing, what makes the missing ones, export."""
    st.caption(
        "Large: ours. Small: the paper's. ▲ ours is as good or better, ▼ worse, with the "
        "difference. *Missing*: no run has it yet. *Paper only*: not a method of ours."
    )
    frame.export(name, [asdict(cell) for cell in shown], table=False)
    known = tables.notes(shown)
    if known:
        st.subheader("Before you compare", anchor=False)
        st.markdown("\n".join(f"* {note}." for note in known))
    if count.measured < count.cells:
        st.caption("This fills cells that are not measured yet:")
        st.code(words.benchmark(protocol), language="bash", wrap_lines=True)


def figure_6(source: Source) -> None:
    """Quality by number of blocks; the paper draws it without numbers."""
    found = source.blocks()
    if not found:
        frame.nothing(
            "No trainings with other numbers of blocks have been measured.", words.BENCHMARK,
            "They are trained, then measured as any other method:",
        )  # fmt: skip
        return
    metrics = list(dict.fromkeys(mean.metric for _, mean in found))
    metric = st.segmented_control(
        "By", metrics, default=metrics[0], required=True, key="by", bind="query-params",
        format_func=lambda one: words.metric(one).title,
    )  # fmt: skip
    rows = [
        {"blocks": number, "pair": m.pair, "mask": m.mask, "set": m.source, "mean": m.mean,
         "images": m.images, "run": m.run_id}
        for number, m in found if m.metric == metric
    ]  # fmt: skip
    frame.plot(blocks.by_number(found, metric), blocks.alt(found, metric), "figure-6", rows)
    st.caption("The paper draws this figure without numbers, so only ours is shown.")


show(st.session_state["opened"])
