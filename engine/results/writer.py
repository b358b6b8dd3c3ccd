"""The side of the results database that writes: one writer at a time, the others wait for it."""

import contextlib
import dataclasses
import datetime
import math
import os
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import sqlite_utils

from engine.errors import ResultsError
from engine.provenance import Provenance
from engine.results.files import PATIENCE, begin, check_file, prepare, refused
from engine.results.numbering import Numbering
from engine.results.reader import Reader
from engine.results.records import Artifact, Cost, Loss, MeanScore, Score
from engine.results.releasing import copy_trainings, write_snapshot
from engine.results.schema import AGGREGATE

__all__ = ["Results"]

State = Literal["running", "finished", "stopped", "crashed"]
_MEANS = "method, mask, source, pair, metric, images, mean, least, greatest, exact, protocol"


class Results:
    """The results database, open for writing: one writer at a time, any number of readers.

    What a call has stored is there even if the program is killed the moment after.

    Args:
        path: the SQLite file, made if it is not there, brought to this version if it is older.

    Raises:
        ResultsError: the file is no database, cut short, or of a newer version of this program.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        (path := Path(path)).parent.mkdir(parents=True, exist_ok=True)
        check_file(path)
        try:
            connection = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            with contextlib.ExitStack() as refused:
                refused.callback(connection.close)
                prepare(connection, path)
                refused.pop_all()
        except sqlite3.DatabaseError as error:
            raise ResultsError(
                f"{path.name} cannot be used as a results database ({error})",
                hint="name another file; this one is left as it is",
            ) from error
        self._db = sqlite_utils.Database(connection)
        self._name = path.name
        self._numbering = Numbering(connection)

    def start_run(
        self,
        kind: str,
        model: str,
        command: str,
        config: str,
        *,
        provenance: Provenance | None = None,
        weights_hash: str = "",
        data_hash: str = "",
        seed: int | None = None,
        device: str = "",
        threads: int | None = None,
    ) -> int:
        """Add a run and return its number; :meth:`running` keeps its state from then on.

        Args:
            kind: ``"train"``, ``"benchmark"`` or ``"attack"``.
            model: what is trained or measured.
            command: what the person typed.
            config: JSON that :meth:`find_run` finds it by.
            provenance: which code runs.
            weights_hash: SHA-256 of the weights, or of several joined by commas.
            data_hash: SHA-256 of the set of faces.
            seed: of what is drawn.
            device: torch's name of it.
            threads: of torch.
        """
        row: dict[str, object] = {
            "kind": kind, "model": model, "command": command, "started_at": _now(),
            "config": config, "weights_hash": weights_hash, "data_hash": data_hash, "seed": seed,
            "device": device, "threads": threads, "state": "running", "heartbeat_at": _now(),
        }  # fmt: skip
        if provenance is not None:
            row |= {
                "commit_hash": provenance.commit,
                "dirty": None if provenance.dirty is None else int(provenance.dirty),
                "versions": provenance.versions,
            }
        with self._writing():
            return int(self._db["run"].insert(row).last_pk)

    @contextlib.contextmanager
    def running(self, run_id: int) -> Iterator[None]:
        """Keep a run's state: running inside, then finished, stopped (Ctrl-C) or crashed.

        What is stored meanwhile is its heartbeat; a program that is killed leaves it running, and
        readers call it crashed once the heartbeat is old.
        """
        self._set_state(run_id, "running")
        state: State = "crashed"
        try:
            yield
            state = "finished"
        except KeyboardInterrupt:
            state = "stopped"
            raise
        finally:
            self._set_state(run_id, state)

    def _set_state(self, run_id: int, state: State) -> None:
        now = _now()
        with self._writing() as db:
            db.execute(
                "UPDATE run SET state = ?, heartbeat_at = ?, finished_at = ? WHERE id = ?",
                [state, now, None if state == "running" else now, run_id],
            )

    def beat(self, run_id: int) -> None:
        """Say that a run is alive, where it stores nothing for minutes."""
        with self._writing():
            self._beat(run_id)

    def _beat(self, run_id: int) -> None:
        self._db.conn.execute("UPDATE run SET heartbeat_at = ? WHERE id = ?", [_now(), run_id])

    def add_losses(self, run_id: int, losses: Iterable[Loss]) -> None:
        """Store logged values; a repeated step of a resumed run replaces the old one.

        Raises:
            ResultsError: a value is not a number: SQLite would store it as missing in silence.
                Or the file cannot be written.
        """
        rows = [(run_id, loss.step, loss.name, loss.value, loss.seconds) for loss in losses]
        for row in rows:
            if math.isnan(row[3]):
                raise ResultsError(
                    f"{row[2]} at step {row[1]} is not a number",
                    hint="lower the learning rate, or resume from the checkpoint before",
                )
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO loss VALUES (?, ?, ?, ?, ?)", rows)
            self._beat(run_id)

    def add_scores(
        self, run_id: int, scores: Iterable[Score], artifacts: Iterable[Artifact] = ()
    ) -> None:
        """Store figures and pictures together, all or none; storing them again replaces them.

        Raises:
            ResultsError: a value is not a number, a picture as :meth:`add_artifact`, or the file
                cannot be written.
        """
        pictures = [artifact.row(run_id) for artifact in artifacts]
        scores = list(scores)
        for score in scores:
            if math.isnan(score.value) or score.value == -math.inf:
                raise ResultsError(
                    f"{score.metric} of {score.pair} for {score.image} is not a number",
                    hint="report the picture: no metric may give this",
                )
        try:
            with self._writing() as db:
                rows = self._numbering.rows(run_id, scores)
                db.executemany("INSERT OR REPLACE INTO score VALUES (?, ?, ?)", rows)
                touched = [(series,) for series in {row[0] for row in rows}]
                db.executemany(f"{AGGREGATE} WHERE id = ?", touched)
                for picture in pictures:
                    self._db["artifact"].insert(picture, replace=True)
                self._beat(run_id)
        except (sqlite3.Error, ResultsError):
            self._numbering.forget()
            raise

    def add_costs(self, run_id: int, costs: Iterable[Cost]) -> None:
        """Store what things take; storing one again replaces it.

        Raises:
            ResultsError: a value is not finite, or the file cannot be written.
        """
        rows = [(run_id, *dataclasses.astuple(cost)) for cost in costs]
        for row in rows:
            if not all(math.isfinite(value) for value in row[5:8]):
                raise ResultsError(f"{row[3]} is not a number", hint="measure it again")
        with self._writing() as db:
            marks = ", ".join("?" * 9)
            db.executemany(f"INSERT OR REPLACE INTO cost VALUES ({marks})", rows)
            self._beat(run_id)

    def costed(self, run_id: int) -> set[tuple[str, str]]:
        """The methods and masks whose costs a run has already."""
        query = "SELECT DISTINCT method, mask FROM cost WHERE run_id = ?"
        return set(self._db.conn.execute(query, [run_id]))

    def add_artifact(self, run_id: int, artifact: Artifact) -> None:
        """Store a small picture of a face that may be shown; storing it again replaces it.

        Raises:
            ResultsError: it has no licence note, is over 64 KiB, or the file cannot be written.
        """
        self.add_scores(run_id, (), [artifact])

    def annotate(
        self,
        run_id: int,
        *,
        note: str | None = None,
        tag: str | None = None,
        hidden: bool | None = None,
    ) -> None:
        """Change what a person says of a run; what is None stays."""
        hide = None if hidden is None else int(hidden)
        change = "note = coalesce(?, note), tag = coalesce(?, tag), hidden = coalesce(?, hidden)"
        with self._writing() as db:
            db.execute(f"UPDATE run SET {change} WHERE id = ?", [note, tag, hide, run_id])

    def scored_images(self, run_id: int, method: str, mask: str) -> set[str]:
        """Names of the faces of a run that are done."""
        query = """SELECT DISTINCT image FROM series JOIN score ON series_id = series.id
            JOIN face ON face.id = face_id WHERE run_id = ? AND method = ? AND mask = ?"""
        return {row[0] for row in self._db.conn.execute(query, [run_id, method, mask])}

    def mean_scores(self, run_id: int) -> list[MeanScore]:
        """A run's figures by method, mask, set, pair and metric."""
        query = f"""SELECT {_MEANS}, sqrt(variance), run_id, series_id FROM mean_score
            WHERE run_id = ? ORDER BY series_id"""
        return [MeanScore(*row) for row in self._db.conn.execute(query, [run_id])]

    def find_run(self, kind: str, config: str, versions: str | None = None) -> int | None:
        """The newest run of this kind and configuration (and code), to be gone on with."""
        query = """SELECT max(id) FROM run
            WHERE kind = ? AND config = ? AND versions = ifnull(?, versions)"""
        found = self._db.conn.execute(query, [kind, config, versions]).fetchone()[0]
        return None if found is None else int(found)

    def is_finished(self, run_id: int) -> bool:
        """Whether a run has come to its end."""
        query = "SELECT 1 FROM run WHERE id = ? AND state = 'finished'"
        return self._db.conn.execute(query, [run_id]).fetchone() is not None

    def went_on(self, run_id: int, versions: str) -> None:
        """Call a run dirty where other code goes on with it than has begun it."""
        with self._writing() as db:
            query = "UPDATE run SET dirty = 1 WHERE id = ? AND versions <> ?"
            db.execute(query, [run_id, versions])

    def losses(self, run_id: int) -> list[Loss]:
        """Every logged value of a run, by name and step."""
        query = "SELECT step, name, value, seconds FROM loss WHERE run_id = ? ORDER BY name, step"
        return [Loss(*row) for row in self._db.conn.execute(query, [run_id])]

    def add_trainings(self, path: str | os.PathLike[str]) -> int:
        """:func:`~engine.results.releasing.copy_trainings` of another database's file."""
        with Reader(Path(path)) as source, self._writing() as db:
            return copy_trainings(source, db)

    def snapshot(self, path: str | os.PathLike[str]) -> None:
        """:func:`~engine.results.releasing.write_snapshot`; a ResultsError where it cannot."""
        try:
            write_snapshot(self._db.conn, Path(path))
        except sqlite3.OperationalError as error:
            raise refused(Path(path).name, error) from error

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it is stored, or nothing.

        Raises:
            ResultsError: others write for minutes, or the disk is full or cannot be written.
        """
        connection: sqlite3.Connection = self._db.conn
        try:
            begin(connection)
            yield connection
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise refused(self._name, error) from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
