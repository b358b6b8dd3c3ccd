"""A cartoon's eyes and brows, which carry most of its expression."""

from collections.abc import Callable, Mapping

import numpy as np

from engine.masks.cartoon.character import Character
from engine.masks.cartoon.pencil import Colour, Pencil, curve, heart, mirrored, mix, oval, star

_DARK: Colour = (44, 34, 48)
_WHITE: Colour = (255, 255, 255)
_EYE_Y = 64.0
_EYE_X = (37.0, 75.0)


def _shine(pencil: Pencil, x: float, y: float, size: float) -> None:
    pencil.fill(oval(x - size * 0.32, y - size * 0.42, size * 0.3, size * 0.34), _WHITE)
    pencil.fill(oval(x + size * 0.34, y + size * 0.4, size * 0.15, size * 0.17), _WHITE)


def _dot(pencil: Pencil, x: float, who: Character) -> None:
    pencil.fill(oval(x, _EYE_Y, 5.2, 6.8), _DARK)
    _shine(pencil, x, _EYE_Y, 5.6)


def _ball(pencil: Pencil, x: float, who: Character) -> None:
    pencil.fill(oval(x, _EYE_Y, 11.5, 12.5), _WHITE, outline=1.5)
    x, y = x + who.gaze[0], _EYE_Y + who.gaze[1]
    pencil.fill(oval(x, y, 7.2, 7.8), who.iris, outline=1.2)
    pencil.fill(oval(x, y, 4.2, 4.7), _DARK)
    _shine(pencil, x, y, 6)


def _doll(pencil: Pencil, x: float, who: Character) -> None:
    pencil.fill(oval(x, _EYE_Y, 8.8, 11.4), _DARK)
    pencil.fill(oval(x, _EYE_Y + 3.6, 6.6, 6.6), who.iris)
    pencil.fill(oval(x, _EYE_Y + 6.4, 4.2, 3.2), mix(who.iris, _WHITE, 0.45))
    pencil.fill(oval(x, _EYE_Y + 0.4, 4.0, 5.0), _DARK)
    _shine(pencil, x, _EYE_Y - 0.6, 9.5)


def _lashes(pencil: Pencil, x: float, who: Character) -> None:
    _doll(pencil, x, who)
    side = 1.0 if x > 56 else -1.0
    for up, out in ((9.0, 8.0), (6.0, 10.2), (2.4, 11.4)):
        root = (x + side * out * 0.72, _EYE_Y - up * 0.8)
        pencil.line(np.array([root, (x + side * out * 1.12, _EYE_Y - up * 1.3)]), _DARK, 1.7)


def _sleepy(pencil: Pencil, x: float, who: Character) -> None:
    _ball(pencil, x, who)
    lid = oval(x, _EYE_Y, 12.2, 13.2, arc=(180.0, 360.0))
    pencil.fill(lid, mix(who.around_eyes, _DARK, 0.1), outline=1.5)


def _happy(pencil: Pencil, x: float, who: Character) -> None:
    pencil.line(oval(x, _EYE_Y + 3, 9.0, 9.0, arc=(190.0, 350.0)), _DARK, 3.2)


def _wink(pencil: Pencil, x: float, who: Character) -> None:
    (_doll if x < 56 else _happy)(pencil, x, who)


def _stars(pencil: Pencil, x: float, who: Character) -> None:
    pencil.fill(star(x, _EYE_Y, 12.5), (255, 205, 60), outline=1.6)


def _hearts(pencil: Pencil, x: float, who: Character) -> None:
    pencil.fill(heart(x, _EYE_Y, 11.5), (235, 66, 96), outline=1.6)
    pencil.fill(oval(x - 4.5, _EYE_Y - 4, 2.2, 1.6, tilt=-35), mix((235, 66, 96), _WHITE, 0.7))


def _lamp(pencil: Pencil, x: float, who: Character) -> None:
    pencil.fill(oval(x, _EYE_Y, 12, 12), mix(who.coat, _DARK, 0.8), outline=1.5)
    pencil.fill(oval(x, _EYE_Y, 8.8, 8.8), who.iris)
    pencil.fill(oval(x, _EYE_Y, 5.2, 5.2), mix(who.iris, _WHITE, 0.65))
    _shine(pencil, x, _EYE_Y, 8)


EYES: Mapping[str, Callable[[Pencil, float, Character], None]] = {
    "dot": _dot,
    "ball": _ball,
    "doll": _doll,
    "lashes": _lashes,
    "sleepy": _sleepy,
    "happy": _happy,
    "wink": _wink,
    "stars": _stars,
    "hearts": _hearts,
    "lamp": _lamp,
}


def draw_eyes(pencil: Pencil, who: Character) -> None:
    """Draw both eyes and the brows over them.

    Args:
        pencil: what to draw on.
        who: the character.
    """
    for x in _EYE_X:
        EYES[who.eyes](pencil, x, who)
    lift = {"none": None, "flat": 0.0, "raised": 4.0, "bold": 0.0, "keen": -3.5}[who.brows]
    if lift is None:
        return
    inner = (46.0, 46.5 - lift * 0.3)
    brow = curve((28.0, 48.0 + min(lift, 0.0) * 0.6), (37.0, 45.0 - abs(lift) * 0.6), inner)
    width = 3.8 if who.brows == "bold" else 2.5
    for line in (brow, mirrored(brow)):
        pencil.line(line, mix(who.brow_colour, _DARK, 0.25), width)
