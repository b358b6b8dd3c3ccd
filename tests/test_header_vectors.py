import hashlib
import hmac
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from engine import errors, header, keys

HERE = Path(__file__).parent
POSITIVE = json.loads((HERE / "vectors" / "positive.json").read_text(encoding="utf-8"))["cases"]
NEGATIVE = json.loads((HERE / "vectors" / "negative.json").read_text(encoding="utf-8"))
BASE = NEGATIVE["base"]


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(c, id=c["name"]) for c in NEGATIVE["cases"] if c["kind"] == kind]


def own_photo(case: Any) -> npt.NDArray[np.uint8]:
    seed, height, width = (case["photo"][name] for name in ("seed", "height", "width"))
    stream = hashlib.shake_256(b"faceveil/vectors/photo/" + seed.encode())
    pixels = np.frombuffer(stream.digest(height * width * 3), np.uint8)
    return pixels.reshape(height, width, 3)


def own_context(raw: bytes, index: int) -> bytes:
    """Cut the shared fields and one face out of a header's bytes, and whether it has a tag."""
    at = 12
    for _ in range(4):
        at += 1 + raw[at]
    shared, at = raw[4 : at + 5], at + 5
    at += 1 + raw[at]
    at += 1
    for _ in range(index):
        at += 9
        at += 1 + raw[at]
        at += 1 + raw[at]
    face, at = raw[at : at + 10 + raw[at + 9]], at + 10 + raw[at + 9]
    return b"faceveil/v1/context" + shared + face + (b"\1" if raw[at] else b"\0")


def own_tag(raw: bytes, index: int, k_tag: bytes, photo_u8: npt.NDArray[np.uint8]) -> bytes:
    """The tag of one face, from a header's bytes, the face's key and the pixels."""
    at = 12
    for _ in range(4):
        at += 1 + raw[at]
    count = raw[at + 6 + raw[at + 5]]
    message = b"faceveil/v1/tag" + struct.pack(">HH", index, count)
    for i in range(count):
        message += own_context(raw, i)
    pixels = struct.pack(">II", *photo_u8.shape[:2]) + photo_u8.tobytes()
    message += own_stripes(photo_u8) + hashlib.sha256(pixels).digest()
    return hmac.new(k_tag, message, hashlib.sha256).digest()[:16]


def own_stripes(photo_u8: npt.NDArray[np.uint8]) -> bytes:
    height, width = photo_u8.shape[:2]
    count, out = min(16, height), b""
    for i in range(count):
        rows = photo_u8[i * height // count : (i + 1) * height // count].tobytes()
        start = b"faceveil/v1/stripe" + struct.pack(">III", height, width, i)
        out += hashlib.sha256(start + rows).digest()[:4]
    return out


@pytest.mark.parametrize("case", POSITIVE, ids=[case["name"] for case in POSITIVE])
def test_header_of_a_known_answer(case: Any) -> None:
    raw, index, photo_u8 = bytes.fromhex(case["header"]), case["face_index"], own_photo(case)
    read, key = header.decode(raw), keys.Key(bytes.fromhex(case["root"]))
    assert header.encode(read) == raw
    assert header.from_json(header.to_json(read)) == read
    ctx = header.context(read, index)
    assert ctx.hex() == case["context"]
    assert header.tag(key, read, index, photo_u8).hex() == case["tag"]
    header.check_pixels(read, photo_u8)
    header.check_tag(key, read, index, photo_u8)


@pytest.mark.parametrize("case", POSITIVE, ids=[case["name"] for case in POSITIVE])
def test_second_implementation_gives_the_same_header(case: Any) -> None:
    raw, photo_u8 = bytes.fromhex(case["header"]), own_photo(case)
    ctx, stripes = own_context(raw, case["face_index"]), own_stripes(photo_u8)
    tag = own_tag(raw, case["face_index"], bytes.fromhex(case["k_tag"]), photo_u8)
    assert ctx.hex() == case["context"]
    assert bytes([len(stripes)]) + stripes in raw
    assert tag.hex() == case["tag"]
    assert raw[-4:] == hashlib.sha256(raw[:-4]).digest()[:4]


def raises(case: Any) -> Any:
    return pytest.raises(getattr(errors, case["expect"]))


@pytest.mark.parametrize("case", of_kind("header"))
def test_faulty_header_is_refused(case: Any) -> None:
    with raises(case) as caught:
        header.decode(bytes.fromhex(case["header"]))
    assert type(caught.value).__name__ == case["expect"]
    assert case["names"] in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("case", of_kind("sidecar"))
def test_faulty_sidecar_is_refused(case: Any) -> None:
    with raises(case) as caught:
        header.from_json(case["text"])
    assert type(caught.value).__name__ == case["expect"]
    assert case["names"] in str(caught.value)
    assert caught.value.hint


@pytest.fixture(scope="module")
def base_keys() -> list[keys.Key]:
    read = header.decode(bytes.fromhex(BASE["header"]))
    return [keys.Key.from_passphrase(p, read.salt, read.kdf) for p in BASE["passphrases"]]


def test_base_of_the_faults_has_none(base_keys: list[keys.Key]) -> None:
    read, photo_u8 = header.decode(bytes.fromhex(BASE["header"])), own_photo(BASE)
    header.check_pixels(read, photo_u8)
    for i, key in enumerate(base_keys):
        header.check_tag(key, read, i, photo_u8)
        assert header.context(read, i).hex() == BASE["contexts"][i]
        k_tag = key.tag_key(bytes.fromhex(BASE["contexts"][i]))
        assert own_tag(bytes.fromhex(BASE["header"]), i, k_tag, photo_u8) == read.faces[i].tag
    with pytest.raises(errors.WrongKeyError):
        header.check_tag(base_keys[0], read, 1, photo_u8)


@pytest.mark.parametrize("case", of_kind("key"))
def test_wrong_key_is_refused(case: Any) -> None:
    read, photo_u8 = header.decode(bytes.fromhex(BASE["header"])), own_photo(BASE)
    if "root_bit" in case:
        root = int(BASE["roots"][0], 16) ^ (1 << case["root_bit"])
        key = keys.Key(root.to_bytes(32, "big"))
    else:
        key = keys.Key.from_passphrase(case["passphrase"], read.salt, read.kdf)
    with raises(case) as caught:
        header.check_tag(key, read, 0, photo_u8)
    assert type(caught.value).__name__ == case["expect"]
    assert "face 1" in str(caught.value) and caught.value.hint


@pytest.mark.parametrize("case", of_kind("bound"))
def test_header_that_the_tag_does_not_bind_is_refused(case: Any) -> None:
    read = header.decode(bytes.fromhex(case["header"]))
    photo_u8 = edited(own_photo(BASE), case["fault"]) if "fault" in case else own_photo(BASE)
    key = keys.Key.from_passphrase(BASE["passphrases"][0], read.salt, read.kdf)
    header.check_pixels(read, photo_u8)
    with raises(case) as caught:
        header.check_tag(key, read, 0, photo_u8)
    assert type(caught.value).__name__ == case["expect"]


@pytest.mark.parametrize("case", of_kind("pixels"))
def test_changed_pixels_are_refused(case: Any, base_keys: list[keys.Key]) -> None:
    read, photo_u8 = header.decode(bytes.fromhex(BASE["header"])), own_photo(BASE)
    changed = edited(photo_u8, case["fault"])
    assert changed.shape != photo_u8.shape or not np.array_equal(changed, photo_u8)
    with raises(case) as caught:
        header.check_pixels(read, changed)
    assert type(caught.value).__name__ == case["expect"]
    assert case["names"] in str(caught.value)
    with pytest.raises(errors.WrongKeyError):
        header.check_tag(base_keys[0], read, 0, changed)


def edited(photo_u8: npt.NDArray[np.uint8], fault: list[Any]) -> npt.NDArray[np.uint8]:
    """Do to a picture what a vector says."""
    out, (name, *numbers) = photo_u8.copy(), fault
    match name:
        case "xor":
            y0, y1, x0, x1, c0, c1, value = numbers
            out[y0:y1, x0:x1, c0:c1] ^= np.uint8(value)
        case "swap":
            out[numbers] = out[numbers[::-1]]
        case "flip":
            out = np.flip(out, numbers[0])
        case "roll":
            out = np.roll(out, numbers[0], numbers[1])
        case "crop":
            y0, y1, x0, x1 = numbers
            out = out[y0:y1, x0:x1]
        case "transpose":
            out = out.transpose(1, 0, 2)
        case "reshape":
            out = out.reshape(*numbers, 3)
        case "repeat":
            out = out.repeat(numbers[0], 0).repeat(numbers[0], 1)
        case "every":
            out = out[:: numbers[0], :: numbers[0]]
        case _:
            raise LookupError(name)
    return out
