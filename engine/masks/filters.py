"""The three image filters that the papers hide faces behind: Gaussian blur, pixelate, median.

Source: PRO-Face S (Yuan et al.), section on experiments. Strengths are in pixels of the face given;
:func:`engine.masks.make_mask` scales them to its size.
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from engine.errors import MaskError

# OpenCV's median counts a window's pixels in 16 bits: 255 * 255 is the last odd square that fits.
# And a Gaussian window as wide as a face of 4,000 pixels asks for took 18 s.
_LARGEST_KERNEL = 255


def gaussian(
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    kernel: int = 21,
    sigma: float = 8.0,
) -> npt.NDArray[np.uint8]:
    """Blur a face with a Gaussian window.

    A window wider than 255 pixels (a face of about 1,360) is applied to a reduced copy, where it is
    255 wide, and the result enlarged again.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: not used.
        seed: not used.
        kernel: side of the window in pixels, odd, 3 or more.
        sigma: standard deviation in pixels, above 0.

    Returns:
        The mask, same shape as ``face_u8``.

    Raises:
        MaskError: a strength outside its range.
    """
    del landmarks, seed
    side = _odd(kernel)
    if not 0 < sigma < 1e6:
        raise MaskError(f"sigma must be above 0, got {sigma:g}", hint="the paper takes 8 at 112 px")
    if side <= _LARGEST_KERNEL:
        return np.asarray(cv2.GaussianBlur(face_u8, (side, side), sigma), dtype=np.uint8)
    window, deviation = (_LARGEST_KERNEL, _LARGEST_KERNEL), sigma * _LARGEST_KERNEL / side
    return _on_reduced(face_u8, side, lambda small: cv2.GaussianBlur(small, window, deviation))


def pixelate(
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    block: int = 9,
) -> npt.NDArray[np.uint8]:
    """Replace each block of pixels by its mean, in whole numbers and so equal on every machine.

    Blocks start at the top left; the last block of a row or column is averaged over the pixels that
    it has.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: not used.
        seed: not used.
        block: side of a block in pixels, 2 or more.

    Returns:
        The mask, same shape as ``face_u8``.

    Raises:
        MaskError: ``block`` is not a whole number of 2 or more.
    """
    del landmarks, seed
    side = int(block)
    if side != block or side < 2:
        raise MaskError(
            f"block must be a whole number of 2 or more, got {block:g}",
            hint="the paper takes 9 at 112 px",
        )
    height, width = face_u8.shape[:2]
    rows, columns = np.arange(0, height, side), np.arange(0, width, side)
    tall, wide = np.diff(rows, append=height), np.diff(columns, append=width)
    # Rows first: the sum over columns then works on an array `side` times smaller.
    sums = np.add.reduceat(np.add.reduceat(face_u8, rows, axis=0, dtype=np.int64), columns, axis=1)
    counts = (tall[:, None] * wide)[:, :, None]
    means = ((2 * sums + counts) // (2 * counts)).astype(np.uint8)
    return np.repeat(np.repeat(means, tall, axis=0), wide, axis=1)


def median(
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    kernel: int = 15,
) -> npt.NDArray[np.uint8]:
    """Replace each pixel by the median of its neighbourhood, channel by channel.

    A window wider than 255 pixels (a face of about 1,900) is applied to a reduced copy, where it is
    255 wide, and the result enlarged again.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: not used.
        seed: not used.
        kernel: side of the window in pixels, odd, 3 or more.

    Returns:
        The mask, same shape as ``face_u8``.

    Raises:
        MaskError: ``kernel`` is even, too small or not whole.
    """
    del landmarks, seed
    side, source = _odd(kernel), np.ascontiguousarray(face_u8)
    if side <= _LARGEST_KERNEL:
        return np.asarray(cv2.medianBlur(source, side), dtype=np.uint8)
    return _on_reduced(source, side, lambda small: cv2.medianBlur(small, _LARGEST_KERNEL))


def _on_reduced(
    face_u8: npt.NDArray[np.uint8],
    kernel: int,
    blur: Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]],
) -> npt.NDArray[np.uint8]:
    height, width = face_u8.shape[:2]
    share = _LARGEST_KERNEL / kernel
    size = (max(1, round(width * share)), max(1, round(height * share)))
    small = cv2.resize(face_u8, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(blur(small), (width, height)), dtype=np.uint8)


def _odd(kernel: float) -> int:
    side = int(kernel)
    if side != kernel or side < 3 or side % 2 == 0:
        raise MaskError(
            f"kernel must be an odd whole number of 3 or more, got {kernel:g}",
            hint="an even window has no middle pixel: take the next odd number",
        )
    return side
