"""A protected picture in, a photograph out: read and check the header, try the keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, cast

import numpy as np
import numpy.typing as npt

from engine import carrier
from engine.errors import (
    AlreadyProtectedError,
    HeaderDamagedError,
    HeaderVersionError,
    NotProtectedError,
    ReencodedError,
    TamperedError,
    WrongKeyError,
)
from engine.faces import paste
from engine.header import check_pixels, check_tag, context, decode, encode, pixel_digest
from engine.images import ProtectedFile
from engine.keys import Key
from engine.methods import METHODS, BoundKey, Method, Place, WrongMode
from engine.methods.wrongly import show_wrongly
from engine.record import Header

_NOBODYS: Final = Key(bytes(32))
"""Stands where a key is expected and none is looked at."""

Report = Callable[[str, float], None]
"""Takes what is being done and the share of the whole that is done, 0 to 1."""


def no_report(stage: str, share: float) -> None:
    """Say nothing."""


@dataclass(frozen=True, eq=False)
class Recovered:
    """What recovery gave.

    Attributes:
        photo_u8: the photograph with every face that the passphrases open.
        header: what travelled with the protected one.
        opened: numbers of the regions that were recovered, from 1.
        closed: numbers of those that none of the passphrases opens; still masked.
        verified: something proved the passphrase right; without it the faces may be noise, unless
            the method is keyless.
    """

    photo_u8: npt.NDArray[np.uint8] = field(repr=False)
    header: Header
    opened: tuple[int, ...]
    closed: tuple[int, ...]
    verified: bool


def recover(
    file: ProtectedFile,
    passphrases: Sequence[str],
    *,
    header: Header | None = None,
    report: Report = no_report,
) -> Recovered:
    """Bring back every face that one of the passphrases opens.

    A keyless method's faces come back whatever the passphrases are: so they would for anybody.

    Args:
        file: from :func:`engine.images.open_protected`.
        passphrases: one or more, each is tried on every face; for a keyless method also none.
        header: from a sidecar, where the file has lost its own.
        report: told how far it is.

    Raises:
        NotProtectedError: no header anywhere: not one of our pictures, or its header was lost.
        HeaderDamagedError: its header cannot be read, and there is no other copy of it.
        HeaderVersionError: made by a newer version of this program.
        ReencodedError, TamperedError: the pixels or the sidecar are not those of the picture.
        UnknownModelError, WeightsMissingError: made by a model that is not here.
        WrongKeyError: none of the passphrases opens anything.
    """
    header, signed_u8 = read_header(file, header)
    method = method_of(header)
    photo_u8 = file.photo_u8
    opened, proven = [], True
    report("deriving the key", 0.0)
    keys = _derive(header, passphrases)
    digest = pixel_digest(signed_u8)
    for i, place in enumerate(places(header)):
        report("recovering", 0.3 + 0.7 * i / len(header.faces))
        for key in keys:
            try:
                check_tag(key, header, i, digest=digest)
                found = method.recover(signed_u8, place, BoundKey(key, context(header, i)))
            except WrongKeyError:
                continue
            break
        else:
            if not method.keyless:
                continue
            found = method.recover(signed_u8, place, BoundKey(_NOBODYS, context(header, i)))
            proven = False
        photo_u8 = paste(photo_u8, place.box, found)
        opened.append(i + 1)
    if not opened:
        raise WrongKeyError(
            "the passphrase must be the one that protected this picture, got another",
            hint="check capitals, spaces, every sign; --show-wrong writes what a wrong key shows",
        )
    report("done", 1.0)
    closed = tuple(n for n in range(1, len(header.faces) + 1) if n not in opened)
    tagged = all(header.faces[number - 1].tag is not None for number in opened)
    verified = proven and (method.authenticates or tagged)
    return Recovered(photo_u8, header, tuple(opened), closed, verified)


def refuse_hidden_faces(file: ProtectedFile) -> None:
    """Refuse to protect a picture that hides faces already: the second would destroy the first.

    Raises:
        AlreadyProtectedError: our header is in the file or in its pixels, whole or damaged.
    """
    if file.header or file.fault or carrier.read_header_copy(file.photo_u8) is not None:
        raise AlreadyProtectedError(
            "the picture hides faces already, and protecting it again would destroy them",
            hint="recover it first, or protect the photograph that it was made from",
        )


def recover_wrongly(
    file: ProtectedFile, passphrase: str, *, header: Header | None = None
) -> npt.NDArray[np.uint8]:
    """Show what was chosen to be shown under a wrong passphrase, (H, W, 3) uint8.

    Raises:
        As :func:`recover`, but for WrongKeyError.
    """
    header, _ = read_header(file, header)
    method = method_of(header)
    photo_u8 = file.photo_u8
    (key,) = _derive(header, [passphrase])
    for i, place in enumerate(places(header)):
        bound = BoundKey(key, context(header, i))
        shown = show_wrongly(method, file.photo_u8, place, bound)
        photo_u8 = paste(photo_u8, place.box, shown)
    return photo_u8


def read_header(
    file: ProtectedFile, header: Header | None = None
) -> tuple[Header, npt.NDArray[np.uint8]]:
    """Find the header of a file and check the pixels against it; needs no key.

    Args:
        file: from :func:`engine.images.open_protected`.
        header: from a sidecar.

    Returns:
        The header, and the pixels as they were signed (without the header's copy in them).

    Raises:
        NotProtectedError, HeaderDamagedError, HeaderVersionError, ReencodedError, TamperedError,
        UnknownModelError, WeightsMissingError: as :func:`recover`.
    """
    header, raw = _find_header(file, header)
    if file.photo_u8.shape[:2] != (header.height, header.width):
        check_pixels(header, file.photo_u8)
    method = method_of(header)
    signed_u8 = file.photo_u8
    if method.carries_header:
        signed_u8 = carrier.clear_header_samples(signed_u8, len(raw))
    check_pixels(header, signed_u8)
    if method.carries_header:
        _check_copy(file.photo_u8, signed_u8, raw)
    samples = header.height * header.width * 3
    method.check([face.data for face in header.faces], samples, len(raw))
    return header, signed_u8


def _find_header(file: ProtectedFile, sidecar: Header | None) -> tuple[Header, bytes]:
    """The header and its bytes: from the sidecar, the chunk, or the pixels, in this order.

    A chunk that cannot be read stands in nobody's way; one that says something else does.
    """
    chunk, fault = _read_chunk(file)
    if sidecar is not None:
        if chunk not in (None, sidecar):
            raise TamperedError(
                "the sidecar must be the header of this picture, got another one",
                hint="recover without the sidecar, or ask for the picture again",
            )
        return sidecar, encode(sidecar)
    if chunk is not None:
        return chunk, encode(chunk)
    raw = carrier.read_header_copy(file.photo_u8)
    if raw is not None:
        return decode(raw), raw
    if fault is not None:
        raise fault
    if file.format != "PNG":
        raise ReencodedError(
            f"a protected picture is a PNG, got {file.format} without anything of ours in it",
            hint="if it was protected, it was re-encoded since: ask for the PNG, sent as a file",
        )
    raise NotProtectedError(
        "the picture holds nothing that this program has hidden",
        hint="if it was protected, it was re-encoded or stripped since; try --sidecar",
    )


def _read_chunk(file: ProtectedFile) -> tuple[Header | None, HeaderDamagedError | None]:
    """The header of our chunk, or what is wrong with it; neither where there is no such chunk."""
    if file.header is None:
        return None, file.fault
    try:
        return decode(file.header), None
    except HeaderDamagedError as error:
        return None, error


def _check_copy(
    photo_u8: npt.NDArray[np.uint8], signed_u8: npt.NDArray[np.uint8], raw: bytes
) -> None:
    """Refuse a picture whose copy of the header is not the header: no digest covers it."""
    if not np.array_equal(carrier.write_header_copy(signed_u8, raw), photo_u8):
        raise TamperedError(
            "the header in the pixels must be the picture's own, got another",
            hint="somebody changed the file; ask for the picture again",
        )


def places(header: Header) -> list[Place]:
    """Where the faces of a header are hidden, in its order."""
    wrong = cast(WrongMode, header.wrong)  # the decoder takes no others
    return [Place(face.box, face.data, wrong, header.mask) for face in header.faces]


def method_of(header: Header) -> Method:
    """The method that a header names, with the model that made the picture, of an old tag too.

    Raises:
        HeaderVersionError: a method that this program does not know.
        UnknownModelError, WeightsMissingError, HeaderDamagedError: as :meth:`Method.made_by`.
    """
    if header.method not in METHODS:
        raise HeaderVersionError(
            f"the picture was made with the method {header.method}, which only a newer version of "
            "this program knows",
            hint="update the program, and recover it again",
        )
    return METHODS[header.method].made_by(header.model_hash)


def _derive(header: Header, passphrases: Sequence[str]) -> list[Key]:
    return [Key.from_passphrase(secret, header.salt, header.kdf) for secret in passphrases]
