"""Where the demo listens: what was asked for or a named error, never another port in silence."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import port
from demo.port import PortError, choose_port

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port that another program listens on, and no wish in the environment."""
    monkeypatch.delenv(port.VARIABLE, raising=False)
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        yield int(other.getsockname()[1])


def test_a_taken_port_moves_aloud(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "FIRST", taken)
    found, said = choose_port(HOST, None)
    assert taken < found < taken + port.TRIED
    assert str(taken) in said
    assert str(found) in said
    monkeypatch.setattr(port, "TRIED", 1)
    with pytest.raises(PortError, match="must be free"):
        choose_port(HOST, None)


@pytest.mark.parametrize("host", [HOST, "0.0.0.0"])
def test_a_port_that_was_asked_for_is_had_or_refused(
    taken: int, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PortError, match=f"port {taken} cannot be had") as caught:
        choose_port(host, taken)
    assert "--port" in caught.value.hint
    monkeypatch.setenv(port.VARIABLE, str(taken))
    with pytest.raises(PortError, match=f"port {taken} cannot be had"):
        choose_port(host, None)
    with socket.socket() as free:
        free.bind((HOST, 0))
        other = int(free.getsockname()[1])
    assert choose_port(host, other) == (other, "")
    monkeypatch.setenv(port.VARIABLE, str(other))
    assert choose_port(host, None) == (other, "")


@pytest.mark.parametrize("named", ["0", "65536", "http", "-1"])
def test_what_is_no_port_is_refused(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(port.VARIABLE, named)
    with pytest.raises(PortError, match="must"):
        choose_port(HOST, None)


def test_the_program_says_so_in_two_lines(taken: int) -> None:
    for arguments, named in ((["--port", str(taken)], ""), ([], str(taken))):
        done = subprocess.run(
            [sys.executable, "-m", "demo", *arguments],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env={**os.environ, port.VARIABLE: named},
            timeout=60,
        )
        assert done.returncode == 1
        first, second = done.stderr.splitlines()
        assert first.startswith(f"error: port {taken} ")
        assert second.startswith("hint: ")
