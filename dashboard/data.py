"""What the pages ask the database, remembered until somebody has written to it."""

import itertools
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import streamlit as st

from engine.results import (
    SCHEMA_VERSION,
    Artifact,
    Cost,
    Loss,
    MeanScore,
    PaperCell,
    Reader,
    ResultsError,
    Run,
    Score,
    matches,
)

ROOT: Final = Path(__file__).resolve().parents[1]
RELEASED: Final = ROOT / "assets" / "benchmark.db"
VARIABLE: Final = "FACEVEIL_DB"
NOTES: Final = "FACEVEIL_NOTES"
"""Set to 1, whoever can open the dashboard may keep notes; on a Space nobody may."""

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")

_VERSION_AT: Final = slice(60, 64)
"""Where the header of an SQLite file holds its ``user_version``."""


def databases() -> dict[str, Path]:
    """The databases that may be opened, by the name the URL holds; the default comes first."""
    return {_label(path): path for path in _candidates()}


def _candidates() -> Iterator[Path]:
    named = os.environ.get(VARIABLE)
    if named:
        yield Path(named)
    if RELEASED.is_file() or not named:
        yield RELEASED
    found = [*(ROOT / "runs").glob("*.db"), *(ROOT / "runs").glob("*/*.db")]
    yield from sorted(found, key=_age)


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except OSError:
        return 0.0


def _label(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


_OPENINGS: Final = itertools.count()


@st.cache_resource(max_entries=16, show_spinner=False, on_release=lambda kept: kept[0].close())
def _opened(path: str, identity: tuple[int, ...]) -> tuple[Reader, int]:
    """A reader and the number of its opening: data versions of two openings do not compare."""
    return Reader(path), next(_OPENINGS)


@st.cache_data(max_entries=512, show_spinner=False)
def _ask(
    path: str,
    identity: tuple[int, ...],
    version: tuple[int, int],
    question: str,
    values: tuple[Any, ...],
    names: tuple[tuple[str, Any], ...],
) -> Any:
    return getattr(_opened(path, identity)[0], question)(*values, **dict(names))


@st.cache_data(max_entries=32, show_spinner=False)
def _matches(
    path: str, identity: tuple[int, ...], version: tuple[int, int], run_ids: tuple[int, ...]
) -> dict[tuple[int, str], tuple[float, float]]:
    return matches(_opened(path, identity)[0], run_ids)


@dataclass(frozen=True)
class Source:
    """A database as it was at one moment: its answers are cached under its data version.

    Attributes:
        path: the file.
        identity: device and inode: another file under the same name is another database.
        version: which opening, and a number that changes with every write of somebody else.
    """

    path: Path
    identity: tuple[int, ...]
    version: tuple[int, int]

    def _ask(self, question: str, *values: Any, **names: Any) -> Any:
        named = tuple(sorted(names.items()))
        return _ask(str(self.path), self.identity, self.version, question, values, named)

    def runs(self, kind: str | None = None, *, hidden: bool = True) -> list[Run]:
        """Runs, newest first; a heartbeat that has stopped is seen although nothing is written."""
        reader, _ = _opened(str(self.path), self.identity)
        return reader.runs(kind, hidden=hidden)

    def means(
        self, run_ids: Sequence[int] | None = None, **filters: str | tuple[str, ...] | None
    ) -> list[MeanScore]:
        """Means over faces: of these runs, or the newest finished benchmark of each."""
        found: list[MeanScore] = self._ask(
            "means", None if run_ids is None else tuple(run_ids), **filters
        )
        return found

    def matches(self, run_ids: Sequence[int]) -> dict[tuple[int, str], tuple[float, float]]:
        """Gain in identity match over all masks and its margin, by run and method."""
        return _matches(str(self.path), self.identity, self.version, tuple(run_ids))

    def histogram(
        self, series_ids: Sequence[int], low: float, high: float, bins: int = 40
    ) -> dict[int, list[int]]:
        """Counts of the finite figures in equal parts."""
        found: dict[int, list[int]] = self._ask("histogram", tuple(series_ids), low, high, bins)
        return found

    def distribution(self, series_id: int) -> list[tuple[str, float]]:
        """Every face's figure."""
        found: list[tuple[str, float]] = self._ask("distribution", series_id)
        return found

    def scatter(self, x: int, y: int, most: int = 3_000) -> list[tuple[str, float, float]]:
        """Two figures face by face."""
        found: list[tuple[str, float, float]] = self._ask("scatter", x, y, most)
        return found

    def face(self, run_id: int, image: str) -> list[Score]:
        """Every figure of one face in a run."""
        found: list[Score] = self._ask("face", run_id, image)
        return found

    def artifacts(self, run_id: int | None = None, image: str | None = None) -> list[Artifact]:
        """Thumbnails that may be shown."""
        found: list[Artifact] = self._ask("artifacts", run_id, image)
        return found

    def losses(self, run_ids: Sequence[int], most: int = 1_000) -> dict[int, dict[str, list[Loss]]]:
        """Curves of trainings, thinned evenly."""
        found: dict[int, dict[str, list[Loss]]] = self._ask("losses", tuple(run_ids), most=most)
        return found

    def extremes(self, run_ids: Sequence[int]) -> dict[int, dict[str, tuple[float, float, float]]]:
        """Last, least and greatest of each curve."""
        found: dict[int, dict[str, tuple[float, float, float]]] = self._ask(
            "extremes", tuple(run_ids)
        )
        return found

    def paper_table(self, name: str, protocol: str = "png") -> list[PaperCell]:
        """A paper's table with ours beside it."""
        found: list[PaperCell] = self._ask("paper_table", name, protocol)
        return found

    def blocks(self) -> list[tuple[int, MeanScore]]:
        """Figures by number of blocks."""
        found: list[tuple[int, MeanScore]] = self._ask("blocks")
        return found

    def costs(self) -> list[tuple[int, Cost]]:
        """What things take, newest run first."""
        found: list[tuple[int, Cost]] = self._ask("costs")
        return found

    def read_only(self) -> str:
        """Why notes cannot be kept in this file; empty where they can."""
        if os.environ.get("SPACE_ID"):
            return "this is a public page: notes are kept only where you run the dashboard yourself"
        if not _may_write():
            return (
                f"other machines may reach this page. Where all who do may write, set {NOTES}=1; "
                "the dashboard alone needs no more than --server.address 127.0.0.1"
            )
        if self.path.resolve() == RELEASED.resolve():
            return "this is the released benchmark, which stays as it was published"
        if not (os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)):
            return "the file cannot be written by this program"
        with self.path.open("rb") as file:
            version = int.from_bytes(file.read(100)[_VERSION_AT], "big")
        if version != SCHEMA_VERSION:
            return "the file is of an older version, and perhaps still being written by it"
        return ""


def _may_write() -> bool:
    """Whether only this machine reaches the dashboard, or somebody has said that all may write.

    Mounted in the demo, Streamlit's own address says nothing of where that one listens.
    """
    if os.environ.get(NOTES) == "1":
        return True
    return "demo.app" not in sys.modules and st.get_option("server.address") in _LOOPBACK


def open_source(path: Path) -> Source:
    """Look at a database.

    Args:
        path: of :func:`databases`.

    Raises:
        ResultsError: not there, broken, or of a newer version; its hint says what to do.
    """
    try:
        status = path.stat()
        identity: tuple[int, ...] = (status.st_dev, status.st_ino)
    except OSError:
        identity = ()
    if not identity:
        raise ResultsError(
            f"no results database is at {_label(path)}",
            hint="make one with python -m engine benchmark --data FOLDER --db FILE",
        )
    reader, opening = _opened(str(path), identity)
    return Source(path, identity, (opening, reader.data_version()))
