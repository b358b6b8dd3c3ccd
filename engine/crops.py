"""Why here: boxes around faces, cutting them out of a photo and pasting them back.

A crop is an axis-aligned box at the photo's own pixels: nothing is resampled, and nothing outside
the box changes. :mod:`engine.faces` hands all of this on.
"""

import math

import numpy as np
import numpy.typing as npt

from engine.errors import BoxError, ImageShapeError
from engine.images import Box, check_box, check_photo, even_box

MARGIN = 1.35
"""Side of a crop over the longer side of the detection, as in the evaluation set."""

MIN_SIDE = 16
"""Crops of smaller faces are grown to this many pixels, where the picture has them."""


def crop_box(
    detection: tuple[float, float, float, float], height: int, width: int, margin: float = MARGIN
) -> Box:
    """Make a detection the box to protect: a square with a margin, cut at the picture's edges.

    Args:
        detection: XYXY in pixels; touches the picture.
        height: rows of the picture.
        width: columns of the picture.
        margin: side of the square over the detection's longer side.

    Returns:
        XYXY with even sides of at least :data:`MIN_SIDE`, where the picture has them.

    Raises:
        BoxError: ``margin`` not in [1, 100].
    """
    if not 1 <= margin <= 100:
        raise BoxError(f"margin must lie in [1, 100], got {margin}", hint="1.35 is usual")
    x0, y0, x1, y1 = detection
    side = max(x1 - x0, y1 - y0) * margin
    left, right = _span((x0 + x1) / 2, side, width)
    top, bottom = _span((y0 + y1) / 2, side, height)
    return even_box((left, top, right, bottom), height, width)


def crop(photo_u8: npt.NDArray[np.uint8], box: Box) -> npt.NDArray[np.uint8]:
    """Cut a box out of a photo.

    Args:
        photo_u8: ``(H, W, 3)``, 0..255.
        box: XYXY in whole pixels, far sides exclusive.

    Returns:
        ``(y1 - y0, x1 - x0, 3)``, a copy.

    Raises:
        ImageShapeError, ImageTooLargeError: as :func:`engine.images.check_photo`.
        BoxError: the box is empty or leaves the photo.
    """
    check_photo(photo_u8)
    check_box(box, *photo_u8.shape[:2])
    return photo_u8[box[1] : box[3], box[0] : box[2]].copy()


def paste(
    photo_u8: npt.NDArray[np.uint8], box: Box, crop_u8: npt.NDArray[np.uint8]
) -> npt.NDArray[np.uint8]:
    """Put a crop back where it was cut out; every pixel outside the box keeps its value.

    Args:
        photo_u8: ``(H, W, 3)``, 0..255; it is not changed.
        box: XYXY in whole pixels, far sides exclusive.
        crop_u8: ``(y1 - y0, x1 - x0, 3)``, 0..255.

    Returns:
        A new photo of the same size.

    Raises:
        ImageShapeError, ImageTooLargeError: as :func:`engine.images.check_photo`, or a crop of
            another size or type than the box's.
        BoxError: the box is empty or leaves the photo.
    """
    check_photo(photo_u8)
    check_box(box, *photo_u8.shape[:2])
    shape = (box[3] - box[1], box[2] - box[0], 3)
    if crop_u8.shape != shape or crop_u8.dtype != np.uint8:
        raise ImageShapeError(
            f"crop_u8 must be {shape} in uint8, got {crop_u8.shape} in {crop_u8.dtype}",
            hint="paste what engine.faces.crop cut out with the same box",
        )
    pasted = photo_u8.copy()
    pasted[box[1] : box[3], box[0] : box[2]] = crop_u8
    return pasted


def overlap(one: Box, other: Box) -> bool:
    """Tell whether two boxes share a pixel."""
    apart_x = one[2] <= other[0] or other[2] <= one[0]
    return not (apart_x or one[3] <= other[1] or other[3] <= one[1])


def union(one: Box, other: Box) -> Box:
    """Give the smallest box that holds both."""
    x0, y0 = min(one[0], other[0]), min(one[1], other[1])
    return x0, y0, max(one[2], other[2]), max(one[3], other[3])


def _span(middle: float, length: float, limit: int) -> tuple[int, int]:
    start = min(max(math.floor(middle - length / 2), 0), limit - 1)
    stop = min(max(math.ceil(middle + length / 2), start + 1), limit)
    missing = max(0, min(MIN_SIDE, limit) - (stop - start))
    start = max(0, min(start - missing // 2, limit - MIN_SIDE))
    return start, min(limit, max(stop, start + MIN_SIDE))


def touches(detection: tuple[float, float, float, float], height: int, width: int) -> bool:
    """Tell whether at least a pixel's width of the detection lies in the picture."""
    x0, y0, x1, y1 = detection
    return min(x1, width) - max(x0, 0) >= 1 and min(y1, height) - max(y0, 0) >= 1
