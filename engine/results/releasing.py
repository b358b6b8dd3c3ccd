"""Makes the released database: trainings copied into one, and all of it written without gaps."""

import contextlib
import re
import shlex
import sqlite3
from pathlib import Path, PurePath

from engine.results.reader import Reader
from engine.results.records import Run

MOST_STEPS = 2_000
"""Of each curve; the others are left out evenly."""

_BEFORE_PATH = re.compile(r"^[^/\\]*[=@]")
_COLUMNS = (
    "kind", "model", "command", "started_at", "config", "state", "finished_at", "heartbeat_at",
    "commit_hash", "dirty", "weights_hash", "data_hash", "seed", "versions", "device", "threads",
    "tag",
)  # fmt: skip


def copy_trainings(source: Reader, connection: sqlite3.Connection) -> int:
    """Copy every training that came to its end, with its losses; those that are there stay.

    Whole paths in a command are cut to their last part: the folders of a machine are its owner's.

    Args:
        source: open on the other database.
        connection: into this one, in a transaction of its owner.

    Returns:
        How many were copied.
    """
    copied = 0
    for run in reversed(source.runs("train")):
        known = "SELECT 1 FROM run WHERE kind = 'train' AND model = ? AND started_at = ?"
        if run.state != "finished" or run.hidden:
            continue
        if connection.execute(known, [run.model, run.started_at]).fetchone() is None:
            run_id = _add_run(run, connection)
            curves = source.losses([run.id], most=MOST_STEPS)[run.id]
            connection.executemany(
                "INSERT INTO loss VALUES (?, ?, ?, ?, ?)",
                [
                    (run_id, loss.step, loss.name, loss.value, loss.seconds)
                    for curve in curves.values()
                    for loss in curve
                ],
            )
            copied += 1
    return copied


def _add_run(run: Run, connection: sqlite3.Connection) -> int:
    values = {name: getattr(run, name) for name in _COLUMNS}
    values["command"] = without_folders(run.command)
    marks = ", ".join("?" * len(_COLUMNS))
    insert = f"INSERT INTO run ({', '.join(_COLUMNS)}) VALUES ({marks}) RETURNING id"
    return int(connection.execute(insert, list(values.values())).fetchone()[0])


def without_folders(command: str) -> str:
    """A command with every whole path cut to its last part, behind ``=``, ``@`` and commas too."""

    def cut(part: str) -> str:
        path = _BEFORE_PATH.sub("", part)
        head = part.removesuffix(path)
        return head + (PurePath(path).name if PurePath(path).is_absolute() else path)

    return shlex.join(",".join(map(cut, word.split(","))) for word in shlex.split(command))


def write_snapshot(connection: sqlite3.Connection, path: Path) -> None:
    """Write a copy of the finished runs, without gaps, in a mode that leaves no files beside it."""
    connection.execute("VACUUM INTO ?", [str(path)])
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA foreign_keys = ON")
        copy.execute("DELETE FROM run WHERE state <> 'finished' OR hidden")
        copy.execute("DELETE FROM face WHERE id NOT IN (SELECT face_id FROM score)")
        copy.executescript("VACUUM; PRAGMA journal_mode = DELETE")
