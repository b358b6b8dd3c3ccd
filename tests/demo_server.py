"""Starts the real demo in a process of its own on a free port, as people start it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0


@dataclass(frozen=True)
class Server:
    """A running demo.

    Attributes:
        url: of its page.
        log: what it writes.
        seconds: from its start to its first page.
        temp: where its private folder is made.
    """

    url: str
    log: Path
    seconds: float
    temp: Path


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Start the demo, wait for its page, and stop it at the end."""
    url, log, temp = f"http://127.0.0.1:{free_port()}", folder / "demo.log", folder / "tmp"
    temp.mkdir()
    start = time.monotonic()
    with log.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", "--port", url.rsplit(":", 1)[1]],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(temp)},
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            yield Server(url, log, _answer(url, process, log) - start, temp)
        finally:
            process.terminate()
            process.wait(30)


def _answer(url: str, process: "subprocess.Popen[bytes]", log: Path) -> float:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as page:
                page.read()
            return time.monotonic()
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"the demo did not start: {log.read_text()[-2000:]}")
