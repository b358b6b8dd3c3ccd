"""A whole photograph in and out, both ways: faces, masks, keys, method, header, file.

This way in; :mod:`engine.recovery` is the way back, and its names stand here too.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from secrets import randbits

import numpy as np
import numpy.typing as npt

from engine import carrier
from engine.errors import BoxError, MaskError, MethodError, PassphraseError
from engine.faces import Face, Region, crop, merge_overlapping, no_face_error
from engine.header import context, encode, pixel_digest, tag
from engine.images import write_png
from engine.keys import MAX_MAP_PIXELS, Key, new_salt
from engine.masking import Masked, MaskNote, lay_masks, mask_faces
from engine.masks import MASKS, Preset, find_mask, mask_label
from engine.methods import BoundKey, Crop, Method, find_method
from engine.options import ProtectOptions, check_mask, wrong_mode_of
from engine.record import MAX_FACES, TAG_BYTES, VERSION, FaceRecord, Header
from engine.recovery import (
    Recovered,
    Report,
    no_report,
    read_header,
    recover,
    recover_wrongly,
    refuse_hidden_faces,
)
from engine.stripes import stripe_digests

__all__ = [
    "MaskNote",
    "Passphrases",
    "Preset",
    "ProtectOptions",
    "Protected",
    "Recovered",
    "Report",
    "mask_faces",
    "no_report",
    "protect",
    "read_header",
    "recover",
    "recover_wrongly",
    "refuse_hidden_faces",
]

Passphrases = str | Mapping[int, str]
"""One passphrase for all faces, or one for each face number (from 1)."""


@dataclass(frozen=True, eq=False)
class Protected:
    """A protected photograph.

    Attributes:
        png: the file to share, byte for byte.
        photo_u8: its pixels.
        masked_u8: the photograph with its masks, before anything was hidden in it.
        header: what travels with it.
        exact: for each region, whether recovery is bit-exact.
        notes: one for each face that is hidden otherwise than asked for, because it could not carry
            the mask.
        laid: how many faces carry the mask as it was asked for.
        remarks: one for each of these whose user should look at it all the same.
    """

    png: bytes = field(repr=False)
    photo_u8: npt.NDArray[np.uint8] = field(repr=False)
    masked_u8: npt.NDArray[np.uint8] = field(repr=False)
    header: Header
    exact: tuple[bool, ...]
    notes: tuple[MaskNote, ...] = ()
    laid: int = 0
    remarks: tuple[MaskNote, ...] = ()


def protect(
    photo_u8: npt.NDArray[np.uint8],
    faces: Sequence[Face],
    passphrases: Passphrases,
    options: ProtectOptions | None = None,
    report: Report = no_report,
) -> Protected:
    """Hide faces of a photograph so that only their passphrases bring them back.

    Args:
        photo_u8: (H, W, 3), RGB, 0..255.
        faces: which, from :func:`engine.faces.detect` and its companions.
        passphrases: one for all, or one for each face by its place in ``faces`` (from 1).
        options: method, mask and the rest.
        report: told how far it is.

    Raises:
        NoFaceError: ``faces`` is empty; nothing clear goes out.
        BoxError: faces with different passphrases overlap, there are over 64, or one is too large.
        PassphraseError, MaskError, MethodError, CapacityError, ModelError: as they say.
    """
    drawn = new_salt(), randbits(128)
    return protect_again(photo_u8, faces, passphrases, options or ProtectOptions(), *drawn, report)


def protect_again(
    photo_u8: npt.NDArray[np.uint8],
    faces: Sequence[Face],
    passphrases: Passphrases,
    options: ProtectOptions,
    salt: bytes,
    mask_seed: int,
    report: Report = no_report,
) -> Protected:
    """Do :func:`protect` with what it draws given, so that a lab makes the same picture again.

    For no picture that is shared: guesses at a salt that comes twice count twice.

    Args:
        photo_u8: as :func:`protect`, like what else is not named here.
        faces: which.
        passphrases: of them.
        options: method, mask and the rest.
        salt: 16 bytes.
        mask_seed: of the mask, 0 or more, where the options name none.
        report: told how far it is.

    Raises:
        NoFaceError, BoxError, PassphraseError, MaskError, MethodError, CapacityError, ModelError:
            as :func:`protect`.
    """
    if not faces:
        raise no_face_error(photo_u8)
    method = find_method(options.method)
    wrong = wrong_mode_of(method, options)
    height, width = photo_u8.shape[:2]
    regions = _regions(faces, height, width)
    slots, secrets = _key_slots(faces, regions, passphrases)
    label = mask_label(options.mask, options.strength, preset=options.preset)
    check_mask(options)
    report("deriving the key", 0.0)
    keys = [Key.for_protecting(secret, salt, options.kdf) for secret in secrets]
    report("making the mask", 0.2)
    masked = lay_masks(
        photo_u8, regions, options.mask, preset=options.preset, strength=dict(options.strength),
        seed=_mask_seed(options, keys[slots[0]], mask_seed), model=options.model,
        source=options.source,
    )  # fmt: skip
    header = Header(
        version=VERSION, kdf=options.kdf, salt=salt, method=method.name,
        model_hash=method.model_hash(), mask=label, wrong=wrong,
        height=height, width=width, stripes=b"",
        faces=tuple(
            FaceRecord(region.box, slot, bytes(method.note_bytes), _no_tag(options))
            for region, slot in zip(regions, slots, strict=True)
        ),
    )  # fmt: skip
    crops = [Crop(region.box, crop(photo_u8, region.box)) for region in regions]
    report("hiding the faces", 0.5)
    protected = _hide(masked, crops, header, [keys[slot] for slot in slots], method)
    report("done", 1.0)
    return protected


def _mask_seed(options: ProtectOptions, key: Key, drawn: int) -> int:
    """Secret where the user names none: noise of a seed that is known could be subtracted again."""
    if options.mask_seed is None:
        return drawn
    if not find_mask(options.mask).seeded:
        drawing = ", ".join(name for name, mask in MASKS.items() if mask.seeded)
        raise MaskError(f"{options.mask} takes no seed", hint=f"leave it out, or take {drawing}")
    if options.mask_seed != "key":
        return options.mask_seed
    if not options.check_value:
        raise MethodError(
            "a mask that the key chooses tells which key is right, which --no-tag shall not",
            hint="leave out --mask-seed key, or --no-tag",
        )
    return int.from_bytes(key.stream(b"", "mask", 16), "big")


def _hide(
    masked: Masked,
    crops: Sequence[Crop],
    header: Header,
    keys: Sequence[Key],
    method: Method,
) -> Protected:
    length, masked_u8 = _encoded_length(header), masked.photo_u8
    plans = method.plan(masked_u8, crops, length)
    header = _with_faces(header, notes=[plan.note for plan in plans])
    bound = [BoundKey(key, context(header, i)) for i, key in enumerate(keys)]
    photo_u8 = method.protect(masked_u8, crops, plans, bound)
    signed_u8 = (
        carrier.clear_header_samples(photo_u8, length) if method.carries_header else photo_u8
    )
    header = dataclasses.replace(header, stripes=stripe_digests(signed_u8))
    if header.faces[0].tag is not None:
        digest = pixel_digest(signed_u8)
        tags = [tag(key, header, i, digest=digest) for i, key in enumerate(keys)]
        header = _with_faces(header, tags=tags)
    raw = encode(header)
    if method.carries_header:
        photo_u8 = carrier.write_header_copy(signed_u8, raw)
    exact = tuple(method.is_exact(f.data) for f in header.faces)
    png = write_png(None, photo_u8, raw)
    told = (masked.notes, masked.laid, masked.remarks)
    return Protected(png, photo_u8, masked_u8, header, exact, *told)


def _regions(faces: Sequence[Face], height: int, width: int) -> list[Region]:
    regions = merge_overlapping(faces, height, width)
    if len(regions) > MAX_FACES:
        raise BoxError(
            f"a picture holds at most {MAX_FACES} hidden faces, got {len(regions)}",
            hint="draw --box X0,Y0,X1,Y1 around several at once; none may stay clear",
        )
    for x0, y0, x1, y1 in (region.box for region in regions):
        # Padded to even sides, as networks and their key maps take it.
        if (y1 - y0 + (y1 - y0) % 2) * (x1 - x0 + (x1 - x0) % 2) > MAX_MAP_PIXELS:
            raise BoxError(
                f"a hidden face may have {MAX_MAP_PIXELS:,} pixels, got {x1 - x0} x {y1 - y0}",
                hint="draw smaller boxes with --box X0,Y0,X1,Y1, or scale the picture down",
            )
    return regions


def _key_slots(
    faces: Sequence[Face], regions: Sequence[Region], passphrases: Passphrases
) -> tuple[list[int], list[str]]:
    """Number the distinct passphrases, and give each region the number of its own."""
    if isinstance(passphrases, str):
        return [0] * len(regions), [passphrases]
    missing = [n for n in range(1, len(faces) + 1) if n not in passphrases]
    if missing or len(passphrases) != len(faces):
        raise PassphraseError(
            f"expected one passphrase for each of {len(faces)} faces, got them for "
            f"{', '.join(map(str, sorted(passphrases))) or 'none'}",
            hint="give one --key N=PATH for each chosen face",
        )
    numbers = {id(face): n for n, face in enumerate(faces, 1)}
    secrets: list[str] = []
    slots = []
    for region in regions:
        own = {passphrases[numbers[id(face)]] for face in region.faces}
        if len(own) > 1:
            raise BoxError(
                "faces with different passphrases overlap in the picture",
                hint="give them the same passphrase, or choose boxes that do not overlap",
            )
        secret = own.pop()
        if secret not in secrets:
            secrets.append(secret)
        slots.append(secrets.index(secret))
    return slots, secrets


def _no_tag(options: ProtectOptions) -> bytes | None:
    return bytes(TAG_BYTES) if options.check_value else None


def _encoded_length(header: Header) -> int:
    blank = np.zeros((header.height, header.width, 3), np.uint8)
    return len(encode(dataclasses.replace(header, stripes=stripe_digests(blank))))


def _with_faces(
    header: Header, *, notes: Sequence[bytes] | None = None, tags: Sequence[bytes] | None = None
) -> Header:
    faces = [
        dataclasses.replace(
            face,
            data=face.data if notes is None else notes[i],
            tag=face.tag if tags is None else tags[i],
        )
        for i, face in enumerate(header.faces)
    ]
    return dataclasses.replace(header, faces=tuple(faces))
