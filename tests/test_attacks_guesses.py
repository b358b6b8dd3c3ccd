"""Wrong keys and maps: each is wrong where it says it is, and nowhere else."""

import math
from itertools import islice, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.attacks.guesses import (
    all_one_character_off,
    flip_share,
    one_bit_off,
    one_character_off,
    random_key,
)
from engine.errors import MethodError, PassphraseError, SecretError
from engine.keys import Key, normalize_passphrase

SECRET = "correct horse battery staple"


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20), st.integers())
def test_one_character_off_is_another_valid_passphrase(text: str, seed: int) -> None:
    edited = one_character_off(text, seed)
    assert normalize_passphrase(edited) != normalize_passphrase(text)
    assert one_character_off(text, seed) == edited
    right = normalize_passphrase(text).decode()
    # Composing after the edit may join letters, and a swap moves two.
    assert abs(len(edited) - len(right)) <= 4


def test_one_character_off_makes_each_kind_of_edit() -> None:
    edits = [one_character_off(SECRET, seed) for seed in range(300)]
    lengths = {len(edit) - len(SECRET) for edit in edits}
    assert lengths == {-1, 0, 1}
    assert any(sorted(edit) == sorted(SECRET) for edit in edits), "no swap"
    replaced = [sum(a != b for a, b in zip(e, SECRET, strict=True)) for e in edits if len(e) == 28]
    assert set(replaced) == {1, 2}
    assert len(set(edits)) > 120


@pytest.mark.parametrize("text", ["a", "ｆ", "ﬁ", "x" * 1024, "zz"])
def test_one_character_off_keeps_within_what_a_passphrase_may_be(text: str) -> None:
    for seed in range(40):
        assert normalize_passphrase(one_character_off(text, seed)) != normalize_passphrase(text)


def test_one_character_off_of_nothing_is_refused() -> None:
    with pytest.raises(PassphraseError):
        one_character_off("", 0)
    with pytest.raises(PassphraseError):
        next(all_one_character_off("", 0))


def test_every_edit_comes_once_and_kinds_take_turns() -> None:
    edits = list(all_one_character_off(SECRET, 3))
    assert len(set(edits)) == len(edits)
    replaced = sum(letter != sign for sign in SECRET for letter in map(chr, range(33, 127)))
    pairs = list(pairwise(SECRET))
    alike = sum(one == other for one, other in pairs)
    dropped = doubled = len(SECRET) - alike  # "rr" loses either letter with one result
    assert len(edits) == replaced + dropped + doubled + len(pairs) - alike
    lengths = [len(edit) - len(SECRET) for edit in edits[:40]]
    assert lengths.count(-1) >= 9 and lengths.count(1) >= 9
    assert {one_character_off(SECRET, seed) for seed in range(300)} <= set(edits)
    assert list(all_one_character_off(SECRET, 3)) == edits
    assert list(all_one_character_off(SECRET, 4)) != edits


@pytest.mark.parametrize("text", ["a", "ｆ", "ﬁ", "x" * 1024, "zz"])
def test_every_edit_is_another_valid_passphrase(text: str) -> None:
    right = normalize_passphrase(text)
    edits = list(islice(all_one_character_off(text, 0), 200))
    assert len({*map(normalize_passphrase, edits)} - {right}) == len(edits) > 90


def test_a_long_passphrase_has_enough_of_them() -> None:
    words = "0123456789abcdef" * 4  # as the benchmark's are: of 1,000 draws some 200 came twice
    edits = list(islice(all_one_character_off(words, 0), 1000))
    assert len(set(edits)) == 1000


def test_one_bit_off_flips_the_bit_it_says() -> None:
    assert one_bit_off(Key(bytes(32)), 0) == Key(b"\x80" + bytes(31))
    assert one_bit_off(Key(bytes(32)), 255) == Key(bytes(31) + b"\x01")
    key = random_key()
    assert one_bit_off(one_bit_off(key, 77), 77) == key
    assert len({one_bit_off(key, bit).fingerprint for bit in range(256)}) == 256


@pytest.mark.parametrize("bit", [-1, 256, 1.0, True])
def test_a_bit_that_no_key_has_is_refused(bit: int) -> None:
    with pytest.raises(SecretError, match="bit must be an integer from 0 to 255"):
        one_bit_off(Key(bytes(32)), bit)


def test_random_keys_are_apart() -> None:
    assert len({random_key().fingerprint for _ in range(50)}) == 50


@pytest.mark.parametrize("shape", [(112, 112), (2, 90), (64, 30), (1, 1)])
@pytest.mark.parametrize("tile", [False, True])
def test_a_share_of_bits_is_flipped_where_it_says(shape: tuple[int, int], tile: bool) -> None:
    key_map = Key(bytes(32)).map(b"", *shape)
    before = key_map.copy()
    for share in (0.0, 0.01, 0.2, 0.5):
        flipped = flip_share(key_map, share, 3, tile=tile)
        np.testing.assert_array_equal(key_map, before)
        assert set(np.unique(flipped)) <= {-1, 1}
        changed = np.argwhere(flipped != key_map)
        # A rectangle meets the share but for less than one of its own rows or columns.
        slack = max(shape) if tile else 0
        assert abs(len(changed) - round(share * key_map.size)) <= slack
        if tile and len(changed):
            area = np.prod(changed.max(0) - changed.min(0) + 1)
            assert area == len(changed), "not one rectangle"


def test_a_square_tile_is_square() -> None:
    flipped = flip_share(np.ones((112, 112), np.int8), 0.25, 1, tile=True)
    rows, columns = np.argwhere(flipped < 0).T
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (56, 56)


def test_a_larger_share_flips_more_of_the_same_bits() -> None:
    ones = np.ones((40, 40), np.int8)
    small, large = (flip_share(ones, share, 5) < 0 for share in (0.1, 0.3))
    assert (large & small).sum() == small.sum() == 160


@pytest.mark.parametrize("share", [-0.1, 0.51, math.nan])
def test_a_share_outside_its_limits_is_refused(share: float) -> None:
    with pytest.raises(MethodError, match="share of wrong key map bits"):
        flip_share(np.ones((4, 4), np.int8), share, 0)
