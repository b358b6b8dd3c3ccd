"""What was measured and trained, remembered in SQLite; the dashboard reads it without torch."""

import contextlib
import dataclasses
import datetime
import os
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlite_utils

from engine.errors import ResultsError

SCHEMA_VERSION = 1
_PATIENCE = 30.0  # seconds to wait for another process that writes

_SCHEMA = """
CREATE TABLE run (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, model TEXT NOT NULL, command TEXT NOT NULL,
  started_at TEXT NOT NULL, config TEXT NOT NULL) STRICT;
CREATE TABLE loss (
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, step INTEGER NOT NULL,
  name TEXT NOT NULL, value REAL NOT NULL, seconds REAL NOT NULL,
  PRIMARY KEY (run_id, name, step)) STRICT, WITHOUT ROWID;
CREATE TABLE score (
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, image TEXT NOT NULL,
  source TEXT NOT NULL, method TEXT NOT NULL, mask TEXT NOT NULL, pair TEXT NOT NULL,
  metric TEXT NOT NULL, value REAL NOT NULL,
  PRIMARY KEY (run_id, method, mask, image, pair, metric)) STRICT, WITHOUT ROWID;
CREATE VIEW mean_score AS
  SELECT run_id, method, mask, source, pair, metric, count(*) AS images,
    avg(CASE WHEN value < 9e999 THEN value END) AS mean,
    min(value) AS least, max(value) AS greatest, sum(value = 9e999) AS exact
  FROM score GROUP BY run_id, method, mask, source, pair, metric;
"""


@dataclass(frozen=True)
class Loss:
    """One logged value: the mean of a loss or figure over the steps since the last."""

    step: int
    name: str
    value: float
    seconds: float


@dataclass(frozen=True)
class Score:
    """One figure of one face: ``metric`` between the two images that ``pair`` names."""

    image: str
    source: str
    method: str
    mask: str
    pair: str
    metric: str
    value: float


@dataclass(frozen=True)
class MeanScore:
    """A figure over the faces of one set; ``mean`` is over the finite values, None without any.

    ``exact`` counts the infinite ones: faces whose recovery is equal to the original.
    """

    method: str
    mask: str
    source: str
    pair: str
    metric: str
    images: int
    mean: float | None
    least: float
    greatest: float
    exact: int


class Results:
    """The results database: one writer, any number of readers.

    Args:
        path: the SQLite file, made if it is not there.

    Raises:
        ResultsError: the file is no database, or of a newer version of this program.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        try:
            connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
            with contextlib.ExitStack() as refused:
                refused.callback(connection.close)
                _prepare(connection, Path(path))
                refused.pop_all()
        except sqlite3.DatabaseError as error:
            raise ResultsError(
                f"{Path(path).name} cannot be used as a results database ({error})",
                hint="name another file; this one is left as it is",
            ) from error
        self._db = sqlite_utils.Database(connection)

    def start_run(self, kind: str, model: str, command: str, config: str) -> int:
        """Add a run and return its number."""
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        row = {
            "kind": kind, "model": model, "command": command, "started_at": now, "config": config
        }  # fmt: skip
        return int(self._db["run"].insert(row).last_pk)

    def add_losses(self, run_id: int, losses: Iterable[Loss]) -> None:
        """Store logged values; a repeated step of a resumed run replaces the old one.

        Raises:
            ResultsError: a value is not a number: SQLite would store it as missing in silence.
        """
        rows = [(run_id, loss.step, loss.name, loss.value, loss.seconds) for loss in losses]
        for row in rows:
            if row[3] != row[3]:
                raise ResultsError(
                    f"{row[2]} at step {row[1]} is not a number",
                    hint="lower the learning rate, or resume from the checkpoint before",
                )
        with self._db.atomic():
            self._db.conn.executemany("INSERT OR REPLACE INTO loss VALUES (?, ?, ?, ?, ?)", rows)

    def add_scores(self, run_id: int, scores: Iterable[Score]) -> None:
        """Store the figures of one face together; storing them again replaces them.

        Raises:
            ResultsError: a value is not a number.
        """
        rows = []
        for score in scores:
            if score.value != score.value:
                raise ResultsError(
                    f"{score.metric} of {score.pair} for {score.image} is not a number",
                    hint="report the picture: no metric may give this",
                )
            rows.append((run_id, *dataclasses.astuple(score)))
        with self._db.atomic():
            self._db.conn.executemany(
                "INSERT OR REPLACE INTO score VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows
            )

    def scored_images(self, run_id: int, method: str, mask: str) -> set[str]:
        """Names of the faces of a run that are done."""
        query = "SELECT DISTINCT image FROM score WHERE run_id = ? AND method = ? AND mask = ?"
        return {row[0] for row in self._db.conn.execute(query, [run_id, method, mask])}

    def mean_scores(self, run_id: int) -> list[MeanScore]:
        """A run's figures by method, mask, set, pair and metric."""
        query = "SELECT method, mask, source, pair, metric, images, mean, least, greatest, exact"
        rows = self._db.conn.execute(f"{query} FROM mean_score WHERE run_id = ?", [run_id])
        return [MeanScore(*row) for row in rows]

    def find_run(self, kind: str, config: str) -> int | None:
        """The newest run of this kind and configuration, to be gone on with."""
        query = "SELECT max(id) FROM run WHERE kind = ? AND config = ?"
        found = self._db.conn.execute(query, [kind, config]).fetchone()[0]
        return None if found is None else int(found)

    def losses(self, run_id: int) -> list[Loss]:
        """Every logged value of a run, by name and step."""
        query = "SELECT step, name, value, seconds FROM loss WHERE run_id = ? ORDER BY name, step"
        return [Loss(*row) for row in self._db.conn.execute(query, [run_id])]

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Look before touching: only a file that is ours, or new, is written to."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise ResultsError(
            f"{path.name} has schema version {version}, this program knows {SCHEMA_VERSION}",
            hint="update the program; the file is left as it is",
        )
    if version == 0:
        _create(connection)
    _use_wal(connection)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")


def _create(connection: sqlite3.Connection) -> None:
    # Another process may be doing the same: whoever comes second finds it done.
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError("it holds another program's tables")
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")


def _use_wal(connection: sqlite3.Connection) -> None:
    # The one lock that SQLite does not wait for by itself; held by whoever opens the file as well.
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
