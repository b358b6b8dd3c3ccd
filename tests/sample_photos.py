"""The photographs that tests run on: from installed packages, none in the repository."""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import skimage.data
from insightface.data import get_image

Photo = npt.NDArray[np.uint8]


def portrait() -> Photo:
    """One face of about 90 pixels in 256 x 256; NASA, public domain."""
    return np.ascontiguousarray(skimage.data.astronaut()[:256, 96:352])


def group() -> Photo:
    """Six faces in 640 columns."""
    return _group().copy()


@cache
def _group() -> Photo:
    photo_u8 = np.ascontiguousarray(get_image("t1")[:, :, ::-1])
    height = round(photo_u8.shape[0] * 640 / photo_u8.shape[1])
    return np.asarray(cv2.resize(photo_u8, (640, height), interpolation=cv2.INTER_AREA), np.uint8)


def psnr_db(first_u8: Photo, second_u8: Photo) -> float:
    """PSNR in dB, infinite for equal pictures."""
    error = np.mean((first_u8.astype(float) - second_u8) ** 2)
    return float(10 * np.log10(255**2 / error)) if error else float("inf")
