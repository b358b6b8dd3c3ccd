import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import errors, order


@pytest.mark.parametrize("key", [b"", b"a key", bytes(32)])
def test_every_small_order_is_a_permutation(key: bytes) -> None:
    for total in (*range(1, 130), 255, 256, 257, 1023, 1024, 1025, 4999):
        assert np.array_equal(np.sort(order.keyed_order(key, total, 0, total)), np.arange(total))


def test_a_large_order_is_a_permutation() -> None:
    total = 1_000_003
    taken = order.keyed_order(b"key", total, 0, total)
    assert taken.dtype == np.int64
    assert np.bincount(taken, minlength=total).max() == 1


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.integers(1, 2**40), st.data())
def test_any_stretch_is_the_whole_orders_part(key: bytes, total: int, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, total - 1))
    count = data.draw(st.integers(0, min(500, total - start)))
    part = order.keyed_order(key, total, start, count)
    assert len(np.unique(part)) == count
    assert count == 0 or (part.min() >= 0 and part.max() < total)
    one_by_one = [order.keyed_order(key, total, start + i, 1)[0] for i in range(min(count, 5))]
    assert part[:5].tolist() == one_by_one


def test_blocks_leave_no_seam() -> None:
    whole = order.keyed_order(b"key", 100_000, 0, 100_000)
    assert np.array_equal(order.keyed_order(b"key", 100_000, 32_700, 40_000), whole[32_700:72_700])


@pytest.mark.parametrize("total", [10_000, 1_000_003, 75_000_000])
def test_a_large_order_looks_random(total: int) -> None:
    count = 10_000
    taken = order.keyed_order(b"key", total, 0, count) / total
    # Standard deviations of a uniform sample without replacement, five of them allowed.
    assert abs(taken.mean() - 0.5) < 5 * (1 / 12 / count) ** 0.5
    neighbours = np.corrcoef(taken[:-1], taken[1:])[0, 1]
    assert abs(neighbours) < 5 / count**0.5
    counts = np.bincount((taken * 100).astype(int), minlength=100)
    # chi-square of 99 degrees: mean 99, standard deviation 14; without replacement only less
    assert ((counts - count / 100) ** 2 / (count / 100)).sum() < 99 + 5 * 14.1


def test_one_bit_of_the_key_changes_the_order() -> None:
    first = order.keyed_order(bytes(32), 75_000_000, 0, 5_000)
    second = order.keyed_order(bytes(31) + b"\x01", 75_000_000, 0, 5_000)
    assert np.mean(first == second) < 0.01
    assert abs(np.corrcoef(first, second)[0, 1]) < 5 / 5_000**0.5


def test_the_order_is_pinned() -> None:
    assert order.keyed_order(b"faceveil", 1000, 0, 8).tolist() == [
        420,
        33,
        699,
        809,
        450,
        738,
        455,
        96,
    ]
    public = order.sample_positions(30, 40, 0, 3600, None, 0, 8)
    assert public.tolist() == [2116, 2439, 1811, 181, 1880, 2669, 3271, 2571]
    assert order.public_key(30, 40) == b"faceveil/v1/carrier" + bytes([0, 0, 0, 30, 0, 0, 0, 40])


@pytest.mark.parametrize(
    ("total", "start", "count"),
    [(0, 0, 0), (-1, 0, 0), (2**40 + 1, 0, 1), (9, -1, 2), (9, 0, -1), (9, 5, 5), (9, 10, 0)],
)
def test_stretches_outside_are_refused(total: int, start: int, count: int) -> None:
    with pytest.raises(errors.CapacityError):
        order.keyed_order(b"key", total, start, count)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(1, 12), st.data())
def test_areas_share_no_sample(height: int, width: int, data: st.DataObject) -> None:
    total = 3 * height * width
    cut = data.draw(st.integers(0, total))
    first = order.Area(height, width, 0, cut, b"one")
    second = order.Area(height, width, cut, total - cut, None)
    taken = np.concatenate([first.positions(0, cut), second.positions(0, total - cut)])
    assert np.array_equal(np.sort(taken), np.arange(total))


def test_a_key_only_reorders_its_area() -> None:
    keyed = order.sample_positions(20, 30, 100, 500, b"key", 0, 500)
    plain = order.sample_positions(20, 30, 100, 500, None, 0, 500)
    assert set(keyed.tolist()) == set(plain.tolist())
    assert np.mean(keyed == plain) < 0.05


def test_areas_outside_the_picture_are_refused() -> None:
    with pytest.raises(errors.CapacityError):
        order.Area(2, 2, 1, 12)
    with pytest.raises(errors.CapacityError):
        order.sample_positions(2, 2, 0, 12, None, 6, 7)
    with pytest.raises(errors.CapacityError):
        order.sample_positions(2, 2, -1, 5, None, 0, 1)


def test_an_area_never_shows_its_key() -> None:
    shown = repr(order.Area(4, 5, 10, 20, b"secret"))
    assert shown == "Area(4 x 5, slots 10..30, keyed)"
