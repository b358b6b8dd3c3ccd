import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import attack_examples
import dashboard_examples as examples
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import (
    attack_curves,
    attack_rows,
    attack_words,
    attacks,
    key_rows,
    matrix,
    race,
    words,
)
from dashboard.attacks import Attempt, Gain
from dashboard.charts import gains as gain_charts
from dashboard.charts import race as race_charts
from dashboard.key_rows import KeyTest
from dashboard.links import Links
from dashboard.verdicts import verdicts
from engine.results import MeanScore, Reader, Results

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "dashboard" / "app.py"

Opened = Callable[..., AppTest]


@pytest.fixture(autouse=True)
def forget() -> None:
    """No test sees what another has cached."""
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Opened:
    def opened(make: Callable[[Path], Path], page: str = "robustness") -> AppTest:
        monkeypatch.setenv("FACEVEIL_DB", str(make(tmp_path / "results.db")))
        app = AppTest.from_file(str(APP), default_timeout=60).run()
        app = app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception
        return app

    return opened


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return attack_examples.attacked(tmp_path_factory.mktemp("attacks") / "results.db")


@pytest.fixture(scope="module")
def known(stored: Path) -> dict[int, Attempt]:
    with Reader(stored) as reader:
        return attacks.attempts(reader.runs("attack"))


@pytest.fixture(scope="module")
def means(stored: Path, known: dict[int, Attempt]) -> list[MeanScore]:
    with Reader(stored) as reader:
        return reader.means(sorted(known))


@pytest.fixture(scope="module")
def fair(means: list[MeanScore], known: dict[int, Attempt]) -> list[MeanScore]:
    return [m for m in means if known[m.run_id].counts]


def bodies(app: AppTest) -> str:
    """All HTML of a page."""
    return "".join(html.proto.body for html in app.get("html"))


# --- the page -------------------------------------------------------------------------------------


def test_an_empty_database_names_the_command(opened: Opened) -> None:
    app = opened(examples.empty)
    assert [code.value for code in app.code] == [words.ATTACK, words.LIST_ATTACKS]
    assert words.ATTACK.startswith("python -m engine attack NAME")


def test_the_page_shows_every_attack(opened: Opened) -> None:
    app = opened(attack_examples.attacked)
    assert len(app.get("plotly_chart")) == 7
    body = bodies(app)
    assert "<b>Sealed:</b> a trained attacker gained up to <b>+0.06 ± 0.04 dB</b>" in body
    assert "(pixels), and +0.0 ± 0.3 points of identity match with all masks together" in body
    assert "40 faces, 5 minutes of training, larger net, run <a" in body
    assert "0 of 10,000 wrong keys opened it; tampering noticed in 100 %" in body
    assert body.index("✓ holds") < body.index("JPEG 90") < body.index("Haruspex")
    assert "1 attack running, stopped or crashed" in "".join(one.value for one in app.caption)


def test_figures_of_a_running_attack_count_nowhere(opened: Opened) -> None:
    body = bodies(opened(attack_examples.attacked))
    assert "22.05 beside 22" in body
    assert "55.00" not in body


def test_the_page_of_attacks_that_nobody_knows_shows_what_they_gave(opened: Opened) -> None:
    body = bodies(opened(examples.small))
    assert "JPEG 90" in body
    assert "one character wrong" in body


@pytest.mark.parametrize("metric", ["psnr_db", "identity_match"])
def test_gains_are_shown_by_any_metric(opened: Opened, metric: str) -> None:
    app = opened(attack_examples.attacked)
    app.segmented_control(key="by").set_value(metric).run()
    assert not app.exception
    assert len(app.get("plotly_chart")) == 7


@pytest.mark.parametrize("strict", [False, True])
def test_what_the_owner_is_told_is_a_view_of_its_own(opened: Opened, strict: bool) -> None:
    app = opened(attack_examples.attacked)
    assert "that this file was re-encoded" in " ".join(app.segmented_control(key="left").options)
    app.segmented_control(key="left").set_value("told_reencoded" if strict else "told").run()
    assert not app.exception
    body = bodies(app)
    assert "face given" in body
    assert "refused" not in body
    assert ("0.0 %" in body[body.index(">noise, sigma 1<") :][:300]) == strict


def test_every_figure_and_one_attack_can_be_asked_for(opened: Opened) -> None:
    app = opened(attack_examples.attacked)
    assert "noticed, without a tag: pixel" in bodies(app)
    app.button_group[-1].set_value(["haruspex"])
    app.toggle(key="every").set_value(True).run()
    assert not app.exception
    body = bodies(app)
    assert "Haruspex" in body
    assert "without a tag" not in body


def test_links_lead_to_their_runs(opened: Opened) -> None:
    body = bodies(opened(attack_examples.attacked))
    addresses = set(re.findall(r'href="([^"]+)"', body))
    chosen = {tuple(parse_qs(urlsplit(one).query)["runs"]) for one in addresses}
    assert all(urlsplit(one).path == "runs" for one in addresses)
    assert {(f"{run} sealed",) for run in (1, *range(3, 14))} <= chosen


def test_attacks_leak_into_no_other_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Every other page but Wrong keys, Training and Runs is as if no attack had been."""
    monkeypatch.setenv("FACEVEIL_DB", str(attack_examples.attacked(tmp_path / "results.db")))
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    for page in ("overview", "explore", "paper_tables", "cost"):
        app.switch_page(f"app_pages/{page}.py").run()
        assert not app.exception
        said = " ".join(str(one.value) for one in [*app.markdown, *app.metric, *app.dataframe])
        assert "argon2id" not in said, page
        assert not re.search(r"\d\d faces|45\.0", said), page


def test_right_keys_on_the_page_wrong_keys_are_the_benchmarks_alone(opened: Opened) -> None:
    """An attack on more faces than the benchmark would else take the place of its figures."""

    def both(path: Path) -> Path:
        examples.small(path)
        return attack_examples.attacked(path)

    told = " ".join(one.value for one in opened(both, "wrong_keys").markdown)
    assert "right key to original 48." in told
    assert "1.00 dB" not in told


def test_the_page_wrong_keys_shows_tiles_and_the_test_with_its_run(opened: Opened) -> None:
    app = opened(attack_examples.attacked, "wrong_keys")
    titles = [one.value for one in app.subheader]
    assert "Is one character off like any other key?" in titles
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    names = {trace.get("name") for spec in specs for trace in spec["data"]}
    assert {"RandWR, scattered", "RandWR, one tile", "corrected for all tests"} <= names
    # The mask on which no tile was tried has no part in it: 10 dB, and not 20.
    (scattered,) = (
        t for spec in specs for t in spec["data"] if t.get("name") == "RandWR, scattered"
    )
    assert scattered["y"] == pytest.approx([40.0, 10.0])
    assert "runs=6+sealed" in bodies(app)


def test_key_tests_are_of_the_newest_run_and_of_the_newest_weights(
    means: list[MeanScore], known: dict[int, Attempt]
) -> None:
    (one,) = key_rows.key_tests(means, known)
    assert one == KeyTest(6, "sealed", "gaussian", 0.11, 0.008, 0.032, attack_examples.FACES)
    old = [m for m in means if m.run_id == 6]
    later = [replace(m, run_id=7, mean=0.5) for m in old if m.metric == "ks_p"]
    (newer,) = key_rows.key_tests([*old, *later], known)
    assert (newer.run_id, newer.p_value, newer.corrected) == (7, 0.5, None)
    weights = known | {7: replace(known[7], weights={"sealed": "b" * 64})}
    assert key_rows.key_tests(old, weights) == []


# --- gains and verdicts ---------------------------------------------------------------------------


def test_a_gain_is_the_difference_of_the_means(means: list[MeanScore]) -> None:
    found = attacks.gains(means, "psnr_db")
    one = next(g for g in found if (g.run_id, g.mask) == (1, "gaussian") and g.method == "sealed")
    assert one.gain == pytest.approx(0.05)
    assert (one.margin, one.faces) == (0.04, attack_examples.FACES)


def test_without_a_stored_margin_the_faces_are_taken_for_other_ones(
    means: list[MeanScore],
) -> None:
    bare = [m for m in means if "margin" not in m.metric]
    found = attacks.gains(bare, "psnr_db")
    # Student's t of 39 degrees of freedom, by the table.
    expected = 2.0227 * math.sqrt(2 * 0.2**2 / (attack_examples.FACES - 1))
    assert found[0].margin == pytest.approx(expected, rel=1e-4)
    alone = [replace(m, images=1) for m in bare]
    assert {one.margin for one in attacks.gains(alone, "psnr_db")} == {None}


def gain(value: float, margin: float | None, run: int = 1) -> Gain:
    return Gain(run, "sealed", "gaussian", "psnr_db", 20 + value, 20, margin, 40)


def test_the_strongest_attack_is_the_surest() -> None:
    trial, real = gain(3.0, None, 1), gain(0.5, 0.1, 2)
    assert attacks.strongest([trial, gain(0.9, 2.0, 3), real]) == [real]


@pytest.mark.parametrize(
    ("value", "margin", "sense"),
    [
        (0.05, 0.04, "holds"), (-3.0, 0.04, "holds"), (0.27, 0.04, "open"), (0.35, 0.06, "open"),
        (0.35, 0.04, "leaks"), (0.0, None, "open"), (9.0, None, "open"),
    ],
)  # fmt: skip
def test_a_verdict_needs_the_whole_interval_on_one_side(
    value: float, margin: float | None, sense: str
) -> None:
    means = [*judged("sealed", value, margin), *judged("imn", 7.0, 0.1)]
    assert sense_of([*means, *matched()]) == sense
    for gained, reach in ((0.03, None), (0.0, 0.02)):
        matches = judged("sealed", gained, reach, "identity_match")
        assert sense_of([*means, *matches]) == ("leaks" if sense == "leaks" else "open")


def test_faces_given_back_exactly_count_in_a_gain() -> None:
    revealed, control, *rest = judged("sealed", 0.1, 3.0)
    assert revealed.images == 40
    (one,) = attacks.gains([replace(revealed, exact=20), control, *rest], "psnr_db")
    assert one.gain == pytest.approx((20 * 20.1 + 20 * 100) / 40 - 20)
    (one,) = attacks.gains([replace(revealed, exact=40, mean=None), control, *rest], "psnr_db")
    assert one.gain == pytest.approx(80)


def test_identity_match_is_judged_over_all_masks_together() -> None:
    broken = judged("imn", 7.0, 0.1)
    dbs, matches = judged("sealed", 0.05, 0.04), judged("sealed", 0.0, 0.012, "identity_match")
    masks = ("gaussian", "pixelate", "sticker")
    for margin, sense in ((None, "open"), (0.012, "open"), (0.008, "holds")):
        rows = [*dbs, *matches, *(together("sealed", 0.0, margin) if margin else ())]
        own = [replace(m, mask=mask) for mask in masks for m in rows]
        others = [replace(m, mask=mask) for mask in masks for m in broken]
        assert sense_of([*others, *own]) == sense
    counted = verdicts([*others, *own], None, {(1, "sealed"): (0.03, 0.012)})
    assert next(one for one in counted if one.method == "sealed").sense == "leaks"
    leak = [replace(m, mask=mask) for mask in masks for m in together("sealed", 0.03, 0.012)]
    assert sense_of([*others, *(m for m in own if "together" not in m.metric), *leak]) == "leaks"


def together(method: str, gain: float, margin: float) -> list[MeanScore]:
    """A gain over all masks as a run stores it beside each of them."""
    name = "gain_identity_match_together"
    return [
        MeanScore(method, "gaussian", "all", "revealed:control", metric, 1, value, 0, 99, 0,
                  run_id=1)
        for metric, value in ((name, gain), (f"{name}_margin", margin))
    ]  # fmt: skip


def sense_of(means: list[MeanScore], method: str = "sealed") -> str:
    return next(one.sense for one in verdicts(means) if one.method == method)


def matched(run: int = 1) -> list[MeanScore]:
    """A gain in identity match that is surely none."""
    return judged("sealed", 0.0, 0.005, "identity_match", run)


def test_what_was_not_measured_or_on_few_faces_does_not_hold(
    known: dict[int, Attempt],
) -> None:
    held, broken = judged("sealed", 0.0, 0.01), judged("imn", 7.0, 0.1)
    for means, said in (
        ([*held, *broken], "identity not measured"),
        ([*held, *broken, *matched(), *(replace(m, mask="median") for m in held)],
         "identity not measured under median"),
        ([*broken, *(replace(m, images=29) for m in (*held, *matched()))],
         "too few faces to tell: 30 at least"),
    ):  # fmt: skip
        (one,) = (v for v in verdicts(means) if v.method == "sealed")
        assert one.sense == "open"
        assert said in attack_rows.sentence(one, known, Links({}, ""))
    assert sense_of([*held, *broken, *matched()]) == "holds"


def test_older_weights_of_a_method_do_not_count() -> None:
    first, second = judged("imn", 7.0, 0.1, run=1), judged("imn", 0.1, 0.1, run=2)
    other, unnoted = judged("sealed", 0.0, 0.1, run=1), judged("imn", 3.0, 0.1, run=3)
    hashes = ({"imn": "aa", "sealed": ""}, {"imn": "bb"}, {})
    known = {i: Attempt(i, "", "keyless", "", "", own) for i, own in enumerate(hashes, 1)}
    means = [*first, *other, *second, *unnoted]
    assert attacks.of_newest_weights(means, known) == [*other, *second]
    unknown = {i: replace(one, weights={}) for i, one in known.items()}
    assert attacks.of_newest_weights(means, unknown) == means


def judged(
    method: str, value: float, margin: float | None, metric: str = "psnr_db", run: int = 1
) -> list[MeanScore]:
    """A gain as a run stores it; of one face where it has no margin."""
    images = 40 if margin else 1

    def mean(pair: str, name: str, height: float, source: str = "lfw") -> MeanScore:
        return MeanScore(method, "gaussian", source, pair, name, images, height, 0, 99, 0,
                         deviation=0.2, run_id=run)  # fmt: skip

    found = [mean("original:revealed", metric, 20 + value), mean("original:control", metric, 20)]
    if margin:
        found.append(mean("revealed:control", f"gain_{metric}_margin", margin, "all"))
    return found


def steps(method: str, count: int, run: int) -> MeanScore:
    return MeanScore(method, "gaussian", "all", "revealed:control", "steps", 1, count, count, count,
                     0, run_id=run)  # fmt: skip


def test_an_attacker_that_broke_nothing_proves_nothing() -> None:
    held = [*judged("sealed", 0.0, 0.01), *matched()]
    (found,) = verdicts(held)
    assert (found.sense, found.proven) == ("open", False)
    for longest, sense in ((50, "open"), (100, "holds"), (200, "holds")):
        means = [*held, steps("sealed", longest, 1),
                 *judged("imn", 7.0, 0.1, run=2), steps("imn", 100, 2)]  # fmt: skip
        by_method = {one.method: one.sense for one in verdicts(means)}
        assert by_method == {"sealed": sense, "imn": "leaks"}
        # Who broke weights that are superseded by now is an attacker all the same.
        (alone,) = verdicts([*held, steps("sealed", longest, 1)], before=means)
        assert (alone.method, alone.sense) == ("sealed", sense)


def test_verdicts_name_the_worst_mask_and_leave_one_key_out(
    fair: list[MeanScore], means: list[MeanScore]
) -> None:
    found = {one.method: one for one in verdicts(fair)}
    assert {name: one.sense for name, one in found.items()} == {
        "sealed": "holds", "proface-s-rand": "leaks",
    }  # fmt: skip
    assert found["sealed"].worst.mask == "pixelate"
    assert found["sealed"].opened == (0, 10_000)
    assert found["sealed"].noticed == 1
    assert found["proface-s-rand"].opened is None
    assert next(v for v in verdicts(means) if v.method == "sealed").sense == "leaks"


def test_a_share_is_whole_only_where_it_is_all() -> None:
    assert attack_rows.share(1.0) == "100 %"
    assert attack_rows.share(0.99999) == "99.9 %"


def test_bars_stand_by_method_and_mask_with_interval_and_gate(fair: list[MeanScore]) -> None:
    found = attacks.strongest(attacks.gains(fair, "psnr_db"))
    figure = gain_charts.bars(found, "psnr_db")
    assert [bar.name for bar in figure.data] == ["blur", "pixels", "holds up to 0.3 dB"]
    assert list(figure.data[0].y) == ["RandWR", "Sealed"]
    assert list(figure.data[0].error_x.array) == [0.04, 0.04]
    assert 0.3 in [shape.x0 for shape in figure.layout.shapes]
    told = gain_charts.told(found, "psnr_db")
    assert "Sealed, blur: +0.05 ± 0.04; 22.05 beside 22.00, 40 faces, run 1" in told
    without = gain_charts.bars([replace(one, metric="ssim") for one in found], "ssim")
    assert 0.3 not in [shape.x0 for shape in without.layout.shapes]


# --- the world ------------------------------------------------------------------------------------


def test_the_matrix_says_what_is_left_and_what_is_refused(
    means: list[MeanScore], known: dict[int, Attempt]
) -> None:
    found = attacks.world(means, known)
    assert {m.run_id for m in found} == {attack_examples.WORLD}
    rows = attack_rows.world_cells(found, "psnr_db")
    assert list(rows) == ["untouched", "the mask alone", "PNG written anew", "JPEG 90"]
    assert rows["JPEG 90"]["RandWR"].text == "12.00"
    assert rows["JPEG 90"]["RandWR"].tint < 0 < rows["untouched"]["RandWR"].tint
    assert rows["JPEG 90"]["Sealed"].text == "refused"
    assert rows["JPEG 90"]["Sealed"].runs == (attack_examples.WORLD,)
    told = attack_rows.world_cells(found, "told")
    assert told["JPEG 90"]["Sealed"].text == "100 %"
    assert told["PNG written anew"]["Sealed"].small == "face given"
    assert told["noise, sigma 1"]["Sealed"].text == "100 %"
    named = attack_rows.world_cells(found, "told_reencoded")
    assert named["JPEG 90"]["Sealed"].text == "100 %"
    assert (named["noise, sigma 1"]["Sealed"].text, named["noise, sigma 1"]["Sealed"].tint) == (
        "0.0 %", -1,
    )  # fmt: skip
    assert named["PNG written anew"]["Sealed"].small == "face given"


def test_a_cell_links_to_its_run_and_is_not_obeyed() -> None:
    links = Links({7: "7 a&b<i>"}, "runs/x.db")
    cells = {"<row>": {"<column>": matrix.Cell("<9>", "<small>", '"told"', (7, 7, 99), -1.0)}}
    body = matrix.table("<corner>", cells, links, dark=True)
    (address,) = re.findall(r'href="([^"]+)"', body)
    assert parse_qs(urlsplit(address.replace("&amp;", "&")).query) == {
        "db": ["runs/x.db"], "runs": ["7 a&b<i>"],
    }  # fmt: skip
    for text in ("row", "column", "9", "corner", "small"):
        assert f"&lt;{text}&gt;" in body
    assert "rgba(217,103,15,0.34)" in body


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("jpeg_90", "JPEG 90"), ("jpeg_50_420", "JPEG 50, 4:2:0"), 
        ("resize_0.5", "resized to 50 % and back"),
        ("brightness_-5", "brightness −5 %"), ("screenshot_1.25", "shown at 125 %"),
        ("crop_1px", "cropped by 1 px"), ("crop_0.05", "cropped by 5 %"),
        ("noise_2", "noise, sigma 2"), ("a_new_one", "a new one"),
    ],
)  # fmt: skip
def test_what_happens_to_files_has_words(name: str, title: str) -> None:
    assert attack_words.distortion(name) == title


# --- curves and the race --------------------------------------------------------------------------


def test_known_pairs_make_a_curve_for_each_kind_of_key(means: list[MeanScore]) -> None:
    curves = attack_curves.by_pairs(means, "psnr_db")
    assert list(curves) == ["salted", "same_key"]
    points = curves["same_key"]["proface-s-rand"]
    revealed = sorted((p.x, p.y) for p in points if p.line == "revealed")
    assert [x for x, _ in revealed] == [1, 10, 100]
    assert [y for _, y in revealed] == pytest.approx([2.7, 6.3, 9.0])
    figure = gain_charts.by_pairs(curves["same_key"], "psnr_db")
    assert [line.line.dash for line in figure.data] == ["dot", "solid", "dash"]
    # That of the differences, as it is stored under either name, and not one of unlike faces.
    fitted, network, _ = figure.data
    assert list(fitted.error_y.array) == [0.02] * 3 and list(network.error_y.array) == [0.03] * 3
    assert fitted.error_y.visible and network.error_y.visible
    assert fitted.customdata[0].startswith("± 0.02, 40 faces")
    told = gain_charts.told_curves(curves["same_key"], "psnr_db", "Gain", {})
    assert "proface-s-rand, a network, at 100: 9.00 ± 0.03" in told


def test_a_point_of_several_masks_has_the_mean_of_their_margins(means: list[MeanScore]) -> None:
    pairs = [m for m in means if "_same_key" in m.pair]
    wider = [
        replace(m, mask="sticker", mean=m.mean + 0.04 if "margin" in m.metric else m.mean)
        for m in pairs
    ]
    points = attack_curves.by_pairs([*pairs, *wider], "psnr_db")["same_key"]["proface-s-rand"]
    assert {p.line: p.margin for p in points} == pytest.approx({"fitted": 0.04, "revealed": 0.05})
    one = [replace(m, images=1) for m in wider if "margin" not in m.metric]
    points = attack_curves.by_pairs([*pairs, *one], "psnr_db")["same_key"]["proface-s-rand"]
    assert {p.margin for p in points} == {None}


def test_strength_makes_a_curve_for_each_mask(means: list[MeanScore]) -> None:
    curves = attack_curves.by_strength(means, "psnr_db")
    restored = [(p.x, p.y) for p in curves["gaussian"] if p.line == "control"]
    assert restored == [(0.5, pytest.approx(30)), (1, pytest.approx(24)), (2, pytest.approx(19))]
    told = gain_charts.told_curves(curves, "psnr_db", "Restored", {"gaussian": "blur"})
    assert "blur, restored by a network, at 0.5: 30.00" in told and "±" not in told
    figure = gain_charts.by_strength(curves, "psnr_db")
    assert not any(line.error_y.visible for line in figure.data)


def test_a_line_of_a_network_that_is_too_weak_is_no_floor(means: list[MeanScore]) -> None:
    (run,) = {m.run_id for m in means if m.pair == "control:mask"}
    weak = {(run, "gaussian")}
    curves = attack_curves.by_strength(means, "psnr_db", weak)
    assert {p.line for p in curves["gaussian"]} == {"weak", "mask"}
    names = {line.name for line in gain_charts.by_strength(curves, "psnr_db").data}
    assert "blur, at least, by a network that is too weak" in names
    # A stronger network's line stands alone, however few faces it saw.
    better = [
        replace(m, run_id=99, images=1) for m in means if m.run_id == run and m.method == "mask"
    ]
    curves = attack_curves.by_strength([*means, *better], "psnr_db", weak)
    assert {(p.line, p.run_id) for p in curves["gaussian"]} == {("control", 99), ("mask", run)}


def test_an_oracle_is_told_with_what_wrong_keys_show(
    means: list[MeanScore], known: dict[int, Attempt]
) -> None:
    told = {
        line.what: line.value
        for block in attack_rows.blocks(means, [], known, every=False)
        for line in block.lines
    }
    assert told["right key told by mask consistency: AUC"] == "0.900"
    assert told["right key told by mask consistency from the mask: AUC"] == "0.800"
    assert told["right key told by mask consistency from decoys: AUC"] == "0.700"


def test_the_time_to_a_passphrase_says_whether_pictures_are_looked_at(
    stored: Path, known: dict[int, Attempt]
) -> None:
    with Reader(stored) as reader:
        (block,) = attack_rows.blocks([], reader.costs(), known, every=False)
    told = {line.what: line.value for line in block.lines}
    assert told == {
        "found by the paper's derivation alone, no picture looked at, here": "430 ms",
        "found by the paper's derivation and a look at each key's picture, here": "2 min",
        "one look at what a key shows, on one core": "100 ms",
    }


def test_the_race_puts_the_fastest_first_and_prices_both_machines(stored: Path) -> None:
    with Reader(stored) as reader:
        found = race.racers(reader.costs())
    assert [one.name for one in found] == ["pbkdf2-10 (modelled GPU)", "argon2id"]
    rows = race.rows(found)
    cell = rows["ours, Argon2id"]["2¹⁶ keys"]
    assert (cell.text, cell.small, cell.tint) == ("5 h", "$0.46", -1)
    assert rows["PRO-Face S, PBKDF2 × 10; modelled GPU"]["2¹⁶ keys"].text == "under 1 ms"
    assert rows["PRO-Face S, PBKDF2 × 10; modelled GPU"]["2¹⁶ keys"].small == "under $0.01"
    assert rows["ours, Argon2id"]["10 random words"].text == "10³⁰ years"
    # 7776 ** 6 keys at four a second, which runs from before this row did not store.
    assert rows["ours, Argon2id"]["6 random words"].text == "10¹⁵ years"
    card = rows["PRO-Face S, PBKDF2 × 10; modelled GPU"]["6 random words"]
    assert (card.text, card.small) == ("10⁷ years", "$10¹⁰")
    assert [*rows["ours, Argon2id"]][1:] == [
        attack_words.SPACES[space] for space in ("2_16", "6_words", "10_words")
    ]
    figure = race_charts.bars(found)
    assert figure.layout.xaxis.type == "log"
    assert {bar.name for bar in figure.data} == {"measured", "modelled"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0005, "under 1 ms"), (0.25, "250 ms"), (59, "59 s"), (600, "10 min"),
     (7_200, "2 h"), (864_000, "10 days"),
     (1e10, "317 years"), (1e15, "10⁷ years")],
)  # fmt: skip
def test_times_are_said_in_the_largest_fitting_unit(seconds: float, said: str) -> None:
    assert attack_words.duration(seconds) == said


# --- the list -------------------------------------------------------------------------------------


def test_the_list_shows_what_says_how_it_went_or_else_everything(
    means: list[MeanScore], known: dict[int, Attempt]
) -> None:
    found = {block.title: block for block in attack_rows.blocks(means, [], known, every=False)}
    tamper = found["Tamper and spoof"]
    assert [(line.what, line.value, line.wanted) for line in tamper.lines] == [
        ("noticed, with a tag: pixel", "100 %", "100 %"),
        ("noticed, without a tag: pixel", "50.0 %", ""),
    ]
    assert [line.value for line in found["Haruspex"].lines] == ["0.500"]
    assert "Keyless network (one key for every face)" in found
    tried = [line.value for line in found["Wrong keys"].lines]
    assert tried == ["10,000", "0", "0.032", "0.0 %"]
    (test,) = (line for line in found["Wrong keys"].lines if line.value == "0.032")
    assert test.wanted == "> 0.01" and "corrected for all tests" in test.what
    every = {block.title: block for block in attack_rows.blocks(means, [], known, every=True)}
    assert len(every["Wrong keys"].lines) == 13


def test_a_run_whose_configuration_nobody_wrote_down_is_still_shown(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.db")
    for config in ("[]", "no json"):
        run = results.start_run("attack", "sealed", "", config)
        with results.running(run):
            results.add_scores(run, attack_examples.faces("sealed", "gaussian", "a:b", 1.0))
    results.close()
    with Reader(tmp_path / "results.db") as reader:
        known = attacks.attempts(reader.runs("attack"))
        means = reader.means(sorted(known))
    assert [block.title for block in attack_rows.blocks(means, [], known, every=False)] == [
        "An attack", "An attack",
    ]  # fmt: skip
