import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import codes, errors
from engine.codes import CODES, Code

any_code = st.sampled_from(CODES)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), any_code)
def test_bytes_survive_as_symbols(data: bytes, code: Code) -> None:
    symbols = codes.to_symbols(data, code)
    assert symbols.size == codes.symbol_count(len(data), code)
    assert symbols.size == 0 or symbols.max() < code.modulus
    assert codes.from_symbols(symbols, len(data), code) == data


def test_trits_carry_nearly_what_they_can() -> None:
    bits_per_trit = 8 * 11_000 / codes.symbol_count(11_000, Code(3, 1))
    assert bits_per_trit > 0.99 * math.log2(3)


def test_symbols_are_pinned() -> None:
    # 0b11111111_111 = 2047 = 2210211 in base 3; then 0b11111 and six zeros: 1984 = 2201111
    assert codes.to_symbols(b"\xff\xff", Code(3, 1)).tolist() == [
        *(2, 2, 1, 0, 2, 1, 1),
        *(2, 2, 0, 1, 1, 1, 1),
    ]
    assert codes.to_symbols(b"\x1b", Code(4, 1)).tolist() == [0, 1, 2, 3]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 200), any_code, st.data())
def test_any_symbols_read_as_some_bytes(length: int, code: Code, data: st.DataObject) -> None:
    count = codes.symbol_count(length, code)
    seed = data.draw(st.integers(0, 2**32))
    symbols = np.random.default_rng(seed).integers(0, code.modulus, count, dtype=np.uint8)
    assert len(codes.from_symbols(symbols, length, code)) == length


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 100_000), any_code)
def test_capacity_is_exactly_what_fits(samples: int, code: Code) -> None:
    room = codes.capacity_bytes(samples, code)
    assert codes.samples_needed(room, code) <= samples < codes.samples_needed(room + 1, code)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 50_000), st.integers(0, 15_000))
def test_the_gentlest_code_that_fits_is_chosen(samples: int, length: int) -> None:
    fitting = [code for code in CODES if codes.samples_needed(length, code) <= samples]
    chosen = codes.choose_code(samples, length)
    if not fitting:
        assert chosen is None
    else:
        # total change of the picture: groups used, times the change of a group
        change = {code: codes.samples_needed(length, code) * code.distortion for code in fitting}
        assert chosen is not None
        assert change[chosen] <= min(change.values()) * 1.001 + 1


@pytest.mark.parametrize(("modulus", "order"), [(3, 0), (3, 8), (4, 2), (2, 1), (0, 0), (4, 0)])
def test_other_codes_are_refused(modulus: int, order: int) -> None:
    with pytest.raises(errors.MethodError):
        Code(modulus, order)


@pytest.mark.parametrize("code", CODES)
def test_change_is_as_small_as_promised(code: Code) -> None:
    rng = np.random.default_rng(code.order)
    groups = max(60, 60_000 // code.group)
    values_u8 = rng.integers(3, 253, (groups, code.group), dtype=np.uint8)
    kept = values_u8.copy()
    symbols = rng.integers(0, code.modulus, groups * code.order, dtype=np.uint8)
    changed_u8 = codes.encode_values(values_u8, symbols, code)
    assert np.array_equal(values_u8, kept)
    assert np.array_equal(codes.decode_values(changed_u8, code), symbols)
    change = np.abs(changed_u8.astype(int) - values_u8)
    assert change.max() <= code.modulus // 2
    if code.modulus == 3:
        assert np.count_nonzero(change, axis=1).max() <= 1
    expected = code.distortion * code.group
    assert (change**2).sum() / groups == pytest.approx(expected, rel=5 / groups**0.5)


@pytest.mark.parametrize("code", CODES[:-1])
def test_every_syndrome_is_reachable_at_both_ends(code: Code) -> None:
    words = np.arange(3**code.order)
    symbols = (words[:, None] // 3 ** np.arange(code.order) % 3).astype(np.uint8).reshape(-1)
    for value in (0, 1, 254, 255):
        values_u8 = np.full((words.size, code.group), value, np.uint8)
        changed_u8 = codes.encode_values(values_u8, symbols, code)
        assert np.array_equal(codes.decode_values(changed_u8, code), symbols)
        assert np.abs(changed_u8.astype(int) - value).max() <= 2


def test_every_value_takes_every_residue_at_the_nearest_place() -> None:
    for modulus in (3, 4):
        pairs = np.array(list(itertools.product(range(256), range(modulus))), np.uint8)
        changed = codes.encode_values(pairs[:, :1], pairs[:, 1], Code(modulus, 1))[:, 0]
        for (value, residue), got in zip(pairs.tolist(), changed.tolist(), strict=True):
            nearest = min(abs(c - value) for c in range(256) if c % modulus == residue)
            assert got % modulus == residue
            assert abs(got - value) == nearest


def test_quaternary_changes_do_not_drift() -> None:
    values_u8 = np.random.default_rng(0).integers(3, 253, (100_000, 1), dtype=np.uint8)
    symbols = np.random.default_rng(1).integers(0, 4, 100_000, dtype=np.uint8)
    drift = codes.encode_values(values_u8, symbols, Code(4, 1)).astype(int) - values_u8
    assert abs(drift.mean()) < 5 * 1.5**0.5 / 100_000**0.5
