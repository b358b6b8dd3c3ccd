"""The tables of the results database, every version of them, and how an older one is brought up."""

import contextlib
import dataclasses
import json
import sqlite3

from engine.references import PAPER_MASKS, REFERENCES
from engine.results.views import VIEWS

__all__ = ["AGGREGATE", "SCHEMA_VERSION", "is_fresh", "migrate"]

_V1 = """
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
CREATE VIEW mean_score AS SELECT 1;
"""
# A score names its face and its series by number: a fifth of the bytes, and no text to compare.
_V2 = """
DROP VIEW mean_score;
ALTER TABLE run ADD COLUMN state TEXT NOT NULL DEFAULT 'unknown'
  CHECK (state IN ('running', 'finished', 'stopped', 'crashed', 'unknown'));
ALTER TABLE run ADD COLUMN finished_at TEXT;
ALTER TABLE run ADD COLUMN heartbeat_at TEXT;
ALTER TABLE run ADD COLUMN commit_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN dirty INTEGER CHECK (dirty IN (0, 1));
ALTER TABLE run ADD COLUMN weights_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN data_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN seed INTEGER;
ALTER TABLE run ADD COLUMN versions TEXT NOT NULL DEFAULT '{}';
ALTER TABLE run ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN threads INTEGER;
ALTER TABLE run ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN tag TEXT NOT NULL DEFAULT '';
ALTER TABLE run ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0 CHECK (hidden IN (0, 1));
CREATE TABLE face (
  id INTEGER PRIMARY KEY, data_hash TEXT NOT NULL, image TEXT NOT NULL, source TEXT NOT NULL,
  UNIQUE (image, source, data_hash)) STRICT;
CREATE TABLE series (
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  method TEXT NOT NULL, mask TEXT NOT NULL,
  protocol TEXT NOT NULL CHECK (protocol IN ('png', 'paper')),
  source TEXT NOT NULL, pair TEXT NOT NULL, metric TEXT NOT NULL,
  images INTEGER NOT NULL DEFAULT 0, exact INTEGER NOT NULL DEFAULT 0, mean REAL, variance REAL,
  least REAL, greatest REAL,
  UNIQUE (run_id, method, mask, protocol, source, pair, metric)) STRICT;
ALTER TABLE score RENAME TO old_score;
CREATE TABLE score (
  series_id INTEGER NOT NULL REFERENCES series(id) ON DELETE CASCADE,
  face_id INTEGER NOT NULL REFERENCES face(id), value REAL NOT NULL,
  PRIMARY KEY (series_id, face_id)) STRICT, WITHOUT ROWID;
CREATE TABLE cost (
  run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE, method TEXT NOT NULL,
  mask TEXT NOT NULL, name TEXT NOT NULL, batch INTEGER NOT NULL, median REAL NOT NULL,
  low REAL NOT NULL, high REAL NOT NULL, unit TEXT NOT NULL,
  PRIMARY KEY (run_id, method, mask, name, batch)) STRICT;
CREATE TABLE artifact (
  id INTEGER PRIMARY KEY, run_id INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
  image TEXT NOT NULL, method TEXT NOT NULL, mask TEXT NOT NULL, name TEXT NOT NULL,
  licence TEXT NOT NULL CHECK (licence <> ''), data BLOB NOT NULL, media_type TEXT NOT NULL,
  UNIQUE (run_id, image, method, mask, name)) STRICT;
CREATE TABLE reference (
  id INTEGER PRIMARY KEY, paper TEXT NOT NULL, table_name TEXT NOT NULL, method TEXT NOT NULL,
  ours TEXT NOT NULL, mask TEXT NOT NULL, source TEXT NOT NULL, pair TEXT NOT NULL,
  metric TEXT NOT NULL, value REAL NOT NULL, better TEXT NOT NULL, note TEXT NOT NULL,
  protocol TEXT NOT NULL) STRICT;
CREATE TABLE paper_mask (mask TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE INDEX run_by_config ON run (kind, config);
CREATE INDEX reference_by_cell ON reference (ours, mask, source, pair, metric);

UPDATE run SET data_hash = coalesce(json_extract(config, '$.data'), ''),
  seed = json_extract(config, '$.seed') WHERE kind = 'benchmark' AND json_valid(config);
INSERT INTO face (data_hash, image, source)
  SELECT DISTINCT data_hash, image, source FROM old_score JOIN run ON run.id = run_id;
INSERT INTO series (run_id, method, mask, protocol, source, pair, metric)
  SELECT DISTINCT run_id, method, mask, 'png', source, pair, metric FROM old_score;
INSERT INTO score SELECT series.id, face.id, value FROM old_score
  JOIN run ON run.id = old_score.run_id JOIN series USING (run_id, method, mask, pair, metric)
  JOIN face ON face.image = old_score.image AND face.source = old_score.source
    AND face.data_hash = run.data_hash
  WHERE series.source = old_score.source AND series.protocol = 'png';
DROP TABLE old_score;
"""
AGGREGATE = """
UPDATE series SET (images, exact, mean, variance, least, greatest) = (
  SELECT count(*), coalesce(sum(value = 9e999), 0), avg(nullif(value, 9e999)),
    max(0, avg(nullif(value, 9e999) * value) - pow(avg(nullif(value, 9e999)), 2)),
    min(value), max(value)
  FROM score WHERE series_id = series.id)
"""
_MIGRATIONS = (_V1, _V2)
SCHEMA_VERSION = len(_MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a new or older database to this version, wholly or not at all."""
    connection.execute("PRAGMA foreign_keys = OFF")
    # Another process may be doing the same: whoever comes second finds it done.
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0 and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raise sqlite3.DatabaseError("it holds another program's tables")
        for script in _MIGRATIONS[version:]:
            for statement in script.split(";"):
                connection.execute(statement)
        if version == 1:
            _complete(connection)
        _refresh(connection)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _complete(connection: sqlite3.Connection) -> None:
    """Sum up the scores of schema 1, and call those runs finished that have all they wanted."""
    connection.execute(AGGREGATE)
    runs = connection.execute("SELECT id, config FROM run WHERE kind = 'benchmark'").fetchall()
    count = "SELECT images FROM (SELECT method, mask, pair, metric, sum(images) AS images "
    group = "FROM series WHERE run_id = ? GROUP BY method, mask, pair, metric)"
    for run_id, config in runs:
        with contextlib.suppress(json.JSONDecodeError, KeyError, TypeError):
            wanted = json.loads(config)
            units = len(wanted["methods"]) * len(wanted["masks"])
            found = "SELECT count(DISTINCT method || ' ' || mask) FROM series WHERE run_id = ?"
            done = connection.execute(found, [run_id]).fetchone()[0] == units
            images = {row[0] for row in connection.execute(count + group, [run_id])}
            if done and len(images) == 1:
                connection.execute("UPDATE run SET state = 'finished' WHERE id = ?", [run_id])


def _reference_rows() -> list[tuple[object, ...]]:
    return [
        (i, one.paper, one.table, *dataclasses.astuple(one)[2:], "paper")
        for i, one in enumerate(REFERENCES, 1)
    ]


def is_fresh(connection: sqlite3.Connection) -> bool:
    """Whether the views and the papers' figures are those of this program."""
    views = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'view'"))
    rows = connection.execute("SELECT * FROM reference ORDER BY id").fetchall()
    return views == VIEWS and rows == _reference_rows()


def _refresh(connection: sqlite3.Connection) -> None:
    """Write what comes with the program, not from runs: the papers' figures and the views."""
    for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'view'"
    ).fetchall():
        connection.execute(f"DROP VIEW {name}")
    for statement in VIEWS.values():
        connection.execute(statement)
    connection.execute("DELETE FROM reference")
    rows = _reference_rows()
    marks = ", ".join("?" * len(rows[0]))
    connection.executemany(f"INSERT INTO reference VALUES ({marks})", rows)
    connection.execute("DELETE FROM paper_mask")
    connection.executemany("INSERT INTO paper_mask VALUES (?)", [(mask,) for mask in PAPER_MASKS])
