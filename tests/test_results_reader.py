import dataclasses
import datetime
import json
import math
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import ResultsError
from engine.provenance import provenance
from engine.references import PAPER_MASKS, REFERENCES
from engine.results import SCHEMA_VERSION, TABLES, Artifact, Cost, Loss, Reader, Results, Score
from engine.results.views import VIEWS

V1 = Path(__file__).parent / "results_v1.sql"


def old_database(path: Path) -> bytes:
    connection = sqlite3.connect(path)
    connection.executescript(V1.read_text(encoding="utf-8"))
    connection.close()
    return path.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.db"


@pytest.fixture
def results(path: Path) -> Iterator[Results]:
    database = Results(path)
    yield database
    database.close()


def score(
    value: float, image: str = "a.png", metric: str = "psnr_db", mask: str = "gaussian",
    method: str = "proface-s-rand", pair: str = "mask:protected", source: str = "lfw",
    protocol: str = "png",
) -> Score:  # fmt: skip
    return Score(image, source, method, mask, pair, metric, value, protocol)


def add(
    results: Results,
    *scores: Score,
    kind: str = "benchmark",
    data: str = "d",
    config: str = "{}",
) -> int:
    run_id = results.start_run(kind, "m", "command", config, data_hash=data)
    with results.running(run_id):
        results.add_scores(run_id, scores)
    return run_id


# --- runs -----------------------------------------------------------------------------------------


def test_a_run_carries_what_reproduces_it(results: Results, path: Path) -> None:
    source = provenance()
    run_id = results.start_run(
        "benchmark", "sealed", "python -m engine benchmark", "{}", provenance=source,
        weights_hash="w", data_hash="d", seed=3, device="cpu", threads=2,
    )  # fmt: skip
    with Reader(path) as reader:
        run = reader.run(run_id)
    assert (run.kind, run.model, run.state, run.finished_at) == (
        "benchmark",
        "sealed",
        "running",
        None,
    )
    assert (run.commit_hash, run.dirty) == (source.commit, source.dirty)
    assert (run.weights_hash, run.data_hash, run.seed, run.device, run.threads) == (
        "w",
        "d",
        3,
        "cpu",
        2,
    )
    versions = json.loads(run.versions)
    assert len(versions["code"]) == 16
    assert {"python", "torch", "numpy"} <= set(versions)


@pytest.mark.parametrize(
    ("error", "state"),
    [(None, "finished"), (KeyboardInterrupt, "stopped"), (ValueError, "crashed")],
)
def test_the_state_follows_the_run(
    results: Results, path: Path, error: type[BaseException] | None, state: str
) -> None:
    run_id = results.start_run("train", "m", "", "{}")
    reader = Reader(path)
    if error is None:
        with results.running(run_id):
            assert reader.run(run_id).state == "running"
    else:
        with pytest.raises(error), results.running(run_id):
            raise error
    assert reader.run(run_id).state == state
    assert reader.run(run_id).finished_at is not None
    with results.running(run_id):
        assert (reader.run(run_id).state, reader.run(run_id).finished_at) == ("running", None)
    reader.close()


def test_a_run_without_a_heartbeat_has_crashed(results: Results, path: Path) -> None:
    run_id = results.start_run("train", "m", "", "{}")
    old = datetime.datetime.now(datetime.UTC) - datetime.timedelta(minutes=6)
    results._db.conn.execute("UPDATE run SET heartbeat_at = ?", [old.isoformat()])
    with Reader(path) as reader:
        assert reader.run(run_id).state == "crashed"
        results.add_losses(run_id, [Loss(1, "total", 1.0, 0.0)])
        assert reader.run(run_id).state == "running"
        results._db.conn.execute("UPDATE run SET heartbeat_at = ?", [old.isoformat()])
        results.beat(run_id)
        assert reader.run(run_id).state == "running"


def test_runs_newest_first_and_by_kind(results: Results, path: Path) -> None:
    first = add(results, score(1.0), score(2.0, "b.png"))
    second = add(results, kind="train")
    results.annotate(first, note="good", tag="v1", hidden=True)
    results.annotate(first, tag="v2")
    with Reader(path) as reader:
        assert [run.id for run in reader.runs()] == [second, first]
        assert [run.id for run in reader.runs("benchmark")] == [first]
        assert [run.id for run in reader.runs(hidden=False)] == [second]
        run = reader.run(first)
        assert (run.note, run.tag, run.hidden, run.figures) == ("good", "v2", True, 2)
        with pytest.raises(ResultsError, match="there is no run 99"):
            reader.run(99)


def test_a_change_of_code_is_another_run(results: Results) -> None:
    source = provenance()
    run_id = results.start_run("benchmark", "m", "", "{}", provenance=source)
    assert results.find_run("benchmark", "{}", source.versions) == run_id
    assert results.find_run("benchmark", "{}", '{"code": "other"}') is None
    assert results.find_run("benchmark", "{}") == run_id


# --- scores ---------------------------------------------------------------------------------------


def test_means_of_the_newest_finished_run_that_is_not_hidden(results: Results, path: Path) -> None:
    first = add(results, score(40.0), score(0.9, metric="ssim"))
    second = add(results, score(50.0))
    crashed = results.start_run("benchmark", "m", "", "{}")
    results.add_scores(crashed, [score(60.0)])
    add(results, score(70.0), kind="attack")
    with Reader(path) as reader:
        found = {mean.metric: (mean.mean, mean.run_id) for mean in reader.means()}
        assert found == {"psnr_db": (50.0, second), "ssim": (0.9, first)}
        results.annotate(second, hidden=True)
        assert {mean.metric: mean.mean for mean in reader.means()} == {"psnr_db": 40.0, "ssim": 0.9}
        assert [mean.mean for mean in reader.means([crashed])] == [60.0]
        assert [mean.mean for mean in reader.means([second, crashed])] == [50.0, 60.0]


def test_a_trial_on_a_few_faces_replaces_no_full_run(results: Results, path: Path) -> None:
    full = add(results, score(40.0), score(42.0, "b.png"))
    add(results, score(50.0))
    with Reader(path) as reader:
        assert [(mean.mean, mean.run_id) for mean in reader.means()] == [(41.0, full)]
        cells = reader.paper_table("table_1_protect")
        assert {cell.our_value for cell in cells if cell.images} == {41.0}
    again = add(results, score(44.0), score(46.0, "b.png"))
    with Reader(path) as reader:
        assert [(mean.mean, mean.run_id) for mean in reader.means()] == [(45.0, again)]


def test_figures_of_a_models_older_weights_count_nowhere(results: Results, path: Path) -> None:
    def weights(value: str) -> str:
        return json.dumps({"weights": {score(0.0).method: value}})

    def shown() -> list[tuple[float | None, int]]:
        with Reader(path) as reader:
            return [(mean.mean, mean.run_id) for mean in reader.means()]

    unnoted = add(results, score(30.0), score(30.0, "b.png"), score(30.0, "c.png"))
    assert shown() == [(30.0, unnoted)]
    full = add(results, score(40.0), score(42.0, "b.png"), config=weights("aa"))
    assert shown() == [(41.0, full)]
    add(results, score(50.0), config=weights("aa"))
    assert shown() == [(41.0, full)]
    retrained = add(results, score(60.0), config=weights("bb"))
    assert shown() == [(60.0, retrained)]
    # Other methods' weights, attacks' and broken configs say nothing of this one's.
    add(results, score(70.0), config=weights("cc"), kind="attack")
    add(results, score(70.0), config='{"weights": {"another": "cc"}}')
    add(results, score(70.0), config="no JSON")
    assert shown() == [(60.0, retrained)]
    with Reader(path) as reader:
        cells = reader.paper_table("table_1_protect")
        assert {cell.our_value for cell in cells if cell.images} == {60.0}


def test_a_file_with_older_views_is_read_through_those_of_today(
    results: Results, path: Path
) -> None:
    full = add(results, score(40.0), score(42.0, "b.png"))
    add(results, score(50.0))
    results.close()
    old = VIEWS["latest_score"].replace("max((images << 32) + series.run_id)", "max(series.run_id)")
    connection = sqlite3.connect(path)
    connection.execute("DROP VIEW latest_score")
    connection.execute(old)
    (mean,) = connection.execute("SELECT mean FROM latest_score").fetchone()
    connection.commit()
    connection.close()
    assert mean == 50.0
    before = path.read_bytes()
    with Reader(path) as reader:
        assert [(mean.mean, mean.run_id) for mean in reader.means()] == [(41.0, full)]
        cells = reader.paper_table("table_1_protect")
        assert {cell.our_value for cell in cells if cell.images} == {41.0}
    assert path.read_bytes() == before


def test_filters(results: Results, path: Path) -> None:
    kinds = [("gaussian", "ssim"), ("box", "ssim"), ("box", "mae")]
    add(results, *(score(1.0, mask=mask, metric=metric) for mask, metric in kinds))
    with Reader(path) as reader:
        assert len(reader.means()) == 3
        assert len(reader.means(mask="box")) == 2
        assert len(reader.means(mask=["box", "gaussian"], metric="ssim")) == 2
        assert reader.means(mask=[]) == []
        assert reader.choices()["mask"] == ["box", "gaussian"]
        with pytest.raises(ResultsError, match="no filter is called 'colour'"):
            reader.means(colour="red")


def test_aggregates_equal_the_values_of_the_faces(results: Results, path: Path) -> None:
    values = [40.0, 44.0, 45.0, math.inf, 47.0]
    run_id = add(results, *(score(v, f"{i}.png") for i, v in enumerate(values)))
    results.add_scores(run_id, [score(41.0, "0.png"), score(math.inf, "4.png")])
    with Reader(path) as reader:
        (mean,) = reader.means()
        assert mean.mean == pytest.approx((41 + 44 + 45) / 3)
        assert mean.deviation == pytest.approx(1.6997, abs=1e-4)
        assert (mean.images, mean.exact, mean.least, mean.greatest) == (5, 2, 41.0, math.inf)
        found = dict(reader.distribution(mean.series_id))
        assert found == {
            "0.png": 41.0,
            "1.png": 44.0,
            "2.png": 45.0,
            "3.png": math.inf,
            "4.png": math.inf,
        }
        counts = reader.histogram([mean.series_id], 41.0, 45.0, bins=4)
        assert counts == {mean.series_id: [1, 0, 0, 2]}
        flat = reader.histogram([mean.series_id], 41.0, 41.0, bins=4)
        assert flat == {mean.series_id: [3, 0, 0, 0]}


def test_a_histogram_may_end_at_zero(results: Results, path: Path) -> None:
    add(results, *(score(v, f"{i}.png") for i, v in enumerate([-4.0, -3.0, -1.0, 0.0])))
    with Reader(path) as reader:
        (mean,) = reader.means()
        assert reader.histogram([mean.series_id], -4.0, 0.0, bins=4)[mean.series_id] == [1, 1, 0, 2]


@pytest.mark.parametrize("value", [math.nan, -math.inf])
def test_scores_that_no_metric_gives_are_refused_whole(results: Results, value: float) -> None:
    run_id = results.start_run("benchmark", "m", "", "{}")
    with pytest.raises(ResultsError, match="is not a number"):
        results.add_scores(run_id, [score(1.0), score(value, "b.png")])
    results.add_scores(run_id, [score(2.0)])
    assert [mean.mean for mean in results.mean_scores(run_id)] == [2.0]


def test_writing_goes_on_after_a_transaction_that_failed(results: Results) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        results.add_scores(99, [score(1.0)])
    run_id = add(results, score(2.0))
    assert [mean.mean for mean in results.mean_scores(run_id)] == [2.0]


def test_scatter_and_face_join_by_face(results: Results, path: Path) -> None:
    run_id = add(results, *(
        score(value, image, metric) for image, metric, value in [
            ("a.png", "psnr_db", 40.0), ("b.png", "psnr_db", 41.0), ("c.png", "psnr_db", math.inf),
            ("b.png", "ssim", 0.8), ("a.png", "ssim", 0.9), ("c.png", "ssim", 1.0),
        ]
    ))  # fmt: skip
    with Reader(path) as reader:
        series = {mean.metric: mean.series_id for mean in reader.means()}
        found = reader.scatter(series["psnr_db"], series["ssim"])
        assert found == [("a.png", 40.0, 0.9), ("b.png", 41.0, 0.8)]
        assert {s.metric: s.value for s in reader.face(run_id, "b.png")} == {
            "psnr_db": 41.0,
            "ssim": 0.8,
        }
        assert reader.face(run_id, "z.png") == []


def test_one_face_of_two_data_sets_is_two(results: Results, path: Path) -> None:
    first, second = add(results, score(1.0), data="one"), add(results, score(2.0), data="two")
    with Reader(path) as reader:
        one, two = (reader.means([run])[0].series_id for run in (first, second))
        assert reader.scatter(one, two) == []


# --- losses, costs, pictures ----------------------------------------------------------------------


def test_curves_are_thinned_but_end_where_they_end(results: Results, path: Path) -> None:
    run_id = results.start_run("train", "m", "", "{}")
    results.add_losses(run_id, [Loss(s, "total", 1 / s, s / 2) for s in range(1, 1002)])
    results.add_losses(run_id, [Loss(5, "protect", 3.0, 2.5)])
    with Reader(path) as reader:
        curve = reader.losses([run_id], most=100)[run_id]["total"]
        assert 90 < len(curve) <= 102
        assert (curve[0].step, curve[-1].step) == (1, 1001)
        assert list(reader.losses([run_id], ["protect"])[run_id]) == ["protect"]
        assert len(reader.losses([run_id])[run_id]["total"]) == 1001
        assert reader.losses([run_id, 77])[77] == {}
        assert reader.extremes([run_id])[run_id] == {
            "protect": (3.0, 3.0, 3.0), "total": (1 / 1001, 1 / 1001, 1.0),
        }  # fmt: skip


def test_costs_and_pictures(results: Results, path: Path) -> None:
    run_id = add(results)
    cost = Cost("sealed", "gaussian", "protect_batch_s", 16, 0.5, 0.4, 0.6, "s")
    results.add_costs(run_id, [cost])
    picture = Artifact("a.png", "sealed", "gaussian", "protected", "public domain", b"PNG")
    results.add_artifact(run_id, picture)
    results.add_artifact(run_id, dataclasses.replace(picture, data=b"other"))
    with Reader(path) as reader:
        assert reader.costs() == [(run_id, cost)] == reader.costs([run_id])
        assert reader.costs([]) == []
        assert [one.data for one in reader.artifacts(run_id)] == [b"other"]
        assert reader.artifacts(image="b.png") == []
    with pytest.raises(ResultsError, match="not a number"):
        results.add_costs(run_id, [dataclasses.replace(cost, median=math.inf)])
    for wrong in ({"licence": " "}, {"data": bytes(2**16 + 1)}):
        with pytest.raises(ResultsError, match="must have a licence note and at most 64 KiB"):
            results.add_artifact(run_id, dataclasses.replace(picture, **wrong))


# --- papers ---------------------------------------------------------------------------------------


def test_references_are_there_as_printed(results: Results, path: Path) -> None:
    with Reader(path) as reader:
        assert tuple(reader.references()) == REFERENCES
        assert len(reader.references("IMN", "4")) == 8
    known = {(r.table, r.method, r.mask, r.source, r.metric, r.pair): r.value for r in REFERENCES}
    pair = "original:recovered"
    assert known["I", "PRO-Face S RandWR", "gaussian", "lfw", "psnr_db", "mask:protected"] == 46.64
    assert known["II", "PRO-Face S ObfsWR", "sticker", "ffhq", "lpips", pair] == 0.0165
    assert known["IV", "full", "average", "celeba", "ssim", "mask:wrong"] == 0.965
    assert known["V", "IMN", "simswap", "", "protect_batch_s", "cost"] == 1.84
    assert known["4", "IMN", "", "age_adults", "rmse", pair] == 0.441


@pytest.mark.parametrize(("table", "pair"), [("I", "mask:protected"), ("II", "original:recovered")])
@pytest.mark.parametrize("wrong", ["RandWR", "ObfsWR"])
def test_printed_averages_are_those_of_the_printed_masks(table: str, pair: str, wrong: str) -> None:
    """A slip in copying the tables would show here.

    What is let through is the paper's rounding, and that Table II's SSIM of RandWR on LFW and
    CelebA are printed as averages without the sticker.
    """
    own = [
        r for r in REFERENCES if (r.table, r.pair, r.method) == (table, pair, f"PRO-Face S {wrong}")
    ]
    for source in ("lfw", "celeba", "ffhq"):
        for metric, within in (("psnr_db", 0.011), ("ssim", 0.0025), ("lpips", 0.0002)):
            values = {r.mask: r.value for r in own if (r.source, r.metric) == (source, metric)}
            mean = sum(values[mask] for mask in PAPER_MASKS) / len(PAPER_MASKS)
            assert values["average"] == pytest.approx(mean, abs=within), (source, metric)


def test_every_table_of_the_papers_has_a_view(results: Results, path: Path) -> None:
    with Reader(path) as reader:
        for name, (paper, number, _) in TABLES.items():
            cells = reader.paper_table(name)
            printed = [r for r in REFERENCES if (r.paper, r.table) == (paper, number)]
            assert [cell.paper_value for cell in cells] == [one.value for one in printed]
            assert all(cell.our_value is None and cell.images is None for cell in cells)
        with pytest.raises(ResultsError, match="no table is called 'table_9'"):
            reader.paper_table("table_9")


def test_ours_stands_beside_the_papers(results: Results, path: Path) -> None:
    add(
        results,
        score(40.0), score(42.0, mask="sticker"), score(0.2, metric="lpips_squeeze"),
        score(0.1, metric="lpips_vgg"), score(39.0, protocol="paper"), score(99.0, mask="box"),
        score(51.0, method="sealed"),
    )  # fmt: skip
    with Reader(path) as reader:
        cells = reader.paper_table("table_1_protect")
        mine = {(c.our_method, c.mask, c.metric): c for c in cells if c.our_value is not None}
        blur = mine["proface-s-rand", "gaussian", "psnr_db"]
        assert (blur.paper_value, blur.our_value, blur.images) == (46.64, 40.0, 1)
        assert blur.difference == pytest.approx(-6.64)
        average = mine["proface-s-rand", "average", "psnr_db"]
        assert (average.our_value, average.masks) == (41.0, 2)  # the box is none of the paper's
        lpips = mine["proface-s-rand", "gaussian", "lpips"]
        assert (lpips.our_value, lpips.our_metric) == (0.1, "lpips_vgg")
        own = mine["sealed", "gaussian", "psnr_db"]
        assert (own.paper_value, own.place, own.better) == (None, None, "higher")
        paper = reader.paper_table("table_1_protect", "paper")
        assert [c.our_value for c in paper if c.our_value is not None] == [39.0, 39.0]


def test_a_wrong_key_of_randwr_shall_be_low(results: Results, path: Path) -> None:
    add(results, score(9.0, pair="original:wrong"), score(12.0, "b.png", pair="original:wrong"))
    with Reader(path) as reader:
        cells = [c for c in reader.paper_table("table_3_wrong") if c.mask == "gaussian"]
        (cell,) = [c for c in cells if c.our_value is not None]
        assert (cell.better, cell.our_value, cell.least, cell.greatest) == (
            "lower",
            10.5,
            9.0,
            12.0,
        )
        assert {c.better for c in cells if c.pair == "mask:wrong" and c.metric != "lpips"} == {
            "higher"
        }


def test_cost_table(results: Results, path: Path) -> None:
    run_id = add(results)
    results.add_costs(run_id, [
        Cost("proface-s-rand", "gaussian", "protect_batch_s", 16, 0.5, 0.4, 0.6, "s"),
        Cost("proface-s-rand", "gaussian", "protect_batch_s", 4, 0.1, 0.1, 0.1, "s"),
        Cost("proface-s-rand", "gaussian", "parameters", 0, 1_073_040.0, 1.0, 1.0, ""),
    ])  # fmt: skip
    with Reader(path) as reader:
        found = {c.metric: c.our_value for c in reader.paper_table("table_5_cost") if c.our_value}
    assert found == {"parameters": 1_073_040.0, "protect_batch_s": 0.5}


def test_blocks(results: Results, path: Path) -> None:
    add(results, score(30.0, method="proface-s-rand-n2"), score(31.0))
    with Reader(path) as reader:
        assert [(n, mean.mean) for n, mean in reader.blocks()] == [(2, 30.0)]


# --- older files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("opener", [Results, Reader])
def test_a_file_of_schema_1_is_all_there(path: Path, opener: type[Results] | type[Reader]) -> None:
    before = old_database(path)
    opener(path).close()
    assert (path.read_bytes() == before) == (opener is Reader)
    with Reader(path) as reader:
        assert [run.state for run in reader.runs()] == ["unknown", "finished", "unknown"]
        bench = reader.run(2)
        assert (bench.data_hash, bench.seed, bench.figures) == ("d" * 64, 7, 32)
        means = {(m.mask, m.source, m.pair, m.metric): m for m in reader.means([2])}
        assert len(means) == 16
        assert means["sticker", "lfw", "mask:protected", "psnr_db"].mean == 50.625
        exact = means["gaussian", "ffhq", "original:recovered", "psnr_db"]
        assert (exact.mean, exact.exact, exact.images) == (None, 2, 2)
        assert [loss.value for loss in reader.losses([1])[1]["total"]] == [0.05, 0.025, 1 / 60]


def test_a_migrated_file_is_like_a_new_one(path: Path, tmp_path: Path) -> None:
    old_database(path)
    databases = [Results(path), Results(tmp_path / "new.db")]
    shapes = []
    for results in databases:
        db = results._db
        shapes.append({name: db[name].schema for name in db.table_names()})
        assert db.conn.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert db.conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert db.conn.execute("PRAGMA foreign_key_check").fetchall() == []
        results.close()
    assert shapes[0] == shapes[1]


def test_a_migrated_run_is_gone_on_with(path: Path) -> None:
    old_database(path)
    results = Results(path)
    assert results.scored_images(3, "sealed", "median") == {"a.png", "b.png"}
    results.add_scores(3, [score(50.0, "c.png", mask="median", method="sealed", source="ffhq")])
    results.add_losses(1, [Loss(80, "total", 0.5, 8.0)])
    assert results.scored_images(3, "sealed", "median") == {"a.png", "b.png", "c.png"}
    assert len(results.losses(1)) == 7
    results.close()


@pytest.mark.parametrize("content", [b"", b"text" * 99])
def test_a_reader_of_nothing(path: Path, content: bytes) -> None:
    with pytest.raises(ResultsError, match=r"no results database is at results\.db"):
        Reader(path)
    path.write_bytes(content)
    with pytest.raises(ResultsError, match=r"results\.db cannot be"):
        Reader(path)
    assert path.read_bytes() == content


def test_every_table_is_strict(results: Results) -> None:
    tables = results._db.conn.execute("PRAGMA table_list").fetchall()
    own = {
        row[1]: row[5] for row in tables if row[2] == "table" and not row[1].startswith("sqlite_")
    }
    assert own == dict.fromkeys(
        ("run", "loss", "face", "series", "score", "cost", "artifact", "reference", "paper_mask"), 1
    )
    with pytest.raises(sqlite3.IntegrityError):
        results._db.conn.execute("INSERT INTO score VALUES ('one', 1, 1.0)")
