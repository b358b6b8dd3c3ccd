"""Draws what the engine's arrays mean for eyes: numbered boxes, small pictures inside a page."""

import base64
import io
import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from engine import Box

Photo = npt.NDArray[np.uint8]

_CHOSEN, _LEFT_OUT = (15, 118, 110), (180, 83, 9)


def boxed(photo_u8: Photo, boxes: Iterable[Box], chosen: Iterable[int]) -> Photo:
    """Frame and number the faces, from 1; those left out in another colour and broken in style.

    Args:
        photo_u8: ``(H, W, 3)``.
        boxes: XYXY in pixels.
        chosen: numbers that will be protected.
    """
    picture = Image.fromarray(photo_u8)
    pen = ImageDraw.Draw(picture)
    scale = max(picture.size) / 900
    line, font = max(2, round(4 * scale)), ImageFont.load_default(max(14, round(26 * scale)))
    known = set(chosen)
    for number, box in enumerate(boxes, 1):
        colour = _CHOSEN if number in known else _LEFT_OUT
        pen.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), outline=colour, width=line)
        text = str(number) if number in known else f"{number} stays clear"
        right, bottom = pen.textbbox((box[0] + 2 * line, box[1] + 2 * line), text, font)[2:]
        pen.rectangle((box[0], box[1], right + 2 * line, bottom + 2 * line), fill=colour)
        pen.text((box[0] + 2 * line, box[1] + 2 * line), text, "white", font)
    return np.asarray(picture)


def fit(photo_u8: Photo, side: int) -> Photo:
    """Shrink a picture until its longer side is at most ``side``; smaller ones stay."""
    height, width = photo_u8.shape[:2]
    if max(height, width) <= side:
        return photo_u8
    share = side / max(height, width)
    size = max(1, round(width * share)), max(1, round(height * share))
    return np.asarray(Image.fromarray(photo_u8).resize(size, Image.Resampling.LANCZOS))


def square(photo_u8: Photo, side: int) -> Photo:
    """Cut the middle square out of a picture, and bring it to a size."""
    height, width = photo_u8.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    middle = Image.fromarray(photo_u8[top : top + edge, left : left + edge])
    return np.asarray(middle.resize((side, side), Image.Resampling.LANCZOS))


def jpeg(photo_u8: Photo, quality: int) -> bytes:
    """Write pixels as most programs save a JPEG: with colours at half the size."""
    buffer = io.BytesIO()
    Image.fromarray(photo_u8).save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
    return buffer.getvalue()


def png(photo_u8: Photo) -> bytes:
    """Write pixels as a PNG for the eye; results that may leave come from the engine."""
    buffer = io.BytesIO()
    Image.fromarray(photo_u8).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def inline(photo_u8: Photo) -> str:
    """Give a picture as a ``data:`` address: it is on the page, and in no file of the server."""
    return "data:image/png;base64," + base64.b64encode(png(photo_u8)).decode("ascii")


def in_db(value: float) -> str:
    """Write a PSNR for people."""
    return "exact" if math.isinf(value) else f"{value:.1f} dB"


def in_cosine(value: float, digits: int = 2) -> str:
    """Write a cosine for people: .12."""
    # Plus nought, so that nothing is written as less than nothing.
    return f"{round(value, digits) + 0:.{digits}f}".replace("0.", ".", 1).replace("-", "−")
