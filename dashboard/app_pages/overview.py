"""Overview: how good it is beside the papers, in ten seconds, and what of it can be relied on."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from dashboard import comparison, frame, series, trust, words
from dashboard.charts import papers
from dashboard.comparison import Duel
from dashboard.data import Source
from engine.results import MeanScore


@dataclass(frozen=True)
class Tile:
    """One figure of the row at the top."""

    label: str
    method: str
    pair: str


TILES = (
    Tile("Protected, RandWR", "proface-s-rand", "mask:protected"),
    Tile("Recovered, RandWR", "proface-s-rand", "original:recovered"),
    Tile("Recovered, ObfsWR", "proface-s-obfs", "original:recovered"),
    Tile("Recovered, Sealed", "sealed", "original:recovered"),
    Tile("Wrong key, RandWR", "proface-s-rand", "original:wrong"),
)


def show(source: Source) -> None:
    """Draw the page."""
    frame.heading("Overview", "Protection, recovery and wrong keys, beside the papers' figures.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        protocol = frame.choose_protocol()
        metric = st.segmented_control(
            "By", ["psnr_db", "ssim"], default="psnr_db", required=True, key="by",
            bind="query-params", format_func=lambda name: words.metric(name).title,
        )  # fmt: skip
    means = [m for m in source.means(protocol=protocol) if series.is_main(m)]
    if not means:
        empty(source, protocol)
        return
    tables = {
        name: source.paper_table(name, protocol)
        for name in dict.fromkeys(group.table for group in comparison.GROUPS)
    }
    duels = comparison.duels(tables, metric)
    tiles(source, means, duels, metric)
    picture(duels)
    reliance(source, means, duels, protocol)


def empty(source: Source, protocol: str) -> None:
    """Say why there is nothing to see."""
    if source.runs():
        what = f"No finished benchmark has figures measured so: {words.PROTOCOLS[protocol]}."
    else:
        what = "This database is empty: nothing has been measured yet."
    frame.nothing(what, words.benchmark(protocol))


def tiles(source: Source, means: list[MeanScore], duels: list[Duel], metric: str) -> None:
    """One row of figures, each with how it spreads over the faces."""
    with st.grid(5, min_column_width=150):
        for tile in TILES:
            own = [
                m for m in means if (m.method, m.pair, m.metric) == (tile.method, tile.pair, metric)
            ]
            metric_tile(source, tile, own, [d for d in duels if belongs(d, tile)])
    st.caption(
        "Protected: likeness to the mask. Recovered: to the original, with the right key. Higher "
        "is better there; under a wrong key, lower is, and the nearest face is the single one that "
        "came closest. Bars: how it spreads over the faces."
    )


def belongs(duel: Duel, tile: Tile) -> bool:
    """Whether a comparison is of a tile's series."""
    return (duel.group.method, duel.group.pair) == (tile.method, tile.pair)


def metric_tile(source: Source, tile: Tile, own: list[MeanScore], duels: list[Duel]) -> None:
    """One figure: its mean over masks and sets, its spread, its distance from the paper."""
    finite = [m.mean for m in own if m.mean is not None]
    total, exact = sum(m.images for m in own), sum(m.exact for m in own)
    if not own:
        value = "not measured"
    elif exact > total / 2:
        value = f"{exact / total:.0%} exact"
    else:
        value = words.number(sum(finite) / len(finite), own[0].metric, unit=True)
        if tile.pair == "original:wrong":
            # A mean hides the one face that a wrong key shows.
            nearest = words.number(max(m.greatest for m in own), own[0].metric)
            value += f" (nearest face {nearest})"
    delta, colour = None, "off"
    if duels:
        mean = sum(d.difference for d in duels) / len(duels)
        delta = words.number(mean, duels[0].metric, sign=True).replace("−", "-")
        colour = "normal" if duels[0].better == "higher" else "inverse"
    st.metric(
        tile.label, value, delta, delta_color=colour, border=True,  # type: ignore[arg-type]
        chart_data=spread(source, own) or None, chart_type="bar",
        delta_description="vs paper" if duels else None, height="stretch",
    )  # fmt: skip


def spread(source: Source, own: Sequence[MeanScore]) -> list[int]:
    """How the figures of all faces spread, in 24 steps: the sparkline."""
    ends = [m for m in own if m.mean is not None and math.isfinite(m.least)]
    tops = [m.greatest for m in ends if math.isfinite(m.greatest)]
    if not ends or not tops or max(tops) <= min(m.least for m in ends):
        return []
    low = min(m.least for m in ends)
    counts = source.histogram([m.series_id for m in ends], low, max(tops), 24)
    return [sum(bins) for bins in zip(*counts.values(), strict=True)]


def picture(duels: list[Duel]) -> None:
    """Ours against the papers."""
    st.subheader("Ours against PRO-Face S", anchor=False)
    if not duels:
        st.info("Nothing here can be set beside the paper: it has no figure of these methods.")
        return
    st.markdown(comparison.verdict(duels))
    rows = [
        asdict(d) | {"group": d.group.title, "masks": " ".join(d.masks), "difference": d.difference}
        for d in duels
    ]
    frame.plot(papers.dumbbells(duels), papers.alt(duels), "ours-against-the-papers", rows)


def reliance(source: Source, means: list[MeanScore], duels: list[Duel], protocol: str) -> None:
    """What can be relied on, and what cannot."""
    ids = {m.run_id for m in means}
    runs = [run for run in source.runs() if run.id in ids]
    every = {m.run_id for m in source.means(protocol=protocol) if not series.is_sweep(m.method)}
    failures = source.means(sorted(every), protocol=protocol, pair="photograph")
    for column, title, sentences in zip(
        st.columns(2),
        (":material/check_circle: What you can rely on", ":material/warning: What you cannot"),
        (
            trust.trusted(runs, means, failures, protocol),
            trust.doubted(runs, means, duels, protocol),
        ),
        strict=True,
    ):
        with column, st.container(border=True, height="stretch"):
            st.subheader(title, anchor=False)
            st.markdown("\n".join(f"* {sentence}" for sentence in sentences) or "Nothing yet.")
    newest = max(runs, key=lambda run: run.id)
    st.caption(
        f"From {words.counted(len(runs), 'run')}, the newest of {words.moment(newest.started_at)} "
        "UTC. Each is on the page Runs with the command that makes it again."
    )


show(st.session_state["opened"])
