"""How a results database is opened, to read or to write, without harm to any file."""

import logging
import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

from engine.errors import ResultsError
from engine.results.schema import SCHEMA_VERSION, is_fresh, migrate
from engine.results.views import VIEWS

__all__ = [
    "PATIENCE",
    "begin",
    "check_file",
    "open_to_read",
    "overlay_views",
    "prepare",
    "refused",
    "upgraded",
    "use_wal",
]

_log = logging.getLogger("engine.results")

PATIENCE = 30.0
"""Seconds to wait for another process that writes."""

_TURNS = 4
"""How often to wait for :data:`PATIENCE` before giving up on a file that others write to."""


def check_file(path: Path) -> None:
    """Refuse what no reader or writer may touch, by its first bytes alone.

    Raises:
        ResultsError: no SQLite database, cut short, or of a newer version of this program.
    """
    if not path.exists() or path.stat().st_size == 0:
        return
    with path.open("rb") as file:
        head = file.read(100)
    if not head.startswith(b"SQLite format 3\0") or len(head) < 100:
        raise _unusable(path, "it is not a database")
    page = int.from_bytes(head[16:18], "big")
    if page & (page - 1) or (page < 512 and page != 1) or head[21:24] != b"\x40\x20\x20":
        raise _unusable(path, "it is not a database")
    version = int.from_bytes(head[60:64], "big")
    if version > SCHEMA_VERSION:
        raise newer(path, version)
    # A log beside the file may hold what the file lacks: then SQLite knows better.
    logs = (path.with_name(path.name + end) for end in ("-wal", "-journal"))
    if any(log.exists() and log.stat().st_size for log in logs):
        return
    pages = int.from_bytes(head[28:32], "big") if head[24:28] == head[92:96] else 0
    wanted = pages * (65536 if page == 1 else page)
    if path.stat().st_size < wanted:
        raise _unusable(path, f"it is cut short: {path.stat().st_size} of {wanted} bytes")


def newer(path: Path, version: int) -> ResultsError:
    """The error for a file of a version to come."""
    return ResultsError(
        f"{path.name} has schema version {version}, this program knows {SCHEMA_VERSION}",
        hint="update the program; the file is left as it is",
    )


def _unusable(path: Path, why: str) -> ResultsError:
    return ResultsError(
        f"{path.name} cannot be used as a results database ({why})",
        hint="name another file; this one is left as it is",
    )


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Look before touching: only a file that is ours, or new, is written to.

    Raises:
        ResultsError: of a newer version of this program.
        sqlite3.DatabaseError: no database, or another program's.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > SCHEMA_VERSION:
        raise newer(path, version)
    if version < SCHEMA_VERSION or not is_fresh(connection):
        migrate(connection)
    use_wal(connection, path)
    connection.execute("PRAGMA foreign_keys = ON")
    # With a write-ahead log this loses nothing when the program is killed.
    connection.execute("PRAGMA synchronous = NORMAL")


def use_wal(connection: sqlite3.Connection, path: str | os.PathLike[str]) -> None:
    """Let readers read while a run writes, or say that this file system cannot do it.

    Raises:
        sqlite3.OperationalError: another process kept the file locked for :data:`PATIENCE`.
    """
    # The one lock that SQLite does not wait for by itself; held by whoever opens the file as well.
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            break
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    if mode != "wal":
        connection.execute("PRAGMA journal_mode = DELETE")
        _log.warning(
            "%s lies where processes cannot share memory: journal mode DELETE instead of WAL, so "
            "readers wait while a run writes",
            Path(path).name,
        )


def begin(connection: sqlite3.Connection) -> None:
    """Start to write, when the others are done."""
    # Immediate: a transaction that turns to writing half-way cannot wait, it can only fail.
    for turn in range(_TURNS):
        try:
            connection.execute("BEGIN IMMEDIATE")
            return
        except sqlite3.OperationalError as error:
            if turn == _TURNS - 1 or error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(0.01)


def refused(name: str, error: sqlite3.OperationalError) -> ResultsError:
    """The error for what could not be stored."""
    return ResultsError(
        f"{name} cannot be written ({error})",
        hint="make room or wait for other programs; what was stored before is whole",
    )


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open for reading; where even SQLite's own log files cannot be made, as a file at rest."""
    address = f"file:{quote(str(path.resolve()))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=30, check_same_thread=False)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise
        address += "&immutable=1"
        connection = sqlite3.connect(address, uri=True, check_same_thread=False)
    return connection


def overlay_views(connection: sqlite3.Connection) -> None:
    """Let a connection see this program's views, where the file has those of another state of it.

    They are temporary and in memory: the file is not touched.
    """
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'view'"
    if dict(connection.execute(query)) == VIEWS:
        return
    connection.execute("PRAGMA temp_store = MEMORY")
    for statement in VIEWS.values():
        connection.execute(statement.replace("CREATE VIEW", "CREATE TEMP VIEW", 1))


def upgraded(source: sqlite3.Connection) -> sqlite3.Connection:
    """A copy in memory, brought to this version."""
    memory = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    source.backup(memory)
    migrate(memory)
    return memory
