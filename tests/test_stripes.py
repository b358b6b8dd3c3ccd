from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import errors, stripes


def photo(height: int, width: int = 9) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)


def verdict(height: int, rows: list[int]) -> str:
    photo_u8 = photo(height)
    digests = stripes.stripe_digests(photo_u8)
    photo_u8[rows] ^= 1
    try:
        stripes.check_stripes(digests, height, photo_u8.shape[1], photo_u8)
    except (errors.TamperedError, errors.ReencodedError) as error:
        return f"{type(error).__name__}: {error}"
    return "whole"


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.data())
def test_any_changed_value_is_found_in_its_rows(height: int, data: st.DataObject) -> None:
    row = data.draw(st.integers(0, height - 1))
    told = verdict(height, [row])
    assert told.startswith("TamperedError")
    first, last = told.rsplit("rows ", 1)[1].split(" to ")
    assert int(first) <= row <= int(last)
    assert int(last) - int(first) + 1 <= -(-height // 16)
    assert verdict(height, []) == "whole"


@pytest.mark.parametrize(
    ("height", "changed", "expected"),
    [
        (1, 1, "TamperedError"),
        (2, 1, "TamperedError"),
        (2, 2, "TamperedError"),
        (3, 2, "TamperedError"),
        (3, 3, "ReencodedError"),
        (4, 2, "TamperedError"),
        (4, 3, "ReencodedError"),
        (15, 7, "TamperedError"),
        (15, 8, "ReencodedError"),
        (16, 8, "TamperedError"),
        (16, 9, "ReencodedError"),
    ],
)
def test_low_pictures_follow_the_rule(height: int, changed: int, expected: str) -> None:
    assert verdict(height, list(range(changed))).startswith(expected)


def test_rows_are_told_in_runs() -> None:
    assert verdict(64, [0, 5, 20, 63]).endswith("rows 0 to 7, 20 to 23, 60 to 63")


def test_digests_are_public_and_depend_on_sides() -> None:
    flat = np.zeros((32, 16, 3), np.uint8)
    digests = stripes.stripe_digests(flat)
    assert len(digests) == 64
    assert len({digests[i : i + 4] for i in range(0, 64, 4)}) == 16
    assert digests == stripes.stripe_digests(flat.copy())
    assert not set(digests[i : i + 4] for i in range(0, 64, 4)) & set(
        stripes.stripe_digests(flat.reshape(16, 32, 3))[i : i + 4] for i in range(0, 64, 4)
    )
    assert len(stripes.stripe_digests(flat[:5])) == 20


@pytest.mark.parametrize("size", [(63, 9), (65, 9), (64, 8), (9, 64)])
def test_another_size_is_a_reencoding(size: tuple[int, int]) -> None:
    digests = stripes.stripe_digests(photo(64))
    with pytest.raises(errors.ReencodedError, match="64 x 9"):
        stripes.check_stripes(digests, 64, 9, photo(*size))


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((0, 4, 3), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
        np.zeros((65_536, 1, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((1, 4, 4, 3), np.uint8),
        [[[0, 0, 0]]],
        None,
    ],
)
def test_no_picture_is_refused(picture: Any) -> None:
    with pytest.raises(errors.ImageShapeError, match="photo_u8"):
        stripes.stripe_digests(picture)
    with pytest.raises(errors.ImageShapeError, match="photo_u8"):
        stripes.check_stripes(bytes(4), 1, 1, picture)
