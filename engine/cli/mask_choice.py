"""What verbs are told of masks beside the name: how strong, which one, whose face, what draws."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from engine.errors import MaskError
from engine.images import open_photo
from engine.masks import MASKS, check_takes_source, find_mask
from engine.sources import Source, find_source

_SEED_DIGITS = 38
_REPLACE = ", ".join(name for name, mask in MASKS.items() if mask.replaces)
_TAKE_SOURCES = ", ".join(name for name, mask in MASKS.items() if mask.takes_source)

MaskSeed = Annotated[
    str,
    typer.Option(help="which sticker or face: a number, or key, the picture's own; drawn without"),
]
MaskSource = Annotated[
    Path | None,
    typer.Option(
        help=f"for the mask {_TAKE_SOURCES}: a photograph of whose face to lay; ask them first"
    ),
]

DiffusionModel = Annotated[
    str, typer.Option(help="for the mask diffusion: folder or name of an inpainting pipeline")
]

MaskStrength = Annotated[
    str,
    typer.Option(help="settings of the mask in place of the preset's, such as enhance=0"),
]

SOURCE_WARNING = (
    "the faces under this mask look like the person on the photograph of --mask-source, whom no "
    "key hides: ask them first"
)


def parse_seed(text: str, source: Path | None) -> int | Literal["key"] | None:
    """Read ``--mask-seed``; None where a face is to be drawn.

    Raises:
        typer.BadParameter: it is no seed, or a source says whose face it is.
    """
    if not text:
        return None
    if source is not None:
        raise typer.BadParameter(
            "--mask-source says whose face it is, and the rest is drawn: it takes no seed",
            param_hint="--mask-seed",
        )
    if text == "key":
        return "key"
    if not text.isascii() or not text.isdigit() or len(text) > _SEED_DIGITS:
        raise typer.BadParameter(
            "expected a number of at most 38 digits, or key", param_hint="--mask-seed"
        )
    return int(text)


def check_strength(mask: str, strength: Mapping[str, float]) -> None:
    """Refuse to protect with a mask's strength set by hand, unless a recogniser looks at it after.

    A blur can be set so weak that the face stays clear, and nobody would notice; another face is
    compared with the one under it, however it was drawn.

    Raises:
        MaskError: the mask lays no other face.
    """
    if strength and not find_mask(mask).replaces:
        raise MaskError(
            f"--mask-strength is for masks that lay another face, got {mask}",
            hint=f"its strength follows from the face, or from --preset paper; {_REPLACE} take it",
        )


def parse_strength(text: str) -> dict[str, float]:
    """Read ``--mask-strength``, such as ``enhance=0``; which names a mask has, it says.

    Raises:
        typer.BadParameter: it is no list of names and finite numbers.
    """
    found: dict[str, float] = {}
    for part in filter(None, text.split(",")):
        name, _, number = part.partition("=")
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not name.strip() or not math.isfinite(value) or name.strip() in found:
            raise typer.BadParameter(
                f"expected NAME=NUMBER, each name once, got {part!r}",
                param_hint="--mask-strength",
            )
        found[name.strip()] = value
    return found


def read_source(path: Path | None, mask: str, detector: str) -> Source | None:
    """Open the photograph of ``--mask-source``; None where none is named.

    Raises:
        MaskError: the mask takes none.
        ImageError, NoFaceError, ModelError: as :func:`engine.images.open_photo` and
            :func:`engine.sources.find_source`.
        OSError: it cannot be read.
    """
    if path is None:
        return None
    check_takes_source(mask)
    return find_source(open_photo(path), detector)
