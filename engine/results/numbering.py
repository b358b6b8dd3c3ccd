"""Gives series and faces their numbers: a score is stored as two numbers and its value."""

import sqlite3
from collections.abc import Sequence

from engine.results.records import Score

_SERIES = ("method", "mask", "protocol", "source", "pair", "metric")


class Numbering:
    """The numbers of the series and faces that this program has stored so far.

    Args:
        connection: of the database; every call is part of a transaction of its owner.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._series: dict[tuple[object, ...], int] = {}
        self._faces: dict[tuple[object, ...], int] = {}

    def forget(self) -> None:
        """After a transaction that failed: what was numbered in it is gone with it."""
        self._series.clear()
        self._faces.clear()

    def rows(self, run_id: int, scores: Sequence[Score]) -> list[tuple[int, int, float]]:
        """Series, face and value of each score; series and faces are made where they are new."""
        query = "SELECT data_hash FROM run WHERE id = ?"
        found = self._connection.execute(query, [run_id]).fetchone()
        data_hash = found[0] if found else ""
        return [
            (
                self._series_id((run_id, *(getattr(score, name) for name in _SERIES))),
                self._face_id((score.image, score.source, data_hash)),
                float(score.value),
            )
            for score in scores
        ]

    def _series_id(self, key: tuple[object, ...]) -> int:
        if key not in self._series:
            self._series[key] = self._number("series", ("run_id", *_SERIES), key)
        return self._series[key]

    def _face_id(self, key: tuple[object, ...]) -> int:
        if key not in self._faces:
            self._faces[key] = self._number("face", ("image", "source", "data_hash"), key)
        return self._faces[key]

    def _number(self, table: str, columns: Sequence[str], key: Sequence[object]) -> int:
        where = " AND ".join(f"{column} = ?" for column in columns)
        select = f"SELECT id FROM {table} WHERE {where}"
        found = self._connection.execute(select, key).fetchone()
        if found is None:
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) RETURNING id"
            found = self._connection.execute(insert, key).fetchone()
        return int(found[0])
