"""What an open page has on the server, kept private, and wiped when the page closes or rests."""

import atexit
import logging
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

KEEP_SECONDS: Final = 50.0
"""A page that closed, or a program that called, is wiped after at most this and one sweep."""

REST_SECONDS: Final = 1800.0
"""An open page that does nothing for so long is wiped too."""

WAITING_SECONDS: Final = 300.0
"""An upload may wait so long for its turn; then nobody wants it any more."""

SWEEP_SECONDS: Final = 5.0
ATTEMPTS: Final = 10
ATTEMPTS_SECONDS: Final = 60.0

_LOG = logging.getLogger("demo")


def private_folder() -> Path:
    """Make the folder that holds every upload and result, for this user's eyes and this run only.

    To be called before gradio is imported, which reads the place once.
    """
    os.umask(0o077)
    folder = Path(tempfile.mkdtemp(prefix="faceveil-"))
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(eq=False)
class Visit:
    """One open page, or one program that calls.

    Attributes:
        held: files of the private folder that this page may still ask for.
        things: pictures and keys by what they are for; never a passphrase.
        open_page: a browser shows it, so its closing will be noticed.
        used: when it last did something.
    """

    held: set[Path] = field(default_factory=set)
    things: dict[str, Any] = field(default_factory=dict, repr=False)
    attempts: deque[float] = field(default_factory=deque)
    open_page: bool = False
    used: float = 0.0

    def keep(self, content: bytes, name: str) -> str:
        """Write a result to where gradio serves it from, byte for byte; returns its path."""
        from gradio.processing_utils import save_file_to_cache

        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            written = Path(scratch) / name
            written.write_bytes(content)
            kept = Path(save_file_to_cache(written, str(folder)))
        self.held.add(kept)
        return str(kept)

    def hold(self, path: str | os.PathLike[str]) -> None:
        """Keep an upload as long as the page."""
        self.held.add(Path(path))

    def may_try(self, now: float) -> bool:
        """Count an attempt at a passphrase; False where there were too many."""
        while self.attempts and now - self.attempts[0] > ATTEMPTS_SECONDS:
            self.attempts.popleft()
        if len(self.attempts) >= ATTEMPTS:
            return False
        self.attempts.append(now)
        return True


class Visits:
    """Every visit, and the broom that sweeps after them.

    Args:
        folder: the private folder.
        clock: seconds; another one in tests.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._visits: dict[str, Visit] = {}
        self._lock = threading.Lock()

    def of(self, name: str | None) -> Visit:
        """Find or make the visit of a session, and note that it is in use."""
        with self._lock:
            # A caller without a session shares with nobody.
            visit = self._visits.setdefault(name or secrets.token_hex(16), Visit())
            visit.used = self._clock()
            return visit

    def may_try(self, visit: Visit) -> bool:
        """Count an attempt of a visit; at most :data:`ATTEMPTS` in a minute."""
        with self._lock:
            return visit.may_try(self._clock())

    def close(self, name: str | None) -> None:
        """Wipe what a page had: it closed, or asked for it."""
        with self._lock:
            visit = self._visits.pop(name or "", None)
            if visit is not None:
                self._wipe(visit)

    def sweep(self) -> None:
        """Wipe visits that ended without a word, and files that nobody holds."""
        with self._lock:
            for name, visit in list(self._visits.items()):
                rest = REST_SECONDS if visit.open_page else KEEP_SECONDS
                if self._clock() - visit.used > rest:
                    self._wipe(self._visits.pop(name))
            held = {path for visit in self._visits.values() for path in visit.held}
            _remove_old(self._folder, held)

    def _wipe(self, visit: Visit) -> None:
        visit.things.clear()
        held = {path for other in self._visits.values() for path in other.held}
        for path in visit.held - held:
            path.unlink(missing_ok=True)
        visit.held.clear()


def _remove_old(folder: Path, held: set[Path]) -> None:
    now = time.time()
    for path in folder.rglob("*"):
        try:
            old = now - path.lstat().st_ctime > WAITING_SECONDS
            if old and path not in held and not path.is_dir():
                path.unlink()
            elif old and path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        except OSError as error:  # gone already, or just being written
            _LOG.debug("sweep: %s", type(error).__name__)


def start_sweeping(visits: Visits) -> threading.Thread:
    """Sweep every few seconds until the program ends."""

    def work() -> None:
        while True:
            time.sleep(SWEEP_SECONDS)
            visits.sweep()

    thread = threading.Thread(target=work, name="sweep", daemon=True)
    thread.start()
    return thread
