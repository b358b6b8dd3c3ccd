"""What travels with a protected picture: the door to its record and bytes, its tags, a sidecar.

:mod:`engine.record` says what a header may say, :mod:`engine.header_bytes` writes and reads it,
:mod:`engine.stripes` digests pixels without a key. Here a key joins them: a tag says whether key,
header and pixels belong together. In order of questions: is there a header (:func:`decode`), are
these its pixels (:func:`check_pixels`), is this the key (:func:`check_tag`).
"""

import base64
import hmac
import json
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from engine.errors import BoxError, HeaderDamagedError, SecretError, WrongKeyError
from engine.header_bytes import (
    MAX_HEADER_BYTES,
    check_index,
    checksum,
    context,
    contexts,
    decode,
    encode,
)
from engine.keys import KdfParams, Key
from engine.record import (
    TAG_BYTES,
    VERSION,
    FaceRecord,
    Header,
    check_bytes,
    damaged,
    refuse,
    unknown_version,
)
from engine.stripes import (
    DIGEST_BYTES,
    check_stripes,
    digest_of,
    pixel_digest,
    stripe_count,
    stripe_digests,
)

__all__ = [
    "MAX_HEADER_BYTES",
    "VERSION",
    "FaceRecord",
    "Header",
    "check_pixels",
    "check_tag",
    "context",
    "decode",
    "encode",
    "from_json",
    "pixel_digest",
    "stripe_digests",
    "tag",
    "to_json",
]

MAX_SIDECAR_CHARACTERS: Final = 32_768

_FORMAT: Final = "faceveil header"
_COSTS: Final = ("memory_kib", "iterations", "lanes")
_T = TypeVar("_T")


def check_pixels(header: Header, photo_u8: npt.NDArray[np.uint8]) -> None:
    """Refuse a picture that is not the one that was saved; needs no key.

    Who edits on purpose can make the digests fit again: then :func:`check_tag` refuses.

    Args:
        header: the picture's header.
        photo_u8: ``(H, W, 3)`` uint8.

    Raises:
        ReencodedError: another size, or most rows changed; the rule is that of
            :func:`engine.stripes.check_stripes`.
        TamperedError: some rows changed; the message names them.
        ImageShapeError: ``photo_u8`` is no picture.
    """
    check_stripes(header.stripes, header.height, header.width, photo_u8)


def tag(
    key: Key,
    header: Header,
    face_index: int,
    photo_u8: npt.NDArray[np.uint8] | None = None,
    *,
    digest: bytes | None = None,
) -> bytes:
    """Authenticate all records of the header and the whole picture under one face's key.

    ``HMAC-SHA256(k_tag, "faceveil/v1/tag" || u16be(face_index) || u16be(faces) || every face's
    context in order || stripes || SHA-256(u32be(H) || u32be(W) || pixels))``, its first 16 bytes
    (RFC 2104 allows the truncation). So no record can be taken out, put in, moved or stripped of
    its tag without the tags of the others failing; only the values of their tags stay free.

    Args:
        key: the face's key; ``k_tag`` is derived with the context of this face alone.
        header: with the digests of the picture, and for each face that will have a tag any 16
            bytes in its place: whether there is one counts, its value is not looked at.
        face_index: which of ``header.faces``, from 0.
        photo_u8: the protected picture, ``(H, W, 3)`` uint8.
        digest: its :func:`pixel_digest` instead, where there are many faces or keys.

    Raises:
        HeaderError: as :func:`context`, of any face; stripes missing; not one of picture, digest.
        BoxError: as :func:`context`, of any face.
        ImageShapeError: ``photo_u8`` is no picture.
    """
    check_index(header, face_index)
    every = contexts(header)
    check_bytes("stripes", header.stripes, {DIGEST_BYTES * stripe_count(header.height)})
    place = face_index.to_bytes(2, "big") + len(every).to_bytes(2, "big")
    pixels = digest_of(photo_u8, digest)
    message = b"".join([b"faceveil/v1/tag", place, *every, header.stripes, pixels])
    return hmac.digest(key.tag_key(every[face_index]), message, "sha256")[:TAG_BYTES]


def check_tag(
    key: Key,
    header: Header,
    face_index: int,
    photo_u8: npt.NDArray[np.uint8] | None = None,
    *,
    digest: bytes | None = None,
) -> None:
    """Refuse a key that is not the face's; to be called after :func:`check_pixels`.

    A face without a tag passes under any key: its owner chose that nothing tells which is right.
    Who takes a tag away does not get there: the keys of the face, its :func:`context`, change.

    Args:
        key: the key to be tried.
        header: the picture's header.
        face_index: which of ``header.faces``, from 0.
        photo_u8: the protected picture, ``(H, W, 3)`` uint8.
        digest: its :func:`pixel_digest` instead, as for :func:`tag`.

    Raises:
        WrongKeyError: another key, or records changed, or pixels and digests changed together.
        HeaderError, BoxError, ImageShapeError: as :func:`tag`.
    """
    found = tag(key, header, face_index, photo_u8, digest=digest)
    expected = header.faces[face_index].tag
    if expected is not None and not hmac.compare_digest(found, expected):
        raise WrongKeyError(
            f"key must be the one that protected face {face_index + 1}, got another",
            hint="check the passphrase: capitals, spaces and every sign count",
        )


def to_json(header: Header) -> str:
    """Write a header as a sidecar that people can read; bytes are base64 (RFC 4648, section 4).

    Args:
        header: a complete one.

    Raises:
        HeaderError, BoxError: as :func:`encode`.
    """
    raw = encode(header)
    fields = {
        "format": _FORMAT,
        "version": header.version,
        "kdf": {"name": "argon2id", **{name: getattr(header.kdf, name) for name in _COSTS}},
        "salt": _base64(header.salt),
        "method": header.method,
        "model_hash": _base64(header.model_hash),
        "mask": header.mask,
        "wrong": header.wrong,
        "height": header.height,
        "width": header.width,
        "stripes": _base64(header.stripes),
        "faces": [
            {
                "box": list(face.box),
                "key_slot": face.key_slot,
                "data": _base64(face.data),
                "tag": None if face.tag is None else _base64(face.tag),
            }
            for face in header.faces
        ],
        "checksum": raw[-len(checksum(b"")) :].hex(),
    }
    return _dump(fields)


def from_json(text: str) -> Header:
    """Read a sidecar under the rules of :func:`decode`; white space and order are free.

    Args:
        text: what :func:`to_json` gave.

    Raises:
        HeaderVersionError: an unknown version.
        HeaderDamagedError: not JSON, a field missing, unknown, twice or out of limits, or a value
            in another form than :func:`to_json` gives; names the field.
    """
    fields = _load(text)
    version = _value(fields, "version", int)
    if version != VERSION:
        raise unknown_version(version)
    header = Header(
        version=version,
        kdf=_kdf(_value(fields, "kdf", dict)),
        salt=_decoded(fields, "salt"),
        method=_value(fields, "method", str),
        model_hash=_decoded(fields, "model_hash"),
        mask=_value(fields, "mask", str),
        wrong=_value(fields, "wrong", str),
        height=_value(fields, "height", int),
        width=_value(fields, "width", int),
        stripes=_decoded(fields, "stripes"),
        faces=tuple(_record(face) for face in _value(fields, "faces", list)),
    )
    try:
        canonical = json.loads(to_json(header))
    except BoxError as error:
        raise damaged("box", "inside the picture and apart from others", str(error)) from error
    for name in sorted(fields.keys() | canonical.keys()):
        known = name in fields and name in canonical
        if not known or _dump(fields[name]) != _dump(canonical[name]):
            refuse(f"{name:.40}", "as to_json writes it", "another form")
    return header


def _load(text: str) -> dict[str, Any]:
    if len(text) > MAX_SIDECAR_CHARACTERS:
        refuse("length", f"at most {MAX_SIDECAR_CHARACTERS} characters", str(len(text)))
    try:
        fields = json.loads(text, object_pairs_hook=_once)
    except HeaderDamagedError:
        raise
    except (ValueError, RecursionError) as error:
        raise damaged("sidecar", "JSON", type(error).__name__) from error
    if type(fields) is not dict:
        refuse("sidecar", "an object", type(fields).__name__)
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            refuse(f"{name:.40}", "there once", "it twice")
        seen.add(name)
    return dict(pairs)


def _value(fields: dict[str, Any], name: str, kind: type[_T]) -> _T:
    value = fields.get(name)
    if type(value) is not kind:
        refuse(name, kind.__name__, type(value).__name__)
    return value


def _decoded(fields: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_value(fields, name, str), validate=True)
    except HeaderDamagedError:
        raise
    except ValueError as error:
        raise damaged(name, "base64", "another form") from error


def _kdf(fields: dict[str, Any]) -> KdfParams:
    costs = [_value(fields, name, int) for name in _COSTS]
    try:
        return KdfParams(*costs)
    except SecretError as error:
        raise damaged("kdf", "within its limits", str(error)) from error


def _record(fields: dict[str, Any]) -> FaceRecord:
    if type(fields) is not dict:
        refuse("faces", "a list of objects", type(fields).__name__)
    return FaceRecord(
        box=tuple(_value(fields, "box", list)),
        key_slot=_value(fields, "key_slot", int),
        data=_decoded(fields, "data"),
        tag=None if fields.get("tag") is None else _decoded(fields, "tag"),
    )


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")


def _dump(value: object) -> str:
    return json.dumps(value, indent=1, sort_keys=True) + "\n"
