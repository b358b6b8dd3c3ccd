"""What a character puts on: hats and glasses."""

from collections.abc import Callable, Mapping

import numpy as np

from engine.masks.cartoon.character import Character
from engine.masks.cartoon.head import OUTLINE, outline_of
from engine.masks.cartoon.pencil import Colour, Pencil, curve, heart, ink, mirrored, mix, oval, star
from engine.masks.inner_face import FloatArray

_WHITE: Colour = (255, 255, 255)
_GOLD: Colour = (252, 204, 66)

Part = Callable[[Pencil, Character], None]


def _none(pencil: Pencil, who: Character) -> None:
    return


def _dome(who: Character, *, grow: float, brim: float) -> FloatArray:
    over = outline_of(who, grow=grow, arc=(205.0, 335.0))
    return np.vstack([over, curve(tuple(over[-1]), (56.0, brim), tuple(over[0]))])


def _beanie(pencil: Pencil, who: Character) -> None:
    main, second = who.hat_colours
    pencil.fill(oval(56, 15, 9.5, 9.5), mix(second, _WHITE, 0.3), outline=OUTLINE)
    pencil.fill(_dome(who, grow=6.0, brim=44.0), main, outline=OUTLINE)
    for x, lean in ((36.0, -5.0), (56.0, 0.0), (76.0, 5.0)):
        pencil.line(
            curve((x - lean * 0.6, 27.0), (x + lean, 44.0)), mix(main, ink(main), 0.35), 1.6
        )
    cuff = curve(
        (7.0, 54.0),
        (30.0, 41.0),
        (56.0, 37.5),
        (82.0, 41.0),
        (105.0, 54.0),
        (107.0, 60.0),
        (101.0, 63.0),
        (80.0, 52.0),
        (56.0, 48.5),
        (32.0, 52.0),
        (11.0, 63.0),
        (5.0, 60.0),
        closed=True,
    )
    pencil.fill(cuff, mix(second, _WHITE, 0.15), outline=OUTLINE)


def _cap(pencil: Pencil, who: Character) -> None:
    main, second = who.hat_colours
    pencil.fill(_dome(who, grow=5.0, brim=46.0), main, outline=OUTLINE)
    pencil.line(curve((56.0, 24.0), (56.0, 44.0)), mix(main, ink(main), 0.35), 1.5)
    pencil.fill(oval(56, 24, 4.2, 3.2), second, outline=1.3)
    visor = curve(
        (14.0, 50.0),
        (34.0, 44.0),
        (56.0, 42.5),
        (78.0, 44.0),
        (98.0, 50.0),
        (92.0, 57.0),
        (56.0, 52.0),
        (20.0, 57.0),
        closed=True,
    )
    pencil.fill(visor, second, outline=OUTLINE)
    pencil.fill(star(56, 36, 7), mix(second, _WHITE, 0.5))


def _party(pencil: Pencil, who: Character) -> None:
    main, second = who.hat_colours
    pencil.fill(
        np.array([(56.0, -22.0), (34.0, 36.0), (56.0, 41.0), (78.0, 36.0)]), main, outline=OUTLINE
    )
    for x, y, size in ((52.0, 4.0, 4.0), (61.0, 18.0, 4.4), (47.0, 25.0, 4.2), (67.0, 32.0, 3.6)):
        pencil.fill(oval(x, y, size, size), mix(second, _WHITE, 0.2))
    pencil.fill(star(56, -24, 10), _GOLD, outline=1.6)


def _crown(pencil: Pencil, who: Character) -> None:
    tips = np.array(
        [
            (24.0, 40.0),
            (18.0, 6.0),
            (37.0, 21.0),
            (56.0, -2.0),
            (75.0, 21.0),
            (94.0, 6.0),
            (88.0, 40.0),
            (56.0, 45.0),
        ]
    )
    pencil.fill(tips, _GOLD, outline=OUTLINE)
    band = curve((24.0, 36.0), (56.0, 40.5), (88.0, 36.0))
    pencil.line(band, mix(_GOLD, (190, 110, 20), 0.55), 3.0)
    for x, y, colour in (
        (18.0, 6.0, who.hat_colours[0]),
        (56.0, -2.0, who.hat_colours[1]),
        (94.0, 6.0, who.hat_colours[0]),
    ):
        pencil.fill(oval(x, y, 4.6, 4.6), colour, outline=1.4)
    pencil.fill(oval(56, 26, 5.2, 6.2), who.hat_colours[0], outline=1.3)


def _top_hat(pencil: Pencil, who: Character) -> None:
    main = mix(who.hat_colours[0], (40, 36, 56), 0.62)
    pencil.fill(
        np.vstack(
            [
                curve((30.0, 36.0), (27.0, 4.0), (24.0, -22.0)),
                curve((88.0, -22.0), (85.0, 4.0), (82.0, 36.0)),
            ]
        ),
        main,
        outline=OUTLINE,
    )
    pencil.fill(
        np.vstack([curve((29.4, 30.0), (28.3, 18.0)), curve((83.7, 18.0), (82.6, 30.0))]),
        who.hat_colours[1],
    )
    pencil.line(np.array([(34.0, 10.0), (31.5, -14.0)]), mix(main, _WHITE, 0.3), 3.0)
    pencil.fill(oval(56, 36, 49, 8.4), main, outline=OUTLINE)


def _bow(pencil: Pencil, who: Character) -> None:
    main = who.hat_colours[0]
    wing = np.array(
        [(80.0, 32.0), (84.0, 22.0), (98.0, 14.0), (101.0, 30.0), (97.0, 45.0), (84.0, 41.0)]
    )
    for points in (
        curve(*map(tuple, wing), closed=True),
        curve(*map(tuple, wing * (-1, 1) + (160, 0)), closed=True),
    ):
        pencil.fill(points, main, outline=OUTLINE)
    pencil.fill(oval(80, 31, 6.4, 7.2), mix(main, _WHITE, 0.25), outline=OUTLINE)


def _flowers(pencil: Pencil, who: Character) -> None:
    for place, (x, y) in enumerate(
        ((22.0, 43.0), (38.0, 33.0), (56.0, 29.5), (74.0, 33.0), (90.0, 43.0))
    ):
        petal = mix(who.hat_colours[place % 2], _WHITE, 0.2)
        for angle in np.radians(np.arange(0, 360, 72) - 90):
            pencil.fill(
                oval(x + 5.6 * np.cos(angle), y + 5.6 * np.sin(angle), 4.8, 4.8), petal, outline=1.1
            )
        pencil.fill(oval(x, y, 4.2, 4.2), _GOLD if petal != _GOLD else _WHITE)


def _headphones(pencil: Pencil, who: Character) -> None:
    main, second = who.hat_colours
    band = outline_of(who, grow=7.0, arc=(188.0, 352.0))
    pencil.line(band, ink(main), 9.0)
    pencil.line(band, main, 5.4)
    cup = oval(_side(who), 76, 10.5, 18, power=2.8)
    pad = oval(_side(who) + 2.0, 76, 5.0, 11, power=2.6)
    for points, colour in (
        (cup, main),
        (mirrored(cup), main),
        (pad, second),
        (mirrored(pad), second),
    ):
        pencil.fill(points, colour, outline=1.6)


def _side(who: Character) -> float:
    return 56.0 - who.half_width - 3.0


def _halo(pencil: Pencil, who: Character) -> None:
    ring = oval(56, 14, 32, 9)
    pencil.line(ring, mix(_GOLD, (170, 96, 10), 0.7), 8.6)
    pencil.line(ring, _GOLD, 5.4)
    pencil.line(oval(56, 13.4, 32, 9, arc=(150.0, 250.0)), mix(_GOLD, _WHITE, 0.7), 1.8)


def _sprout(pencil: Pencil, who: Character) -> None:
    green = (112, 190, 84)
    pencil.line(curve((56.0, 34.0), (55.0, 22.0), (56.0, 12.0)), ink(green), 4.6)
    pencil.line(curve((56.0, 34.0), (55.0, 22.0), (56.0, 12.0)), green, 2.2)
    leaf = curve((56.0, 13.0), (46.0, 0.0), (27.0, -2.0), (36.0, 13.0), closed=True)
    for points in (leaf, mirrored(leaf)):
        pencil.fill(points, green, outline=OUTLINE)
    pencil.line(curve((52.0, 9.0), (40.0, 4.0)), mix(green, _WHITE, 0.5), 1.5)


HATS: Mapping[str, Part] = {
    "none": _none,
    "beanie": _beanie,
    "cap": _cap,
    "party": _party,
    "crown": _crown,
    "top_hat": _top_hat,
    "bow": _bow,
    "flowers": _flowers,
    "headphones": _headphones,
    "halo": _halo,
    "sprout": _sprout,
}

_LENS_X, _LENS_Y = 36.5, 64.5


def _frame(pencil: Pencil, who: Character, lens: FloatArray, width: float = 3.4) -> None:
    bridge, arm = oval(56, 64, 6, 4.0, arc=(190.0, 350.0)), np.array([(19.0, 61.0), (10.5, 58.5)])
    for line in (
        bridge,
        arm,
        mirrored(arm),
        *(np.vstack([p, p[:1]]) for p in (lens, mirrored(lens))),
    ):
        pencil.line(line, ink(who.glasses_colour), width + 1.8)
    for line in (
        bridge,
        arm,
        mirrored(arm),
        *(np.vstack([p, p[:1]]) for p in (lens, mirrored(lens))),
    ):
        pencil.line(line, who.glasses_colour, width - 0.6)


def _dark_lenses(pencil: Pencil, who: Character, lens: FloatArray, tint: Colour) -> None:
    _frame(pencil, who, lens)
    for points, shift in ((lens, 0.0), (mirrored(lens), 39.0)):
        pencil.fill(points, tint)
        pencil.line(
            np.array([(31.0 + shift, 69.0), (40.0 + shift, 58.0)]), mix(tint, _WHITE, 0.5), 2.6
        )


def _round(pencil: Pencil, who: Character) -> None:
    _frame(pencil, who, oval(_LENS_X, _LENS_Y, 16.5, 16.5))


def _square(pencil: Pencil, who: Character) -> None:
    _frame(pencil, who, oval(_LENS_X, _LENS_Y, 17, 15, power=4.5))


def _shades(pencil: Pencil, who: Character) -> None:
    lens = curve(
        (19.0, 55.0),
        (36.0, 53.0),
        (53.0, 56.0),
        (50.0, 72.0),
        (37.0, 78.0),
        (23.0, 73.0),
        closed=True,
    )
    _dark_lenses(pencil, who, lens, (52, 48, 66))


def _heart_glasses(pencil: Pencil, who: Character) -> None:
    _dark_lenses(
        pencil, who, heart(_LENS_X, _LENS_Y, 17), mix(who.glasses_colour, (60, 30, 50), 0.35)
    )


def _star_glasses(pencil: Pencil, who: Character) -> None:
    _dark_lenses(
        pencil, who, star(_LENS_X - 0.5, _LENS_Y, 18.5), mix(who.glasses_colour, (60, 30, 50), 0.35)
    )


GLASSES: Mapping[str, Part] = {
    "none": _none,
    "round": _round,
    "square": _square,
    "shades": _shades,
    "hearts": _heart_glasses,
    "stars": _star_glasses,
}
