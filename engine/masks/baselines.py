"""Ways to hide a face without a network, for comparison: those that FIT was measured against.

Source: FIT (Gu et al., ECCV 2020), section on experiments, which names superpixel, edge, blur,
noise and masked. Its figures as we have them (a picture of 8 x 8, a noise variance of .5, a box of
.6 x .6) are **unverified**: they stand in the ``paper`` presets, with [0, 1] as the range of the
noise. FIT states no number for superpixel and edge; those here are ours.
"""

import cv2
import numpy as np
import numpy.typing as npt

from engine.errors import MaskError
from engine.masks.inner_face import inner_rectangle

_SLIC_SIDE = (
    160  # superpixels are found on a face of at most this side: the time grows with its square
)
_GREY = 128


def superpixel(
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    segments: int = 40,
    compactness: float = 20.0,
) -> npt.NDArray[np.uint8]:
    """Replace each superpixel (SLIC, Achanta et al., IEEE TPAMI 2012) by its mean colour.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: not used.
        seed: not used.
        segments: how many superpixels about, 2 or more; never more than a fourth of the pixels.
        compactness: higher makes them squarer, above 0.

    Returns:
        The mask, same shape as ``face_u8``.

    Raises:
        MaskError: a strength outside its range.
    """
    del landmarks, seed
    if segments < 2 or not compactness > 0:
        raise MaskError(
            f"segments must be 2 or more, compactness above 0, got {segments:g}, {compactness:g}",
            hint="40 and 20 are the defaults",
        )
    # Here and not above: it takes half a second to load, and no other mask needs it.
    from skimage.segmentation import slic

    height, width = face_u8.shape[:2]
    share = min(1.0, _SLIC_SIDE / max(height, width))
    size = (max(2, round(width * share)), max(2, round(height * share)))
    small = cv2.resize(face_u8, size, interpolation=cv2.INTER_AREA)
    count = max(1, min(int(segments), size[0] * size[1] // 4))
    found = slic(small, n_segments=count, compactness=compactness, start_label=0).astype(np.int32)
    labels = cv2.resize(found, (width, height), interpolation=cv2.INTER_NEAREST).ravel()
    pixels = np.maximum(np.bincount(labels), 1)
    flat = face_u8.reshape(-1, 3)
    sums = np.stack([np.bincount(labels, weights=flat[:, c]) for c in range(3)], axis=1)
    means = np.floor(sums / pixels[:, None] + 0.5).astype(np.uint8)
    return np.asarray(means[labels].reshape(face_u8.shape), dtype=np.uint8)


def edge(
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    sigma: float = 1.4,
    dark: int = 0,
) -> npt.NDArray[np.uint8]:
    """Leave nothing of a face but its edges (Canny, IEEE TPAMI 1986).

    The weakest mask of all against recognition: a drawing of the edges is still a likeness.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: not used.
        seed: not used.
        sigma: standard deviation in pixels of the blur before edges are sought, above 0.
        dark: 1 draws black on white, 0 white on black.

    Returns:
        The mask, same shape as ``face_u8``, of 0 and 255 alone.

    Raises:
        MaskError: a strength outside its range.
    """
    del landmarks, seed
    if not 0 < sigma < 1e6 or dark not in (0, 1):
        raise MaskError(
            f"sigma must be above 0 and dark 0 or 1, got {sigma:g}, {dark:g}",
            hint="1.4 and 0 are the defaults",
        )
    grey = cv2.GaussianBlur(cv2.cvtColor(face_u8, cv2.COLOR_RGB2GRAY), (0, 0), sigma)
    lines = cv2.Canny(grey, 30, 80)
    return np.repeat((255 - lines if dark else lines)[:, :, None], 3, axis=2).astype(np.uint8)


def extreme_blur(
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    size: int = 8,
) -> npt.NDArray[np.uint8]:
    """Reduce a face to a few pixels and enlarge it again.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: not used.
        seed: not used.
        size: rows and columns left between, 1 or more; never over half of the face's own.

    Returns:
        The mask, same shape as ``face_u8``.

    Raises:
        MaskError: ``size`` is not a whole number of 1 or more.
    """
    del landmarks, seed
    if int(size) != size or size < 1:
        raise MaskError(f"size must be whole and 1 or more, got {size:g}", hint="FIT takes 8")
    height, width = face_u8.shape[:2]
    few = (max(1, min(int(size), width // 2)), max(1, min(int(size), height // 2)))
    reduced = cv2.resize(face_u8, few, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def noise(
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    variance: float = 0.5,
) -> npt.NDArray[np.uint8]:
    """Bury a face in Gaussian noise.

    Whoever knows the seed can make the same noise: hide nothing with it that a reader of the seed
    should not see.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: not used.
        seed: of the noise, 0 or more.
        variance: of the noise on the range [0, 1], above 0.

    Returns:
        The mask, same shape as ``face_u8``.

    Raises:
        MaskError: ``variance`` is not above 0.
    """
    del landmarks
    if not 0 < variance < 1e6:
        raise MaskError(f"variance must be above 0, got {variance:g}", hint="FIT takes 0.5")
    grain = np.random.default_rng(seed).normal(0.0, 255.0 * np.sqrt(variance), face_u8.shape)
    return np.clip(np.floor(face_u8 + grain + 0.5), 0, 255).astype(np.uint8)


def box(
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    fraction: float = 0.8,
    follow: int = 1,
) -> npt.NDArray[np.uint8]:
    """Cover a face with a grey rectangle.

    Args:
        face_u8: face, ``(H, W, 3)`` RGB.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order, or None.
        seed: not used.
        fraction: share of each side that is covered around the middle, above 0 up to 1.
        follow: 1 covers the whole inner face as well, where there are landmarks; 0 the middle only.

    Returns:
        The mask, same shape as ``face_u8``.

    Raises:
        MaskError: a strength outside its range, or landmarks that cannot be used.
    """
    del seed
    if not 0 < fraction <= 1 or follow not in (0, 1):
        raise MaskError(
            f"fraction must be above 0 up to 1 and follow 0 or 1, got {fraction:g}, {follow:g}",
            hint="0.8 and 1 are the defaults",
        )
    height, width = face_u8.shape[:2]
    x0, y0 = int(width * (1 - fraction) / 2), int(height * (1 - fraction) / 2)
    x1, y1 = width - x0, height - y0
    if follow and landmarks is not None:
        left, top, right, bottom = inner_rectangle(height, width, landmarks)
        x0, y0, x1, y1 = min(x0, left), min(y0, top), max(x1, right), max(y1, bottom)
    mask = face_u8.copy()
    mask[y0:y1, x0:x1] = _GREY
    return mask
