"""What a header says and what it may say; :mod:`engine.header` gives it bytes."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, NoReturn

from engine.errors import BoxError, HeaderDamagedError, HeaderVersionError
from engine.keys import MAX_MAP_PIXELS, SALT_BYTES, KdfParams
from engine.stripes import DIGEST_BYTES, MAX_SIDE, stripe_count

VERSION: Final = 1
MAX_FACES: Final = 64
MAX_DATA_BYTES: Final = 64
TAG_BYTES: Final = 16
MAX_PICTURE_PIXELS: Final = 25_000_000
WRONG_MODES: Final = ("", "rand", "obfs", "decoy")

_METHOD: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_MASK: Final = re.compile(r"[ -~]{0,64}")


@dataclass(frozen=True)
class FaceRecord:
    """One protected face.

    Args:
        box: ``(x0, y0, x1, y1)`` in pixels, inside the picture, ``x1`` and ``y1`` exclusive; at
            most 16 million pixels.
        key_slot: number of the key, 0 to 63; faces of one number share a passphrase.
        data: the method's own bytes, at most 64.
        tag: 16 bytes of :func:`engine.header.tag`, or None when nothing may tell the right key.
            Which of the two is part of the face's context, the 16 bytes are not.
    """

    box: tuple[int, int, int, int]
    key_slot: int
    data: bytes = b""
    tag: bytes | None = None


@dataclass(frozen=True)
class Header:
    """What travels with a protected picture; all of it public.

    Args:
        version: 1.
        kdf: cost of the key derivation.
        salt: 16 bytes, one draw per picture.
        method: name of the method, 1 to 64 of ``a-z0-9._-``.
        model_hash: SHA-256 of the weights, or empty for a method without a model.
        mask: the mask and its settings as ``gaussian:kernel=21,sigma=8``; printable ASCII, at
            most 64.
        wrong: what a wrong key shows, ``"rand"``, ``"obfs"``, ``"decoy"`` or ``""``.
        height: rows of the picture, 1 to 65,535.
        width: columns of the picture, 1 to 65,535; at most 25 million pixels.
        stripes: digests of the protected pixels, :func:`engine.stripes.stripe_digests`; empty
            until they are known, which is enough for :func:`engine.header.context`.
        faces: 1 to 64, their boxes apart.
    """

    version: int
    kdf: KdfParams
    salt: bytes
    method: str
    model_hash: bytes
    mask: str
    wrong: str
    height: int
    width: int
    stripes: bytes
    faces: tuple[FaceRecord, ...]


def damaged(name: str, expected: str, got: str) -> HeaderDamagedError:
    """Name the field that spoils a header."""
    return HeaderDamagedError(
        f"header field '{name}' must be {expected}, got {got}",
        hint="use the file as it was saved; this header was damaged or made by another program",
    )


def refuse(name: str, expected: str, got: str) -> NoReturn:
    """Raise :func:`damaged`.

    Raises:
        HeaderDamagedError: always.
    """
    raise damaged(name, expected, got)


def unknown_version(version: object) -> HeaderVersionError:
    """Name a version that this program does not know."""
    return HeaderVersionError(
        f"header version must be {VERSION}, got {version!r:.20}",
        hint="install the newest version of this program",
    )


def unknown_wrong_mode(code: int) -> HeaderVersionError:
    """Name a wrong mode that this program does not know."""
    return HeaderVersionError(
        f"the picture was made with the wrong mode {code}, which only a newer version of this "
        "program knows",
        hint="update the program, and recover it again",
    )


def check_header(header: Header) -> None:
    """Refuse a header that may not be written.

    Args:
        header: a complete one, digests included.

    Raises:
        HeaderVersionError: an unknown version.
        HeaderDamagedError: a field outside its limits; the message names it.
        BoxError: a box outside the picture, empty, too large, or overlapping another.
    """
    check_shared(header)
    check_bytes("stripes", header.stripes, {DIGEST_BYTES * stripe_count(header.height)})
    if type(header.faces) is not tuple or not 1 <= len(header.faces) <= MAX_FACES:
        refuse("faces", f"1 to {MAX_FACES} records", _size(header.faces))
    for face in header.faces:
        check_face(face, header.height, header.width)
    for i, face in enumerate(header.faces):
        for j, other in enumerate(header.faces[:i]):
            if _overlap(face.box, other.box):
                raise BoxError(
                    f"boxes must not overlap, got {other.box} of face {j + 1} and {face.box} of "
                    f"face {i + 1}",
                    hint="protect one face less, or join the boxes",
                )


def check_shared(header: Header) -> None:
    """Refuse fields, common to all faces and known before the pixels, outside their limits.

    Args:
        header: any; its ``stripes`` and ``faces`` are not looked at.

    Raises:
        HeaderVersionError: an unknown version.
        HeaderDamagedError: a field outside its limits; the message names it.
    """
    if type(header.version) is not int or header.version != VERSION:
        raise unknown_version(header.version)
    if not isinstance(header.kdf, KdfParams):
        refuse("kdf", "KdfParams", type(header.kdf).__name__)
    check_bytes("salt", header.salt, {SALT_BYTES})
    _check_text("method", header.method, _METHOD, "1 to 64 of a-z0-9._-")
    check_bytes("model_hash", header.model_hash, {0, 32})
    _check_text("mask", header.mask, _MASK, "at most 64 printable ASCII characters")
    if header.wrong not in WRONG_MODES:
        refuse("wrong", "'rand', 'obfs', 'decoy' or empty", f"{header.wrong!r:.40}")
    _check_number("height", header.height, 1, MAX_SIDE)
    _check_number("width", header.width, 1, MAX_SIDE)
    if header.height * header.width > MAX_PICTURE_PIXELS:
        got = f"{header.height} x {header.width}"
        refuse("width", f"small enough for {MAX_PICTURE_PIXELS} pixels", got)


def check_face(face: FaceRecord, height: int, width: int) -> None:
    """Refuse one face's record when a field is outside its limits.

    Args:
        face: the record.
        height: rows of the picture.
        width: columns of the picture.

    Raises:
        HeaderDamagedError: a field outside its limits; the message names it.
        BoxError: a box outside the picture, empty or too large.
    """
    if not isinstance(face, FaceRecord):
        refuse("faces", "records", type(face).__name__)
    box = face.box
    if type(box) is not tuple or len(box) != 4 or any(type(side) is not int for side in box):
        refuse("box", "four integers", f"{box!r:.60}")
    x0, y0, x1, y1 = box
    inside = 0 <= x0 < x1 <= width and 0 <= y0 < y1 <= height
    if not inside or (x1 - x0) * (y1 - y0) > MAX_MAP_PIXELS:
        raise BoxError(
            f"box must hold 1 to {MAX_MAP_PIXELS} pixels of a {height} x {width} picture, "
            f"got {box!r:.80}",
            hint="boxes are x0,y0,x1,y1 with x1 and y1 exclusive",
        )
    _check_number("key_slot", face.key_slot, 0, MAX_FACES - 1)
    check_bytes("data", face.data, range(MAX_DATA_BYTES + 1))
    if face.tag is not None:
        check_bytes("tag", face.tag, {TAG_BYTES})


def check_bytes(name: str, value: bytes, lengths: Collection[int]) -> None:
    """Refuse a field that is no bytes object of one of ``lengths``.

    Raises:
        HeaderDamagedError: naming the field.
    """
    if type(value) is not bytes or len(value) not in lengths:
        wanted = " or ".join(str(n) for n in sorted(lengths)[:2])
        if len(lengths) > 2:
            wanted = f"at most {max(lengths)}"
        refuse(name, f"{wanted} bytes", _size(value))


def _check_text(name: str, value: str, pattern: re.Pattern[str], expected: str) -> None:
    if type(value) is not str or pattern.fullmatch(value) is None:
        refuse(name, expected, f"{value!r:.80}")


def _check_number(name: str, value: int, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        refuse(name, f"an integer from {low} to {high}", f"{value!r:.40}")


def _size(value: object) -> str:
    return str(len(value)) if isinstance(value, bytes | tuple) else type(value).__name__


def _overlap(a: tuple[int, int, int, int], b: tuple[int, int, int, int]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
