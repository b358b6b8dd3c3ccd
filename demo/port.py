"""Chooses where to listen: the port that was asked for or none, else the first free one."""

import os
import socket
from typing import Final

FIRST: Final = 7860
TRIED: Final = 100
VARIABLE: Final = "GRADIO_SERVER_PORT"


class PortError(Exception):
    """The port that was asked for cannot be had.

    Attributes:
        hint: what to do.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def choose_port(host: str, asked: int | None) -> tuple[int, str]:
    """Choose a port: the one asked for, the one that the environment names, or a free one.

    Args:
        host: address to listen on.
        asked: on the command line; goes before the environment.

    Returns:
        The port; and what is to be said about it, empty where it is the usual one.

    Raises:
        PortError: the port asked for is taken, forbidden or no port; or 100 are taken.
    """
    named = _from_environment() if asked is None else asked
    if named is not None:
        why = _why_not(host, named)
        if why:
            raise PortError(
                f"port {named} {why}",
                f"name another with --port or {VARIABLE}, or neither to take a free one",
            )
        return named, ""
    for port in range(FIRST, FIRST + TRIED):
        if not _why_not(host, port):
            moved = f"port {FIRST} is taken, so the page is on port {port}"
            return port, "" if port == FIRST else moved
    raise PortError(
        f"one of the ports {FIRST} to {FIRST + TRIED - 1} must be free, got none",
        "stop what listens on them, or name another with --port",
    )


def _from_environment() -> int | None:
    named = os.environ.get(VARIABLE, "").strip()
    if not named:
        return None
    if not named.isdecimal():
        raise PortError(f"{VARIABLE} must be a number, got {named!r}", "1024 to 65535 is usual")
    return int(named)


def _why_not(host: str, port: int) -> str:
    """Say why nobody could listen there; empty where it can be done."""
    if not 0 < port < 2**16:
        return "must lie in 1 to 65535"
    # Gradio looks at the loopback address, whatever the host.
    for address in {host, "127.0.0.1"}:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((address.strip("[]"), port))
            except OSError as error:
                return f"cannot be had on {address}: {(error.strerror or 'no').lower()}"
    return ""
