import itertools
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import attack_examples
import pytest

from dashboard import attack_words, attacks, frame, glance, key_rows, matrix, series
from dashboard.attacks import Attempt
from dashboard.charts import glance as charts
from dashboard.charts import style
from dashboard.glance import Dot, Facet
from dashboard.links import Links
from engine.results import (
    GATE_DB,
    GATE_KNOWN,
    MeanScore,
    Reader,
    Restored,
    advise,
    restorations,
    too_weak,
)

RELEASED = Path(__file__).resolve().parents[1] / "assets" / "benchmark.db"

Found = tuple[list[MeanScore], dict[int, Attempt]]


def read(path: Path) -> Found:
    with Reader(path) as reader:
        known = attacks.attempts(reader.runs("attack", hidden=False))
        means = attacks.of_newest_weights(reader.means(sorted(known), protocol="png"), known)
    return [m for m in means if known[m.run_id].counts], known


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    return read(attack_examples.attacked(tmp_path_factory.mktemp("glance") / "results.db"))


@pytest.fixture(scope="module")
def facets(found: Found) -> dict[str, Facet]:
    return {one.attack: one for one in glance.facets(*found)}


def drawn(facets: list[Facet]) -> tuple[list[str], list[float]]:
    """Hover texts of the dots, and where the lines stand."""
    methods = series.options([dot for facet in facets for dot in facet.dots], "method")
    figure = charts.dots(facets, methods)
    texts = [text for trace in figure.data for text in trace.customdata]
    assert len(texts) == sum(len(trace.x) for trace in figure.data)
    return texts, [shape.x0 for shape in figure.layout.shapes]


# --- which figures --------------------------------------------------------------------------------


def test_every_attack_that_is_known_has_its_figure(facets: dict[str, Facet]) -> None:
    assert list(facets) == list(attack_words.ATTACKS) == [*glance.LOOKS]


@pytest.mark.parametrize(
    ("attack", "told"),
    [
        ("keyless", "RandWR, pixels: +6.01 dB, ± 0.04 dB; 40 faces, run 1"),
        ("keyless", "Sealed, blur: +0.05 dB, ± 0.04 dB; 40 faces, run 1"),
        ("microscope", "RandWR, blur: 0.400, ± 0.006; 40 faces, run 10"),
        ("wrong-keys", "Sealed, blur, random of 10,000: 0, no margin stored; 40 faces, run 6"),
        ("dictionary", "Sealed, blur, outlier: 0.100, no margin stored; 40 faces, run 9"),
        ("map-search", "RandWR, blur, searched: +0.80 dB, ± 0.25 dB; 40 faces, run 11"),
        ("known-plaintext", "RandWR, blur, fitted 100 salted: +0.10 dB, ± 0.02 dB; 40 faces,"),
        ("tamper", "Sealed, blur, pixel: 100 %, no face differs; 40 faces, run 7"),
        ("byproducts", "RandWR, blur, recovery byproduct: −0.50 dB, ± 0.09 dB; 40 faces, run 12"),
        ("deblur", "no method, blur, kernel=21, sigma=8: 10.0 %, ± 1.6 points; 40 faces, run 5"),
        ("world", "Sealed, pixels, noise, sigma 1: 0.0 %, no face differs; 40 faces, run 3"),
        ("multiset", "Sealed, sticker, same photo: +60.0 points, ± 4.6 points; 40 faces, run 13"),
        ("restore", "no method, blur: +10.0 points, ± 4.6 points; 40 faces, run 14"),
    ],
)
def test_a_dot_says_figure_margin_faces_and_run(
    facets: dict[str, Facet], attack: str, told: str
) -> None:
    one = facets[attack]
    assert any(glance.told(one.look, dot).startswith(told) for dot in one.dots)


def test_a_search_without_a_control_is_not_drawn(found: Found) -> None:
    means, known = found
    own = [m for m in means if known[m.run_id].attack == "map-search"]
    (search,) = glance.facets(own, known)
    assert [(dot.what, dot.margin) for dot in search.dots] == [("searched", 0.25)]
    old = [
        replace(m, pair=m.pair.replace(":prior", ":protected"))
        for m in own
        if m.pair != "original:prior"
    ]
    assert len(old) < len(own)
    assert glance.facets(old, known) == []


def test_of_many_that_are_as_bad_some_are_named_and_all_are_counted(found: Found) -> None:
    means, known = found
    own = [m for m in means if m.metric == "told_reencoded"]
    noise = [m for m in own if m.pair == "protected:noise_1"]
    more = [replace(m, pair=f"protected:noise_{i}") for i in range(2, 6) for m in noise]
    for some, said in (
        (own, "noise, sigma 1"),
        ([*own, *more[: len(noise)]], "noise, sigma 1, noise, sigma 2"),
        ([*own, *more], "noise, sigma 1 and 4 others"),
        ([*noise, *more], "each of 5"),
    ):
        (facet,) = glance.facets(some, known)
        assert {dot.what for dot in facet.dots} == {said}
        assert facet.look.what.startswith("told that this file was re-encoded")


def test_a_picture_with_a_longer_name_has_its_own_margin(found: Found) -> None:
    means, _ = found
    (signs,) = attacks.gains(means, "psnr_db", "searched_signs", "prior")
    (mirrored,) = attacks.gains(means[::-1], "psnr_db", "searched_signs", "prior")
    assert signs.margin == mirrored.margin == 0.05


def test_a_control_stands_for_a_deblurrer_that_is_too_weak(found: Found) -> None:
    means, known = found
    control = Restored("gaussian", 1.0, 0.48, 0.03, 101, 500, run_id=1)

    def dots(weak: dict[tuple[int, str], Restored | None]) -> list[str]:
        (facet,) = [one for one in glance.facets(means, known, weak) if one.attack == "deblur"]
        return [glance.told(facet.look, dot) for dot in facet.dots]

    # 1.984 standard errors of 0.48 over 101 faces, by Student's t.
    assert dots({(5, "gaussian"): control}) == [
        "no method, blur, by a control, run 5 is too weak: 48.0 %, ± 9.9 points; 101 faces, run 1"
    ]
    (bound,) = dots({(5, "gaussian"): None})
    assert "at least: its network is too weak: 10.0 %" in bound
    strong = dots({})
    assert dots({(4, "gaussian"): control}) == strong  # another run is, and this one is not
    assert not any("weak" in said for said in strong)


def test_the_released_glance_says_of_a_mask_what_the_demo_says() -> None:
    with Reader(RELEASED) as reader:
        runs = reader.runs("attack", hidden=False)
        weak = too_weak(runs, reader.means([run.id for run in runs]))
    means, known = read(RELEASED)
    (facet,) = [one for one in glance.facets(means, known, weak) if one.attack == "deblur"]
    advised = restorations(RELEASED)
    for dot in facet.dots:
        one = advise(advised[dot.mask.partition(":")[0]], 1.0).exact
        assert one is not None
        assert dot.value == pytest.approx(one.restored, abs=0.05), dot.mask
        assert ("at least" in dot.what) == one.least


def test_the_lines_are_those_that_are_wanted(facets: dict[str, Facet]) -> None:
    lines = {name: one.look.line for name, one in facets.items()}
    assert lines == {
        "keyless": GATE_DB, "microscope": 0.05, "wrong-keys": 0, "dictionary": 0.5,
        "map-search": GATE_DB, "known-plaintext": GATE_DB, "tamper": 1, "byproducts": 0,
        "deblur": GATE_KNOWN, "restore": 0, "world": 1, "multiset": 0,
    }  # fmt: skip
    for name, one in facets.items():
        # What the list of attacks says beside the same figure is said here too.
        listed = [line for line in attack_words.attack(name).headlines if line.wanted]
        assert not listed or one.look.wanted in [line.wanted for line in listed], name


def dot(value: float, margin: float | None) -> Dot:
    return Dot(1, "sealed", "gaussian", f"{value}", value, margin, 40)


@pytest.mark.parametrize(
    ("bad", "worst"), [("above", 0.9), ("below", 0.2), ("off", 0.9)],
)  # fmt: skip
def test_the_worst_is_the_surest_on_the_bad_side(bad: str, worst: float) -> None:
    look = replace(glance.LOOKS["dictionary"], bad=bad)
    # 2.0 may be chance, and of 5.0 nobody knows how sure it is.
    some = [dot(0.2, 0.1), dot(0.9, 0.1), dot(2.0, 1.9), dot(5.0, None), dot(-3.0, 3.9)]
    assert glance.worst(look, some).value == worst


def test_of_one_key_for_all_and_of_attacks_without_figures_there_is_nothing(found: Found) -> None:
    means, known = found
    runs = {dot.run_id for one in glance.facets(means, known) for dot in one.dots}
    assert attack_examples.SAME_KEY not in runs
    few = [m for m in means if known[m.run_id].attack == "tamper"]
    assert [one.attack for one in glance.facets(few, known)] == ["tamper"]
    assert glance.facets([], known) == []


# --- the picture and the table --------------------------------------------------------------------


def test_each_attack_has_its_own_axis_with_its_line_on_it(facets: dict[str, Facet]) -> None:
    some = [facets["keyless"], facets["tamper"], facets["wrong-keys"]]
    figure = charts.dots(some, ["proface-s-rand", "sealed"])
    assert [(shape.xref, shape.x0) for shape in figure.layout.shapes] == [
        ("x", GATE_DB), ("x2", 100), ("x3", 0),
    ]  # fmt: skip
    for axis, line in zip(
        (figure.layout.xaxis, figure.layout.xaxis2, figure.layout.xaxis3),
        (GATE_DB, 100, 0),
        strict=True,
    ):
        assert axis.range[0] < line < axis.range[1]
    ends = [figure.layout[name].domain for name in ("yaxis", "yaxis2", "yaxis3")]
    assert all(above[0] > below[1] for above, below in itertools.pairwise(ends))
    assert "<b>Tamper and spoof</b>" in figure.layout.annotations[1].text
    assert list(figure.layout.yaxis.ticktext) == ["RandWR", "Sealed"]
    # A method has its colour and its mark in every facet.
    sealed = {(t.marker.color, t.marker.symbol) for t in figure.data if t.name == "Sealed"}
    assert sealed == {(style.METHODS["sealed"], style.MARKERS[1])}
    assert list(figure.data[0].error_x.array) == [0.04, 0.04]


def test_columns_are_of_about_the_same_height(facets: dict[str, Facet]) -> None:
    every = list(facets.values())
    first, second = charts.halves(every)
    assert [*first, *second] == every
    left, right = (sum(map(charts.height, half)) for half in (first, second))
    assert abs(left - right) <= max(map(charts.height, every))
    assert charts.halves(every[:1]) == [every[:1]]


def test_a_cell_of_the_table_leads_to_its_run(facets: dict[str, Facet]) -> None:
    rows = glance.cells(facets.values())
    cell = rows["Keyless network"]["RandWR"]
    assert (cell.text, cell.small, cell.runs) == ("+6.01 dB", "pixels", (1,))
    assert rows["Keyless network"]["line"].text == "≤ 0.3 dB"
    assert "RandWR" not in rows["Tamper and spoof"]
    body = matrix.table("attack", {"a": {"b": cell}}, Links({1: "1 sealed"}, ""), dark=False)
    address = body.partition('href="')[2].partition('"')[0]
    assert parse_qs(urlsplit(address).query) == {"runs": ["1 sealed"]}
    exported = glance.lines(facets.values())
    assert {line["attack"] for line in exported} == set(facets)
    assert frame.as_csv(exported).startswith("attack,figure,line,method,mask,which,value,margin")


# --- the released figures -------------------------------------------------------------------------


def test_every_attack_of_the_released_database_is_on_the_chart() -> None:
    means, known = read(RELEASED)
    every = glance.facets(means, known)
    assert [one.attack for one in every] == list(attack_words.ATTACKS)
    texts, lines = drawn(every)
    assert len(lines) == len(every)
    for facet in every:
        own = [text for text in texts if text.startswith(f"{facet.title}<br>")]
        assert own
        assert all(" face" in text and ", run " in text for text in own)
    assert all(facet.title in charts.told(every) for facet in every)


def test_the_released_database_has_tiles_and_a_test_for_each_method() -> None:
    means, known = read(RELEASED)
    tried = [m for m in means if known[m.run_id].attack == "wrong-keys"]
    tests = key_rows.key_tests(tried, known)
    assert {one.method for one in tests} == {m.method for m in tried}
    assert all(one.p_value is not None and one.corrected is not None for one in tests)
    curves = key_rows.sweep(key_rows.alike(series.newest(tried)))
    methods = {method for method, _ in curves}
    assert methods
    assert set(curves) == {(method, way) for method in methods for way in key_rows.WAYS}
    for method in methods:
        scattered, tile = ([share for share, _ in curves[method, way]] for way in key_rows.WAYS)
        assert scattered == tile
