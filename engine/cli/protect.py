"""``protect``: a photograph in, a PNG out whose faces only their passphrases bring back."""

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, cast

import numpy as np
import numpy.typing as npt
import typer

from engine.cli.mask_choice import (
    DiffusionModel,
    MaskSeed,
    MaskSource,
    MaskStrength,
    check_strength,
    parse_seed,
    parse_strength,
    read_source,
)
from engine.cli.terminal import (
    ask_passphrase,
    check_output,
    emit,
    named_errors,
    progress_bar,
    read_passphrase,
    say,
    secret_paths,
)
from engine.cli.told import describe, warnings_of
from engine.errors import BoxError, PassphraseError
from engine.faces import MIN_SCORE, Face, detect, faces_from_boxes, select, whole_face
from engine.header import to_json
from engine.images import Box, open_photo, open_protected, write_file
from engine.keys import generate_passphrase, normalize_passphrase
from engine.masks import MASKS, checked_model
from engine.methods import DEFAULT_METHOD, METHODS, WrongMode, find_method
from engine.pipeline import (
    Passphrases,
    Preset,
    Protected,
    ProtectOptions,
    refuse_hidden_faces,
)
from engine.pipeline import protect as protect_photo
from engine.record import WRONG_MODES
from engine.sources import Source

_KEYLESS = ", ".join(name for name, method in METHODS.items() if method.keyless)
_METHOD_HELP = f"one of {', '.join(METHODS)}; {_KEYLESS} has no key and protects from nobody"
_Preset = Annotated[str, typer.Option(help="mask strength: scaled with the face, or paper")]
_Keys = Annotated[list[str] | None, typer.Option(help="FACE=PATH: a passphrase file per face")]
_NoTag = Annotated[bool, typer.Option("--no-tag", help="let nothing say which key is right")]
_Passphrase = Annotated[str | None, typer.Option(help="read it from here; - is stdin")]
_Generate = Annotated[bool, typer.Option("--generate", help="make a passphrase, print it once")]
_Words = Annotated[
    int | None, typer.Option(min=4, max=20, help="words of a generated passphrase; 6 without")
]


def protect(
    photo: Annotated[Path, typer.Argument(help="JPEG, PNG or WebP, up to 25 megapixels")],
    output: Annotated[Path, typer.Option("--output", "-o", help="the PNG to write")],
    method: Annotated[str, typer.Option(help=_METHOD_HELP)] = DEFAULT_METHOD,
    mask: Annotated[str, typer.Option(help=f"one of {', '.join(MASKS)}")] = "gaussian",
    preset: _Preset = "scaled",
    mask_strength: MaskStrength = "",
    mask_seed: MaskSeed = "",
    mask_source: MaskSource = None,
    diffusion_model: DiffusionModel = "",
    passphrase_file: _Passphrase = None,
    key: _Keys = None,
    generate: _Generate = False,
    words: _Words = None,
    faces: Annotated[str, typer.Option(help="all, or numbers as 1,3 (see the verb faces)")] = "all",
    box: Annotated[
        list[str] | None, typer.Option(help="X0,Y0,X1,Y1 instead of the detector")
    ] = None,
    whole: Annotated[bool, typer.Option("--whole", help="the picture is one face")] = False,
    detector: Annotated[str, typer.Option(help="centerface, or insightface:PACK")] = "centerface",
    min_score: Annotated[float, typer.Option(help="lower finds more faces")] = MIN_SCORE,
    wrong: Annotated[str, typer.Option(help="what a wrong key shows: rand, obfs or decoy")] = "",
    no_tag: _NoTag = False,
    sidecar: Annotated[
        bool, typer.Option("--sidecar", help="also write the header beside it")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="print what was done as JSON")] = False,
) -> None:
    """Hide the faces of a photograph under a passphrase."""
    _check_usage(preset, wrong, faces, box, whole, passphrase_file, key, generate, words)
    seed, strength = parse_seed(mask_seed, mask_source), parse_strength(mask_strength)
    with named_errors():
        _check_files(photo, mask_source, output, passphrase_file, key, sidecar)
        # before seconds of looking for faces
        find_method(method).model_hash()
        checked_model(mask, diffusion_model)
        check_strength(mask, strength)
        boxes = [_parse_box(text) for text in box or []]
        photo_u8 = _open(photo)
        source = _source(mask_source, mask, detector)
        secret = None if key else _secret(passphrase_file, generate, words or 6)
        with progress_bar() as report:
            report("looking for faces", 0.0)
            chosen, left = _choose(photo_u8, faces, boxes, whole, detector, min_score)
        options = ProtectOptions(
            method, mask, cast(Preset, preset), strength, cast(WrongMode, wrong), not no_tag,
            model=diffusion_model, mask_seed=seed, source=source,
        )  # fmt: skip
        secrets = secret or _keyed_secrets(list(chosen), key or [])
        start = time.monotonic()
        with progress_bar() as report:
            protected = protect_photo(photo_u8, list(chosen.values()), secrets, options, report)
        if generate and isinstance(secrets, str):
            say(f"passphrase: {secrets}")  # before the file is there, so that it cannot be lost
        _write(protected, output, sidecar)
        result = describe(protected, options, left, output, time.monotonic() - start)
    _warn(method, left, "found outside the boxes" if box else "")
    for line in warnings_of(protected, options):
        say(line)
    emit(result, as_json, f"{output}: {_hidden(len(chosen), len(result['faces']))} with {method}")


def _source(path: Path | None, mask: str, detector: str) -> Source | None:
    """As :func:`read_source`; tells whose face it is where the photograph shows several."""
    source = read_source(path, mask, detector)
    if source is not None and source.among > 1:
        say(f"--mask-source shows {source.among} faces: the largest is taken")
    return source


def _hidden(faces: int, boxes: int) -> str:
    """Faces whose boxes overlap share one."""
    together = f" in {boxes} box{'es' * (boxes > 1)}, where they overlap," * (boxes < faces)
    return f"{faces} face{'s' * (faces > 1)} hidden{together}"


def _open(photo: Path) -> npt.NDArray[np.uint8]:
    photo_u8 = open_photo(photo)
    refuse_hidden_faces(open_protected(photo))
    return photo_u8


def _write(protected: Protected, output: Path, sidecar: bool) -> None:
    """The sidecar first: if it fails, no PNG is left that looks like a finished job."""
    if sidecar:
        write_file(_sidecar_of(output), to_json(protected.header).encode())
    write_file(output, protected.png)


def _sidecar_of(output: Path) -> Path:
    return Path(f"{output}.json")


def _warn(method: str, left: int, where: str) -> None:
    if METHODS[method].keyless:
        say(f"warning: {method} has no key: anyone who has this program recovers the faces")
    if not left:
        return
    if where:
        stay = "other face {} stays as it is" if left == 1 else "other faces {} stay as they are"
        say(f"warning: {left} {stay.format(where)}")
    else:
        say(
            f"warning: {left} "
            + ("face was left as it is", "faces were left as they are")[left > 1]
        )


def _check_usage(
    preset: str,
    wrong: str,
    faces: str,
    box: list[str] | None,
    whole: bool,
    passphrase_file: str | None,
    key: list[str] | None,
    generate: bool,
    words: int | None,
) -> None:
    if preset not in ("scaled", "paper"):
        raise typer.BadParameter("expected scaled or paper", param_hint="--preset")
    if wrong not in WRONG_MODES:
        raise typer.BadParameter("expected rand, obfs or decoy", param_hint="--wrong")
    if faces != "all" and (box or whole):
        raise typer.BadParameter("--box and --whole choose by themselves", param_hint="--faces")
    if box and whole:
        raise typer.BadParameter("choose --box or --whole, not both", param_hint="--box")
    if sum((passphrase_file is not None, bool(key), generate)) > 1:
        raise typer.BadParameter(
            "choose one of --passphrase-file, --key and --generate", param_hint="--passphrase-file"
        )
    if words is not None and not generate:
        raise typer.BadParameter("belongs to --generate", param_hint="--words")


def _check_files(
    photo: Path,
    source: Path | None,
    output: Path,
    passphrase_file: str | None,
    key: list[str] | None,
    sidecar: bool,
) -> None:
    """Before any work: nothing that is written may take the place of anything that is read."""
    places = [] if passphrase_file is None else [passphrase_file]
    places += [path for _, path in map(_parse_key, key or [])]
    inputs = {
        "the photograph itself": [photo],
        "the photograph of --mask-source": [source] if source else [],
        "a passphrase file": secret_paths(places, "--key"),
    }
    check_output(output, inputs)
    if sidecar:
        check_output(_sidecar_of(output), inputs, "sidecar")


def _choose(
    photo_u8: npt.NDArray[np.uint8],
    faces: str,
    boxes: list[Box],
    whole: bool,
    detector: str,
    min_score: float,
) -> tuple[dict[int, Face], int]:
    """The faces to protect by the numbers that ``faces`` lists, boxes by their order.

    Beside them, how many more the detector finds, that will stay as they are.
    """
    if whole:
        return {1: whole_face(photo_u8, detector=detector)}, 0
    found = detect(photo_u8, detector=detector, min_score=min_score)
    if boxes:
        height, width = photo_u8.shape[:2]
        drawn = faces_from_boxes(boxes, height, width, photo_u8=photo_u8, detector=detector)
        return dict(enumerate(drawn, 1)), _count_outside(found, drawn)
    chosen = {id(face) for face in select(found, faces, min_score)}
    numbered = {number: face for number, face in enumerate(found, 1) if id(face) in chosen}
    others = [face for face in found if id(face) not in chosen]
    return numbered, _count_outside(others, list(numbered.values()))


def _count_outside(found: Sequence[Face], hidden: Sequence[Face]) -> int:
    """How many were found with their middle outside every box that is hidden."""
    middles = [((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in (f.detection for f in found)]
    boxes = [face.box for face in hidden]
    return sum(
        not any(x0 <= x < x1 and y0 <= y < y1 for x0, y0, x1, y1 in boxes) for x, y in middles
    )


def _parse_box(text: str) -> Box:
    try:
        x0, y0, x1, y1 = (int(part) for part in text.split(","))
    except ValueError as error:
        raise BoxError(
            f"a box must be X0,Y0,X1,Y1 in whole pixels, got {text!r}", hint="such as 40,30,200,210"
        ) from error
    return x0, y0, x1, y1


def _secret(passphrase_file: str | None, generate: bool, words: int) -> str:
    """The passphrase of all faces."""
    if generate:
        return generate_passphrase(words)
    passphrase = (
        ask_passphrase(twice=True) if passphrase_file is None else read_passphrase(passphrase_file)
    )
    normalize_passphrase(passphrase)
    return passphrase


def _keyed_secrets(numbers: Sequence[int], key: Sequence[str]) -> Passphrases:
    """One passphrase for each place in ``numbers``."""
    paths = [_parse_key(text) for text in key]
    if sorted(number for number, _ in paths) != sorted(numbers):
        given = _list(number for number, _ in paths)
        raise PassphraseError(
            f"expected one --key for each face of {_list(numbers)}, got {given}",
            hint="the verb faces numbers them; --faces chooses some",
        )
    return {numbers.index(number) + 1: read_passphrase(path) for number, path in paths}


def _list(numbers: Iterable[int]) -> str:
    return ", ".join(map(str, numbers))


def _parse_key(text: str) -> tuple[int, str]:
    number, equals, path = text.partition("=")
    if not equals or not number.isdecimal() or not path:
        raise PassphraseError(
            "--key must be FACE=PATH", hint="such as --key 1=first.txt --key 2=second.txt"
        )
    return int(number), path
