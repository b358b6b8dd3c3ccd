"""What the buttons do, as plain functions: pictures and words in, pictures and figures out."""

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

import engine
from demo.draw import boxed
from demo.gpu import gpu
from demo.likeness import Likeness, likeness
from demo.strength import strength_of
from engine import (
    MASKS,
    Face,
    MaskNote,
    Source,
    crop,
    detect,
    find_method,
    from_u8,
    lay_masks,
    merge_overlapping,
    no_face_error,
    open_photo,
    open_protected,
    refuse_hidden_faces,
    whole_face,
    write_png,
)
from engine.errors import EngineError, NoFaceError

Photo = npt.NDArray[np.uint8]
Search = Literal["usual", "harder", "whole"]
WrongMode = Literal["", "rand", "obfs", "decoy"]
"""What a wrong key shows, by the engine's names; empty for the method's own."""

EAGER_SCORE: Final = 0.2


@dataclass(frozen=True, eq=False)
class Found:
    """A photograph and the faces in it, as long as its page is open.

    Attributes:
        photo_u8: ``(H, W, 3)``, upright, sRGB.
        faces: left to right, numbered from 1.
    """

    photo_u8: Photo = field(repr=False)
    faces: tuple[Face, ...]

    def chosen(self, numbers: Sequence[int]) -> list[Face]:
        """Pick faces by number.

        Raises:
            NoFaceError: none is picked.
        """
        picked = [face for number, face in enumerate(self.faces, 1) if number in set(numbers)]
        if not picked:
            raise no_face_error(self.photo_u8)
        return picked


@dataclass(frozen=True, eq=False)
class Previewed:
    """What others will see.

    Attributes:
        photo_u8: the photograph with its masks, every face framed and numbered.
        notes: as of :class:`Shared`.
        remarks: likewise.
    """

    photo_u8: Photo = field(repr=False)
    notes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Shared:
    """What protecting gave.

    Attributes:
        png: the file to share, byte for byte.
        mask_db: mask:protected over the faces, in dB, from the PNG read back.
        exact: recovery will be bit-exact for every face.
        faces: how many places were protected.
        seconds: from the click to the file.
        likeness: how much of the chosen faces' people a recogniser still sees in the file; None
            where that cannot be told, see :func:`demo.likeness.likeness`.
        keyless: anyone who has this program brings the faces back.
        notes: a sentence for each face that is hidden otherwise than by the chosen mask.
        sourced: the other faces look like the person whose photograph was given.
        remarks: a sentence for each face whose mask is to be looked at.
    """

    png: bytes = field(repr=False)
    mask_db: float
    exact: bool
    faces: int
    seconds: float
    likeness: Likeness | None = None
    keyless: bool = False
    notes: tuple[str, ...] = ()
    sourced: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Opened:
    """What recovering gave.

    Attributes:
        png: the recovered photograph.
        opened: places that the passphrase opened, from 1.
        closed: places that it did not.
        exact: every opened face is bit-exact, provided that the passphrase is right.
        verified: something in the file proved that it is.
        method: that protected it.
        seconds: from the click to the file.
        keyless: they would have come back for anyone.
    """

    png: bytes = field(repr=False)
    opened: tuple[int, ...]
    closed: tuple[int, ...]
    exact: bool
    verified: bool
    method: str
    seconds: float
    keyless: bool = False


def look(photo: str | bytes, search: Search = "usual") -> Found:
    """Open a photograph and find its faces.

    Args:
        photo: path or bytes of a JPEG, PNG or WebP.
        search: ``"harder"`` takes doubtful ones too, ``"whole"`` takes the whole picture.

    Raises:
        NoFaceError: none was found.
        AlreadyProtectedError: faces are hidden in it already.
        ImageError: the file cannot be taken.
    """
    refuse_hidden_faces(open_protected(photo))
    return look_at(open_photo(photo), search)


def look_at(photo_u8: Photo, search: Search = "usual") -> Found:
    """Find the faces of an opened photograph; as :func:`look`."""
    if search == "whole":
        return Found(photo_u8, (whole_face(photo_u8),))
    faces = detect(photo_u8, min_score=EAGER_SCORE) if search == "harder" else detect(photo_u8)
    if not faces:
        raise NoFaceError(str(no_face_error(photo_u8)), hint="look harder, or take all of it")
    return Found(photo_u8, tuple(faces))


def preview(
    found: Found,
    numbers: Sequence[int],
    mask: str,
    factor: float = 1.0,
    source: Source | None = None,
    seed: int = 0,
) -> Previewed:
    """Show what others will see, every face framed and numbered.

    Args:
        found: from :func:`look`.
        numbers: of the faces to protect; none leaves the photograph as it is.
        mask: name in :data:`engine.masks.MASKS`.
        factor: strength, 1 for the usual.
        source: whose face the mask lays; not looked at where it takes none.
        seed: of masks that draw something: what :func:`protect` is given, it lays too.
    """
    taken = source if mask in MASKS and MASKS[mask].takes_source else None
    height, width = found.photo_u8.shape[:2]
    picked = [face for number, face in enumerate(found.faces, 1) if number in set(numbers)]
    regions = merge_overlapping(picked, height, width)
    made = lay_masks(
        found.photo_u8, regions, mask, strength=strength_of(mask, factor), seed=seed, source=taken
    )
    framed_u8 = boxed(made.photo_u8, [face.box for face in found.faces], numbers)
    return Previewed(framed_u8, _sentences(made.notes), _sentences(made.remarks))


def takes_seed(mask: str, whose: object = None) -> bool:
    """Tell whether a seed chooses what a mask shows; noise it does not, which nobody may foresee.

    Args:
        mask: name in :data:`engine.masks.MASKS`.
        whose: the person whose face it lays, where one is named: then there is nothing to choose.
    """
    if mask not in MASKS or (whose and MASKS[mask].takes_source):
        return False
    return MASKS[mask].seeded


def _sentences(notes: Sequence[MaskNote]) -> tuple[str, ...]:
    return tuple(f"{note.reason}; {note.instead}" for note in notes)


@gpu(30)
def protect(
    found: Found,
    numbers: Sequence[int],
    mask: str,
    method: str,
    passphrase: str,
    factor: float = 1.0,
    wrong: WrongMode = "",
    source: Source | None = None,
    seed: int | None = None,
) -> Shared:
    """Hide the chosen faces so that only the passphrase brings them back.

    Args:
        found: from :func:`look`.
        numbers: of the faces, from 1.
        mask: name in :data:`engine.masks.MASKS`.
        method: name in :data:`engine.methods.METHODS`.
        passphrase: is used and forgotten.
        factor: strength of the mask, 1 for the usual.
        wrong: what a wrong key shows: of the method's modes, or its own where empty.
        source: whose face the mask lays instead of nobody's.
        seed: that :func:`preview` was given, so that the mask it showed is laid; not looked at
            where :func:`takes_seed` says no. Without one the engine draws one.

    Raises:
        EngineError: as :func:`engine.pipeline.protect`.
    """
    start = time.monotonic()
    options = engine.ProtectOptions(
        method, mask, strength=strength_of(mask, factor), wrong=wrong, source=source,
        mask_seed=seed if takes_seed(mask, source) else None,
    )  # fmt: skip
    chosen = found.chosen(numbers)
    made = engine.protect(found.photo_u8, chosen, passphrase, options)
    seconds = time.monotonic() - start
    read_u8 = open_protected(made.png).photo_u8
    boxes = [face.box for face in made.header.faces]
    nearness = [psnr_db(crop(read_u8, box), crop(made.masked_u8, box)) for box in boxes]
    alike = likeness(found.photo_u8, read_u8, chosen)
    return Shared(
        made.png, min(nearness), all(made.exact), len(boxes), seconds, alike,
        find_method(method).keyless, _sentences(made.notes),
        source is not None and made.laid > 0, _sentences(made.remarks),
    )  # fmt: skip


@gpu(30)
def recover(protected: str | bytes, passphrase: str) -> Opened:
    """Bring back every face that the passphrase opens.

    Args:
        protected: path or bytes of the PNG.
        passphrase: is used and forgotten; none is needed where the method knows no key.

    Raises:
        EngineError: as :func:`engine.pipeline.recover`; each kind has its own words on the page.
    """
    start = time.monotonic()
    file = open_protected(protected)
    unasked = not passphrase and find_method(engine.Trial(file).header.method).keyless
    got = engine.recover(file, [] if unasked else [passphrase])
    method = find_method(got.header.method)
    exact = all(method.is_exact(got.header.faces[number - 1].data) for number in got.opened)
    png = write_png(None, got.photo_u8, None)
    seconds = time.monotonic() - start
    return Opened(
        png, got.opened, got.closed, exact, got.verified, method.name, seconds, method.keyless
    )


def identity(protected: str) -> str:
    """Name what a guess is made on, whatever name and surroundings its file was given.

    That is the salt of the derivation: who changes it has another lock, which no key opens.

    Args:
        protected: path of the PNG.
    """
    try:
        marked = engine.Trial(open_protected(protected)).header.salt
    except EngineError:  # nothing to open, so the file itself will do
        marked = Path(protected).read_bytes()
    return hashlib.sha256(marked).hexdigest()


def psnr_db(first_u8: Photo, second_u8: Photo) -> float:
    """Say how near two 8-bit pictures are, in dB; infinite where they are equal."""
    return float(engine.psnr_db(from_u8(first_u8), from_u8(second_u8)).item())
