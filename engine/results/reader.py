"""The side of the results database that only looks: what the dashboard and the tables ask."""

import contextlib
import dataclasses
import datetime
import os
import sqlite3
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Self

import sqlite_utils

from engine.errors import ResultsError
from engine.references import Reference
from engine.results.files import check_file, open_to_read, overlay_views, upgraded
from engine.results.records import Artifact, Cost, Loss, MeanScore, PaperCell, Run, Score
from engine.results.schema import SCHEMA_VERSION
from engine.results.views import TABLES

__all__ = ["Reader"]

STALE = 300.0
"""Seconds without a heartbeat after which a run that says it is running has crashed."""

_MEANS = (
    "method, mask, source, pair, metric, images, mean, least, greatest, exact, protocol, "
    "sqrt(variance), run_id, series_id"
)
_FILTERS = ("method", "mask", "protocol", "source", "pair", "metric")


class Reader:
    """The results database, open for reading: never changed, readable while a run writes.

    A file of schema 1 is read into memory and brought to this version there.

    Args:
        path: the SQLite file.

    Raises:
        ResultsError: not there, no results database, cut short, or of a newer version.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise ResultsError(
                f"no results database is at {self.path.name}",
                hint="make one with python -m engine benchmark --data FOLDER --db FILE",
            )
        check_file(self.path)
        with self._named():
            self._source = open_to_read(self.path)
            with contextlib.ExitStack() as refused:
                refused.callback(self._source.close)
                version = self._source.execute("PRAGMA user_version").fetchone()[0]
                if version == 0:
                    raise sqlite3.DatabaseError("it holds no results")
                self._db = sqlite_utils.Database(
                    self._source if version == SCHEMA_VERSION else upgraded(self._source)
                )
                overlay_views(self._db.conn)
                refused.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()
        self._source.close()

    def data_version(self) -> int:
        """A number that changes whenever somebody else has written: a key for caches.

        Comparable only between calls on the same reader.
        """
        return int(self._rows("PRAGMA data_version", (), self._source)[0][0])

    # --- runs -------------------------------------------------------------------------------------

    def runs(self, kind: str | None = None, *, hidden: bool = True) -> list[Run]:
        """Every run, newest first.

        Args:
            kind: only ``"train"``, ``"benchmark"`` or ``"attack"``.
            hidden: with those that a person has hidden.
        """
        where = "WHERE (? IS NULL OR kind = ?) AND (? OR NOT hidden)"
        return self._runs(f"{where} ORDER BY id DESC", [kind, kind, int(hidden)])

    def run(self, run_id: int) -> Run:
        """One run.

        Raises:
            ResultsError: there is none of this number.
        """
        found = self._runs("WHERE id = ?", [run_id])
        if not found:
            raise ResultsError(f"there is no run {run_id}", hint="see the list of runs")
        return found[0]

    def _runs(self, where: str, values: Sequence[object]) -> list[Run]:
        query = f"SELECT * FROM run_summary {where}"
        runs = [Run(*row) for row in self._rows(query, values)]
        return [
            dataclasses.replace(
                run,
                state=_state(run.state, run.heartbeat_at),
                dirty=None if run.dirty is None else bool(run.dirty),
                hidden=bool(run.hidden),
            )
            for run in runs
        ]

    # --- scores -----------------------------------------------------------------------------------

    def means(
        self, run_ids: Collection[int] | None = None, **filters: str | Collection[str] | None
    ) -> list[MeanScore]:
        """Means of figures over faces.

        Args:
            run_ids: of these runs; without, each figure of the finished benchmark, not hidden, of
                the model's newest weights that has it of most faces, the newest of several.
            filters: ``method``, ``mask``, ``protocol``, ``source``, ``pair``, ``metric``: one name
                or several.
        """
        view, terms = "latest_score", ["1"]
        values: list[str | int] = []
        if run_ids is not None:
            view = "mean_score"
            terms.append(f"run_id IN ({', '.join('?' * len(run_ids))})")
            values.extend(run_ids)
        for name, wanted in filters.items():
            if name not in _FILTERS:
                raise ResultsError(
                    f"no filter is called {name!r}", hint=f"known: {', '.join(_FILTERS)}"
                )
            if wanted is not None:
                names = [wanted] if isinstance(wanted, str) else list(wanted)
                terms.append(f"{name} IN ({', '.join('?' * len(names))})")
                values.extend(names)
        query = f"SELECT {_MEANS} FROM {view} WHERE {' AND '.join(terms)} ORDER BY series_id"
        return [MeanScore(*row) for row in self._rows(query, values)]

    def choices(self) -> dict[str, list[str]]:
        """What there is to filter by: each filter's name and its values, in order."""
        return {
            name: [r[0] for r in self._rows(f"SELECT DISTINCT {name} FROM series ORDER BY 1")]
            for name in _FILTERS
        }

    def distribution(self, series_id: int) -> list[tuple[str, float]]:
        """The figures of every face of a series (:attr:`MeanScore.series_id`), infinite too."""
        query = """SELECT image, value FROM score JOIN face ON face.id = face_id
            WHERE series_id = ? ORDER BY face_id"""
        return [(row[0], row[1]) for row in self._rows(query, [series_id])]

    def histogram(
        self, series_ids: Collection[int], low: float, high: float, bins: int = 40
    ) -> dict[int, list[int]]:
        """Count the finite figures of series in ``bins`` equal parts from ``low`` to ``high``.

        Those outside count in the first and last; all in the first where ``high`` is ``low``.
        """
        found = {series_id: [0] * bins for series_id in series_ids}
        query = f"""SELECT series_id,
            max(0, min(? - 1, CAST((value - ?) * ? / ? AS INTEGER))) AS bin, count(*)
            FROM score WHERE series_id IN ({", ".join("?" * len(series_ids))}) AND value < 9e999
            GROUP BY series_id, bin"""
        extent = high - low if high > low else 1e300
        for series_id, place, count in self._rows(query, [bins, low, bins, extent, *series_ids]):
            found[series_id][place] = count
        return found

    def scatter(self, x: int, y: int, most: int = 5_000) -> list[tuple[str, float, float]]:
        """Two series face by face: image, figure of ``x``, figure of ``y``; finite ones only."""
        query = """SELECT image, a.value, b.value FROM score a JOIN score b USING (face_id)
            JOIN face ON face.id = face_id WHERE a.series_id = ? AND b.series_id = ?
              AND a.value < 9e999 AND b.value < 9e999
              AND face_id % max(1, (SELECT images FROM series WHERE id = ?) / ?) = 0
            ORDER BY face_id"""
        return [(row[0], row[1], row[2]) for row in self._rows(query, [x, y, x, most])]

    def face(self, run_id: int, image: str) -> list[Score]:
        """Every figure of one face in a run."""
        query = """SELECT image, face.source, method, mask, pair, metric, value, protocol
            FROM face JOIN series ON series.source = face.source
            JOIN score ON series_id = series.id AND face_id = face.id
            WHERE image = ? AND run_id = ? ORDER BY series.id"""
        return [Score(*row) for row in self._rows(query, [image, run_id])]

    def losses(
        self, run_ids: Collection[int], names: Collection[str] | None = None, most: int = 2_000
    ) -> dict[int, dict[str, list[Loss]]]:
        """Logged values of several runs, by run and name, in the order of steps.

        Args:
            run_ids: which runs.
            names: only these.
            most: at most about so many steps of each curve, evenly; the last one always.
        """
        found: dict[int, dict[str, list[Loss]]] = {run_id: {} for run_id in run_ids}
        curves = f"""SELECT run_id, name, count(*), max(step) FROM loss
            WHERE run_id IN ({", ".join("?" * len(run_ids))}) GROUP BY run_id, name"""
        query = """SELECT step, name, value, seconds FROM (
            SELECT *, row_number() OVER (ORDER BY step) AS place FROM loss
            WHERE run_id = ? AND name = ?) WHERE (place - 1) % ? = 0 OR step = ? ORDER BY step"""
        for run_id, name, count, last in self._rows(curves, list(run_ids)):
            if names is None or name in names:
                rows = self._rows(query, [run_id, name, -(-count // most), last])
                found[run_id][name] = [Loss(*row) for row in rows]
        return found

    def extremes(
        self, run_ids: Collection[int]
    ) -> dict[int, dict[str, tuple[float, float, float]]]:
        """The last, least and greatest value of each logged name, over all steps."""
        found: dict[int, dict[str, tuple[float, float, float]]] = {id: {} for id in run_ids}
        query = f"""SELECT run_id, name, min(value), max(value), (SELECT value FROM loss AS last
              WHERE last.run_id = loss.run_id AND last.name = loss.name ORDER BY step DESC LIMIT 1)
            FROM loss WHERE run_id IN ({", ".join("?" * len(run_ids))}) GROUP BY run_id, name"""
        for run_id, name, least, greatest, last in self._rows(query, list(run_ids)):
            found[run_id][name] = (last, least, greatest)
        return found

    def references(self, paper: str | None = None, table: str | None = None) -> list[Reference]:
        """The papers' own figures as printed."""
        query = """SELECT paper, table_name, method, ours, mask, source, pair, metric, value,
            better, note FROM reference WHERE paper = ifnull(?, paper)
            AND table_name = ifnull(?, table_name) ORDER BY id"""
        return [Reference(*row) for row in self._rows(query, [paper, table])]

    def paper_table(self, name: str, protocol: str = "png") -> list[PaperCell]:
        """A paper's table, ours beside it, cell by cell, in the paper's order; then our own rows.

        Args:
            name: of :data:`engine.results.TABLES`.
            protocol: of our figures.

        Raises:
            ResultsError: no such table.
        """
        if name not in TABLES:
            raise ResultsError(f"no table is called {name!r}", hint=f"known: {', '.join(TABLES)}")
        query = f"""SELECT * FROM {name} WHERE protocol = ?
            ORDER BY place IS NULL, place, our_method, mask, source, metric"""
        return [PaperCell(*row) for row in self._rows(query, [protocol])]

    def blocks(self) -> list[tuple[int, MeanScore]]:
        """Figure 6 of PRO-Face S: figures of the newest trainings with so many blocks."""
        query = f"SELECT {_MEANS} FROM latest_score WHERE method GLOB 'proface-s-*-n[1-9]'"
        return [(int(row[0][-1]), MeanScore(*row)) for row in self._rows(query)]

    def costs(self, run_ids: Collection[int] | None = None) -> list[tuple[int, Cost]]:
        """What things take, with the run that measured it, newest first; of every run without."""
        where = f"WHERE run_id IN ({', '.join('?' * len(run_ids))})" if run_ids is not None else ""
        query = f"SELECT * FROM cost {where} ORDER BY run_id DESC, method, mask, name, batch"
        rows = self._rows(query, list(run_ids or ()))
        return [(row[0], Cost(*row[1:])) for row in rows]

    def artifacts(self, run_id: int | None = None, image: str | None = None) -> list[Artifact]:
        """Pictures that were kept and may be shown, of one run or face or of all."""
        query = """SELECT image, method, mask, name, licence, data, media_type FROM artifact
            WHERE run_id = ifnull(?, run_id) AND image = ifnull(?, image) ORDER BY id"""
        return [Artifact(*row) for row in self._rows(query, [run_id, image])]

    def _rows(
        self,
        query: str,
        values: Sequence[object] = (),
        connection: sqlite3.Connection | None = None,
    ) -> list[tuple[Any, ...]]:
        with self._named():
            rows: list[tuple[Any, ...]] = (
                (connection or self._db.conn).execute(query, values).fetchall()
            )
            return rows

    @contextlib.contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise ResultsError(
                f"{self.path.name} cannot be read as a results database ({error})",
                hint="name another file, or take the copy before; this one is left as it is",
            ) from error


def _state(state: str, heartbeat_at: str | None) -> str:
    if state == "running" and heartbeat_at is not None:
        age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(heartbeat_at)
        return "crashed" if age.total_seconds() > STALE else state
    return state
