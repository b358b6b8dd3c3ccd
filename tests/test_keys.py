import copy
import hashlib
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import errors, keys

SALT = bytes(range(16))
CHEAP = keys.KdfParams.cheapest()


@pytest.mark.parametrize(
    ("memory", "iterations", "lanes", "name"),
    [
        (0, 3, 4, "memory_kib"),
        (31, 3, 4, "memory_kib"),
        (262_145, 3, 4, "memory_kib"),
        (-65_536, 3, 4, "memory_kib"),
        (65_536, 0, 4, "iterations"),
        (65_536, 11, 4, "iterations"),
        (65_536, 3, 0, "lanes"),
        (65_536, 3, 9, "lanes"),
        (65_536, True, 4, "iterations"),
        (65_536.0, 3, 4, "memory_kib"),
    ],
)
def test_cost_outside_its_limits_is_refused(
    memory: Any, iterations: Any, lanes: Any, name: str
) -> None:
    with pytest.raises(errors.SecretError, match=name):
        keys.KdfParams(memory, iterations, lanes)


def test_limits_themselves_are_taken() -> None:
    assert keys.KdfParams(262_144, 10, 8).memory_kib == 262_144
    assert keys.KdfParams(8, 1, 1).memory_kib == 8


@pytest.mark.parametrize("params", [(65_535, 3, 4), (65_536, 2, 4), (8, 1, 1), (262_144, 1, 8)])
def test_cheap_key_recovers_and_does_not_protect(params: tuple[int, int, int]) -> None:
    cheap = keys.KdfParams(*params)
    with pytest.raises(errors.SecretError, match="at least 65536 KiB and 3 iterations"):
        keys.Key.for_protecting("x", SALT, cheap)
    if params == (8, 1, 1):
        assert keys.Key.from_passphrase("x", SALT, cheap) == keys.Key.for_protecting(
            "x", SALT, CHEAP
        )


def test_default_protects_and_is_the_second_profile_of_rfc_9106() -> None:
    default = keys.KdfParams()
    assert (default.memory_kib, default.iterations, default.lanes) == (65_536, 3, 4)
    assert keys.Key.for_protecting("x", SALT) == keys.Key.from_passphrase("x", SALT, default)
    keys.KdfParams(131_072, 4, 1).check_floor()


def test_the_cheapest_parameters_equal_what_a_header_gives_back() -> None:
    assert keys.KdfParams(8, 1, 1) == CHEAP
    assert "unguarded" not in repr(CHEAP)


@pytest.mark.parametrize("salt", [b"", bytes(15), bytes(17), bytearray(16), "s" * 16])
def test_salt_of_another_kind_is_refused(salt: Any) -> None:
    with pytest.raises(errors.SecretError, match="salt must be 16 bytes"):
        keys.Key.from_passphrase("x", salt, CHEAP)


def test_salts_are_new_each_time() -> None:
    salts = {keys.new_salt() for _ in range(1000)}
    assert len(salts) == 1000
    assert {len(salt) for salt in salts} == {16}


def test_missing_memory_is_a_named_error() -> None:
    program = (
        "import resource, engine.keys as k\n"
        "from engine.errors import SecretError\n"
        "params = k.KdfParams(262144, 1, 1)\n"
        "used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + 2**26,) * 2)\n"
        "try:\n    k.Key.from_passphrase('pass', bytes(16), params)\n"
        "except SecretError as error:\n    print(error)\n"
    )
    if not Path("/proc/self/statm").exists():
        pytest.skip("needs Linux to limit memory")
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.stdout == "key derivation needs 262144 KiB of memory, got less\n"


@pytest.mark.parametrize("root", [b"", bytes(31), bytes(33), "k" * 32, bytearray(32)])
def test_root_of_another_kind_is_refused(root: Any) -> None:
    with pytest.raises(errors.SecretError, match="32 bytes"):
        keys.Key(root)


def test_key_shows_a_fingerprint_only() -> None:
    root = hashlib.sha256(b"root").digest()
    key = keys.Key(root)
    mark = hashlib.sha256(b"faceveil/v1/fingerprint" + root).hexdigest()[:8]
    assert repr(key) == str(key) == f"{key}" == f"Key({mark})"
    assert not hasattr(key, "__dict__")
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(errors.SecretError, match="cannot be pickled"):
            leak(key)


def test_keys_are_equal_when_their_bytes_are() -> None:
    one, same, other = keys.Key(bytes(32)), keys.Key(bytes(32)), keys.Key(bytes(31) + b"\x01")
    assert one == same and hash(one) == hash(same)
    assert one != other and len({one, same, other}) == 2
    assert one != bytes(32)


def test_derived_values_differ_by_purpose_context_and_key() -> None:
    def derived(key: keys.Key, ctx: bytes) -> list[bytes]:
        streams = [key.stream(ctx, label, 32) for label in ("order", "orders", "noise")]
        return [key.tag_key(ctx), key.seal_key(ctx), *streams, key.map(ctx, 16, 16).tobytes()[:32]]

    some = [derived(keys.Key(bytes([i]) * 32), ctx) for i in range(4) for ctx in (b"a", b"b", b"")]
    values = [value for each in some for value in each]
    assert len(set(values)) == len(values)


def test_map_depends_on_both_sides_and_not_their_product() -> None:
    key = keys.Key(bytes(32))
    assert not np.array_equal(key.map(b"", 8, 32).ravel(), key.map(b"", 32, 8).ravel())
    assert not np.array_equal(key.map(b"", 16, 16).ravel(), key.map(b"", 8, 32).ravel())
    longer = key.stream(b"", "order", 64)
    assert longer[:32] == key.stream(b"", "order", 32)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(16, 90), st.integers(16, 90))
def test_map_is_balanced_and_another_bit_gives_another(
    root: bytes, height: int, width: int
) -> None:
    key_map = keys.Key(root).map(b"face", height, width)
    other = keys.Key(bytes([root[0] ^ 1]) + root[1:]).map(b"face", height, width)
    sigma = 1 / np.sqrt(height * width)
    assert abs(key_map.mean(dtype=np.float64)) < 4.5 * sigma
    assert abs((key_map * other).mean(dtype=np.float64)) < 4.5 * sigma


@pytest.mark.parametrize(
    ("height", "width"), [(0, 5), (5, 0), (-2, -2), (4000, 4001), (1, 2**33), (2**33, 1)]
)
def test_map_outside_its_limits_is_refused(height: int, width: int) -> None:
    with pytest.raises(errors.ImageTooLargeError, match="16000000"):
        keys.Key(bytes(32)).map(b"", height, width)


def test_largest_map_is_made() -> None:
    key_map = keys.Key(bytes(32)).map(b"", 4000, 4000)
    assert abs(key_map.mean(dtype=np.float64)) < 4.5 / 4000


@pytest.mark.parametrize(
    "label", ["", "map", "tag", "seal", "fingerprint", "a" * 33, "Order", "a/b", "é", "a\n"]
)
def test_stream_label_outside_its_limits_is_refused(label: str) -> None:
    with pytest.raises(errors.SecretError, match="label"):
        keys.Key(bytes(32)).stream(b"", label, 8)


@pytest.mark.parametrize("length", [-1, 2**29 + 1])
def test_stream_length_outside_its_limits_is_refused(length: int) -> None:
    with pytest.raises(errors.SecretError, match="length"):
        keys.Key(bytes(32)).stream(b"", "order", length)


def test_key_map_as_a_tensor() -> None:
    import torch

    key_map = keys.Key(bytes(32)).map(b"", 6, 10)
    tensor = keys.key_map_tensor(key_map)
    assert tensor.shape == (1, 1, 6, 10) and tensor.dtype == torch.float32
    assert np.array_equal(tensor.numpy()[0, 0], key_map)
    tensor.neg_()
    assert np.array_equal(-tensor.numpy()[0, 0], key_map)


def test_importing_keys_and_header_loads_no_torch() -> None:
    program = "import sys, engine.header; print('torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert told.stdout == "False\n"
