"""The head itself and what grows on it: ears, fur marks, hair and beards."""

from collections.abc import Callable, Mapping

import numpy as np

from engine.masks.cartoon.character import Character
from engine.masks.cartoon.pencil import Colour, Pencil, curve, ink, mirrored, mix, oval
from engine.masks.inner_face import FloatArray

OUTLINE = 1.9
"""Width of the outlines in units."""

_X, _Y = 56.0, 78.0
_WHITE: Colour = (255, 255, 255)
_DARK: Colour = (44, 34, 48)

Part = Callable[[Pencil, Character], None]


def outline_of(
    who: Character, *, grow: float = 0.0, arc: tuple[float, float] = (0.0, 360.0)
) -> FloatArray:
    """Trace the head.

    Args:
        who: the character.
        grow: how far outside of the skin, in units.
        arc: first and last angle in degrees; 0 points right, 90 down.

    Returns:
        ``(n, 2)`` points.
    """
    return oval(
        _X, _Y, who.half_width + grow, who.half_height + grow, power=who.squareness, arc=arc
    )


def _both(pencil: Pencil, points: FloatArray, colour: Colour, outline: float = 0.0) -> None:
    pencil.fill(points, colour, outline=outline)
    pencil.fill(mirrored(points), colour, outline=outline)


def _none(pencil: Pencil, who: Character) -> None:
    return


def _human_ears(pencil: Pencil, who: Character) -> None:
    inner = who.light if who.kind == "monkey" else mix(who.coat, (220, 90, 90), 0.25)
    size = 1.35 if who.kind == "monkey" else 1.0
    x = _X - who.half_width
    _both(pencil, oval(x, 76, 9.5 * size, 12 * size), who.coat, OUTLINE)
    _both(pencil, oval(x - 1.0, 76, 5.4 * size, 7.4 * size), inner)


def _pointed_ears(pencil: Pencil, who: Character) -> None:
    inner = _DARK if who.kind == "fox" else mix(who.light, (244, 140, 156), 0.6)
    _both(
        pencil,
        curve(
            (9.0, 66.0),
            (8.0, 34.0),
            (13.5, 12.0),
            (31.0, 20.0),
            (52.0, 36.0),
            (38.0, 60.0),
            closed=True,
        ),
        who.coat,
        OUTLINE,
    )
    _both(
        pencil,
        curve((15.5, 46.0), (14.5, 33.0), (17.5, 21.0), (27.0, 26.0), (38.0, 35.0), closed=True),
        inner,
    )


def _round_ears(pencil: Pencil, who: Character, coat: Colour | None = None) -> None:
    coat = coat or who.coat
    _both(pencil, oval(20, 37, 16, 16), coat, OUTLINE)
    _both(
        pencil,
        oval(20, 37, 9.2, 9.2),
        mix(coat, who.light, 0.65) if coat == who.coat else mix(coat, _WHITE, 0.14),
    )


def _panda_ears(pencil: Pencil, who: Character) -> None:
    _round_ears(pencil, who, (66, 58, 70))


def _fluffy_ears(pencil: Pencil, who: Character) -> None:
    angle = np.linspace(0, 2 * np.pi, 90)
    radius = 22 + 1.6 * np.sin(angle * 11)
    ear = np.stack([12 + radius * np.cos(angle), 48 + radius * np.sin(angle)], axis=1)
    _both(pencil, ear, who.coat, OUTLINE)
    _both(pencil, oval(12, 48, 12.5, 13.5), mix(who.light, (248, 176, 190), 0.4))


def _floppy_ears(pencil: Pencil, who: Character) -> None:
    return  # they hang in front of the head: see the marks of a dog


def _long_ears(pencil: Pencil, who: Character) -> None:
    _both(pencil, oval(30, 6, 11.5, 37, tilt=-10), who.coat, OUTLINE)
    _both(pencil, oval(30, 7, 5.8, 28, tilt=-10), mix(who.light, (246, 150, 168), 0.65))


def _folded_ears(pencil: Pencil, who: Character) -> None:
    _both(
        pencil,
        curve((14.0, 58.0), (8.0, 30.0), (18.0, 24.0), (44.0, 36.0), (34.0, 56.0), closed=True),
        who.coat,
        OUTLINE,
    )
    _both(
        pencil,
        curve((15.0, 47.0), (14.0, 35.0), (21.0, 32.0), (32.0, 38.0), closed=True),
        mix(who.coat, (226, 96, 120), 0.4),
    )


def _tuft(pencil: Pencil, who: Character) -> None:
    for x, y, tilt in ((46.0, 24.0, -32.0), (66.0, 24.0, 32.0), (56.0, 19.0, 0.0)):
        pencil.fill(oval(x, y, 6.0, 14.0, tilt=tilt), who.coat, outline=OUTLINE)


def _bolts(pencil: Pencil, who: Character) -> None:
    metal = mix(who.coat, (96, 104, 124), 0.6)
    _both(pencil, oval(_X - who.half_width - 4, 78, 9, 13, power=3.5), metal, OUTLINE)
    pencil.line(np.array([(56.0, 34.0), (56.0, 12.0)]), ink(metal), 4.4)
    pencil.fill(oval(56, 10, 7, 7), who.iris, outline=OUTLINE)
    pencil.fill(oval(53.8, 7.6, 2.0, 2.0), mix(who.iris, _WHITE, 0.75))


def _antennae(pencil: Pencil, who: Character) -> None:
    stalk = curve((40.0, 40.0), (34.0, 22.0), (25.0, 12.0))
    for line in (stalk, mirrored(stalk)):
        pencil.line(line, ink(who.coat), 6.0)
        pencil.line(line, who.coat, 2.8)
    _both(pencil, oval(24, 10, 7.6, 7.6), mix(who.coat, who.hat_colours[0], 0.85), OUTLINE)
    _both(pencil, oval(21.8, 7.6, 2.2, 2.0), _WHITE)


EARS: Mapping[str, Part] = {
    "none": _none,
    "human": _human_ears,
    "pointed": _pointed_ears,
    "round": _round_ears,
    "panda": _panda_ears,
    "fluffy": _fluffy_ears,
    "floppy": _floppy_ears,
    "long": _long_ears,
    "folded": _folded_ears,
    "tuft": _tuft,
    "bolts": _bolts,
    "antennae": _antennae,
}


def draw_skull(pencil: Pencil, who: Character) -> None:
    """Draw the head's shape with light from the upper left.

    Args:
        pencil: what to draw on.
        who: the character.
    """
    shade = mix(who.coat, mix(who.coat, (96, 40, 90), 0.6), 0.28)
    pencil.fill(outline_of(who), shade)
    lit = (outline_of(who) - (_X, _Y)) * (0.955, 0.955) + (_X - 1.4, _Y - 1.9)
    pencil.fill(lit, who.coat)
    pencil.fill(oval(34, 42, 8.5, 4.2, tilt=-32), mix(who.coat, _WHITE, 0.35))
    pencil.line(outline_of(who), ink(who.coat), OUTLINE)


def _muzzle(pencil: Pencil, who: Character) -> None:
    pencil.fill(oval(56, 96, 26, 20, power=2.2), who.light)


def _tabby(pencil: Pencil, who: Character) -> None:
    _muzzle(pencil, who)
    stripe = mix(who.coat, (70, 40, 36), 0.4)
    for x, reach in ((46.0, 44.0), (56.0, 48.0), (66.0, 44.0)):
        pencil.line(np.array([(x, 33.0), (56 + (x - 56) * 0.8, reach)]), stripe, 4.2)


def _stripes(pencil: Pencil, who: Character) -> None:
    stripe = (74, 52, 52)
    for points in (
        curve((44.0, 30.0), (50.0, 38.0), (52.0, 48.0), (47.0, 42.0), closed=True),
        curve((12.5, 70.0), (26.0, 72.0), (30.0, 75.0), (13.0, 76.0), closed=True),
        curve((13.0, 86.0), (24.0, 88.0), (29.0, 92.0), (15.0, 92.0), closed=True),
    ):
        _both(pencil, points, stripe)
    pencil.fill(oval(56, 39, 2.6, 10), stripe)
    _muzzle(pencil, who)


def _floppy_patch(pencil: Pencil, who: Character, *, patch: bool) -> None:
    dark = mix(who.coat, (84, 50, 36), 0.55)
    if patch:
        pencil.fill(oval(75, 63, 18, 21, tilt=12), mix(who.coat, dark, 0.75))
    _muzzle(pencil, who)
    ear = curve(
        (26.0, 32.0),
        (12.0, 34.0),
        (-2.0, 58.0),
        (-3.0, 88.0),
        (8.0, 97.0),
        (19.0, 84.0),
        (24.0, 58.0),
        (34.0, 40.0),
        closed=True,
    )
    _both(pencil, ear, dark, OUTLINE)


def _dog_ears(pencil: Pencil, who: Character) -> None:
    _floppy_patch(pencil, who, patch=False)


def _dog_patch(pencil: Pencil, who: Character) -> None:
    _floppy_patch(pencil, who, patch=True)


def _patches(pencil: Pencil, who: Character) -> None:
    _both(pencil, oval(35.5, 66, 15.5, 19, tilt=28), (66, 58, 70))
    _muzzle(pencil, who)


def _fox(pencil: Pencil, who: Character) -> None:
    jaw = outline_of(who, grow=-OUTLINE / 2, arc=(84.0, 172.0))
    inner = curve(tuple(jaw[-1]), (30.0, 80.0), (47.0, 86.0), (56.0, 76.0))
    _both(pencil, np.vstack([jaw, inner]), who.light)


def _monkey(pencil: Pencil, who: Character) -> None:
    _both(pencil, oval(40, 66, 21, 23), who.light)
    pencil.fill(oval(56, 94, 34, 26, power=2.3), who.light)


def _belly(pencil: Pencil, who: Character) -> None:
    pencil.fill(oval(56, 108, 31, 15), who.light)
    for x in (37.0, 75.0):
        pencil.fill(oval(x, 58, 18.5, 20), who.coat, outline=OUTLINE)
    pencil.fill(oval(56, 64, 34, 14), who.coat)
    for x in (53.0, 59.0):
        pencil.fill(oval(x, 80, 1.3, 1.6), ink(who.coat))


def _bib(pencil: Pencil, who: Character) -> None:
    _both(pencil, oval(42, 76, 24, 29), who.light)
    pencil.fill(oval(56, 98, 30, 22), who.light)


def _panel(pencil: Pencil, who: Character) -> None:
    pencil.fill(oval(56, 81, 37, 33, power=4.4), mix(who.coat, who.light, 0.75), outline=1.3)
    for x, y in ((21.0, 42.0), (91.0, 42.0), (21.0, 117.0), (91.0, 117.0)):
        pencil.fill(oval(x, y, 2.4, 2.4), mix(who.coat, _DARK, 0.45))


def _spots(pencil: Pencil, who: Character) -> None:
    for x, y, size in (
        (22.0, 52.0, 5.0),
        (90.0, 96.0, 6.0),
        (80.0, 40.0, 4.0),
        (26.0, 104.0, 4.5),
        (93.0, 80.0, 3.0),
    ):
        pencil.fill(oval(x, y, size, size * 0.9), mix(who.coat, who.light, 0.7))


MARKS: Mapping[str, Part] = {
    "none": _none,
    "muzzle": _muzzle,
    "tabby": _tabby,
    "stripes": _stripes,
    "dog": _dog_ears,
    "patch": _dog_patch,
    "patches": _patches,
    "fox": _fox,
    "monkey": _monkey,
    "belly": _belly,
    "bib": _bib,
    "panel": _panel,
    "spots": _spots,
}
