"""What the world does to a picture on its way: re-encoded, resized, cropped, brightened."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["DISTORTIONS", "Distortion"]

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Distortion:
    """One thing that happens to a picture.

    Attributes:
        name: for rows of results, such as ``"jpeg_90"``.
        apply: takes (H, W, 3) uint8, gives the file that arrives.
        format: of that file: ``"JPEG"``, ``"WEBP"`` or ``"PNG"``.
        lossless: the pixels stay as they are.
    """

    name: str
    apply: Callable[[U8], bytes]
    format: str = "PNG"
    lossless: bool = False


def _encoded(photo_u8: U8, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(photo_u8).save(buffer, kind, **options)
    return buffer.getvalue()


def _jpeg(quality: int, subsampling: str) -> Distortion:
    suffix = "" if subsampling == "4:4:4" else "_420"
    return Distortion(
        f"jpeg_{quality}{suffix}",
        lambda u8: _encoded(u8, "JPEG", quality=quality, subsampling=subsampling),
        "JPEG",
    )


def _webp(quality: int) -> Distortion:
    return Distortion(f"webp_{quality}", lambda u8: _encoded(u8, "WEBP", quality=quality), "WEBP")


def _pixels(name: str, change: Callable[[U8], U8]) -> Distortion:
    """A change of the pixels that another program then saves as PNG."""
    return Distortion(name, lambda u8: _encoded(change(u8), "PNG"))


def _there_and_back(factor: float) -> Callable[[U8], U8]:
    def change(photo_u8: U8) -> U8:
        height, width = photo_u8.shape[:2]
        size = max(1, round(width * factor)), max(1, round(height * factor))
        way = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        away = cv2.resize(photo_u8, size, interpolation=way)
        back = cv2.INTER_CUBIC if factor < 1 else cv2.INTER_AREA
        return np.asarray(cv2.resize(away, (width, height), interpolation=back), np.uint8)

    return change


def _cropped(photo_u8: U8) -> U8:
    """One pixel less at the left and at the top."""
    return np.ascontiguousarray(photo_u8[1:, 1:])


def _cropped_by(share: float) -> Callable[[U8], U8]:
    """So much of the width less at the left, and of the height at the top; at least a pixel."""

    def change(photo_u8: U8) -> U8:
        top, left = (max(1, round(share * side)) for side in photo_u8.shape[:2])
        return np.ascontiguousarray(photo_u8[top:, left:])

    return change


def _noisy(sigma: float) -> Callable[[U8], U8]:
    def change(photo_u8: U8) -> U8:
        drawn = np.random.default_rng(0).normal(0, sigma, photo_u8.shape)
        return _rounded(photo_u8 + drawn)

    return change


def _rounded(levels: npt.NDArray[np.floating[Any]]) -> U8:
    return np.asarray(np.rint(levels).clip(0, 255), np.uint8)


DISTORTIONS: tuple[Distortion, ...] = (
    *(_jpeg(quality, "4:4:4") for quality in (95, 90, 85, 80, 75, 70, 50)),
    *(_jpeg(quality, "4:2:0") for quality in (95, 90, 80, 70, 50)),
    _webp(90),
    _webp(80),
    Distortion("webp_lossless", lambda u8: _encoded(u8, "WEBP", lossless=True, exact=True), "WEBP",
               lossless=True),
    _pixels("resize_0.5", _there_and_back(0.5)),
    _pixels("resize_0.75", _there_and_back(0.75)),
    _pixels("screenshot_1.25", _there_and_back(1.25)),
    _pixels("crop_1px", _cropped),
    _pixels("crop_0.05", _cropped_by(0.05)),
    _pixels("crop_0.1", _cropped_by(0.1)),
    _pixels("noise_1", _noisy(1)),
    _pixels("noise_2", _noisy(2)),
    _pixels("noise_5", _noisy(5)),
    _pixels("brightness_+5", lambda u8: _rounded(u8 * 1.05)),
    _pixels("brightness_-5", lambda u8: _rounded(u8 * 0.95)),
    _pixels("gamma_1.1", lambda u8: _rounded(255 * (u8 / 255) ** 1.1)),
    Distortion("png_rewritten", lambda u8: _encoded(u8, "PNG"), lossless=True),
)  # fmt: skip
"""In the order in which they are tried; brightness in per cent of each level."""
