"""Why here: boxes, XYXY in pixels with the far sides exclusive, checked and made even."""

import numpy as np

from engine.errors import BoxError

Box = tuple[int, int, int, int]
"""``(x0, y0, x1, y1)`` in pixels; ``x1`` and ``y1`` are the first column and row outside."""


def check_box(box: Box, height: int, width: int) -> None:
    """Refuse a box that is empty or leaves the picture.

    Args:
        box: XYXY in pixels, whole numbers, far sides exclusive.
        height: rows of the picture.
        width: columns of the picture.

    Raises:
        BoxError: not ``0 <= x0 < x1 <= width`` and ``0 <= y0 < y1 <= height`` in whole numbers.
    """
    whole = len(box) == 4 and all(
        isinstance(side, (int, np.integer)) and not isinstance(side, bool) for side in box
    )
    if not whole or not (0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height):
        raise BoxError(
            f"box must be X0,Y0,X1,Y1 inside {width}x{height}, got {','.join(map(str, box))}",
            hint="x0 < x1 and y0 < y1, in whole pixels from the top left corner",
        )


def even_box(box: Box, height: int, width: int) -> Box:
    """Grow a box to even sides, because the Haar transform halves them.

    A side grows by one pixel to the right or down, or to the left or up at the picture's edge. A
    box that spans an odd side of the picture cannot grow and keeps that side: whoever takes the
    crop pads it with :func:`engine.images.pad_to_even` and cuts the padding off again.

    Args:
        box: XYXY in pixels, inside the picture.
        height: rows of the picture.
        width: columns of the picture.

    Returns:
        The smallest such box that holds ``box``.

    Raises:
        BoxError: as :func:`check_box`.

    Example:
        >>> even_box((3, 0, 10, 5), height=5, width=10)
        (2, 0, 10, 5)
    """
    check_box(box, height, width)
    x0, x1 = _even_span(int(box[0]), int(box[2]), width)
    y0, y1 = _even_span(int(box[1]), int(box[3]), height)
    return x0, y0, x1, y1


def _even_span(start: int, stop: int, side: int) -> tuple[int, int]:
    if (stop - start) % 2 == 0:
        return start, stop
    if stop < side:
        return start, stop + 1
    return max(start - 1, 0), stop
