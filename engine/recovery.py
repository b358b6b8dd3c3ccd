"""A protected picture in, a photograph out: read and check the header, try the keys."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine import carrier
from engine.errors import HeaderDamagedError, NotProtectedError, ReencodedError, WrongKeyError
from engine.faces import paste
from engine.header import check_pixels, check_tag, context, decode, encode
from engine.images import ProtectedFile
from engine.keys import Key
from engine.methods import BoundKey, Method, Place, WrongMode, find_method
from engine.record import Header
from engine.zoo import find_by_hash

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
    """

    photo_u8: npt.NDArray[np.uint8]
    header: Header
    opened: tuple[int, ...]
    closed: tuple[int, ...]


def recover(
    file: ProtectedFile,
    passphrases: Sequence[str],
    *,
    header: Header | None = None,
    report: Report = no_report,
) -> Recovered:
    """Bring back every face that one of the passphrases opens.

    Args:
        file: from :func:`engine.images.open_protected`.
        passphrases: one or more; each is tried on every face.
        header: from a sidecar, where the file has lost its own.
        report: told how far it is.

    Raises:
        NotProtectedError: no header anywhere: not one of our pictures, or its header was lost.
        ReencodedError, TamperedError: the pixels are not those that were shared.
        UnknownModelError: made by a model that is not here.
        WrongKeyError: none of the passphrases opens anything.
    """
    header, signed_u8 = read_header(file, header)
    method = _method_of(header)
    photo_u8 = file.photo_u8
    opened = []
    report("deriving the key", 0.0)
    keys = _derive(header, passphrases)
    for i, place in enumerate(_places(header)):
        report("recovering", 0.3 + 0.7 * i / len(header.faces))
        for key in keys:
            try:
                check_tag(key, header, i, signed_u8)
                found = method.recover(signed_u8, place, BoundKey(key, context(header, i)))
            except WrongKeyError:
                continue
            photo_u8 = paste(photo_u8, place.box, found)
            opened.append(i + 1)
            break
    if not opened:
        raise WrongKeyError(
            "the passphrase must be the one that protected this picture, got another",
            hint="check capitals, spaces, every sign; --show-wrong writes what a wrong key shows",
        )
    report("done", 1.0)
    closed = tuple(n for n in range(1, len(header.faces) + 1) if n not in opened)
    return Recovered(photo_u8, header, tuple(opened), closed)


def recover_wrongly(
    file: ProtectedFile, passphrase: str, *, header: Header | None = None
) -> npt.NDArray[np.uint8]:
    """Show what the method shows under a passphrase that is not the right one, (H, W, 3) uint8.

    Raises:
        As :func:`recover`, but for WrongKeyError.
    """
    header, _ = read_header(file, header)
    method = _method_of(header)
    photo_u8 = file.photo_u8
    (key,) = _derive(header, [passphrase])
    for i, place in enumerate(_places(header)):
        shown = method.recover_wrongly(file.photo_u8, place, BoundKey(key, context(header, i)))
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
        NotProtectedError, ReencodedError, TamperedError: as :func:`recover`.
    """
    raw = encode(header) if header is not None else file.header
    if raw is None:
        raw = carrier.read_header_copy(file.photo_u8)
    if raw is None and file.format != "PNG":
        raise ReencodedError(
            f"a protected picture is a PNG, got {file.format} without anything of ours in it",
            hint="ask for the original PNG, sent as a file; what was hidden is lost in this one",
        )
    if raw is None:
        raise NotProtectedError(
            "the picture holds nothing that this program has hidden",
            hint="if it was protected here, its header was stripped: pass it with --sidecar",
        )
    header = decode(raw)
    if file.photo_u8.shape[:2] != (header.height, header.width):
        check_pixels(header, file.photo_u8)
    signed_u8 = file.photo_u8
    if _method_of(header).carries_header:
        signed_u8 = carrier.clear_header_samples(signed_u8, len(raw))
    check_pixels(header, signed_u8)
    return header, signed_u8


def _places(header: Header) -> list[Place]:
    wrong: WrongMode = "obfs" if header.wrong == "obfs" else "rand"
    return [Place(face.box, face.data, wrong) for face in header.faces]


def _method_of(header: Header) -> Method:
    """The method that a header names, made by a model that is here."""
    method = find_method(header.method)
    if header.model_hash != method.model_hash():
        find_by_hash(header.model_hash)
        raise HeaderDamagedError(
            f"the header names {header.method} with another method's model",
            hint="ask for the picture again",
        )
    return method


def _derive(header: Header, passphrases: Sequence[str]) -> list[Key]:
    return [Key.from_passphrase(secret, header.salt, header.kdf) for secret in passphrases]
