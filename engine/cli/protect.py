"""``protect``: a photograph in, a PNG out whose faces only their passphrases bring back."""

import time
from pathlib import Path
from typing import Annotated, Any, cast

import cv2
import numpy as np
import numpy.typing as npt
import typer

from engine.cli.terminal import (
    ask_passphrase,
    emit,
    named_errors,
    progress_bar,
    read_passphrase,
    say,
)
from engine.errors import BoxError, EngineError, PassphraseError
from engine.faces import MIN_SCORE, Face, detect, faces_from_boxes, select, whole_face
from engine.header import to_json
from engine.images import Box, open_photo
from engine.keys import generate_passphrase, normalize_passphrase
from engine.masks import MASKS
from engine.methods import DEFAULT_METHOD, METHODS, WrongMode
from engine.pipeline import Passphrases, Preset, Protected, ProtectOptions
from engine.pipeline import protect as protect_photo


def protect(
    photo: Annotated[Path, typer.Argument(help="JPEG, PNG or WebP, up to 25 megapixels")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the PNG to write")],
    method: Annotated[str, typer.Option(help=f"one of {', '.join(METHODS)}")] = DEFAULT_METHOD,
    mask: Annotated[str, typer.Option(help=f"one of {', '.join(MASKS)}")] = "gaussian",
    preset: Annotated[
        str, typer.Option(help="mask strength: scaled with the face, or paper")
    ] = "scaled",
    passphrase_file: Annotated[
        str | None, typer.Option(help="read it from here; - is stdin")
    ] = None,
    key: Annotated[
        list[str] | None, typer.Option(help="FACE=PATH: a passphrase file per face")
    ] = None,
    generate: Annotated[
        bool, typer.Option("--generate", help="make a passphrase, print it once")
    ] = False,
    words: Annotated[int, typer.Option(help="words of a generated passphrase")] = 6,
    faces: Annotated[str, typer.Option(help="all, or numbers as 1,3 (see the verb faces)")] = "all",
    box: Annotated[
        list[str] | None, typer.Option(help="X0,Y0,X1,Y1 instead of the detector")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="the picture is one face")] = False,
    detector: Annotated[str, typer.Option(help="centerface, or insightface:PACK")] = "centerface",
    min_score: Annotated[float, typer.Option(help="lower finds more faces")] = MIN_SCORE,
    wrong: Annotated[str, typer.Option(help="what a wrong key shows: rand or obfs")] = "",
    no_tag: Annotated[
        bool, typer.Option("--no-tag", help="let nothing say which key is right")
    ] = False,
    sidecar: Annotated[
        bool, typer.Option("--sidecar", help="also write the header beside it")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print what was done as JSON")] = False,
) -> None:
    """Hide the faces of a photograph under a passphrase."""
    _check_usage(preset, wrong, box, whole, passphrase_file, key, generate)
    with named_errors(), progress_bar() as report:
        if output.exists() and photo.exists() and output.samefile(photo):
            raise EngineError(
                "the output is the photograph itself", hint="name another file with --output"
            )
        photo_u8 = open_photo(photo)
        report("looking for faces", 0.0)
        chosen = _choose(photo_u8, faces, box, whole, detector, min_score)
        mode = cast(WrongMode, wrong)
        options = ProtectOptions(
            method, mask, cast(Preset, preset), wrong=mode, check_value=not no_tag
        )
        secrets = _secrets(len(chosen), passphrase_file, key, generate, words)
        start = time.monotonic()
        protected = protect_photo(photo_u8, chosen, secrets, options, report)
        output.write_bytes(protected.png)
        if sidecar:
            Path(f"{output}.json").write_text(to_json(protected.header), encoding="utf-8")
        result = describe(protected, output, time.monotonic() - start)
    if generate and isinstance(secrets, str):
        say(f"passphrase: {secrets}")
    count = len(protected.header.faces)
    emit(result, as_json, f"{output}: {count} face{'s' * (count > 1)} hidden with {method}")


def describe(protected: Protected, output: Path, seconds: float) -> dict[str, Any]:
    """Tell what was done, ready for JSON; nothing secret."""
    header = protected.header
    return {
        "output": str(output),
        "bytes": len(protected.png),
        "method": header.method,
        "mask": header.mask,
        "wrong": header.wrong,
        "tag": header.faces[0].tag is not None,
        "faces": [
            {"box": list(face.box), "key": face.key_slot + 1, "recovery_is_exact": exact}
            for face, exact in zip(header.faces, protected.exact, strict=True)
        ],
        "mask:protected_psnr_db": psnr_db(protected.masked_u8, protected.photo_u8),
        "seconds": round(seconds, 3),
    }


def psnr_db(first_u8: npt.NDArray[np.uint8], second_u8: npt.NDArray[np.uint8]) -> float | None:
    """PSNR of two photographs in dB, None if they are equal (JSON knows no infinity)."""
    error = cv2.norm(first_u8, second_u8, cv2.NORM_L2SQR) / first_u8.size
    return round(10 * float(np.log10(255**2 / error)), 2) if error else None


def _check_usage(
    preset: str,
    wrong: str,
    box: list[str] | None,
    whole: bool,
    passphrase_file: str | None,
    key: list[str] | None,
    generate: bool,
) -> None:
    if preset not in ("scaled", "paper"):
        raise typer.BadParameter("expected scaled or paper", param_hint="--preset")
    if wrong not in ("", "rand", "obfs"):
        raise typer.BadParameter("expected rand or obfs", param_hint="--wrong")
    if box and whole:
        raise typer.BadParameter("choose --box or --whole, not both", param_hint="--box")
    if sum((passphrase_file is not None, bool(key), generate)) > 1:
        raise typer.BadParameter(
            "choose one of --passphrase-file, --key and --generate", param_hint="--passphrase-file"
        )


def _choose(
    photo_u8: npt.NDArray[np.uint8],
    faces: str,
    box: list[str] | None,
    whole: bool,
    detector: str,
    min_score: float,
) -> list[Face]:
    if whole:
        return [whole_face(photo_u8, detector=detector)]
    if box:
        height, width = photo_u8.shape[:2]
        boxes = [_parse_box(text) for text in box]
        return faces_from_boxes(boxes, height, width, photo_u8=photo_u8, detector=detector)
    return select(detect(photo_u8, detector=detector, min_score=min_score), faces)


def _parse_box(text: str) -> Box:
    try:
        x0, y0, x1, y1 = (int(part) for part in text.split(","))
    except ValueError as error:
        raise BoxError(
            f"a box must be X0,Y0,X1,Y1 in whole pixels, got {text!r}", hint="such as 40,30,200,210"
        ) from error
    return x0, y0, x1, y1


def _secrets(
    count: int, passphrase_file: str | None, key: list[str] | None, generate: bool, words: int
) -> Passphrases:
    if key:
        return {number: read_passphrase(path) for number, path in map(_parse_key, key)}
    if generate:
        return generate_passphrase(words)
    passphrase = read_passphrase(passphrase_file) if passphrase_file else ask_passphrase(twice=True)
    normalize_passphrase(passphrase)
    return passphrase


def _parse_key(text: str) -> tuple[int, str]:
    number, equals, path = text.partition("=")
    if not equals or not number.isdecimal() or not path:
        raise PassphraseError(
            "--key must be FACE=PATH", hint="such as --key 1=first.txt --key 2=second.txt"
        )
    return int(number), path
