"""Ten passphrases a minute and no more, however often somebody begins a new session."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

SECONDS: Final = 60.0

LIMITS: Final[Mapping[str, int]] = {"session": 10, "picture": 10, "host": 60}
"""Attempts within :data:`SECONDS`. A host may be a whole office behind one address."""


class Throttle:
    """Counts attempts by who made them and by what they were made on.

    Args:
        clock: seconds; another one in tests.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._attempts: dict[tuple[str, str], deque[float]] = {}

    def wait(self, **by: str | None) -> int:
        """Count an attempt, unless there were too many.

        Args:
            by: names by kind, of :data:`LIMITS`; None where it is not known.

        Returns:
            0 where the attempt was counted, else how many seconds to wait.
        """
        now = self._clock()
        with self._lock:
            marks = [(kind, name) for kind, name in by.items() if name is not None]
            counted = [(LIMITS[kind], self._recent((kind, name), now)) for kind, name in marks]
            late = [times[-most] for most, times in counted if len(times) >= most]
            if late:
                return max(1, math.ceil(max(late) + SECONDS - now))
            for _, times in counted:
                times.append(now)
            return 0

    def forget(self) -> None:
        """Drop what no longer counts."""
        now = self._clock()
        with self._lock:
            for mark in list(self._attempts):
                if not self._recent(mark, now):
                    del self._attempts[mark]

    def _recent(self, mark: tuple[str, str], now: float) -> deque[float]:
        times = self._attempts.setdefault(mark, deque())
        while times and now - times[0] > SECONDS:
            times.popleft()
        return times
