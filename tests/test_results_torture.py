import dataclasses
import json
import logging
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import ResultsError
from engine.results import Reader, Results, Score
from engine.results.files import use_wal

ROOT = Path(__file__).resolve().parents[1]
WRITERS = [sys.executable, str(ROOT / "tests" / "results_writers.py")]


def run(part: str, path: Path, *numbers: int) -> dict[str, object]:
    found = subprocess.run(
        [*WRITERS, part, str(path), *map(str, numbers)],
        capture_output=True, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert found.returncode == 0, found.stderr
    answer: dict[str, object] = json.loads(found.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize(
    "times", [20, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_killed_at_any_moment_nothing_acknowledged_is_lost(tmp_path: Path, times: int) -> None:
    found = run("kill", tmp_path / "results.db", times, 7)
    assert found["faults"] == []
    assert found["kills"] == times
    assert int(str(found["acknowledged"])) >= times // 2  # or they were killed before they wrote


@pytest.mark.parametrize("seconds", [3, pytest.param(60, marks=pytest.mark.slow)])
def test_eight_write_at_once_without_a_lock_error(tmp_path: Path, seconds: int) -> None:
    found = run("crowd", tmp_path / "results.db", 8, seconds)
    assert found["errors"] == []
    assert found["lost"] is False
    wanted = found["wanted"]
    assert isinstance(wanted, dict)
    assert len(wanted) == 8
    assert all(count > 0 for count in wanted.values())


def test_a_full_disk_keeps_what_was_stored(tmp_path: Path) -> None:
    found = run("full", tmp_path / "results.db", 300_000)
    assert "results.db cannot be written (" in str(found["message"])
    assert found["hint"] == "make room or wait for other programs; what was stored before is whole"
    done = int(str(found["done"]))
    assert done > 10
    assert found["found"] == done + 1  # and writing goes on once there is room again
    assert found["whole"] == "ok"


def test_reading_while_another_writes(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    with subprocess.Popen(
        [*WRITERS, "stream", str(path), "2"], stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as writer:  # fmt: skip
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        seen, versions = [], []
        with Reader(path) as reader:
            while writer.poll() is None:
                means = reader.means([1])
                assert {mean.images % 10 for mean in means} <= {0}  # never half of a batch
                seen.append(sum(mean.images for mean in means))
                versions.append(reader.data_version())
                time.sleep(0.01)
            total = sum(mean.images for mean in reader.means([1]))
        batches = json.loads(writer.stdout.read())["batches"]
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert len(set(versions)) > 3
    assert total == batches * 30


def stored(path: Path) -> int:
    results = Results(path)
    run_id = results.start_run("benchmark", "sealed", "", "{}")
    for i in range(400):
        results.add_scores(
            run_id, [Score(f"{i}.png", "lfw", "sealed", "box", "mask:protected", "ssim", 0.5)]
        )
    results.close()
    return run_id


@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
@pytest.mark.parametrize("opener", [Results, Reader])
def test_a_truncated_file_is_refused_and_untouched(
    tmp_path: Path, share: float, opener: type[Results] | type[Reader]
) -> None:
    path = tmp_path / "results.db"
    stored(path)
    data = path.read_bytes()
    cut = data[: int(len(data) * share)]
    path.write_bytes(cut)
    with pytest.raises(ResultsError, match=r"results\.db cannot be used .* \(it is cut short") as e:
        opener(path)
    assert e.value.hint == "name another file; this one is left as it is"
    assert path.read_bytes() == cut
    assert [file.name for file in tmp_path.iterdir()] == ["results.db"]


def test_a_page_of_rubbish_is_a_named_error_for_a_reader(tmp_path: Path) -> None:
    path = tmp_path / "results.db"
    stored(path)
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)
    with pytest.raises(ResultsError, match=r"results\.db cannot be (used|read)"), Reader(path) as r:
        r.runs()
        r.means()
        r.distribution(1)
        r.paper_table("table_1_protect")
    assert path.read_bytes() == data


@pytest.mark.parametrize("opener", [Results, Reader])
def test_a_newer_file_with_a_log_is_untouched(
    tmp_path: Path, opener: type[Results] | type[Reader]
) -> None:
    path = tmp_path / "results.db"
    stored(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ResultsError, match="schema version 99, this program knows 2"):
        opener(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["results.db"]


def test_a_reader_needs_nothing_but_the_file(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.db")
    run_id = results.start_run("benchmark", "sealed", "", "{}")
    unfinished = results.start_run("benchmark", "sealed", "", "{}")
    score = Score("a", "lfw", "sealed", "box", "mask:protected", "ssim", 0.5)
    with results.running(run_id):
        results.add_scores(run_id, [score])
    results.add_scores(unfinished, [dataclasses.replace(score, image="b")])
    results.snapshot(tmp_path / "released.db")
    results.close()
    folder = tmp_path / "readonly"
    folder.mkdir()
    (folder / "released.db").write_bytes((tmp_path / "released.db").read_bytes())
    with Reader(folder / "released.db") as reader:
        assert [mean.mean for mean in reader.means([run_id])] == [0.5]
        assert [run.id for run in reader.runs()] == [run_id]  # only what has come to its end
    assert [file.name for file in folder.iterdir()] == ["released.db"]


def test_no_shared_memory_means_another_journal_and_a_word_about_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "results.db"
    # This way of locking is for file systems that processes cannot share memory on.
    connection = sqlite3.connect(f"file:{path}?vfs=unix-dotfile", uri=True)
    connection.execute("CREATE TABLE t (x)")
    with caplog.at_level(logging.WARNING, "engine.results"):
        use_wal(connection, path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert "results.db" in caplog.text
    assert "journal mode DELETE instead of WAL" in caplog.text
    connection.execute("INSERT INTO t VALUES (1)")
    connection.commit()
    connection.close()
