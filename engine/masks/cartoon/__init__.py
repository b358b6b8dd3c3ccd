"""The characters of the stickers: our own drawings, one from each seed."""

import numpy as np
import numpy.typing as npt

from engine.masks.cartoon.character import Character, character
from engine.masks.cartoon.eyes import draw_eyes
from engine.masks.cartoon.face import MOUTHS, NOSES, draw_cheeks
from engine.masks.cartoon.hair import BEARDS, HAIR_BEFORE, HAIR_BEHIND
from engine.masks.cartoon.head import EARS, MARKS, draw_skull
from engine.masks.cartoon.pencil import CANVAS, ORIGIN, Pencil
from engine.masks.cartoon.wear import GLASSES, HATS

__all__ = ["CANVAS", "ORIGIN", "Character", "character", "draw"]


def draw(seed: int, side: int) -> npt.NDArray[np.uint8]:
    """Draw a character, cut out like a sticker with a white rim.

    Args:
        seed: which character, 0 or more; equal seeds draw equal stickers.
        side: height and width of the picture in pixels.

    Returns:
        RGBA with colours multiplied by alpha, ``(side, side, 4)``; the canvas of
        :mod:`engine.masks.cartoon.pencil`.
    """
    who, pencil = character(seed), Pencil(side)
    HAIR_BEHIND[who.hair](pencil, who)
    EARS[who.ears](pencil, who)
    draw_skull(pencil, who)
    MARKS[who.marks](pencil, who)
    draw_cheeks(pencil, who)
    BEARDS[who.beard](pencil, who)
    NOSES[who.nose](pencil, who)
    MOUTHS[who.mouth](pencil, who)
    draw_eyes(pencil, who)
    HAIR_BEFORE[who.hair](pencil, who)
    GLASSES[who.glasses](pencil, who)
    HATS[who.hat](pencil, who)
    return pencil.finish()
