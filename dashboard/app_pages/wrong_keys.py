"""Wrong keys: how far apart right and wrong lie, and how little must be wrong for it."""

from collections.abc import Mapping

import streamlit as st

from dashboard import attacks, frame, key_rows, series, words
from dashboard.attacks import Attempt
from dashboard.charts import keys, spread, style
from dashboard.data import Source
from dashboard.links import Links
from engine.results import MeanScore

SENSES = {
    "original:recovered": "right key to original",
    "original:wrong": "wrong key to original",
    "mask:wrong": "wrong key to mask",
}

ABREAST = 3
"""So many histograms beside each other can still be read."""

EDITS = {*key_rows.WAYS, "one_char", "one_bit", "spoofed"}
"""What is taken of attacks too; right and wrong keys are the benchmark's alone."""


def show(source: Source) -> None:
    """Draw the page."""
    frame.heading("Wrong keys", "What somebody sees who does not have the key.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        protocol = frame.choose_protocol()
        metric = st.segmented_control(
            "By", ["psnr_db", "ssim"], default="psnr_db", required=True, key="by",
            bind="query-params", format_func=lambda name: words.metric(name).title,
        )  # fmt: skip
    known = attacks.attempts(source.runs("attack", hidden=False))
    tried = source.means(sorted(known), protocol=protocol, metric=metric) if known else []
    means = series.newest([
        *source.means(protocol=protocol, metric=metric),
        *(m for m in tried if series.second(m.pair) in EDITS),
    ])  # fmt: skip
    means = [m for m in means if not series.is_sweep(m.method)]
    apart(source, means, metric, protocol)
    left, right = st.columns(2)
    with left:
        sweep(means, metric)
    with right:
        edits(means, metric)
    one_character(source, known, protocol)
    byproducts(source, protocol)
    clipped(source, protocol)


def apart(source: Source, means: list[MeanScore], metric: str, protocol: str) -> None:
    """For each method, the right key's figures beside the wrong keys': two hills far apart."""
    st.subheader("Right key and wrong key", anchor=False)
    methods = series.options([m for m in means if m.pair.endswith(":wrong")], "method")
    if not methods:
        frame.nothing("No wrong key has been tried so.", words.benchmark(protocol))
        return
    for place, method in enumerate(methods):
        if place % ABREAST == 0:
            columns = st.columns(min(ABREAST, len(methods)))
        with columns[place % ABREAST]:
            own = [m for m in means if m.method == method and m.pair in SENSES]
            hills(source, own, method, metric)


def hills(source: Source, own: list[MeanScore], method: str, metric: str) -> None:
    """One method's histograms."""
    span = series.ends(own)
    if span is None:
        return
    low, high = span if span[1] > span[0] else (span[0] - 0.5, span[0] + 0.5)
    counts = source.histogram([m.series_id for m in own], low, high, 60)
    groups = {words.pair(p): series.added(counts, mine) for p, mine in by_pair(own).items()}
    colours = {
        words.pair("original:recovered"): style.BETTER, words.pair("original:wrong"): style.WORSE,
        words.pair("mask:wrong"): style.METHODS["proface-s-obfs"],
    }  # fmt: skip
    st.markdown(f"**{words.plain(words.method(method))}**: {sense(own)}")
    figure = spread.histogram(groups, low, high, metric, colours, 320)
    told = spread.counted(groups, low, high, metric)
    frame.plot(figure, f"{words.method(method)}. {told}", f"keys-{method}", series.rows(own))


def by_pair(own: list[MeanScore]) -> dict[str, list[MeanScore]]:
    """Figures by what is compared."""
    return series.split(own, "pair")


def sense(own: list[MeanScore]) -> str:
    """One method's means in a sentence."""
    parts = []
    for pair, mine in by_pair(own).items():
        mean = words.number(series.together(mine).mean, mine[0].metric, unit=True)
        parts.append(f"{SENSES[pair]} {mean}")
    return ", ".join(parts)


def sweep(means: list[MeanScore], metric: str) -> None:
    """Quality over the share of wrong bits of the key map."""
    st.subheader("How wrong must a key be?", anchor=False)
    found = key_rows.alike(means)
    if not found:
        frame.nothing("No sweep over wrong bits of the key map is recorded.", words.KEY_ATTACKS)
        return
    curves = key_rows.sweep(found)
    frame.plot(
        keys.sweep(curves, metric), keys.told_sweep(curves, metric), "key-sweep", series.rows(found)
    )
    if any(way == "tile" for _, way in curves):
        st.caption(
            "The wrong bits are scattered over the key map, or all in one tile; both over the "
            "masks and sets on which both were tried."
        )


def edits(means: list[MeanScore], metric: str) -> None:
    """One character, one bit, the mask in the place of the protected picture."""
    st.subheader("Small mistakes", anchor=False)
    wanted = {"one_char", "one_bit", "spoofed"}
    special = [m for m in means if series.second(m.pair) in wanted]
    if not special:
        frame.nothing("No edited key is recorded.", words.KEY_ATTACKS)
        return
    methods = {m.method for m in special}
    base = [m for m in means if m.pair in SENSES and m.method in methods]
    found = {
        method: {p: series.together(mine) for p, mine in series.split(own, "pair").items()}
        for method, own in series.split([*base, *special], "method").items()
    }
    frame.plot(
        keys.edits(found, metric), keys.told_edits(found, metric), "key-edits", series.rows(special)
    )


def one_character(source: Source, known: Mapping[int, Attempt], protocol: str) -> None:
    """Whether a passphrase that is nearly right shows other pictures than any key."""
    pairs = ("random:one_char", "original:one_char")
    means = source.means(sorted(known), protocol=protocol, pair=pairs) if known else []
    found = key_rows.key_tests(means, known)
    if not found:
        return
    st.subheader("Is one character off like any other key?", anchor=False)
    frame.plot(keys.tests(found), keys.told_tests(found), "key-tests", key_rows.lines(found))
    links = Links({one.run_id: one.label for one in known.values()}, frame.database())
    frame.from_runs((one.run_id for one in found), links)
    st.caption(
        "The test of Kolmogorov and Smirnov: how far what one character off shows is from the "
        "original, beside the same of random keys. A small p value says that they differ, so that "
        "a guess which is nearly right could be seen. The more tests, the surer one is small by "
        "chance: the corrected values allow for that (Holm)."
    )


def byproducts(source: Source, protocol: str) -> None:
    """What a network's second output tells of the face, beside what the mask tells anyway."""
    means = source.means(protocol=protocol, metric="fitted_psnr_db")
    means = [m for m in means if not series.is_sweep(m.method)]
    if not means:
        return
    st.subheader("What a fit finds in the byproducts", anchor=False)
    st.markdown(
        "Each picture is fitted to the original by brightness and contrast. **What counts is the "
        "gain over the mask**, which everybody sees: in the released models such a fit finds "
        "nothing beyond it. Byproducts do not leave the program anyway."
    )
    found = {
        method: {p: series.together(mine) for p, mine in series.split(own, "pair").items()}
        for method, own in series.split(means, "method").items()
    }
    metric = "fitted_psnr_db"
    frame.plot(
        keys.edits(found, metric), keys.told_edits(found, metric), "byproducts", series.rows(means)
    )


def clipped(source: Source, protocol: str) -> None:
    """How much of a wrong-key picture lies at black or white: noise should not."""
    means = [
        m
        for m in source.means(protocol=protocol, metric="clipped")
        if not series.is_sweep(m.method)
    ]
    if not means:
        return
    st.subheader("Does it look like noise?", anchor=False)
    shares = {
        words.method(name): series.together(own).mean or 0.0
        for name, own in series.split(means, "method").items()
    }
    told = ", ".join(f"{words.plain(name)} {share:.1%}" for name, share in shares.items())
    st.markdown(
        f"Samples of a wrong-key picture at pure black or white: **{told}**. "
        "Many of them make blotches instead of even noise."
    )


show(st.session_state["opened"])
