"""What the verbs share with the person at the terminal: errors, secrets, progress, JSON."""

import contextlib
import getpass
import json
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from tqdm import tqdm

from engine.errors import EngineError, PassphraseError
from engine.files import check_target

OTHER_FORMATS = (".jpg", ".jpeg", ".webp")
"""Endings that would lie about the PNG that is written."""

_LINE_SECONDS = 30.0


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
        name = Path(str(error.filename)).name or "the file" if error.filename else "the file"
        reason = (error.strerror or type(error).__name__).lower()
        raise fail(f"{name}: {reason}", "check the path and its permissions") from None
    except sqlite3.Error as error:
        raise fail(f"the results database: {error}", "check its path, or name another") from None
    except MemoryError:
        raise fail("the memory is not enough", "take a smaller picture or batch") from None
    except KeyboardInterrupt:
        raise fail("interrupted", "nothing was written") from None


def find_device(name: str) -> str:
    """The torch device to run on: the one that was named, or the fastest where none was.

    Raises:
        typer.BadParameter: there is no such device on this machine.
    """
    import torch

    fastest = "cuda" if torch.cuda.is_available() else "cpu"
    if not name:
        return fastest
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise typer.BadParameter(
            f"this machine has no device {name!r}; leave it out to run on {fastest}",
            param_hint="--device",
        ) from error
    return name


def check_output(output: Path, inputs: Mapping[str, Sequence[Path]], role: str = "output") -> None:
    """Refuse a file to write that is one of the inputs, no file, or named as another format.

    Args:
        output: the file to write.
        inputs: what each kind of input is to the user, and its paths.
        role: what the file is to the user.

    Raises:
        EngineError: one of the inputs, or a name such as ``.jpg``.
        OSError: as :func:`engine.files.check_target`.
    """
    for what, paths in inputs.items():
        if output.exists() and any(path.exists() and output.samefile(path) for path in paths):
            raise EngineError(f"the {role} is {what}", hint="name another file with --output")
    if output.suffix.lower() in OTHER_FORMATS:
        raise EngineError(
            f"the {role} is a PNG, got the name {output.name}",
            hint=f"name it {output.with_suffix('.png').name}",
        )
    check_target(output)


def secret_paths(paths: Sequence[str], option: str) -> list[Path]:
    """The files among the places to read passphrases from; ``-`` is standard input, once.

    Raises:
        BadParameter: standard input is named twice.
    """
    if list(paths).count("-") > 1:
        raise typer.BadParameter("- can be read only once", param_hint=option)
    return [Path(path) for path in paths if path != "-"]


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
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        # From None: the error carries the bytes of the file.
        raise PassphraseError(
            "a passphrase file must be UTF-8 text", hint="save it as plain text"
        ) from None
    return text[:-2] if text.endswith("\r\n") else text.removesuffix("\n")


def ask_passphrase(*, twice: bool) -> str:
    """Ask for a passphrase without showing it; twice when a typing error would be final.

    Raises:
        PassphraseError: the two differ, or nobody is there to ask, or to answer (Ctrl-D).
    """
    if not sys.stdin.isatty():
        raise PassphraseError(
            "a passphrase is needed, and there is no terminal to ask at",
            hint="pass --passphrase-file PATH (- is standard input); protect has --generate too",
        )
    passphrase = _ask("passphrase: ")
    if twice and _ask("once more: ") != passphrase:
        raise PassphraseError("the two passphrases differ", hint="type the same one twice")
    return passphrase


def _ask(prompt: str) -> str:
    try:
        return getpass.getpass(prompt)
    except EOFError:
        say("")  # the prompt's own line has not ended
        raise PassphraseError(
            "expected a passphrase, got the end of the input",
            hint="nothing was written; type one, or pass --passphrase-file PATH",
        ) from None
    except KeyboardInterrupt:
        say("")
        raise


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


@contextlib.contextmanager
def face_bar() -> Iterator[Callable[[int, int, str], None]]:
    """Faces done, rate and time left: a bar at a terminal, else a line every half minute."""
    quiet = not sys.stderr.isatty()
    with tqdm(unit="face", disable=quiet) as bar:
        began, first, last = time.monotonic(), -1, time.monotonic()

        def report(done: int, total: int, what: str) -> None:
            nonlocal first, last
            first = done if first < 0 else first
            bar.total = total
            bar.set_description(what, refresh=False)
            bar.update(done - bar.n)
            now = time.monotonic()
            if quiet and now - last > _LINE_SECONDS and done > first:
                last = now
                rate = (done - first) / (now - began)
                left = (total - done) / rate / 60
                say(f"{done} of {total} faces, {rate:.1f} a second, {left:.0f} min left, {what}")

        yield report


def names(text: str) -> tuple[str, ...]:
    """Names that were separated by commas, each once."""
    return tuple(dict.fromkeys(filter(None, text.split(","))))


def end_as_by_ctrl_c() -> None:
    """Let a stop by a batch system or a closing session (SIGTERM) save and say what Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
