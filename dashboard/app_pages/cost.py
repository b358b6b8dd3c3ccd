"""Cost: parameters and seconds, and the quality that they buy."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from dashboard import frame, series, words
from dashboard.charts import cost
from dashboard.charts.cost import Bar, Bargain
from dashboard.data import Source
from engine.results import Cost, PaperCell

TIMES = ("protect_batch_s", "recover_batch_s")


PRINTED = ("parameters", "protect_batch_s")
"""What the papers print too."""

KINDS = (
    ("parameters", "Parameters"),
    ("protect_batch_s", "Seconds to protect 16 faces of 112 px"),
    ("protect_photo_s", "Seconds to protect a photograph"),
    ("recover_photo_s", "Seconds to recover a photograph"),
)


def show(source: Source) -> None:
    """Draw the page."""
    frame.heading("Cost", "Parameters, seconds, and the quality that they buy.")
    costs = newest(source)
    cells = source.paper_table("table_5_cost")
    if not costs:
        frame.nothing("No cost has been measured yet; the papers' own stand below.",
                      words.COST)  # fmt: skip
    kinds = [kind for kind in KINDS if kind[0] in PRINTED or any(c.name == kind[0] for c in costs)]
    with st.grid(2, min_column_width=330):
        for name, title in kinds:
            with st.container():
                amounts(costs, cells, name, title)
    st.caption(
        "Ours: median and quartiles after a warm-up, on the processor that the run names. The "
        "papers' seconds are of a graphics card: compare parameters, not seconds, with theirs. A "
        "photograph is 1080 x 1920 with one face, key derivation and file included."
    )
    quality(source, costs, cells)
    table(costs)


def newest(source: Source) -> list[Cost]:
    """The newest of each cost; what hidden runs and attacks measured stands elsewhere."""
    hidden = {run.id for run in source.runs() if run.hidden or run.kind == "attack"}
    found: dict[tuple[Any, ...], Cost] = {}
    for run_id, one in source.costs():
        if run_id not in hidden and not series.is_sweep(one.method):
            found.setdefault((one.method, one.mask, one.name, one.batch), one)
    return list(found.values())


def label(method: str, mask: str) -> str:
    """A method, and its mask where there is one."""
    return f"{words.method(method)}, {words.mask(mask)}" if mask else words.method(method)


def amounts(costs: Iterable[Cost], cells: Iterable[PaperCell], name: str, title: str) -> None:
    """Bars of one kind of cost, the papers' among them."""
    st.subheader(title, anchor=False)
    found = [
        Bar(
            label(one.method, "" if one.unit == "" else one.mask),
            one.median,
            one.low,
            one.high,
            paper=False,
        )
        for one in costs
        if one.name == name and one.median > 0
    ]
    found += [
        Bar(f"{label(cell.method, cell.mask)} (paper)", value, value, value, paper=True)
        for cell in cells
        if cell.metric == name and (value := cell.paper_value) is not None
    ]
    by_label = {bar.label: bar for bar in reversed(found)}
    bars = sorted(by_label.values(), key=lambda bar: bar.value)
    rows = [vars(bar) for bar in bars]
    frame.plot(cost.bars(bars, log=True), cost.told(bars, title), name, rows)


def quality(source: Source, costs: list[Cost], cells: list[PaperCell]) -> None:
    """Recovery against seconds."""
    st.subheader("Quality against cost", anchor=False)
    found = [*ours(source, costs), *theirs(source, cells)]
    if not found:
        st.caption("Nothing has both a recovery and a cost yet.")
        return
    frame.plot(
        cost.bargains(found, "psnr_db"), cost.told_bargains(found), "quality-against-cost",
        [vars(one) for one in found],
    )  # fmt: skip
    st.caption("Up and left is better. Recovery as a mean over the sets; the papers' on CelebA.")


def ours(source: Source, costs: list[Cost]) -> list[Bargain]:
    """Our methods and masks that have both."""
    means = source.means(pair="original:recovered", metric="psnr_db", protocol="png")
    found = []
    for one in costs:
        own = [m for m in means if (m.method, m.mask) == (one.method, one.mask)]
        mean = series.together(own).mean
        if one.name == "protect_batch_s" and mean is not None:
            found.append(Bargain(one.method, one.mask, one.median, mean, paper=False))
    return found


def theirs(source: Source, cells: list[PaperCell]) -> list[Bargain]:
    """The papers' rows that have both: recovery of Table II on CelebA, seconds of Table V."""
    recovery = source.paper_table("table_2_recover")
    found = []
    for cell in cells:
        if cell.metric != "protect_batch_s" or cell.paper_value is None:
            continue
        values = [
            other.paper_value
            for other in recovery
            if other.our_method == cell.our_method != ""
            and other.mask in (cell.mask, "")
            and (other.source, other.metric) == ("celeba", "psnr_db")
            and other.paper_value is not None
        ]
        if values:
            found.append(Bargain(cell.method, cell.mask, cell.paper_value, values[0], paper=True))
    return found


def table(costs: list[Cost]) -> None:
    """Every cost."""
    if not costs:
        return
    st.subheader("Every measurement", anchor=False)
    rows = [
        {
            "method": words.method(one.method), "mask": words.mask(one.mask),
            "what": words.metric(one.name).title, "batch": one.batch, "median": one.median,
            "first quartile": one.low, "third quartile": one.high, "unit": one.unit,
        }
        for one in costs
    ]  # fmt: skip
    st.dataframe(rows, hide_index=True, alt="Every cost that was measured")
    frame.export("costs", rows, table=False)


show(st.session_state["opened"])
