import hashlib
import hmac
import json
import runpy
import sys
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from argon2.low_level import Type, core, ffi, hash_secret_raw
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine import errors, keys

HERE = Path(__file__).parent
POSITIVE = json.loads((HERE / "vectors" / "positive.json").read_text(encoding="utf-8"))["cases"]
NEGATIVE = json.loads((HERE / "vectors" / "negative.json").read_text(encoding="utf-8"))
SALT = bytes(range(16))


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(c, id=c["name"]) for c in NEGATIVE["cases"] if c["kind"] == kind]


# A second implementation, straight from the design: hashlib, hmac and loops, nothing of the engine.


def own_hkdf(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    prk = hmac.new(salt or bytes(32), ikm, hashlib.sha256).digest()
    block, out = b"", b""
    for i in range(1, -(-length // 32) + 1):
        block = hmac.new(prk, block + info + bytes([i]), hashlib.sha256).digest()
        out += block
    return out[:length]


def own_label_key(root: bytes, ctx: bytes, label: str) -> bytes:
    salt = hashlib.sha256(ctx).digest()
    return own_hkdf(root, salt, b"faceveil/v1/" + label.encode(), 32)


def own_bits(root: bytes, ctx: bytes, height: int, width: int) -> str:
    seed = b"faceveil/v1/map" + own_label_key(root, ctx, "map")
    seed += height.to_bytes(4, "big") + width.to_bytes(4, "big")
    count = height * width
    stream = hashlib.shake_256(seed).digest((count + 7) // 8)
    return "".join(format(byte, "08b") for byte in stream)[:count]


def own_root(case: Any) -> bytes:
    pw = unicodedata.normalize("NFKC", case["passphrase"]).encode("utf-8")
    memory, iterations, lanes = case["kdf"]
    kdf = Argon2id(
        salt=bytes.fromhex(case["salt"]),
        length=32,
        iterations=iterations,
        lanes=lanes,
        memory_cost=memory,
    )
    return kdf.derive(pw)


# Primitives


def test_argon2id_vector_of_rfc_9106() -> None:
    expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"
    inputs = {"pwd": b"\x01" * 32, "salt": b"\x02" * 16, "secret": b"\x03" * 8, "ad": b"\x04" * 12}
    buffers = {name: ffi.new("uint8_t[]", value) for name, value in inputs.items()}
    out = ffi.new("uint8_t[]", 32)
    given_to = {"out": out, "outlen": 32}
    for name, value in inputs.items():
        given_to |= {name: buffers[name], f"{name}len": len(value)}
    costs = {"t_cost": 3, "m_cost": 32, "lanes": 4, "threads": 4, "version": 0x13}
    hooks = {"allocate_cbk": ffi.NULL, "free_cbk": ffi.NULL, "flags": 0}
    context = ffi.new("argon2_context *", given_to | costs | hooks)
    assert core(context, Type.ID.value) == 0
    assert bytes(ffi.buffer(out, 32)).hex() == expected
    other = Argon2id(
        salt=inputs["salt"], length=32, iterations=3, lanes=4, memory_cost=32,
        ad=inputs["ad"], secret=inputs["secret"],
    )  # fmt: skip
    assert other.derive(inputs["pwd"]).hex() == expected


@pytest.mark.parametrize(("memory", "iterations", "lanes"), [(8, 1, 1), (32, 3, 4), (1000, 2, 8)])
def test_two_argon2id_libraries_agree(memory: int, iterations: int, lanes: int) -> None:
    one = hash_secret_raw(b"pw", SALT, iterations, memory, lanes, 32, Type.ID)
    two = Argon2id(salt=SALT, length=32, iterations=iterations, lanes=lanes, memory_cost=memory)
    assert one == two.derive(b"pw")


RFC_5869 = [
    (
        b"\x0b" * 22,
        bytes(range(13)),
        bytes(range(0xF0, 0xFA)),
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x50)),
        bytes(range(0x60, 0xB0)),
        bytes(range(0xB0, 0x100)),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e"
        "590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        b"\x0b" * 22,
        b"",
        b"",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]


@pytest.mark.parametrize(("ikm", "salt", "info", "expected"), RFC_5869, ids=["1", "2", "3"])
def test_hkdf_vectors_of_rfc_5869(ikm: bytes, salt: bytes, info: bytes, expected: str) -> None:
    length = len(expected) // 2
    used = HKDF(algorithm=SHA256(), length=length, salt=salt, info=info)
    assert used.derive(ikm).hex() == expected
    assert own_hkdf(ikm, salt, info, length).hex() == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            b"",
            "46b9dd2b0ba88d13233b3feb743eeb243fcd52ea62b81b82b50c27646ed5762f"
            "d75dc4ddd8c0f200cb05019d67b592f6fc821c49479ab48640292eacb3b7c4be",
        ),
        (
            b"\xa3" * 200,
            "cd8a920ed141aa0407a22d59288652e9d9f1a7ee0c1e7c1ca699424da84a904d"
            "2d700caae7396ece96604440577da4f3aa22aeb8857f961c4cd8e06f0ae6610b",
        ),
    ],
    ids=["empty", "1600_bits"],
)
def test_shake_256_vectors_of_fips_202(message: bytes, expected: str) -> None:
    assert hashlib.shake_256(message).digest(64).hex() == expected


# Our own vectors


def test_vectors_are_enough_and_named_apart() -> None:
    names = [case["name"] for case in POSITIVE + NEGATIVE["cases"]]
    assert len(POSITIVE) >= 64
    assert len(NEGATIVE["cases"]) >= 100
    assert len(set(names)) == len(names)
    assert sum(case["kdf"] == [65_536, 3, 4] for case in POSITIVE) >= 4


def test_vectors_are_what_the_script_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    path = str(HERE.parent / "scripts" / "make_vectors")
    monkeypatch.setattr(sys, "argv", [path, "--check"])
    assert runpy.run_path(path)["main"]() == 0


def test_script_says_when_vectors_are_stale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = str(HERE.parent / "scripts" / "make_vectors")
    script = runpy.run_path(path)
    (tmp_path / "fresh.json").write_text("{}\n")
    made = [(tmp_path / "fresh.json", "{}\n"), (tmp_path / "stale.json", "{}\n")]
    monkeypatch.setitem(script["main"].__globals__, "files", lambda: made)
    monkeypatch.setattr(sys, "argv", [path, "--check"])
    assert script["main"]() == 1
    assert "out of date: stale.json" in capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", [path])
    assert script["main"]() == 0
    assert (tmp_path / "stale.json").read_text() == "{}\n"


@pytest.mark.parametrize("case", POSITIVE, ids=[case["name"] for case in POSITIVE])
def test_known_answer(case: Any) -> None:
    ctx, size = bytes.fromhex(case["context"]), (case["map"]["height"], case["map"]["width"])
    assert keys.normalize_passphrase(case["passphrase"]).hex() == case["pw"]
    salt, params = bytes.fromhex(case["salt"]), keys.KdfParams(*case["kdf"])
    key = keys.Key.from_passphrase(case["passphrase"], salt, params)
    root = bytes.fromhex(case["root"])
    assert key == keys.Key(root)
    assert key.tag_key(ctx).hex() == case["k_tag"]
    assert key.seal_key(ctx).hex() == case["k_seal"]
    assert key.stream(ctx, "order", 32).hex() == case["order"]
    key_map = key.map(ctx, *size)
    bits = key_map > 0
    assert key_map.shape == size and key_map.dtype == np.int8
    assert set(np.unique(key_map)) <= {-1, 1}
    assert hashlib.sha256(np.packbits(bits).tobytes()).hexdigest() == case["map"]["sha256"]
    assert int(bits.sum()) == case["map"]["popcount"]


@pytest.mark.parametrize("case", POSITIVE, ids=[case["name"] for case in POSITIVE])
def test_second_implementation_gives_the_known_answer(case: Any) -> None:
    ctx, root, known = bytes.fromhex(case["context"]), own_root(case), case["map"]
    bits = own_bits(root, ctx, known["height"], known["width"])
    packed = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    order = b"faceveil/v1/order" + own_label_key(root, ctx, "order")
    assert root.hex() == case["root"]
    assert own_label_key(root, ctx, "map").hex() == case["k_map"]
    assert own_label_key(root, ctx, "tag").hex() == case["k_tag"]
    assert own_label_key(root, ctx, "seal").hex() == case["k_seal"]
    assert hashlib.shake_256(order).digest(32).hex() == case["order"]
    assert hashlib.sha256(packed).hexdigest() == known["sha256"]
    assert (bits[:32], bits[-32:]) == (known["first"], known["last"])
    assert bits.count("1") == known["popcount"]


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("cafe_nfc", "cafe_nfd", True),
        ("hangul_nfc", "hangul_nfd", True),
        ("vietnamese_nfc", "vietnamese_nfd", True),
        ("full_width", "full_width_as_ascii", True),
        ("ligature", "ligature_apart", True),
        ("emoji_joined", "emoji_unjoined", False),
        ("ascii", "leading_space", False),
        ("ascii", "trailing_space", False),
    ],
)
def test_twins_of_the_vectors(one: str, two: str, same: bool) -> None:
    roots = [
        [c["root"] for c in POSITIVE if c["name"].rsplit("_", 2)[0] == label]
        for label in (one, two)
    ]
    assert len(roots[0]) == 3
    assert [a == b for a, b in zip(*roots, strict=True)] == [same] * 3


@pytest.mark.parametrize("case", of_kind("passphrase"))
def test_faulty_passphrase_is_refused(case: Any) -> None:
    with pytest.raises(errors.PassphraseError) as caught:
        keys.normalize_passphrase(case["passphrase"])
    assert type(caught.value).__name__ == case["expect"]
    assert caught.value.hint
