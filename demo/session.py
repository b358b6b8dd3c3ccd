"""What an open page has on the server, kept private, and wiped when the page closes or rests."""

import atexit
import logging
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from demo.throttle import Throttle

KEEP_SECONDS: Final = 50.0
"""Whatever a page or a program has here goes so long after its last use, and one sweep."""

REST_SECONDS: Final = 1800.0
"""What an open page made of a public sample may stay so long: it is nobody's picture."""

WAITING_SECONDS: Final = 300.0
"""An upload may wait so long while there is a queue; then nobody wants it any more."""

SWEEP_SECONDS: Final = 5.0
MOST_BYTES: Final = 256 * 2**20
"""Results of one visit, together; beyond it the oldest goes."""

_FOLDER: Final = re.compile(r"faceveil-(\d+)-\w+")
_LOG = logging.getLogger("demo")


class GoneError(RuntimeError):
    """The page was closed while its job ran; what the job made is deleted."""


def private_folder() -> Path:
    """Make the folder that holds every upload and result, for this user's eyes and this run only.

    To be called before gradio is imported, which reads the place once. Folders that a killed run
    left behind go now.
    """
    os.umask(0o077)
    _remove_orphans(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"faceveil-{os.getpid()}-"))
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _remove_orphans(place: Path) -> None:
    if os.name != "posix":  # elsewhere nothing tells without harm whether a process lives
        return
    for folder in place.glob("faceveil-*"):
        named = _FOLDER.fullmatch(folder.name)
        if named is None or folder.is_symlink() or not folder.is_dir():
            continue
        try:
            if folder.stat().st_uid == os.getuid():
                os.kill(int(named[1]), 0)
        except (ProcessLookupError, OverflowError):  # nobody of that number
            shutil.rmtree(folder, ignore_errors=True)
        except OSError as error:  # somebody else's, or gone by now
            _LOG.debug("orphans: %s", type(error).__name__)


@dataclass(eq=False)
class Visit:
    """One open page, or one program that calls; made by :class:`Visits`.

    Attributes:
        home: of all visits; its lock guards every field.
        held: files of the private folder that this page may still ask for.
        made: results among them by age, with their bytes.
        things: pictures and keys by what they are for; never a passphrase.
        public: names of the things that were made of a public sample.
        open_page: a browser shows it, so its closing will be noticed.
        closed: the page went away.
        used: when it last did something.
    """

    home: "Visits" = field(repr=False)
    held: set[Path] = field(default_factory=set)
    made: dict[Path, int] = field(default_factory=dict)
    things: dict[str, Any] = field(default_factory=dict, repr=False)
    public: set[str] = field(default_factory=set)
    open_page: bool = False
    closed: bool = False
    used: float = 0.0

    def keep(self, content: bytes, name: str) -> str:
        """Write a result to where gradio serves it from, byte for byte; returns its path.

        Raises:
            GoneError: the page was closed meanwhile; nothing is left.
        """
        from gradio.processing_utils import save_file_to_cache

        folder = Path(os.environ["GRADIO_TEMP_DIR"])
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            written = Path(scratch) / name
            written.write_bytes(content)
            # Under the lock, so that the broom never meets a result that nobody holds yet.
            with self.home.lock:
                kept = Path(save_file_to_cache(written, str(folder)))
                self.home.add(self, kept)
                self.made.pop(kept, None)
                self.made[kept] = len(content)
                while len(self.made) > 1 and sum(self.made.values()) > MOST_BYTES:
                    self.home.drop(self, next(iter(self.made)))
        return str(kept)

    def hold(self, path: str | os.PathLike[str]) -> None:
        """Keep an upload as long as the page.

        Raises:
            GoneError: the page was closed meanwhile; the upload is deleted.
        """
        with self.home.lock:
            self.home.add(self, Path(path))

    def put(self, name: str, thing: object, *, public: bool = False) -> None:
        """Remember a thing until the page closes or rests."""
        with self.home.lock:
            if not self.closed:
                self.things[name] = thing
                self.public.add(name) if public else self.public.discard(name)

    def forget(self, name: str) -> Any:
        """Take a thing away, and give it; None where there is none."""
        with self.home.lock:
            return self.things.pop(name, None)

    def replace(self, name: str, paths: list[str]) -> None:
        """Let a page's newer results take the place of those it showed there before.

        Programs may fetch theirs later, so theirs stay until they are swept.
        """
        with self.home.lock:
            new, old = {Path(path) for path in paths}, self.things.get(name, set())
            for path in (old - new) & self.held if self.open_page else ():
                self.home.drop(self, path)
            if not self.closed:
                self.things[name] = new


class Visits:
    """Every visit, and the broom that sweeps after them.

    Args:
        folder: the private folder.
        clock: seconds; another one in tests.

    Attributes:
        lock: guards every visit.
        throttle: of attempts at passphrases.
        waiting: gives the sessions whose jobs run or wait in a queue, so nothing of theirs goes.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._visits: dict[str, Visit] = {}
        self.lock = threading.RLock()
        self.throttle = Throttle(clock)
        self.waiting: Callable[[], set[str]] = set

    def of(self, name: str | None) -> Visit:
        """Find or make the visit of a session, and note that it is in use."""
        with self.lock:
            # A caller without a session shares with nobody.
            visit = self._visits.setdefault(name or secrets.token_hex(16), Visit(self))
            visit.used = self._clock()
            return visit

    def has(self, name: str | None, thing: str) -> bool:
        """Tell whether a thing is still here, which is no use of it."""
        with self.lock:
            visit = self._visits.get(name or "")
            return visit is not None and thing in visit.things

    def close(self, name: str | None) -> None:
        """Wipe what a page had: it closed, or asked for it."""
        with self.lock:
            visit = self._visits.pop(name or "", None)
            if visit is not None:
                visit.closed = True
                visit.public.clear()
                self._rest(visit)

    def sweep(self) -> None:
        """Wipe visits that rest, and files that nobody holds."""
        self.throttle.forget()
        waiting = self.waiting()
        with self.lock:
            for name, visit in list(self._visits.items()):
                if name in waiting:
                    visit.used = self._clock()
                idle = self._clock() - visit.used
                if idle > (REST_SECONDS if visit.open_page else KEEP_SECONDS):
                    visit.public.clear()
                    self._rest(self._visits.pop(name))
                elif idle > KEEP_SECONDS:
                    self._rest(visit)
            held = {path for visit in self._visits.values() for path in visit.held}
            # The upload of a job in the queue is held only once the job runs.
            _remove_old(self._folder, held, WAITING_SECONDS if waiting else KEEP_SECONDS)

    def add(self, visit: Visit, path: Path) -> None:
        """Hold a file for a visit, under the lock.

        Raises:
            GoneError: the visit is closed; the file is deleted unless another holds it.
        """
        visit.held.add(path)
        if visit.closed:
            self.drop(visit, path)
            raise GoneError("the page was closed")

    def drop(self, visit: Visit, path: Path) -> None:
        """Let go of a file, under the lock, and delete it unless another visit holds it."""
        visit.held.discard(path)
        visit.made.pop(path, None)
        if not any(path in other.held for other in self._visits.values()):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                _LOG.error("a file could not be wiped: %s", type(error).__name__)

    def _rest(self, visit: Visit) -> None:
        for name in set(visit.things) - visit.public:
            del visit.things[name]
        for path in list(visit.held):
            self.drop(visit, path)


def _remove_old(folder: Path, held: set[Path], age: float) -> None:
    now = time.time()
    # Bottom up; unlike rglob, os.walk passes over folders that vanish under its hands.
    for place, folders, names in os.walk(folder, topdown=False):
        for path in [Path(place, name) for name in (*names, *folders)]:
            try:
                old = now - path.lstat().st_ctime > age
                if old and path not in held and not path.is_dir():
                    path.unlink()
                elif old and path.is_dir() and not any(path.iterdir()):
                    path.rmdir()
            except OSError as error:  # gone already, or just being written
                _LOG.debug("sweep: %s", type(error).__name__)


def start_sweeping(visits: Visits, seconds: float = SWEEP_SECONDS) -> threading.Thread:
    """Sweep every few seconds until the program ends."""

    def work() -> None:
        while True:
            time.sleep(seconds)
            try:
                visits.sweep()
            except (OSError, RuntimeError) as error:  # a round fails, the next one comes
                _LOG.error("sweep: %s", type(error).__name__)

    thread = threading.Thread(target=work, name="sweep", daemon=True)
    thread.start()
    return thread
