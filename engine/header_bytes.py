"""The bytes of a header: one encoding each, and the part of them that a face's keys come from.

Every number is big-endian::

    "FVHD" | shared | n u8, n bytes of stripes | faces u8 | faces x (face, n u8, n bytes of tag)
             | sum
    shared = version u8 | kdf u8 = 1 (Argon2id) | memory KiB u32 | iterations u8 | lanes u8
             | salt | method | model hash | mask, each with its length before it as u8
             | wrong u8 (0 none, 1 rand, 2 obfs, 3 decoy) | height u16 | width u16
    face   = x0 u16 | y0 u16 | x1 u16 | y1 u16 | key slot u8 | n u8, n bytes of data
    sum    = the first 4 bytes of SHA-256 of all before, against accidents and not against people

A decoder takes no other encoding. The context of a face is ``"faceveil/v1/context" || shared ||
face || tagged u8``, where tagged is 1 for a face with a tag and 0 for one without: who strips a tag
gets other keys. Every part tells its own length, so no context begins another. They are equal only
for equal records, whatever the tag's value, and the boxes of a header are apart.
"""

import hashlib
from typing import Final

from engine.errors import BoxError, HeaderError, SecretError
from engine.keys import KdfParams
from engine.record import (
    MAX_FACES,
    VERSION,
    WRONG_MODES,
    FaceRecord,
    Header,
    check_face,
    check_header,
    check_shared,
    damaged,
    refuse,
    unknown_version,
    unknown_wrong_mode,
)

MAGIC: Final = b"FVHD"
MAX_HEADER_BYTES: Final = 4096

_ARGON2ID: Final = 1
_SUM_BYTES: Final = 4


def encode(header: Header) -> bytes:
    """Write a header as its one sequence of bytes.

    Args:
        header: a complete one.

    Returns:
        At most 4096 bytes.

    Raises:
        HeaderVersionError: an unknown version.
        HeaderDamagedError: a field outside its limits, or more than 4096 bytes.
        BoxError: a box outside the picture, empty, too large, or overlapping another.
    """
    check_header(header)
    parts = [MAGIC, _shared(header), _counted(header.stripes), bytes([len(header.faces)])]
    for face in header.faces:
        parts += [_face(face), _counted(face.tag or b"")]
    body = b"".join(parts)
    if len(body) + _SUM_BYTES > MAX_HEADER_BYTES:
        refuse("length", f"at most {MAX_HEADER_BYTES} bytes", str(len(body) + _SUM_BYTES))
    return body + checksum(body)


def decode(raw: bytes) -> Header:
    """Read a header, and nothing that :func:`encode` would have written otherwise.

    Args:
        raw: what :func:`encode` gave.

    Raises:
        HeaderVersionError: an unknown version, or a wrong mode that only a newer one knows.
        HeaderDamagedError: truncated, damaged, out of limits or not canonical; names the field.
    """
    if len(raw) > MAX_HEADER_BYTES:
        refuse("length", f"at most {MAX_HEADER_BYTES} bytes", str(len(raw)))
    reader = _Reader(bytes(raw))
    magic = reader.take("magic", len(MAGIC))
    if magic != MAGIC:
        refuse("magic", repr(MAGIC), repr(magic))
    header = _read(reader)
    body = reader.raw[: reader.at]
    if reader.take("checksum", _SUM_BYTES) != checksum(body):
        refuse("checksum", "that of the bytes before it", "another")
    if reader.at != len(raw):
        refuse("end", "the last byte", f"{len(raw) - reader.at} more")
    try:
        if encode(header) != raw:
            refuse("encoding", "canonical", "another form")
    except BoxError as error:
        raise damaged("box", "inside the picture and apart from others", str(error)) from error
    return header


def context(header: Header, face_index: int) -> bytes:
    """Give the canonical bytes that belong to one face; its keys are derived from them.

    They hold everything but the digests of the pixels, the tag's value and the other faces, so
    they are known before anything is hidden. They do hold the method's own ``data``, and whether
    the face has a tag: fix both first, with any 16 bytes in the place of a tag that is to come.

    Args:
        header: ``stripes`` may still be empty, tags may still be placeholders.
        face_index: which of ``header.faces``, from 0.

    Raises:
        HeaderVersionError: an unknown version.
        HeaderDamagedError: a field outside its limits.
        BoxError: a box outside the picture, empty or too large.
        HeaderError: no such face.
    """
    check_shared(header)
    check_index(header, face_index)
    return _context(header, header.faces[face_index], _shared(header))


def contexts(header: Header) -> tuple[bytes, ...]:
    """Give :func:`context` of every face, in the order of ``header.faces``.

    Args:
        header: as for :func:`context`.

    Raises:
        HeaderVersionError: an unknown version.
        HeaderDamagedError: a field outside its limits, the number of faces too.
        BoxError: a box outside the picture, empty or too large.
    """
    check_shared(header)
    if not 1 <= len(header.faces) <= MAX_FACES:
        refuse("faces", f"1 to {MAX_FACES} records", str(len(header.faces)))
    shared = _shared(header)
    return tuple(_context(header, face, shared) for face in header.faces)


def check_index(header: Header, face_index: int) -> None:
    """Refuse an index of no face.

    Raises:
        HeaderError: ``face_index`` is no integer from 0 to the last face.
    """
    if type(face_index) is not int or not 0 <= face_index < len(header.faces):
        raise HeaderError(
            f"face_index must be 0 to {len(header.faces) - 1}, got {face_index!r:.20}",
            hint="take an index of header.faces",
        )


def checksum(body: bytes) -> bytes:
    """Give the 4 bytes that end a header, so that damage is never mistaken for a wrong key."""
    return hashlib.sha256(body).digest()[:_SUM_BYTES]


def _shared(header: Header) -> bytes:
    kdf = header.kdf
    return b"".join(
        [
            bytes([header.version, _ARGON2ID]),
            kdf.memory_kib.to_bytes(4, "big"),
            bytes([kdf.iterations, kdf.lanes]),
            _counted(header.salt),
            _counted(header.method.encode("ascii")),
            _counted(header.model_hash),
            _counted(header.mask.encode("ascii")),
            bytes([WRONG_MODES.index(header.wrong)]),
            header.height.to_bytes(2, "big"),
            header.width.to_bytes(2, "big"),
        ]
    )


def _context(header: Header, face: FaceRecord, shared: bytes) -> bytes:
    check_face(face, header.height, header.width)
    tagged = bytes([face.tag is not None])
    return b"faceveil/v1/context" + shared + _face(face) + tagged


def _face(face: FaceRecord) -> bytes:
    box = b"".join(side.to_bytes(2, "big") for side in face.box)
    return box + bytes([face.key_slot]) + _counted(face.data)


def _counted(value: bytes) -> bytes:
    return bytes([len(value)]) + value


class _Reader:
    """Takes a header apart from the front; each failure names the field."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def take(self, name: str, count: int) -> bytes:
        part = self.raw[self.at : self.at + count]
        if len(part) != count:
            refuse(name, f"{count} bytes", f"{len(part)} before the end")
        self.at += count
        return part

    def number(self, name: str, count: int = 1) -> int:
        return int.from_bytes(self.take(name, count), "big")

    def counted(self, name: str) -> bytes:
        return self.take(name, self.number(name))

    def text(self, name: str) -> str:
        value = self.counted(name)
        if not value.isascii():
            refuse(name, "ASCII", "other bytes")
        return value.decode("ascii")


def _read(reader: _Reader) -> Header:
    version = reader.number("version")
    if version != VERSION:
        raise unknown_version(version)
    return Header(
        version=version,
        kdf=_read_kdf(reader),
        salt=reader.counted("salt"),
        method=reader.text("method"),
        model_hash=reader.counted("model_hash"),
        mask=reader.text("mask"),
        wrong=_read_wrong(reader),
        height=reader.number("height", 2),
        width=reader.number("width", 2),
        stripes=reader.counted("stripes"),
        faces=_read_faces(reader),
    )


def _read_kdf(reader: _Reader) -> KdfParams:
    kind = reader.number("kdf")
    if kind != _ARGON2ID:
        refuse("kdf", f"{_ARGON2ID} (Argon2id)", str(kind))
    memory_kib = reader.number("memory_kib", 4)
    iterations, lanes = reader.number("iterations"), reader.number("lanes")
    try:
        return KdfParams(memory_kib, iterations, lanes)
    except SecretError as error:
        raise damaged("kdf", "within its limits", str(error)) from error


def _read_wrong(reader: _Reader) -> str:
    code = reader.number("wrong")
    if code >= len(WRONG_MODES):
        body, found = reader.raw[:-_SUM_BYTES], reader.raw[-_SUM_BYTES:]
        if found == checksum(body):  # nothing is damaged: someone meant it
            raise unknown_wrong_mode(code)
        refuse("wrong", f"at most {len(WRONG_MODES) - 1}", str(code))
    return WRONG_MODES[code]


def _read_faces(reader: _Reader) -> tuple[FaceRecord, ...]:
    count = reader.number("faces")
    if not 1 <= count <= MAX_FACES:
        refuse("faces", f"1 to {MAX_FACES} records", str(count))
    return tuple(_read_face(reader) for _ in range(count))


def _read_face(reader: _Reader) -> FaceRecord:
    x0, y0, x1, y1 = (reader.number("box", 2) for _ in range(4))
    return FaceRecord(
        box=(x0, y0, x1, y1),
        key_slot=reader.number("key_slot"),
        data=reader.counted("data"),
        tag=reader.counted("tag") or None,
    )
