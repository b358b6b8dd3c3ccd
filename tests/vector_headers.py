"""The base picture of the negative vectors, and the faults of its header's bytes.

Outcomes are written here by hand, from the format's description; scripts/make_vectors only stores
them, and the tests hold the engine to them.
"""

import hashlib
import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from argon2.low_level import Type, hash_secret_raw

from engine.header import FaceRecord, Header, context, encode, stripe_digests, tag, to_json
from engine.keys import KdfParams, Key

Case = dict[str, Any]
Parts = list[tuple[str, bytes]]
Fault = tuple[str, dict[str, bytes], str, str]

HEIGHT, WIDTH = 64, 80
SEED = "base"
PASSPHRASES = ("correct horse battery staple", "a second key for the second face")
D, V = "HeaderDamagedError", "HeaderVersionError"


@dataclass(frozen=True)
class Base:
    """The picture that every fault starts from."""

    header: Header
    photo_u8: npt.NDArray[np.uint8]
    roots: tuple[bytes, ...]


def make_base(photo_u8: npt.NDArray[np.uint8]) -> Base:
    salt = hashlib.sha256(b"faceveil/vectors/salt/base").digest()[:16]
    kdf = KdfParams(64, 1, 2)
    faces = (
        FaceRecord((4, 8, 36, 40), 0, b"\x01\x02\x03", bytes(16)),
        FaceRecord((40, 8, 72, 40), 1, b"\x01\x02\x03", bytes(16)),
    )
    model = hashlib.sha256(b"weights of the base").digest()
    stripes = stripe_digests(photo_u8)
    header = Header(
        1, kdf, salt, "proface-s-rand.v1", model, "gaussian:kernel=21,sigma=8", "rand",
        HEIGHT, WIDTH, stripes, faces,
    )  # fmt: skip
    roots = tuple(
        hash_secret_raw(
            text.encode("ascii"), salt, kdf.iterations, kdf.memory_kib, kdf.lanes, 32, Type.ID
        )
        for text in PASSPHRASES
    )
    tagged = tuple(
        replace(face, tag=tag(Key(roots[i]), header, i, photo_u8)) for i, face in enumerate(faces)
    )
    return Base(replace(header, faces=tagged), photo_u8, roots)


def base_case(base: Base) -> Case:
    return {
        "header": encode(base.header).hex(),
        "photo": {"seed": SEED, "height": HEIGHT, "width": WIDTH},
        "passphrases": list(PASSPHRASES),
        "roots": [root.hex() for root in base.roots],
        "contexts": [context(base.header, i).hex() for i in range(2)],
    }


def parts_of(header: Header) -> Parts:
    """The fields of a header in their order, laid out from the format's description."""

    def counted(name: str, value: bytes) -> Parts:
        return [(f"{name}_length", bytes([len(value)])), (name, value)]

    kdf = header.kdf
    parts: Parts = [
        ("magic", b"FVHD"),
        ("version", b"\x01"),
        ("kdf", b"\x01"),
        ("memory_kib", struct.pack(">I", kdf.memory_kib)),
        ("iterations", bytes([kdf.iterations])),
        ("lanes", bytes([kdf.lanes])),
        *counted("salt", header.salt),
        *counted("method", header.method.encode()),
        *counted("model_hash", header.model_hash),
        *counted("mask", header.mask.encode()),
        ("wrong", bytes([["", "rand", "obfs", "decoy"].index(header.wrong)])),
        ("height", struct.pack(">H", header.height)),
        ("width", struct.pack(">H", header.width)),
        *counted("stripes", header.stripes),
        ("faces", bytes([len(header.faces)])),
    ]
    for i, face in enumerate(header.faces):
        parts += [(f"box_{i}_{j}", struct.pack(">H", side)) for j, side in enumerate(face.box)]
        parts += [(f"key_slot_{i}", bytes([face.key_slot]))]
        parts += [*counted(f"data_{i}", face.data), *counted(f"tag_{i}", face.tag or b"")]
    body = b"".join(value for _, value in parts)
    return [*parts, ("checksum", hashlib.sha256(body).digest()[:4])]


def with_parts(base: Base, **changes: bytes) -> bytes:
    """The base header with some fields replaced and a checksum that fits."""
    parts = dict(parts_of(base.header))
    unknown = changes.keys() - parts.keys()
    if unknown:
        raise LookupError(f"no such field: {unknown}")
    parts.update(changes)
    last = parts.pop("checksum")
    body = b"".join(parts.values())
    return body + changes.get("checksum", hashlib.sha256(body).digest()[: len(last)])


def truncations(base: Base) -> list[Case]:
    parts, cases, at = parts_of(base.header), [], 0
    raw = b"".join(value for _, value in parts)
    if raw != encode(base.header):
        raise ValueError("the engine writes another layout than its description")
    for name, value in parts:
        field = name.replace("_length", "").rstrip("0123_")
        cases.append(header_case(f"truncated_before_{name}", raw[:at], D, field))
        at += len(value)
    cases.append(header_case("truncated_by_one_byte", raw[:-1], D, "checksum"))
    return cases


def header_case(name: str, raw: bytes, expect: str, names: str) -> Case:
    return {
        "name": f"header_{name}", "kind": "header", "header": raw.hex(),
        "expect": expect, "names": names,
    }  # fmt: skip


def _value(name: str, value: bytes) -> dict[str, bytes]:
    return {f"{name}_length": bytes([len(value)]), name: value}


def header_faults(base: Base) -> list[Case]:
    cases = [
        header_case(name, with_parts(base, **changes), expect, names)
        for name, changes, expect, names in [
            *_cost_faults(), *_text_faults(base), *_size_faults(), *_face_faults()
        ]
    ]  # fmt: skip
    raw = encode(base.header)
    flipped = raw[:-1] + bytes([raw[-1] ^ 1])
    return [
        *cases,
        header_case("checksum_one_bit_off", flipped, D, "checksum"),
        header_case("checksum_of_zeros", raw[:-4] + bytes(4), D, "checksum"),
        header_case("salt_one_bit_off", raw[:13] + bytes([raw[13] ^ 1]) + raw[14:], D, "checksum"),
        header_case("trailing_zero", raw + b"\0", D, "end"),
        header_case("trailing_newline", raw + b"\n", D, "end"),
        header_case("twice", raw + raw, D, "end"),
        header_case("4097_bytes", raw + bytes(4097 - len(raw)), D, "length"),
        header_case("leading_zero", b"\0" + raw, D, "magic"),
        header_case("as_json", to_json(base.header).encode(), D, "magic"),
    ]


def _cost_faults() -> list[Fault]:
    def memory(kib: int) -> dict[str, bytes]:
        return {"memory_kib": struct.pack(">I", kib)}

    return [
        ("magic_lower_case", {"magic": b"fvhd"}, D, "magic"),
        ("magic_of_png", {"magic": b"\x89PNG"}, D, "magic"),
        ("version_0", {"version": b"\0"}, V, "version"),
        ("version_2", {"version": b"\x02"}, V, "version"),
        ("version_255", {"version": b"\xff"}, V, "version"),
        ("kdf_of_the_paper", {"kdf": b"\0"}, D, "kdf"),
        ("kdf_scrypt", {"kdf": b"\x02"}, D, "kdf"),
        ("kdf_255", {"kdf": b"\xff"}, D, "kdf"),
        ("memory_0", memory(0), D, "memory_kib"),
        ("memory_below_8_per_lane", memory(15), D, "memory_kib"),
        ("memory_over_cap", memory(262_145), D, "memory_kib"),
        ("memory_4_tib", memory(2**32 - 1), D, "memory_kib"),
        ("memory_little_endian", {"memory_kib": struct.pack("<I", 64)}, D, "memory_kib"),
        ("iterations_0", {"iterations": b"\0"}, D, "iterations"),
        ("iterations_over_cap", {"iterations": b"\x0b"}, D, "iterations"),
        ("iterations_255", {"iterations": b"\xff"}, D, "iterations"),
        ("lanes_0", {"lanes": b"\0"}, D, "lanes"),
        ("lanes_over_cap", {"lanes": b"\x09"}, D, "lanes"),
        ("lanes_255", {"lanes": b"\xff"}, D, "lanes"),
        ("salt_empty", _value("salt", b""), D, "salt"),
        ("salt_15_bytes", _value("salt", b"s" * 15), D, "salt"),
        ("salt_17_bytes", _value("salt", b"s" * 17), D, "salt"),
        ("salt_length_in_two_bytes", {"salt_length": b"\0\x10"}, D, "method"),
        ("salt_length_past_the_end", {"salt_length": b"\xff"}, D, "salt"),
    ]


def _text_faults(base: Base) -> list[Fault]:
    methods = [
        ("empty", b""),
        ("65_bytes", b"m" * 65),
        ("latin_1", b"caf\xe9"),
        ("utf_8", "café".encode()),
        ("capital", b"Sealed"),
        ("space", b"sealed "),
        ("nul", b"sealed\0"),
        ("leading_dot", b".sealed"),
        ("path", b"../sealed"),
        ("newline", b"sealed\n"),
    ]
    masks = [
        ("65_bytes", b"m" * 65),
        ("utf_8", "böx".encode()),
        ("newline", b"box\n"),
        ("tab", b"box\t"),
        ("delete", b"box\x7f"),
        ("nul", b"\0box"),
    ]
    twice = base.header.stripes * 2
    wide = struct.pack(">H", 65_535)
    return [
        *((f"method_{name}", _value("method", text), D, "method") for name, text in methods),
        *((f"mask_{name}", _value("mask", text), D, "mask") for name, text in masks),
        *(
            (f"model_hash_{n}_bytes", _value("model_hash", bytes(n)), D, "model_hash")
            for n in (1, 31, 33, 64)
        ),
        ("wrong_4", {"wrong": b"\x04"}, V, "wrong mode 4"),
        ("wrong_255", {"wrong": b"\xff"}, V, "wrong mode 255"),
        ("height_0", {"height": b"\0\0"}, D, "height"),
        ("width_0", {"width": b"\0\0"}, D, "width"),
        ("over_25_megapixels", {"height": wide, "width": struct.pack(">H", 382)}, D, "width"),
        ("4_gigapixels", {"height": wide, "width": wide}, D, "width"),
        ("height_15_for_64_bytes_of_stripes", {"height": b"\0\x0f"}, D, "stripes"),
        *(
            (f"stripes_{n}_bytes", _value("stripes", twice[:n]), D, "stripes")
            for n in (0, 60, 63, 65, 68)
        ),
    ]  # fmt: skip


def _size_faults() -> list[Fault]:
    def box(index: int, *sides: int) -> dict[str, bytes]:
        return {f"box_{index}_{j}": struct.pack(">H", side) for j, side in enumerate(sides)}

    return [
        ("box_empty_in_x", box(0, 4, 8, 4, 40), D, "box"),
        ("box_empty_in_y", box(0, 4, 8, 36, 8), D, "box"),
        ("box_of_zeros", box(0, 0, 0, 0, 0), D, "box"),
        ("box_x_reversed", box(0, 36, 8, 4, 40), D, "box"),
        ("box_y_reversed", box(0, 4, 40, 36, 8), D, "box"),
        ("box_past_the_right", box(1, 40, 8, WIDTH + 1, 40), D, "box"),
        ("box_past_the_bottom", box(1, 40, 8, 72, HEIGHT + 1), D, "box"),
        ("box_far_outside", box(1, 60_000, 60_000, 65_535, 65_535), D, "box"),
        ("box_negative_as_u16", box(1, 65_535, 8, 72, 40), D, "box"),
        ("boxes_overlap_by_a_pixel", box(1, 35, 39, 72, 50), D, "box"),
        ("boxes_equal", box(1, 4, 8, 36, 40), D, "box"),
        ("box_in_a_box", box(1, 10, 10, 20, 20), D, "box"),
        (
            "box_over_16_megapixels",
            {"height": struct.pack(">H", 5000), "width": struct.pack(">H", 5000)}
            | box(0, 0, 0, 5000, 3201),
            D,
            "box",
        ),
    ]


def _face_faults() -> list[Fault]:
    return [
        ("faces_0", {"faces": b"\0"}, D, "faces"),
        ("faces_1_of_2", {"faces": b"\x01"}, D, "checksum"),
        ("faces_3_of_2", {"faces": b"\x03"}, D, "box"),
        ("faces_65", {"faces": b"\x41"}, D, "faces"),
        ("faces_255", {"faces": b"\xff"}, D, "faces"),
        ("key_slot_64", {"key_slot_0": b"\x40"}, D, "key_slot"),
        ("key_slot_255", {"key_slot_1": b"\xff"}, D, "key_slot"),
        ("data_65_bytes", _value("data_0", bytes(65)), D, "data"),
        ("tag_1_byte", _value("tag_0", b"t"), D, "tag"),
        ("tag_15_bytes", _value("tag_0", b"t" * 15), D, "tag"),
        ("tag_17_bytes", _value("tag_0", b"t" * 17), D, "tag"),
        ("tag_32_bytes", _value("tag_0", b"t" * 32), D, "tag"),
    ]
