"""What the verbs share with the person at the terminal: errors, secrets, progress, JSON."""

import contextlib
import getpass
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from engine.errors import EngineError, PassphraseError


def say(text: str) -> None:
    """Write one line for the person; stderr, so that stdout stays for results."""
    typer.echo(text, err=True)


def fail(message: str, hint: str) -> typer.Exit:
    """Print one ``error:`` and one ``hint:`` line and give the exit with code 1 to be raised."""
    say(f"error: {message}")
    if hint:
        say(f"hint: {hint}")
    return typer.Exit(1)


@contextlib.contextmanager
def named_errors() -> Iterator[None]:
    """Turn every error that a user can meet into its two lines and exit code 1."""
    try:
        yield
    except EngineError as error:
        raise fail(str(error), error.hint) from None
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else "the file"
        reason = (error.strerror or type(error).__name__).lower()
        raise fail(f"{name}: {reason}", "check the path and its permissions") from None
    except KeyboardInterrupt:
        raise fail("interrupted", "nothing was written") from None


def emit(result: dict[str, Any], as_json: bool, sentence: str) -> None:
    """Print what was done, as one JSON object on stdout or as a sentence."""
    if as_json:
        typer.echo(json.dumps(result, indent=2))
    else:
        say(sentence)


def read_passphrase(path: str) -> str:
    """Read a passphrase from a file, or from standard input for ``-``; one line end is dropped.

    Raises:
        PassphraseError: the file is not UTF-8 text.
        OSError: it cannot be read.
    """
    raw = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PassphraseError(
            "a passphrase file must be UTF-8 text", hint="save it as plain text"
        ) from error
    return text.removesuffix("\n").removesuffix("\r")


def ask_passphrase(*, twice: bool) -> str:
    """Ask for a passphrase without showing it; twice when a typing error would be final.

    Raises:
        PassphraseError: the two differ, or nobody is there to ask.
    """
    if not sys.stdin.isatty():
        raise PassphraseError(
            "a passphrase is needed, and there is no terminal to ask at",
            hint="pass --passphrase-file PATH, or - for standard input",
        )
    passphrase = getpass.getpass("passphrase: ")
    if twice and getpass.getpass("once more: ") != passphrase:
        raise PassphraseError("the two passphrases differ", hint="type the same one twice")
    return passphrase


@contextlib.contextmanager
def progress_bar() -> Iterator[Callable[[str, float], None]]:
    """Show a bar on stderr, at a terminal only; yields what to call with stage and share done."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<18}"), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("starting", total=1.0)

        def report(stage: str, share: float) -> None:
            bar.update(task, description=stage, completed=share)

        yield report
