import dataclasses
import json
import math

import pytest
from dashboard_examples import FACES, SETS

from dashboard import attack_words, comparison, frame, key_rows, run_rows, series, tables, words
from dashboard.charts import blocks, cost, curves, keys, papers, spread, style
from dashboard.comparison import GROUPS, Duel
from dashboard.key_rows import KeyTest
from engine.results import Loss, MeanScore, PaperCell, Run


def mean(value: float | None, **changes: object) -> MeanScore:
    fields: dict[str, object] = {
        "method": "sealed", "mask": "gaussian", "source": "lfw", "pair": "original:recovered",
        "metric": "psnr_db", "images": 10, "mean": value, "least": 30.0, "greatest": 50.0,
        "exact": 0, "deviation": 1.0,
    }  # fmt: skip
    return MeanScore(**(fields | changes))  # type: ignore[arg-type]


def cell(**changes: object) -> PaperCell:
    fields: dict[str, object] = {
        "table": "I", "place": 1, "paper": "PRO-Face S", "method": "PRO-Face S RandWR",
        "our_method": "proface-s-rand", "mask": "gaussian", "source": "lfw",
        "pair": "mask:protected", "metric": "psnr_db", "better": "higher", "protocol": "png",
        "paper_value": 40.0, "note": "", "our_metric": "psnr_db", "our_value": 42.0,
        "least": 30.0, "greatest": 50.0, "exact": 0, "images": 10, "masks": 1, "run_id": 1,
        "difference": 2.0,
    }  # fmt: skip
    return PaperCell(**(fields | changes))  # type: ignore[arg-type]


def duel(ours: float, paper: float, better: str = "higher") -> Duel:
    return Duel(GROUPS[0], "lfw", "psnr_db", better, ours, paper, ("gaussian",), 10)


# --- ours against the papers ----------------------------------------------------------------------


def test_a_comparison_is_over_the_masks_that_both_have() -> None:
    cells = [
        cell(our_value=42.0, paper_value=40.0),
        cell(mask="sticker", our_value=30.0, paper_value=34.0),
        cell(mask="simswap", our_value=None, images=None, paper_value=99.0),
        cell(mask="average", our_value=99.0, masks=2),
        cell(metric="ssim", our_value=0.9, paper_value=0.5),
    ]
    found = comparison.duel(cells, GROUPS[0], "lfw", "psnr_db")
    assert found is not None
    assert (found.ours, found.paper, found.masks) == (36.0, 37.0, ("gaussian", "sticker"))
    assert not found.wins
    assert comparison.duel(cells, GROUPS[0], "ffhq", "psnr_db") is None


@pytest.mark.parametrize(
    ("changes", "fair"),
    [
        ({}, True),
        ({"images": None, "our_value": None}, False),
        ({"paper_value": None}, False),
        ({"metric": "lpips", "our_metric": "lpips_squeeze"}, False),
        ({"metric": "lpips", "our_metric": "lpips_vgg"}, True),
        ({"mask": "average", "masks": 4}, False),
        ({"mask": "average", "masks": 6}, True),
        ({"our_value": None, "exact": 10}, True),
    ],
)
def test_only_the_same_thing_is_compared(changes: dict[str, object], fair: bool) -> None:
    assert comparison.comparable(cell(**changes)) is fair


@pytest.mark.parametrize(
    ("difference", "better", "wins"),
    [(1, "higher", True), (-1, "higher", False), (0, "higher", True), (0, "lower", True),
     (-1, "lower", True), (math.inf, "higher", True)],
)  # fmt: skip
def test_which_way_is_better(difference: float, better: str, wins: bool) -> None:
    assert comparison.is_better(difference, better) is wins


def test_the_verdict_counts_and_names_groups() -> None:
    told = comparison.verdict([duel(40, 38), duel(40, 41)])
    assert "1 of 2 comparisons" in told
    assert "Better: Protection, RandWR (+0.50 dB)" in told
    assert comparison.verdict([]) == "Nothing here can be set beside the papers yet."


def test_a_table_is_counted() -> None:
    cells = [
        cell(), cell(our_value=39.0), cell(our_value=None, images=None), cell(our_method=""),
        cell(metric="lpips", our_metric="lpips_squeeze"),
    ]  # fmt: skip
    assert comparison.tally(cells) == comparison.Tally(4, 3, 1, 1, 1)


def test_the_picture_shows_the_sense_by_more_than_colour() -> None:
    figure = papers.dumbbells([duel(42, 40), duel(39, 40)])
    marks = {trace.name: trace for trace in figure.data if trace.name}
    assert marks["ours, better"].marker.symbol == "triangle-up"
    assert marks["ours, worse"].marker.symbol == "triangle-down"
    assert marks["ours, better"].marker.color == style.BETTER
    assert list(marks["paper"].x) == [40, 40]
    texts = [text for trace in figure.data if trace.text is not None for text in trace.text]
    assert [text.strip() for text in texts] == ["+2.00", "−1.00"]
    assert "ours 42.00 dB, paper 40.00 dB, better" in papers.alt([duel(42, 40)])


def test_an_empty_picture_is_a_figure() -> None:
    assert papers.dumbbells([]).layout.height > 0


# --- tables ---------------------------------------------------------------------------------------


def test_a_cell_shows_ours_the_papers_and_the_sense() -> None:
    body = tables.table([cell()], dark=False)
    assert "<b>42.00</b><i>▲ +2.00</i><small>paper 40.00</small>" in body
    assert 'class="better set"' in body
    assert "▼ −3.00" in tables.table([cell(our_value=37.0)], dark=False)


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"our_value": None, "images": None}, "missing"),
        ({"our_method": "", "our_value": None, "images": None}, "paper only"),
        ({"our_value": None, "exact": 10}, "<b>exact</b><i>▲ exact</i>"),
        ({"paper_value": None, "place": None}, "<b>42.00</b></td>"),
        ({"mask": "average", "masks": 4}, "ours over 4 masks"),
        ({"metric": "lpips", "our_metric": "lpips_squeeze"}, "not comparable"),
    ],
)
def test_what_is_missing_or_apart_is_said(changes: dict[str, object], shown: str) -> None:
    assert shown in tables.table([cell(**changes)], dark=True)


def test_a_place_that_nobody_filled() -> None:
    body = tables.table([cell(), cell(mask="sticker", source="ffhq")], dark=False)
    assert body.count("neither the paper nor we") == 2


def test_rows_of_a_method_stand_together() -> None:
    order = [("A", "average"), ("B", "average"), ("A", "box"), ("B", "box")]
    cells = [cell(method=method, mask=mask) for method, mask in order]
    assert tables.rows(cells) == [order[0], order[2], order[1], order[3]]


def test_what_comes_from_the_database_is_no_markup() -> None:
    body = tables.table([cell(method="<script>alert(1)</script>", note='"><u>')], dark=False)
    assert "<script>" not in body
    assert "<u>" not in body


def test_notes_are_told_once_with_what_they_are_about() -> None:
    cells = [cell(note="from floats"), cell(metric="ssim", note="from floats; stretched")]
    assert tables.notes(cells) == [
        "**PSNR, SSIM** in the paper: from floats", "**SSIM** in the paper: stretched",
    ]  # fmt: skip


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "name", "written"),
    [(40.123, "psnr_db", "40.12"), (None, "psnr_db", "–"), (math.inf, "psnr_db", "exact"),
     (1073040, "parameters", "1,073,040"), (-0.5, "ssim", "−0.500")],
)  # fmt: skip
def test_numbers(value: float | None, name: str, written: str) -> None:
    assert words.number(value, name) == written


def test_pairs_and_metrics_that_nobody_named_are_readable() -> None:
    assert words.pair("original:flipped_0.05") == "5 % of the key map flipped"
    assert words.pair("original:tile_0.05") == "5 % of the key map flipped, as a tile"
    assert words.pair("original:jpeg_90") == "original beside jpeg 90"
    assert words.axis("something_ms") == "something ms (ms)"
    assert words.share("much") == "much"


# --- series ---------------------------------------------------------------------------------------


def test_means_are_pooled_by_their_faces() -> None:
    found = series.together([mean(40.0, images=10), mean(50.0, images=30), mean(None, exact=10)])
    assert found.mean == 47.5
    assert found.deviation == pytest.approx(math.sqrt(1 + 0.25 * 7.5**2 + 0.75 * 2.5**2))
    assert (found.images, found.exact) == (50, 10)
    assert series.together([mean(None)]).mean is None


def test_ends_are_finite() -> None:
    assert series.ends([mean(40.0)]) == (30.0, 50.0)
    assert series.ends([mean(40.0, greatest=math.inf)]) == (30.0, 43.0)
    assert series.ends([mean(None, least=math.inf, greatest=math.inf)]) is None


def test_the_newest_of_each_figure_counts() -> None:
    found = series.newest([mean(1.0, run_id=3), mean(2.0, run_id=1), mean(5.0, source="ffhq")])
    assert [m.mean for m in found] == [1.0, 5.0]


def test_a_trial_on_a_few_faces_does_not_count() -> None:
    few = dataclasses.replace(mean(1.0, run_id=3), images=2)
    assert [m.mean for m in series.newest([few, mean(2.0, run_id=1)])] == [2.0]


@pytest.mark.parametrize(
    ("name", "sweep"),
    [("proface-s-rand-n3", True), ("proface-s-rand", False), ("sealed", False)],
)
def test_trainings_of_figure_6_are_known_by_name(name: str, sweep: bool) -> None:
    assert series.is_sweep(name) is sweep


def test_an_amount_stands_at_the_end_of_a_pair() -> None:
    assert series.amount("original:flipped_0.05") == 0.05
    assert series.amount("original:recovered") is None
    assert series.second("original:flipped_0.05") == "flipped"
    assert series.second("original:one_char") == "one_char"
    assert series.second("wrong") == "wrong"


def test_partners_share_method_mask_and_set() -> None:
    x, y, other = mean(1.0), mean(0.5, metric="ssim"), mean(0.5, metric="ssim", mask="box")
    assert series.partners([x], [other, y]) == [(x, y)]


# --- other figures --------------------------------------------------------------------------------


def test_histograms_are_shares_of_each_group() -> None:
    figure = spread.histogram({"a": [1, 3], "b": [0, 10]}, 0.0, 2.0, "psnr_db")
    assert list(figure.data[0].x) == [0.0, 0.0, 1.0, 2.0]
    assert list(figure.data[0].y) == [0, 25.0, 75.0, 0]
    assert figure.data[0].fillpattern.shape != figure.data[1].fillpattern.shape
    assert "a is highest near 1.50" in spread.counted({"a": [1, 3]}, 0.0, 2.0, "psnr_db")


def test_boxes_show_percentiles() -> None:
    values = [float(i) for i in range(101)]
    assert spread.five(values) == (5.0, 25.0, 50.0, 75.0, 95.0)
    assert spread.five([7.0]) == (7.0,) * 5
    box = spread.boxes({"a": values}, "psnr_db").data[0]
    assert (box.q1[0], box.median[0], box.q3[0]) == (25.0, 50.0, 75.0)


def test_points_know_their_face() -> None:
    figure = spread.scatter({"a": [("lfw/1.png", 1.0, 2.0)]}, "x", "y")
    assert list(figure.data[0].customdata[0]) == ["lfw/1.png"]


def test_sweeps_run_over_percent() -> None:
    summary = series.Summary(40.0, 1.0, 5, 0)
    lost = series.Summary(None, 0.0, 5, 5)
    curves = {("proface-s-rand", "flipped"): [(0.01, summary), (0.5, lost)]}
    figure = keys.sweep(curves, "psnr_db")
    assert list(figure.data[1].x) == [1.0]
    assert "40.00 at 1 %" in keys.told_sweep(curves, "psnr_db")


def test_tiles_stand_beside_scattered_bits_told_apart_by_more_than_colour() -> None:
    points = [(0.01, series.Summary(40.0, 1.0, 5, 0))]
    methods = ("proface-s-rand", "proface-s-obfs")
    curves = {(method, way): points for method in methods for way in key_rows.WAYS}
    drawn = {line.name: line for line in keys.sweep(curves, "psnr_db").data if line.name}
    assert list(drawn) == [
        "RandWR, scattered", "RandWR, one tile", "ObfsWR, scattered", "ObfsWR, one tile",
    ]  # fmt: skip
    looks = {name: (line.line.dash, line.marker.symbol) for name, line in drawn.items()}
    assert looks == {
        "RandWR, scattered": ("solid", "circle"), "RandWR, one tile": ("dash", "circle-open"),
        "ObfsWR, scattered": ("solid", "square"), "ObfsWR, one tile": ("dash", "square-open"),
    }  # fmt: skip
    assert drawn["RandWR, scattered"].line.color == drawn["RandWR, one tile"].line.color
    assert "ObfsWR, one tile: 40.00 at 1 %" in keys.told_sweep(curves, "psnr_db")


def test_both_ways_of_a_sweep_are_of_the_same_masks_where_there_are_some() -> None:
    def of(method: str, mask: str, way: str) -> MeanScore:
        return mean(40.0, method=method, mask=mask, pair=f"original:{way}_0.05")

    same = [of("a", "gaussian", "flipped"), of("a", "gaussian", "tile")]
    alone = [of("b", "sticker", "flipped")]
    apart = [of("c", "gaussian", "flipped"), of("c", "sticker", "tile")]
    other = [of("a", "sticker", "flipped"), mean(1.0, pair="original:one_char")]
    assert key_rows.alike([*same, *alone, *apart, *other]) == [*same, *alone, *apart]
    assert list(key_rows.sweep([*same, *alone])) == [
        ("a", "flipped"), ("a", "tile"), ("b", "flipped"),
    ]  # fmt: skip


def test_a_key_test_shows_its_p_value_and_the_corrected_one() -> None:
    found = [
        KeyTest(7, "sealed", "gaussian", 0.11, 0.008, 0.032, 40),
        KeyTest(7, "sealed", "sticker", None, 0.0, None, 40),
    ]
    figure = keys.tests(found)
    tested, corrected, line = figure.data
    assert (list(tested.x), list(corrected.x)) == ([0.008, 1e-6], [0.032])
    assert tested.marker.symbol != corrected.marker.symbol
    assert list(corrected.y) == ["Sealed, blur"]
    assert [shape.x0 for shape in figure.layout.shapes] == [attack_words.SAME]
    assert line.name == "like any other key above 0.01"
    low, high = figure.layout.xaxis.range
    assert low < math.log10(1e-6) < math.log10(attack_words.SAME) < high
    told = "Sealed, blur: p 0.008, corrected p 0.032, distance 0.11; 40 faces, run 7"
    assert corrected.customdata[0] == told
    assert keys.told_tests(found).endswith(f"{told}; Sealed, sticker: p 0; 40 faces, run 7")
    keys.tests([KeyTest(7, "sealed", "gaussian", None, None, 0.5, 40)])


def test_edits_stand_in_the_order_of_our_words() -> None:
    summary = series.Summary(9.0, 1.0, 5, 0)
    found = {"sealed": {"original:byproduct": summary, "original:one_char": summary}}
    order = keys.edits(found, "psnr_db").layout.yaxis.categoryarray
    assert list(order) == ["byproduct of protection", "one character wrong"]


def test_costs_are_ordered_and_the_papers_named() -> None:
    found = [cost.Bar("b", 2e6, 2e6, 2e6, paper=True), cost.Bar("a", 1.0, 0.5, 2.0, paper=False)]
    figure = cost.bars(found, log=True)
    assert [trace.name for trace in figure.data] == ["ours", "paper"]
    assert list(figure.layout.yaxis.categoryarray) == ["b", "a"]
    assert cost.told(found, "Parameters") == "Parameters: b (paper) 2M; a 1"


def test_blocks_are_means_over_masks_and_sets() -> None:
    found = [(1, mean(30.0)), (1, mean(40.0, mask="box")), (2, mean(50.0))]
    assert blocks.means_by_pair(found, "psnr_db") == {"original:recovered": [(1, 35.0), (2, 50.0)]}
    assert len(blocks.by_number(found, "psnr_db").data) == 1


# --- curves ---------------------------------------------------------------------------------------


def test_smoothing_starts_unbiased() -> None:
    assert curves.smoothed([4.0, 4.0, 4.0], 0.9) == pytest.approx([4.0, 4.0, 4.0])
    assert curves.smoothed([1.0, 0.0], 0.5) == pytest.approx([1.0, 1 / 3])
    assert curves.smoothed([1.0, 2.0], 0.0) == [1.0, 2.0]


def test_smoothing_passes_over_what_is_infinite() -> None:
    assert curves.smoothed([2.0, math.inf, 2.0], 0.5) == pytest.approx([2.0, 2.0, 2.0])
    assert curves.smoothed([math.inf, 2.0], 0.5) == [math.inf, 2.0]


def test_curves_keep_the_raw_values_faint() -> None:
    found = {1: {"total": [Loss(1, "total", 1.0, 60.0), Loss(2, "total", 0.5, 120.0)]}}
    figure = curves.curve(found, "total", {1: "run"}, 0.5, by_time=True, log=True)
    raw, smooth = figure.data
    assert list(raw.x) == [1.0, 2.0]
    assert list(raw.y) == [1.0, 0.5]
    assert "0.3)" in raw.line.color
    assert smooth.y[1] == pytest.approx(2 / 3)
    assert figure.layout.yaxis.type == "log"


def test_the_total_comes_first_and_decibels_before_the_rest() -> None:
    found = {1: dict.fromkeys(["wrong", "mask:protected_db", "total"], ())}
    assert curves.names(found) == ["total", "mask:protected_db", "wrong"]
    assert curves.best("mask:protected_db", 1.0, 9.0) == 9.0
    assert curves.best("total", 1.0, 9.0) == 1.0


# --- runs and files -------------------------------------------------------------------------------


def run(number: int, **changes: object) -> Run:
    fields: dict[str, object] = {
        "id": number, "kind": "train", "model": "m", "command": "python", "config": "{}",
        "started_at": "2026-11-21T06:00:00.000+00:00", "state": "finished",
        "finished_at": "2026-11-21T08:00:00.000+00:00", "heartbeat_at": None, "commit_hash": "",
        "dirty": None, "weights_hash": "", "data_hash": "", "seed": None, "versions": "{}",
        "device": "", "threads": None, "note": "", "tag": "", "hidden": False, "figures": 0,
    }  # fmt: skip
    return Run(**(fields | changes))  # type: ignore[arg-type]


def test_settings_are_laid_out_flat_and_compared() -> None:
    one = run(1, config=json.dumps({"a": {"b": 1}, "list": [1, 2]}))
    two = run(2, config=json.dumps({"a": {"b": 2}, "list": [1, 2]}))
    assert run_rows.differences([one, two]) == [{"setting": "config.a.b", "1 m": "1", "2 m": "2"}]
    every = run_rows.differences([one, two], only=False)
    assert {"setting": "config.list", "1 m": "1, 2", "2 m": "1, 2"} in every


def test_a_configuration_that_is_no_json_is_shown_as_it_is() -> None:
    assert run_rows.settings(run(1, config="old words"))["config"] == "old words"


@pytest.mark.parametrize(
    ("end", "told"),
    [("2026-11-21T06:00:30+00:00", "30 s"), ("2026-11-21T06:30:00+00:00", "30 min"),
     ("2026-11-21T09:00:00+00:00", "3.0 h"), (None, "–")],
)  # fmt: skip
def test_how_long_a_run_took(end: str | None, told: str) -> None:
    assert run_rows.took(run(1, finished_at=end)) == told


def test_figures_side_by_side_leave_gaps() -> None:
    runs = [run(1), run(2)]
    rows = run_rows.side_by_side(runs, [mean(40.0, run_id=1), mean(0.5, run_id=2, mask="box")])
    assert [(row["1 m"], row["2 m"]) for row in rows] == [(40.0, None), (None, 0.5)]


def test_exports_are_whole_and_harmless() -> None:
    rows = [{"a": 1, "note": "=cmd()"}, {"a": math.inf, "b": "é"}]
    assert frame.as_csv(rows).splitlines() == ["a,note,b", "1,'=cmd(),", "inf,,é"]
    assert json.loads(frame.as_json(rows))[1] == {"a": "exact", "b": "é"}
    assert frame.as_csv([]) == ""
    for start in "=+-@\t\r":
        assert f"'{start}x" in frame.as_csv([{"a": f"{start}x"}])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("proface-s-rand", "proface-s-rand"), ("- a", "\\- a"), ("a -> b", "a \\-\\> b"),
        ("![a](b) _c_\n# d", "\\!\\[a\\]\\(b\\) \\_c\\_ \\# d"),
    ],
)  # fmt: skip
def test_marks_of_a_name_are_shown(text: str, shown: str) -> None:
    assert words.plain(text) == shown


def test_the_examples_have_faces_of_every_set() -> None:
    assert FACES > 1
    assert set(SETS) == set(comparison.SETS)
