"""The faults of the negative vectors besides those of the header's bytes, one wrong thing each.

Outcomes are written here by hand; scripts/make_vectors only stores them, and the tests hold the
engine to them.
"""

import json
from dataclasses import replace
from typing import Any

from vector_headers import (
    HEIGHT,
    PASSPHRASES,
    WIDTH,
    Base,
    Case,
    D,
    V,
    header_faults,
    truncations,
)

from engine.header import FaceRecord, Header, encode, stripe_digests, to_json
from engine.keys import KdfParams

W, T, R, P = "WrongKeyError", "TamperedError", "ReencodedError", "PassphraseError"


def all_faults(base: Base) -> list[Case]:
    return [
        *passphrase_faults(),
        *truncations(base),
        *header_faults(base),
        *sidecar_faults(base),
        *key_faults(),
        *bound_faults(base),
        *pixel_faults(),
    ]


def passphrase_faults() -> list[Case]:
    faults: list[tuple[str, object]] = [
        ("empty", ""),
        ("1025_bytes", "a" * 1025),
        ("1026_bytes_of_two", "\u00e9" * 513),
        ("1028_bytes_of_four", "\U0001f600" * 257),
        ("1056_bytes_after_nfkc", "\ufdfa" * 32),
        ("9000_letters", "a" * 9000),
        ("lone_high_surrogate", "face\ud83d"),
        ("lone_low_surrogate", "\ude00face"),
        ("surrogates_reversed", "\ude00 \ud83d"),
        ("null", None),
        ("number", 12345678),
        ("list", ["correct", "horse"]),
        ("true", True),
    ]
    return [
        {"name": f"passphrase_{name}", "kind": "passphrase", "passphrase": text, "expect": P}
        for name, text in faults
    ]


def sidecar_faults(base: Base) -> list[Case]:
    text = to_json(base.header)
    good = json.loads(text)
    face = good["faces"][0]

    def but(**changes: object) -> str:
        return json.dumps(good | changes)

    def without(name: str) -> str:
        return json.dumps({key: value for key, value in good.items() if key != name})

    salt = good["salt"]
    faults = [
        ("empty", "", D, "sidecar"),
        ("not_json", "faceveil", D, "sidecar"),
        ("cut", text[: len(text) // 2], D, "sidecar"),
        ("list", "[]", D, "sidecar"),
        ("null", "null", D, "sidecar"),
        ("two_documents", text + text, D, "sidecar"),
        ("deeply_nested", "[" * 30_000, D, "sidecar"),
        ("too_long", text + " " * 40_000, D, "length"),
        ("huge_number", text.replace('"version": 1', '"version": ' + "1" * 5000), D, "sidecar"),
        ("salt_twice", text.replace('"salt"', f'"salt": "{salt}", "salt"'), D, "salt"),
        *((f"without_{name}", without(name), D, name) for name in good),
        ("unknown_field", but(password="x"), D, "password"),
        ("unknown_null_field", but(comment=None), D, "comment"),
        ("format_of_another", but(format="faceveil"), D, "format"),
        ("version_2", but(version=2), V, "version"),
        ("version_true", but(version=True), D, "version"),
        ("version_float", but(version=1.0), D, "version"),
        ("version_text", but(version="1"), D, "version"),
        ("height_float", but(height=float(HEIGHT)), D, "height"),
        ("height_nan", text.replace(f'"height": {HEIGHT}', '"height": NaN'), D, "height"),
        ("wrong_capital", but(wrong="Rand"), D, "wrong"),
        ("kdf_name_capital", but(kdf=good["kdf"] | {"name": "Argon2id"}), D, "kdf"),
        ("kdf_memory_over_cap", but(kdf=good["kdf"] | {"memory_kib": 262_145}), D, "memory_kib"),
        ("kdf_extra", but(kdf=good["kdf"] | {"pepper": ""}), D, "kdf"),
        ("salt_without_padding", but(salt=salt.rstrip("=")), D, "salt"),
        ("salt_with_space", but(salt=salt[:4] + " " + salt[4:]), D, "salt"),
        ("salt_loose_bits", but(salt=salt[:21] + _next(salt[21]) + "=="), D, "salt"),
        ("salt_hexadecimal", but(salt=base.header.salt.hex()), D, "salt"),
        ("salt_another", but(salt="A" * 21 + "A=="), D, "checksum"),
        ("checksum_capital", but(checksum="ABCDEF01"), D, "checksum"),
        ("faces_empty", but(faces=[]), D, "faces"),
        ("faces_of_numbers", but(faces=[1, 2]), D, "faces"),
        ("face_extra", but(faces=[face | {"name": "x"}, good["faces"][1]]), D, "faces"),
        ("face_box_of_three", but(faces=[face | {"box": [0, 0, 1]}]), D, "box"),
        ("face_box_of_floats", but(faces=[face | {"box": [4.0, 8, 36, 40]}]), D, "box"),
        ("face_box_outside", but(faces=[face | {"box": [4, 8, 36, 400]}]), D, "box"),
        ("face_box_in_a_list", but(faces=[face | {"box": [[4], 8, 36, 40]}]), D, "box"),
        ("face_tag_empty", but(faces=[face | {"tag": ""}]), D, "tag"),
    ]
    return [
        {"name": f"sidecar_{name}", "kind": "sidecar", "text": fault, "expect": e, "names": field}
        for name, fault, e, field in faults
    ]


def _next(letter: str) -> str:
    """The base64 letter with one of its four unused bits set."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return letters[letters.index(letter) ^ 1]


def key_faults() -> list[Case]:
    right = PASSPHRASES[0]
    texts = {
        "last_letter": right[:-1] + "f",
        "first_letter": "d" + right[1:],
        "one_bit_of_utf_8": "b" + right[1:],
        "capital": "C" + right[1:],
        "all_capitals": right.upper(),
        "trailing_space": right + " ",
        "leading_space": " " + right,
        "double_space": right.replace(" ", "  ", 1),
        "no_spaces": right.replace(" ", ""),
        "hyphens": right.replace(" ", "-"),
        "letter_missing": right[:-1],
        "letter_twice": right + "e",
        "letters_swapped": "oc" + right[2:],
        "words_swapped": "horse correct battery staple",
        "cyrillic_o": right.replace("o", "\u043e", 1),
        "zero_for_o": right.replace("o", "0", 1),
        "accent": right.replace("e", "\u00e9", 1),
        "trailing_newline": right + "\n",
        "trailing_nul": right + "\0",
        "zero_width_space": right + "\u200b",
        "of_the_other_face": PASSPHRASES[1],
    }
    cases: list[Case] = [
        {"name": f"key_{name}", "kind": "key", "passphrase": text, "expect": W}
        for name, text in texts.items()
    ]
    bits = (0, 1, 7, 8, 100, 128, 254, 255)
    return cases + [
        {"name": f"key_bit_{bit}_off", "kind": "key", "root_bit": bit, "expect": W} for bit in bits
    ]


def bound_faults(base: Base) -> list[Case]:
    """Headers that decode, with the right passphrase: what the tag binds besides the key."""
    header, (first, second) = base.header, base.header.faces
    flip = bytes([header.salt[0] ^ 1]) + header.salt[1:]
    tag_off = bytes([(first.tag or b"")[0] ^ 1]) + (first.tag or b"")[1:]
    edited = base.photo_u8.copy()
    edited[20, 20, 0] ^= 1

    def face(**changes: Any) -> Header:
        return replace(header, faces=(replace(first, **changes), second))

    third = FaceRecord((0, 50, 8, 58), 2, b"", bytes(16))
    others: dict[str, tuple[FaceRecord, ...]] = {
        "record_deleted": (),
        "record_added": (second, third),
        "record_added_between": (third, second),
        "box_moved": (replace(second, box=(41, 8, 73, 40)),),
        "key_slot": (replace(second, key_slot=0),),
        "data": (replace(second, data=b""),),
        "tag_stripped": (replace(second, tag=None),),
    }
    changed = {
        "memory": replace(header, kdf=KdfParams(72, 1, 2)),
        "iterations": replace(header, kdf=KdfParams(64, 2, 2)),
        "lanes": replace(header, kdf=KdfParams(64, 1, 1)),
        "salt_bit": replace(header, salt=flip),
        "method": replace(header, method="proface-s-obfs.v1"),
        "model": replace(header, model_hash=bytes(32)),
        "no_model": replace(header, model_hash=b""),
        "mask": replace(header, mask="gaussian:kernel=21,sigma=9"),
        "wrong": replace(header, wrong="obfs"),
        "box_moved_by_a_pixel": face(box=(3, 8, 35, 40)),
        "box_larger_by_a_pixel": face(box=(4, 8, 37, 40)),
        "box_turned": face(box=(4, 8, 36, 41)),
        "key_slot": face(key_slot=1),
        "data": face(data=b"\x01\x02\x04"),
        "data_to_nothing": face(data=b""),
        "tag_bit": face(tag=tag_off),
        "tag_of_the_other_face": face(tag=second.tag),
        "tag_of_zeros": face(tag=bytes(16)),
        **{f"other_{name}": replace(header, faces=(first, *rest)) for name, rest in others.items()},
        "records_swapped": replace(header, faces=(second, first)),
        "records_swapped_but_tags": replace(
            header, faces=(replace(second, tag=first.tag), replace(first, tag=second.tag))
        ),
    }
    cases: list[Case] = [
        {"name": f"bound_{name}", "kind": "bound", "header": encode(made).hex(), "expect": W}
        for name, made in changed.items()
    ]
    forged = replace(header, stripes=stripe_digests(edited))
    cases.append(
        {
            "name": "bound_pixel_with_stripes_made_to_fit", "kind": "bound",
            "header": encode(forged).hex(), "fault": ["xor", 20, 21, 20, 21, 0, 1, 1], "expect": W,
        }
    )  # fmt: skip
    return cases


def pixel_faults() -> list[Case]:
    h, w = HEIGHT, WIDTH
    faults: list[tuple[str, list[Any], str, str]] = [
        ("first_value_lowest_bit", ["xor", 0, 1, 0, 1, 0, 1, 1], T, "rows 0 to 3"),
        ("last_value_highest_bit", ["xor", h - 1, h, w - 1, w, 2, 3, 128], T, "rows 60 to 63"),
        ("one_pixel", ["xor", 33, 34, 7, 8, 0, 3, 255], T, "rows 32 to 35"),
        ("one_row", ["xor", 8, 9, 0, w, 0, 3, 1], T, "rows 8 to 11"),
        ("one_stripe", ["xor", 8, 12, 0, w, 0, 3, 255], T, "rows 8 to 11"),
        ("two_stripes_together", ["xor", 11, 13, 0, 1, 0, 1, 1], T, "rows 8 to 15"),
        ("rows_swapped_within_a_stripe", ["swap", 4, 6], T, "rows 4 to 7"),
        ("rows_swapped_across", ["swap", 0, 63], T, "rows 0 to 3, 60 to 63"),
        ("a_sticker", ["xor", 10, 30, 10, 30, 0, 3, 85], T, "rows 8 to 31"),
        ("half_of_the_stripes", ["xor", 0, 32, 0, w, 0, 3, 1], T, "rows 0 to 31"),
        ("more_than_half", ["xor", 0, 33, 0, w, 0, 3, 1], R, "9 of 16"),
        ("lowest_bits", ["xor", 0, h, 0, w, 0, 3, 1], R, "16 of 16"),
        ("one_column", ["xor", 0, h, 5, 6, 0, 1, 1], R, "16 of 16"),
        ("inverted", ["xor", 0, h, 0, w, 0, 3, 255], R, "16 of 16"),
        ("mirrored", ["flip", 1], R, "16 of 16"),
        ("upside_down", ["flip", 0], R, "16 of 16"),
        ("bgr", ["flip", 2], R, "16 of 16"),
        ("moved_by_a_row", ["roll", 1, 0], R, "16 of 16"),
        ("moved_by_a_column", ["roll", 1, 1], R, "16 of 16"),
        ("cropped_by_a_row", ["crop", 0, h - 1, 0, w], R, "63 x 80"),
        ("cropped_by_a_column", ["crop", 0, h, 1, w], R, "64 x 79"),
        ("cropped_to_the_face", ["crop", 8, 40, 4, 36], R, "32 x 32"),
        ("transposed", ["transpose"], R, "80 x 64"),
        ("same_bytes_other_sides", ["reshape", w, h], R, "80 x 64"),
        ("enlarged_twice", ["repeat", 2], R, "128 x 160"),
        ("made_half", ["every", 2], R, "32 x 40"),
    ]
    return [
        {"name": f"pixels_{name}", "kind": "pixels", "fault": fault, "expect": e, "names": names}
        for name, fault, e, names in faults
    ]
