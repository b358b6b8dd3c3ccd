"""Boxes: what is refused, and that an even box holds the box it grew from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import BoxError
from engine.images import Box, check_box, even_box


@pytest.mark.parametrize(
    "box",
    [
        (0, 0, 0, 5), (0, 0, 5, 0), (5, 0, 5, 5), (6, 0, 5, 5), (-1, 0, 5, 5), (0, -1, 5, 5),
        (0, 0, 11, 5), (0, 0, 5, 9), (0, 0, 5), (0, 0, 5, 5, 5), (0, 0, 5.0, 5), (0, 0, True, 5),
        (0, 0, float("nan"), 5),
    ],
)  # fmt: skip
def test_bad_boxes_are_refused(box: Box) -> None:
    with pytest.raises(BoxError, match="inside 10x8") as caught:
        check_box(box, height=8, width=10)
    assert caught.value.hint
    with pytest.raises(BoxError):
        even_box(box, height=8, width=10)


def test_the_whole_picture_and_numpy_integers_are_boxes() -> None:
    for box in ((0, 0, 10, 8), tuple(np.array([9, 7, 10, 8]))):
        assert check_box(box, height=8, width=10) is None, "nothing is raised"


def test_an_odd_box_grows_right_and_down_and_at_the_edge_left_and_up() -> None:
    assert even_box((2, 2, 5, 5), height=8, width=10) == (2, 2, 6, 6)
    assert even_box((7, 5, 10, 8), height=8, width=10) == (6, 4, 10, 8)


def test_a_box_that_spans_an_odd_side_keeps_it() -> None:
    assert even_box((0, 1, 9, 4), height=8, width=9) == (0, 1, 9, 5)
    assert even_box((0, 0, 1, 1), height=1, width=1) == (0, 0, 1, 1)


@st.composite
def boxes_in_pictures(draw: st.DrawFn) -> tuple[Box, int, int]:
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    x1, y1 = draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height))
    return (x0, y0, x1, y1), height, width


@settings(max_examples=200, deadline=None)
@given(boxes_in_pictures())
def test_an_even_box_holds_the_box_and_stays_inside(case: tuple[Box, int, int]) -> None:
    box, height, width = case
    even = even_box(box, height, width)
    check_box(even, height, width)
    assert all(type(side) is int for side in even) and even_box(even, height, width) == even
    for low, high, side in ((0, 2, width), (1, 3, height)):
        assert even[low] <= box[low] and even[high] >= box[high]
        grown = (even[high] - even[low]) - (box[high] - box[low])
        assert grown == (box[high] - box[low]) % 2 or (grown == 0 and box[high] - box[low] == side)
