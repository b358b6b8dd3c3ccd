"""``recover``: a protected PNG and a passphrase in, the photograph with its faces out."""

import time
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.terminal import (
    ask_passphrase,
    emit,
    named_errors,
    progress_bar,
    read_passphrase,
    say,
)
from engine.errors import EngineError, WrongKeyError
from engine.header import from_json
from engine.images import ProtectedFile, open_protected, write_png
from engine.pipeline import recover as recover_photo
from engine.pipeline import recover_wrongly
from engine.record import Header


def recover(
    protected: Annotated[Path, typer.Argument(help="the PNG that protect wrote")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the PNG to write")],
    passphrase_file: Annotated[
        list[str] | None, typer.Option(help="read it from here; - is stdin; one for each key")
    ] = None,
    sidecar: Annotated[Path | None, typer.Option(help="the header, where the file lost it")] = None,
    show_wrong: Annotated[
        bool, typer.Option("--show-wrong", help="write what a wrong key shows, still with exit 1")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print what was done as JSON")] = False,
) -> None:
    """Bring the faces back with their passphrase."""
    with named_errors(), progress_bar() as report:
        if output.exists() and protected.exists() and output.samefile(protected):
            raise EngineError(
                "the output is the protected picture itself", hint="name another file with --output"
            )
        file = open_protected(protected)
        # What is no text becomes no JSON, which has its own named error.
        text = None if sidecar is None else sidecar.read_text(encoding="utf-8", errors="replace")
        header = None if text is None else from_json(text)
        secrets = [read_passphrase(path) for path in passphrase_file or []]
        secrets = secrets or [ask_passphrase(twice=False)]
        start = time.monotonic()
        try:
            recovered = recover_photo(file, secrets, header=header, report=report)
        except WrongKeyError:
            if show_wrong:
                _write_wrong(file, secrets[0], header, output)
            raise
        write_png(output, recovered.photo_u8, None)
    result = {
        "output": str(output),
        "method": recovered.header.method,
        "tag": recovered.header.faces[0].tag is not None,
        "faces_recovered": list(recovered.opened),
        "faces_still_hidden": list(recovered.closed),
        "seconds": round(time.monotonic() - start, 3),
    }
    hidden = f", {len(recovered.closed)} still hidden" if recovered.closed else ""
    emit(result, as_json, f"{output}: {len(recovered.opened)} recovered{hidden}")


def _write_wrong(file: ProtectedFile, secret: str, header: Header | None, output: Path) -> None:
    write_png(output, recover_wrongly(file, secret, header=header), None)
    say(f"{output}: what this wrong key shows")
