"""Robustness and attacks: what an attacker gets without the key, and what the world leaves."""

from collections.abc import Iterable, Mapping, Sequence

import plotly.graph_objects as go
import streamlit as st

from dashboard import (
    attack_curves,
    attack_rows,
    attack_words,
    attacks,
    frame,
    glance,
    matrix,
    race,
    series,
    words,
)
from dashboard.attacks import Attempt
from dashboard.charts import gains as gain_charts
from dashboard.charts import glance as glance_charts
from dashboard.charts import race as race_charts
from dashboard.data import Source
from dashboard.links import Links
from dashboard.verdicts import verdicts as judged
from engine.results import GATE_DB, LEAST_FACES, LEAST_KNOWN, Cost, MeanScore, too_weak

PICTURES = ("psnr_db", "ssim", "identity_cosine", "identity_match")
"""What pictures are judged by here."""

KEYS = {"same_key": "one key for all, as in the papers", "salted": "a salt each, as here"}


def show(source: Source) -> None:
    """Draw the page."""
    frame.heading(
        "Robustness and attacks",
        "What somebody without the key really gets, and what is left after re-encoding.",
    )
    runs = source.runs("attack", hidden=False)
    known = attacks.attempts(runs)
    every = source.means(sorted(known), protocol="png") if known else []
    means = attacks.of_newest_weights(every, known)
    costs = [(run_id, one) for run_id, one in source.costs() if run_id in known]
    unfinished = len(runs) - len(known)
    if not means and not costs:
        empty(unfinished)
        return
    links = Links({one.run_id: one.label for one in known.values()}, frame.database())
    fair = [m for m in means if known[m.run_id].counts]
    networks = [number for number, one in known.items() if one.attack == "keyless"]
    before = [m for m in every if m not in means and known[m.run_id].counts]
    verdicts(fair, known, source.matches(networks), links, before)
    weak = too_weak(runs, every)
    glanced(glance.facets(fair, known, weak), links)
    gained(fair, links)
    world(means, known, links)
    curves(fair, weak, links)
    races(race.racers(costs), links)
    rest(means, costs, known, links)
    if len(means) < len(every):
        st.caption("Figures of older weights of a method, trained anew since, count nowhere here.")
    if unfinished:
        told = words.counted(unfinished, "attack")
        st.caption(f"{told} running, stopped or crashed: they count nowhere on this page.")


def empty(unfinished: int) -> None:
    """Say that nothing was measured, and what to assume until then."""
    frame.nothing(
        "No re-encoding and no trained attacker has been measured yet. Until then, assume that "
        "any re-encoding destroys what is hidden, and that a trained attacker sees something."
        + (f" {words.counted(unfinished, 'attack')} has not finished." if unfinished else ""),
        words.ATTACK, "This command attacks and keeps the figures; the second one lists the names:",
    )  # fmt: skip
    st.code(words.LIST_ATTACKS, language="bash")


def dark() -> bool:
    """Whether the ground is dark."""
    return st.context.theme.type == "dark"


def verdicts(
    means: Sequence[MeanScore],
    known: Mapping[int, Attempt],
    matched: Mapping[tuple[int, str], tuple[float, float]],
    links: Links,
    before: Sequence[MeanScore] = (),
) -> None:
    """One sentence for each method; who broke older weights proves an attacker too."""
    found = judged(means, {one.run_id: one.variant for one in known.values()}, matched, before)
    if not found:
        frame.nothing("No trained attacker has been measured yet: whether a method holds against "
                      "one is not known.", words.ATTACK.replace("NAME", "keyless"))  # fmt: skip
        return
    said = [(one, attack_rows.sentence(one, known, links)) for one in found]
    st.html(matrix.said(said, dark=dark()))
    st.caption(
        f"Holds: with 95 % confidence no mask's gain is above {GATE_DB:g} dB, nor that of all "
        f"masks together above one point of identity match, over {LEAST_FACES} faces or more, in "
        "the longest training of every variant; and the same attack, or a shorter one, has seen "
        "through another method. Leaks: a gain is surely above, that in identity match of one "
        f"mask too. Masks under which neither knows {100 * LEAST_KNOWN:g} % of the faces do not "
        "count with the others. Open: not known yet. "
        "The confidence is over faces of 112 px under masks at the papers' strength: a longer "
        "training, or another, may find more."
    )


def glanced(found: Sequence[glance.Facet], links: Links) -> None:
    """One figure of every attack, each on its own axis beside its line."""
    if not found:
        return
    st.subheader("Every attack at a glance", anchor=False)
    methods = series.options([dot for facet in found for dot in facet.dots], "method")
    for column, half in zip(st.columns(2), glance_charts.halves(found), strict=False):
        with column:
            st.plotly_chart(
                glance_charts.dots(half, methods), alt=glance_charts.told(half),
                config=frame.config(f"every-attack-{half[0].attack}"),
            )  # fmt: skip
    frame.export("every-attack", glance.lines(found))
    st.html(matrix.table("attack", glance.cells(found), links, dark=dark()))
    st.caption(
        "A dot is a method under a mask: of several figures the one that is most surely bad for "
        "the person. The dashed line is the most, or the least, that a method that holds has "
        "there, or what the control has. Bars: 95 %, over the faces of the run. The table has of "
        "each method the mask where that is surest; its figures lead to their runs."
    )


def metric_of(found: Iterable[MeanScore], key: str) -> str | None:
    """Let the person choose by which figure; None where there is none."""
    there = {m.metric for m in found}
    names = [name for name in (*PICTURES, *attacks.TOLD) if name in there]
    if not names:
        return None
    return st.segmented_control(
        "By", names, default=names[0], required=True, key=key, bind="query-params",
        format_func=lambda name: words.metric(name).title,
    )  # fmt: skip


def gained(means: Sequence[MeanScore], links: Links) -> None:
    """What a trained network that saw the protected picture has over one that saw the mask."""
    pairs = ("original:revealed", "original:control")
    judged = [m for m in means if m.pair in pairs and m.source != attacks.WHOLE]
    if not judged:
        return
    st.subheader("What a trained attacker gains", anchor=False)
    metric = metric_of(judged, "by")
    found = attacks.strongest(attacks.gains(means, metric)) if metric else []
    if not metric or not found:
        st.caption("Nothing has both an attacker and its control.")
        return
    frame.plot(
        gain_charts.bars(found, metric), gain_charts.told(found, metric), "gain-over-control",
        attack_rows.gain_lines(found),
    )  # fmt: skip
    st.html(matrix.table("gain", attack_rows.gain_cells(found), links, dark=dark()))
    st.caption(
        "The attacker's network sees the protected picture, its control the mask alone; both learn "
        "from the same faces for as long. Only the difference comes from the method. Lines and ±: "
        "95 %. Of several attacks on a method and mask the one with the surest gain is shown."
    )


def world(means: Sequence[MeanScore], known: Mapping[int, Attempt], links: Links) -> None:
    """What is left after re-encoding, resizing or filtering."""
    found = series.newest(attacks.world(means, known))
    if not found:
        return
    st.subheader("What the world leaves", anchor=False)
    masks = series.options(found, "mask")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = metric_of(found, "left")
        mask = st.selectbox(
            "Mask", ["", *masks], key="mask", bind="query-params", width=180,
            format_func=lambda name: words.mask(name) if name else "all together",
        )  # fmt: skip
    if metric is None:
        return
    shown = [m for m in found if mask in ("", m.mask)]
    cells = attack_rows.world_cells(shown, metric)
    st.html(matrix.table("what happened to the file", cells, links, dark=dark()))
    st.caption(
        "The owner has the right passphrase. Pictures: beside the original, the tint by how far "
        "above or below the mask alone. Told: how often the owner gets a reason instead of noise, "
        "or the face where no pixel has changed. *Re-encoded, or not ours* is lenient: of a PNG "
        "without the header it takes the answer that nothing of ours is in the file; *that this "
        "file was re-encoded* counts only that. Each figure leads to its run."
    )
    frame.export("robustness", series.rows(shown), table=False)


def curves(means: Sequence[MeanScore], weak: glance.Weak, links: Links) -> None:
    """Gain by known pairs, and what is made of the mask alone by its strength."""
    by_keys = attack_curves.by_pairs(means, "psnr_db")
    for column, (keys, found) in zip(
        st.columns(max(1, len(by_keys))), by_keys.items(), strict=False
    ):
        with column:
            title = KEYS.get(keys, keys.replace("_", " "))
            st.subheader(f"Known pairs: {title}", anchor=False)
            names = {method: words.method(method) for method in found}
            lead = f"Gain by known pairs, {title}"
            draw(gain_charts.by_pairs(found, "psnr_db"), lead, found, names, f"known-{keys}", links)
    found = attack_curves.by_strength(means, "psnr_db", weak)
    if found:
        names = {mask: words.mask(mask) for mask in found}
        st.subheader("The mask alone, by its strength", anchor=False)
        st.markdown(
            "What a network that knows faces makes of the mask, whoever hid the face and however: "
            "the floor that every method inherits. The higher, the more it gives away. A network "
            "is too weak where the control of a keyless attack, which learned that strength alone, "
            "makes clearly more faces known again."
        )
        figure = gain_charts.by_strength(found, "psnr_db")
        draw(figure, "Faces restored from the mask alone", found, names, "mask-alone", links)


def draw(
    figure: go.Figure,
    lead: str,
    found: gain_charts.Curves,
    names: Mapping[str, str],
    name: str,
    links: Links,
) -> None:
    """Curves with their words, numbers and runs."""
    rows = [{"curve": key, **vars(point)} for key, points in found.items() for point in points]
    frame.plot(figure, gain_charts.told_curves(found, "psnr_db", lead, names), name, rows)
    frame.from_runs((point.run_id for points in found.values() for point in points), links)


def races(found: Sequence[race.Racer], links: Links) -> None:
    """How fast keys are tried, and how long that takes."""
    if not found:
        return
    st.subheader("The race for a passphrase", anchor=False)
    frame.plot(race_charts.bars(found), race_charts.told(found), "race", race.export(found))
    st.html(matrix.table("trying every key", race.rows(found), links, dark=dark()))
    st.caption(
        "Time to try every key of a set, and below it the rent at an assumed price, of the cores "
        "or of the modelled card: half of it is the mean. Six random words are what "
        "`protect --generate` draws. Measured on the machine that the run names; a card is "
        "modelled, not measured. "
        "The paper's derivation is timed alone: nothing in its system says which key is right, so "
        "whoever guesses must look at each key's picture too."
    )


def rest(
    means: Sequence[MeanScore],
    costs: Sequence[tuple[int, Cost]],
    known: Mapping[int, Attempt],
    links: Links,
) -> None:
    """Every other figure, attack by attack."""
    st.subheader("Every attack", anchor=False)
    names = sorted({one.attack for one in known.values()})
    chosen = st.pills(
        "Attack", names, selection_mode="multi", key="attack", bind="query-params",
        format_func=lambda name: attack_words.attack(name).title,
    )  # fmt: skip
    every = st.toggle("Every figure", key="every", bind="query-params")
    listed = {run: one for run, one in known.items() if not chosen or one.attack in chosen}
    st.caption(
        "The figures that say how each attack went; those of the charts above with *Every figure*. "
        "The budget stands beside the name: what was tried, and no more."
    )
    blocks = list(attack_rows.blocks(means, costs, listed, every=every))
    st.html(matrix.listing(blocks, links, dark=dark()))
    lines = [
        {"attack": b.title, "budget": b.budget, **vars(one)} for b in blocks for one in b.lines
    ]
    frame.export("attacks", lines, table=False)


show(st.session_state["opened"])
