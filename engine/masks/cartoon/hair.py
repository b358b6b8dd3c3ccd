"""Hair and beards, in two layers: behind the head and in front of it."""

from collections.abc import Callable, Mapping

import numpy as np

from engine.masks.cartoon.character import Character
from engine.masks.cartoon.head import OUTLINE, outline_of
from engine.masks.cartoon.pencil import Colour, Pencil, curve, ink, mirrored, mix, oval
from engine.masks.inner_face import FloatArray

Part = Callable[[Pencil, Character], None]


def _none(pencil: Pencil, who: Character) -> None:
    return


def _strands(colour: Colour) -> Colour:
    return mix(colour, (255, 255, 255), 0.22)


def _crown(
    pencil: Pencil, who: Character, *hairline: tuple[float, float], lift: float = 3.0
) -> None:
    over = outline_of(who, grow=lift, arc=(196.0, 344.0))
    cap = np.vstack([over, curve((98.0, 66.0), *hairline, (14.0, 66.0))])
    pencil.fill(cap, who.hair_colour, outline=OUTLINE)
    gleam = outline_of(who, grow=lift - 7.0, arc=(222.0, 262.0))
    pencil.line(gleam, _strands(who.hair_colour), 3.4)


def _curls(
    pencil: Pencil, who: Character, *, size: float, grow: float, arc: tuple[float, float]
) -> None:
    spots = outline_of(who, grow=grow, arc=arc)[:: max(1, int(size // 2.2))]
    for width, colour in ((OUTLINE, ink(who.hair_colour)), (0.0, who.hair_colour)):
        for x, y in spots:
            pencil.fill(oval(x, y, size + width, size + width), colour)


def _short(pencil: Pencil, who: Character) -> None:
    _crown(pencil, who, (90.0, 50.0), (74.0, 45.0), (56.0, 43.5), (38.0, 45.0), (22.0, 50.0))


def _swept(pencil: Pencil, who: Character) -> None:
    _crown(
        pencil,
        who,
        (93.0, 54.0),
        (80.0, 43.0),
        (66.0, 40.0),
        (52.0, 50.0),
        (34.0, 55.0),
        (18.0, 56.0),
        lift=5.0,
    )
    pencil.line(curve((72.0, 33.0), (66.0, 40.0), (54.0, 46.5)), ink(who.hair_colour), 1.4)


def _fringe(pencil: Pencil, who: Character) -> None:
    _crown(
        pencil,
        who,
        (93.0, 56.0),
        (78.0, 53.0),
        (66.0, 54.0),
        (56.0, 52.5),
        (46.0, 54.0),
        (34.0, 53.0),
        (19.0, 56.0),
        lift=4.0,
    )
    for x in (40.0, 56.0, 72.0):
        pencil.line(curve((x, 44.0), (x + 0.5, 52.0)), ink(who.hair_colour), 1.3)


def _parted(pencil: Pencil, who: Character) -> None:
    _crown(
        pencil,
        who,
        (94.0, 60.0),
        (84.0, 50.0),
        (64.0, 42.0),
        (56.0, 33.0),
        (48.0, 42.0),
        (28.0, 50.0),
        (18.0, 60.0),
        lift=4.0,
    )


def _curly(pencil: Pencil, who: Character) -> None:
    _curls(pencil, who, size=10.5, grow=-2.0, arc=(190.0, 350.0))
    _curls(pencil, who, size=8.0, grow=-9.0, arc=(218.0, 322.0))


def _spiky(pencil: Pencil, who: Character) -> None:
    inner, outer = (
        outline_of(who, grow=1.0, arc=(192.0, 348.0)),
        outline_of(who, grow=17.0, arc=(192.0, 348.0)),
    )
    spikes = np.array([outer[i] if i % 8 == 4 else inner[i] for i in range(0, 65, 4)])
    line = curve(
        (96.0, 62.0),
        (86.0, 47.0),
        (76.0, 51.0),
        (66.0, 43.0),
        (56.0, 49.0),
        (46.0, 43.0),
        (36.0, 51.0),
        (26.0, 47.0),
        (16.0, 62.0),
    )
    pencil.fill(np.vstack([spikes, line]), who.hair_colour, outline=OUTLINE)


def _mohawk(pencil: Pencil, who: Character) -> None:
    tips = (
        (44.0, 46.0),
        (41.0, 28.0),
        (45.0, 12.0),
        (56.0, 0.0),
        (67.0, 12.0),
        (71.0, 28.0),
        (68.0, 46.0),
        (56.0, 51.0),
    )
    pencil.fill(curve(*tips, closed=True), who.hair_colour, outline=OUTLINE)
    pencil.line(curve((51.0, 40.0), (49.5, 26.0), (55.0, 12.0)), _strands(who.hair_colour), 2.6)


def _mass(pencil: Pencil, who: Character, points: FloatArray) -> None:
    pencil.fill(points, mix(who.hair_colour, (40, 26, 44), 0.16), outline=OUTLINE)


def _bob_back(pencil: Pencil, who: Character) -> None:
    _mass(pencil, who, oval(56, 74, who.half_width + 11, 50, power=2.7))


def _long_back(pencil: Pencil, who: Character) -> None:
    _mass(pencil, who, oval(56, 77, who.half_width + 13, 53, power=3.2))


def _afro_back(pencil: Pencil, who: Character) -> None:
    _curls(pencil, who, size=17.0, grow=8.0, arc=(160.0, 380.0))
    _curls(pencil, who, size=14.0, grow=-10.0, arc=(170.0, 370.0))


def _bun_back(pencil: Pencil, who: Character) -> None:
    pencil.fill(oval(56, 18, 17, 16), who.hair_colour, outline=OUTLINE)
    pencil.line(oval(56, 18, 10, 9, arc=(190.0, 280.0)), _strands(who.hair_colour), 2.4)


def _pigtails_back(pencil: Pencil, who: Character) -> None:
    tail = curve(
        (8.0, 50.0),
        (-14.0, 52.0),
        (-20.0, 76.0),
        (-14.0, 100.0),
        (0.0, 94.0),
        (8.0, 72.0),
        closed=True,
    )
    for points in (tail, mirrored(tail)):
        pencil.fill(points, who.hair_colour, outline=OUTLINE)
    tie = oval(6, 56, 6.4, 6.4)
    for points in (tie, mirrored(tie)):
        pencil.fill(points, who.hat_colours[0], outline=OUTLINE)


HAIR_BEHIND: Mapping[str, Part] = {
    "none": _none,
    "bald": _none,
    "short": _none,
    "swept": _none,
    "fringe": _none,
    "curly": _none,
    "spiky": _none,
    "mohawk": _none,
    "bob": _bob_back,
    "long": _long_back,
    "afro": _afro_back,
    "bun": _bun_back,
    "pigtails": _pigtails_back,
}
HAIR_BEFORE: Mapping[str, Part] = {
    "none": _none,
    "bald": _none,
    "short": _short,
    "swept": _swept,
    "fringe": _fringe,
    "curly": _curly,
    "spiky": _spiky,
    "mohawk": _mohawk,
    "bob": _fringe,
    "long": _parted,
    "afro": _short,
    "bun": _short,
    "pigtails": _parted,
}


def _moustache(pencil: Pencil, who: Character) -> None:
    half = curve(
        (56.0, 86.5),
        (46.0, 85.0),
        (36.0, 91.0),
        (29.0, 87.0),
        (34.0, 96.0),
        (46.0, 96.0),
        (56.0, 92.0),
        closed=True,
    )
    for points in (half, mirrored(half)):
        pencil.fill(points, who.hair_colour, outline=1.2)


def _beard(pencil: Pencil, who: Character) -> None:
    jaw = outline_of(who, grow=2.5, arc=(-8.0, 188.0))
    inner = curve(
        (13.0, 72.0),
        (20.0, 84.0),
        (32.0, 89.0),
        (46.0, 85.0),
        (56.0, 87.0),
        (66.0, 85.0),
        (80.0, 89.0),
        (92.0, 84.0),
        (99.0, 72.0),
    )
    pencil.fill(np.vstack([jaw, inner]), who.hair_colour, outline=OUTLINE)
    pencil.fill(oval(56, 98, 20, 9.5), who.coat)


BEARDS: Mapping[str, Part] = {"none": _none, "moustache": _moustache, "beard": _beard}
