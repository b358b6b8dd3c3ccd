"""Explore: how any figure spreads over faces, two figures beside each other, down to one face."""

import heapq
import math

import streamlit as st

from dashboard import faces, frame, series, words
from dashboard.charts import spread
from dashboard.data import Source
from engine.results import MeanScore

MOST_VALUES = 60_000
MOST_POINTS = 6_000
WORST = 10
# Field, its name in the URL, and what it is called.
NARROW = (("method", "method", "Methods"), ("mask", "mask", "Masks"), ("source", "set", "Sets"))


def show(source: Source) -> None:
    """Draw the page."""
    frame.heading("Explore", "How figures spread over faces: choose, split, and click down to one.")
    protocol = frame.choose_protocol()
    means = [m for m in source.means(protocol=protocol) if not series.is_sweep(m.method)]
    if not means:
        frame.nothing("Nothing has been measured so yet.", words.benchmark(protocol))
        return
    with st.container(border=True):
        pair, metric = figure(means, "pair", "metric", "Figure")
        narrowed = narrow(means)
        field, form = forms()
    shown = series.matching(narrowed, pair=[pair], metric=[metric])
    if not shown:
        st.info("No figure answers to this choice.", icon=":material/info:")
        return
    groups = series.split(shown, field)
    distribution(source, groups, field, metric, form)
    beside(source, means, narrowed, shown, field)
    one_face(source, shown, metric)


def figure(
    means: list[MeanScore], pair_key: str, metric_key: str, label: str, first: str = ""
) -> tuple[str, str]:
    """Let the person choose two pictures and a metric between them; ``first`` is proposed."""
    pairs = series.options(means, "pair")
    with st.container(horizontal=True):
        pair = st.selectbox(
            label, pairs, pairs.index(first) if first in pairs else 0, key=pair_key,
            bind="query-params", format_func=words.pair,
        )  # fmt: skip
        metrics = series.options(series.matching(means, pair=[pair]), "metric")
        metric = st.selectbox(
            "Metric", metrics, key=metric_key, bind="query-params",
            format_func=lambda name: words.metric(name).title,
        )  # fmt: skip
    return pair, metric


def narrow(means: list[MeanScore]) -> list[MeanScore]:
    """Let the person narrow methods, masks and sets; nothing chosen means all."""
    with st.container(horizontal=True):
        wanted = {
            field: st.multiselect(
                label, series.options(means, field), key=key, bind="query-params",
                format_func=series.NAMES[field], placeholder="all",
            )
            for field, key, label in NARROW
        }  # fmt: skip
    return series.matching(means, **wanted)


def forms() -> tuple[str, str]:
    """Let the person choose what to split by, and how to draw."""
    with st.container(horizontal=True):
        names = {"method": "method", "mask": "mask", "source": "set"}
        field = st.segmented_control(
            "Split by", list(names), default="method", required=True, key="split",
            bind="query-params", format_func=names.__getitem__,
        )  # fmt: skip
        form = st.segmented_control(
            "As", ["histogram", "boxes"], default="histogram", required=True, key="as",
            bind="query-params",
        )  # fmt: skip
    return field, form


def distribution(
    source: Source, groups: dict[str, list[MeanScore]], field: str, metric: str, form: str
) -> None:
    """One figure over faces, a group for each method, mask or set."""
    flat = [m for own in groups.values() for m in own]
    labels = {name: series.NAMES[field](name) for name in groups}
    exact = sum(m.exact for m in flat)
    if exact:
        st.caption(f"Exact, so infinite and not in the figure: {words.counted(exact, 'face')}.")
    span = series.ends(flat)
    if span is None:
        st.info(
            "Every one of these recoveries is equal to its original.",
            icon=":material/check_circle:",
        )
        return
    rows = series.rows(flat)
    if form == "boxes" and sum(m.images for m in flat) <= MOST_VALUES:
        values = {labels[name]: finite(source, own) for name, own in groups.items()}
        values = {name: own for name, own in values.items() if own}
        frame.plot(spread.boxes(values, metric), spread.told(values, metric), "boxes", rows)
        return
    if form == "boxes":
        st.caption(f"Over {MOST_VALUES:,} figures: drawn as a histogram. Narrow the choice above.")
    low, high = span if span[1] > span[0] else (span[0] - 0.5, span[0] + 0.5)
    counts = source.histogram([m.series_id for m in flat], low, high)
    added = {labels[name]: series.added(counts, own) for name, own in groups.items()}
    drawn = spread.histogram(added, low, high, metric)
    frame.plot(drawn, spread.counted(added, low, high, metric), "histogram", rows)


def finite(source: Source, own: list[MeanScore]) -> list[float]:
    """Every finite figure of several series."""
    found = (value for m in own for _, value in source.distribution(m.series_id))
    return [value for value in found if math.isfinite(value)]


def beside(
    source: Source, means: list[MeanScore], narrowed: list[MeanScore], shown: list[MeanScore],
    field: str,
) -> None:  # fmt: skip
    """The figure chosen above against another, face by face."""
    st.subheader("Beside another figure", anchor=False)
    pair, metric = figure(means, "pair2", "metric2", "Against", "original:recovered")
    couples = series.partners(shown, series.matching(narrowed, pair=[pair], metric=[metric]))
    groups: dict[str, list[tuple[str, float, float]]] = {}
    for x, y in couples:
        name = series.NAMES[field](getattr(x, field))
        points = source.scatter(x.series_id, y.series_id, max(50, MOST_POINTS // len(couples)))
        groups.setdefault(name, []).extend(points)
    if not any(groups.values()):
        st.caption("No face has both figures with finite values.")
        return
    x_title, y_title = (words.figure(m.pair, m.metric) for m in couples[0])
    rows = [
        {"group": name, "face": image, "x": x, "y": y}
        for name, points in groups.items()
        for image, x, y in points
    ]
    st.caption("Click a point to see its face below.")
    frame.plot(
        spread.scatter(groups, x_title, y_title),
        f"{words.counted(len(rows), 'face')}: {x_title} against {y_title}", "scatter", rows,
        on_select=pick_point, selection_mode="points", key="cloud",
    )  # fmt: skip


def pick_point() -> None:
    """Take the face of the point that was clicked."""
    points = st.session_state["cloud"]["selection"]["points"]
    if points:
        st.session_state["face"] = points[0]["customdata"][0]


def one_face(source: Source, shown: list[MeanScore], metric: str) -> None:
    """The faces at the bottom of the figure, and everything known of the one that is chosen."""
    st.subheader("One face", anchor=False)
    if sum(m.images for m in shown) <= MOST_VALUES:
        st.caption(f"The {WORST} lowest, all choices above taken together; tick one to see it.")
        lowest(source, shown, metric)
    image = st.text_input(
        "Face", key="face", bind="query-params", placeholder="its name, or click a point above"
    )
    if not image:
        return
    for run_id in sorted({m.run_id for m in shown}, reverse=True):
        rows = faces.figures(source, run_id, image)
        if rows:
            st.markdown(f"**{words.plain(image)}**, run {run_id}")
            faces.strip(source, run_id, image)
            st.dataframe(rows, hide_index=True, alt=f"Figures of {image} in run {run_id}")
            return
    st.info("No figure shown here is of a face of this name.", icon=":material/info:")


def lowest(source: Source, shown: list[MeanScore], metric: str) -> None:
    """The faces with the lowest figures, a tick away."""
    every = ((value, image, m) for m in shown for image, value in source.distribution(m.series_id))
    values = heapq.nsmallest(WORST, every, key=lambda one: one[0])
    rows = [
        {
            "face": image, words.axis(metric): value, "method": words.method(m.method),
            "mask": words.mask(m.mask), "set": words.source(m.source),
        }
        for value, image, m in values
    ]  # fmt: skip

    def pick() -> None:
        places = st.session_state["lowest"]["selection"]["rows"]
        if places:
            st.session_state["face"] = rows[places[0]]["face"]

    st.dataframe(
        rows, hide_index=True, key="lowest", on_select=pick, selection_mode="single-row",
        alt="The faces with the lowest figures",
    )  # fmt: skip


show(st.session_state["opened"])
