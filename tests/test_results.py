import math
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import ResultsError
from engine.results import SCHEMA_VERSION, Loss, Reader, Results, Score
from engine.results.releasing import without_folders


@pytest.fixture
def results(tmp_path: Path) -> Iterator[Results]:
    database = Results(tmp_path / "runs" / "results.db")
    yield database
    database.close()


def start(results: Results, config: str = "{}") -> int:
    return results.start_run("train", "tiny", "train tiny", config)


def score(value: float, image: str = "a.png", metric: str = "psnr_db") -> Score:
    return Score(image, "lfw", "sealed", "gaussian", "mask:protected", metric, value)


def make_database(path: Path, *statements: str) -> bytes:
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return path.read_bytes()


# --- losses ---------------------------------------------------------------------------------------


def test_losses_round_trip(results: Results) -> None:
    run = start(results)
    losses = [Loss(20, "total", 0.1 + 0.2, 1.5), Loss(20, "protect", 1e-30, 1.5)]
    results.add_losses(run, losses)
    results.add_losses(run, [Loss(40, "total", -3.0, 3.0)])
    assert results.losses(run) == [losses[1], losses[0], Loss(40, "total", -3.0, 3.0)]


def test_runs_are_kept_apart(results: Results) -> None:
    first, second = start(results), start(results)
    assert first != second
    results.add_losses(first, [Loss(1, "total", 1.0, 0.0)])
    results.add_losses(second, [Loss(1, "total", 2.0, 0.0)])
    assert [loss.value for loss in results.losses(first)] == [1.0]
    assert [loss.value for loss in results.losses(second)] == [2.0]


def test_a_repeated_step_replaces_the_old_one(results: Results) -> None:
    run = start(results)
    results.add_losses(run, [Loss(1, "total", 1.0, 0.0)])
    results.add_losses(run, [Loss(1, "total", 2.0, 0.5)])
    assert results.losses(run) == [Loss(1, "total", 2.0, 0.5)]


def test_nan_is_refused_and_nothing_beside_it_is_stored(results: Results) -> None:
    run = start(results)
    with pytest.raises(ResultsError, match="protect at step 7 is not a number"):
        results.add_losses(run, [Loss(7, "total", 1.0, 0.0), Loss(7, "protect", math.nan, 0.0)])
    assert results.losses(run) == []


def test_infinity_is_kept(results: Results) -> None:
    run = start(results)
    results.add_losses(run, [Loss(1, "mask:protected_db", math.inf, 0.0)])
    assert results.losses(run)[0].value == math.inf


def test_losses_of_no_run_are_refused(results: Results) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        results.add_losses(99, [Loss(1, "total", 1.0, 0.0)])


# --- scores ---------------------------------------------------------------------------------------


def test_mean_scores_count_exact_ones_apart(results: Results) -> None:
    run = start(results)
    results.add_scores(run, [score(40.0, "a.png"), score(50.0, "b.png"), score(math.inf, "c.png")])
    (mean,) = results.mean_scores(run)
    assert (mean.images, mean.mean, mean.exact) == (3, 45.0, 1)
    assert (mean.least, mean.greatest) == (40.0, math.inf)
    assert (mean.source, mean.pair, mean.metric) == ("lfw", "mask:protected", "psnr_db")


def test_mean_of_exact_scores_alone_is_none(results: Results) -> None:
    run = start(results)
    results.add_scores(run, [score(math.inf)])
    (mean,) = results.mean_scores(run)
    assert (mean.mean, mean.exact) == (None, 1)


def test_score_that_is_no_number(results: Results) -> None:
    run = start(results)
    with pytest.raises(ResultsError, match=r"psnr_db of mask:protected for b\.png is not a number"):
        results.add_scores(run, [score(1.0, "a.png"), score(math.nan, "b.png")])
    assert results.scored_images(run, "sealed", "gaussian") == set()


def test_scored_images(results: Results) -> None:
    run = start(results)
    results.add_scores(run, [score(1.0), score(0.5, metric="ssim"), score(1.0, "b.png")])
    results.add_scores(run, [score(2.0)])
    assert results.scored_images(run, "sealed", "gaussian") == {"a.png", "b.png"}
    assert results.scored_images(run, "sealed", "sticker") == set()
    assert {m.metric: m.mean for m in results.mean_scores(run)} == {"psnr_db": 1.5, "ssim": 0.5}


def test_find_run(results: Results) -> None:
    start(results, "a")
    newest = start(results, "a")
    start(results, "b")
    assert results.find_run("train", "a") == newest
    assert results.find_run("train", "c") is None
    assert results.find_run("benchmark", "a") is None


# --- files ----------------------------------------------------------------------------------------


def test_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    first = Results(path)
    run = start(first)
    first.add_losses(run, [Loss(1, "total", 1.0, 0.0)])
    first.close()
    second = Results(str(path))
    assert second.losses(run) == [Loss(1, "total", 1.0, 0.0)]
    assert start(second) == run + 1
    second.close()


def test_a_reader_beside_the_writer(tmp_path: Path) -> None:
    writer, reader = Results(tmp_path / "results.db"), Results(tmp_path / "results.db")
    run = start(writer)
    writer.add_losses(run, [Loss(1, "total", 1.0, 0.0)])
    assert len(reader.losses(run)) == 1
    writer.close()
    reader.close()


def test_schema_version_is_written(tmp_path: Path) -> None:
    Results(tmp_path / "results.db").close()
    connection = sqlite3.connect(tmp_path / "results.db")
    assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    connection.close()


def test_newer_schema_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    newer = SCHEMA_VERSION + 1
    before = make_database(path, "CREATE TABLE run (x)", f"PRAGMA user_version = {newer}")
    with pytest.raises(ResultsError, match=f"schema version {newer}, this program knows"):
        Results(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["results.db"]


@pytest.mark.parametrize("content", [b"not a database, only text" * 50, b"SQLite format 3\0" * 99])
def test_not_a_database_is_refused_and_untouched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(content)
    with pytest.raises(
        ResultsError, match=r"notes\.db cannot be used as a results database"
    ) as caught:
        Results(path)
    assert "left as it is" in caught.value.hint
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["notes.db"]


@pytest.mark.parametrize("table", ["run", "holiday"])
def test_another_programs_database_is_refused_and_untouched(tmp_path: Path, table: str) -> None:
    path = tmp_path / "other.db"
    before = make_database(path, f"CREATE TABLE {table} (x)", f"INSERT INTO {table} VALUES (1)")
    with pytest.raises(ResultsError, match=r"other\.db cannot be used as a results database"):
        Results(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["other.db"]


def test_two_may_make_the_file_at_once(tmp_path: Path) -> None:
    for attempt in range(10):
        barrier, failures = threading.Barrier(4), []

        def make(path: Path, barrier: threading.Barrier, failures: list[Exception]) -> None:
            barrier.wait()
            try:
                Results(path).close()
            except (ResultsError, sqlite3.Error) as error:
                failures.append(error)

        arguments = (tmp_path / f"{attempt}.db", barrier, failures)
        threads = [threading.Thread(target=make, args=arguments) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


def test_a_file_that_another_process_is_making_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    found: list[int] = []

    def make() -> None:
        results = Results(path)
        found.append(start(results))
        results.close()

    thread = threading.Thread(target=make)
    thread.start()
    thread.join(0.2)
    assert found == []
    other.execute("COMMIT")
    other.close()
    thread.join(20)
    assert found == [1]


# --- trainings of other databases -----------------------------------------------------------------


def test_ended_trainings_are_copied_once(results: Results, tmp_path: Path) -> None:
    own = tmp_path / "training" / "results.db"
    other = Results(own)
    for config, seconds in (("ended", 1.0), ("going on", 2.0)):
        command = "python -m engine train tiny --data /home/me/faces --resume runs/tiny"
        run = other.start_run("train", "tiny", command, config)
        other.add_losses(run, [Loss(20, "total", seconds, seconds)])
        if config == "ended":
            with other.running(run):
                pass
    other.start_run("benchmark", "sealed", "benchmark", "{}")
    assert [results.add_trainings(own), results.add_trainings(own)] == [1, 0]
    with Reader(own) as source, Reader(tmp_path / "runs" / "results.db") as reader:
        (copied,) = reader.runs()
        (original,) = [run for run in source.runs() if run.config == "ended"]
        assert copied.command == "python -m engine train tiny --data faces --resume runs/tiny"
        assert (copied.started_at, copied.state) == (original.started_at, "finished")
    assert results.losses(copied.id) == [Loss(20, "total", 1.0, 1.0)]
    other.close()


def test_a_command_keeps_its_words_and_loses_its_folders() -> None:
    told = "train x --data=/a/b/c.zip --minutes 3 --methods one=/a/b/d,two@/a/b/e --resume runs/x y"
    assert without_folders(told) == told.replace("/a/b/", "")


def test_no_trainings_come_from_what_is_no_database(results: Results, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database at all")
    with pytest.raises(ResultsError):
        results.add_trainings(tmp_path / "text.db")
    assert results.find_run("train", "{}") is None
