"""``recover``: a protected PNG and a passphrase in, the photograph with its faces out."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.terminal import (
    ask_passphrase,
    check_output,
    emit,
    named_errors,
    progress_bar,
    read_passphrase,
    secret_paths,
)
from engine.errors import WrongKeyError
from engine.header import from_json
from engine.images import ProtectedFile, open_protected, write_png
from engine.methods import find_method
from engine.pipeline import Recovered, recover_wrongly
from engine.pipeline import recover as recover_photo
from engine.record import Header
from engine.recovery import method_of, read_header


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
    places = passphrase_file or []
    inputs = {
        "the protected picture itself": [protected],
        "a passphrase file": secret_paths(places, "--passphrase-file"),
        "the sidecar": [sidecar] if sidecar else [],
    }
    with named_errors():
        check_output(output, inputs)
        file = open_protected(protected)
        # What is no text becomes no JSON, which has its own named error.
        text = None if sidecar is None else sidecar.read_text(encoding="utf-8", errors="replace")
        header = None if text is None else from_json(text)
        secrets = [read_passphrase(place) for place in places]
        if not secrets and not _is_keyless(file, header):
            secrets = [ask_passphrase(twice=False)]
        start = time.monotonic()
        try:
            with progress_bar() as report:
                recovered = recover_photo(file, secrets, header=header, report=report)
        except WrongKeyError as error:
            if not show_wrong:
                raise
            write_png(output, recover_wrongly(file, secrets[0], header=header), None)
            # The error's own hint names the option that was given.
            raise WrongKeyError(
                str(error),
                hint=f"check capitals, spaces, every sign; {output} shows what this wrong key does",
            ) from None
        write_png(output, recovered.photo_u8, None)
        result = _describe(recovered, output, time.monotonic() - start)
    emit(result, as_json, f"{output}: {_summary(recovered, result['recovery_is_exact'])}")


def _is_keyless(file: ProtectedFile, header: Header | None) -> bool:
    """Whether the faces come back for anybody, so that no passphrase needs to be asked for."""
    return method_of(read_header(file, header)[0]).keyless


def _summary(recovered: Recovered, exact: list[bool]) -> str:
    """How many boxes, and how well; a picture without a tag may show noise and looks opened."""
    hidden = f", {len(recovered.closed)} still hidden" if recovered.closed else ""
    opened = _boxes(len(recovered.opened))
    count = f"{opened} recovered"
    if find_method(recovered.header.method).keyless:
        proof = (
            "the passphrase is the one it was protected with"
            if recovered.verified
            else "whether one was given or not proves nothing"
        )
        return f"{count} closely, not bit-exact; anyone can, without a passphrase ({proof})"
    if not recovered.verified:
        unproven = "nothing in the file says whether this is the right passphrase"
        return f"{opened} opened{hidden}; {unproven}"
    how = "bit-exact" if all(exact) else "closely, not bit-exact"
    return f"{count} {how}{hidden}"


def _boxes(count: int) -> str:
    """Boxes, not faces: those whose boxes overlap share one."""
    return f"{count} box{'es' * (count != 1)}"


def _describe(recovered: Recovered, output: Path, seconds: float) -> dict[str, Any]:
    header = recovered.header
    method = find_method(header.method)
    return {
        "output": str(output),
        "method": header.method,
        "tag": header.faces[0].tag is not None,
        "keyless": method.keyless,
        "passphrase_verified": recovered.verified,
        "faces_recovered": list(recovered.opened),
        "recovery_is_exact": [
            method.is_exact(header.faces[number - 1].data) for number in recovered.opened
        ],
        "faces_still_hidden": list(recovered.closed),
        "seconds": round(seconds, 3),
    }
