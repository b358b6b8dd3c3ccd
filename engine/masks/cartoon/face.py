"""What lies below a cartoon's eyes: noses, mouths and cheeks."""

from collections.abc import Callable, Mapping

import numpy as np

from engine.masks.cartoon.character import Character
from engine.masks.cartoon.pencil import Colour, Pencil, curve, heart, ink, mirrored, mix, oval

_DARK: Colour = (44, 34, 48)
_WHITE: Colour = (255, 255, 255)
_EYE_Y = 64.0
_EYE_X = (37.0, 75.0)
_MOUTH_Y = 97.0

Part = Callable[[Pencil, Character], None]


def _smile(pencil: Pencil, who: Character) -> None:
    pencil.line(oval(56, _MOUTH_Y - 6, 14, 11, arc=(20.0, 160.0)), _DARK, 2.4)


def _smirk(pencil: Pencil, who: Character) -> None:
    pencil.line(curve((45.0, 98.0), (54.0, 101.5), (64.0, 99.5), (70.0, 93.0)), _DARK, 2.4)


def _laugh(pencil: Pencil, who: Character) -> None:
    mouth = np.vstack(
        [oval(56, 92, 18, 16, arc=(0.0, 180.0)), curve((38.0, 92.0), (56.0, 94.0), (74.0, 92.0))]
    )
    pencil.fill(mouth, (122, 32, 46))
    pencil.fill(oval(56, 104.4, 9.5, 4.6), (240, 112, 122))
    pencil.fill(
        np.vstack(
            [
                curve((41.0, 92.6), (56.0, 94.2), (71.0, 92.6)),
                curve((68.5, 97.0), (56.0, 98.8), (43.5, 97.0)),
            ]
        ),
        _WHITE,
    )
    pencil.line(np.vstack([mouth, mouth[:1]]), _DARK, 2.0)


def _grin(pencil: Pencil, who: Character) -> None:
    teeth = oval(56, _MOUTH_Y, 17, 7, power=3.2)
    pencil.fill(teeth, _WHITE)
    for x in (46.5, 56.0, 65.5):
        pencil.line(np.array([(x, _MOUTH_Y - 6.2), (x, _MOUTH_Y + 6.2)]), (206, 206, 216), 1.0)
    pencil.line(teeth, _DARK, 2.0)


def _cat(pencil: Pencil, who: Character) -> None:
    half = curve((56.0, 93.0), (53.5, 98.5), (47.0, 99.5), (41.5, 95.0))
    for line in (half, mirrored(half)):
        pencil.line(line, _DARK, 2.3)


def _tongue(pencil: Pencil, who: Character) -> None:
    pencil.fill(oval(59, 101, 6.8, 8.4), (242, 112, 126), outline=1.5)
    pencil.line(np.array([(59.0, 99.0), (59.0, 104.0)]), (205, 70, 92), 1.2)
    pencil.fill(oval(59, 93, 7.6, 5.2), who.mouth_ground)
    pencil.line(oval(56, _MOUTH_Y - 8, 15, 9.5, arc=(15.0, 165.0)), _DARK, 2.4)


def _oh(pencil: Pencil, who: Character) -> None:
    pencil.fill(oval(56, _MOUTH_Y, 6.4, 7.8), (122, 32, 46), outline=1.8)
    pencil.fill(oval(56, _MOUTH_Y + 4.0, 3.8, 2.6), (240, 112, 122))


def _fangs(pencil: Pencil, who: Character) -> None:
    for x in (48.0, 64.0):
        pencil.fill(np.array([(x - 3.0, 99.4), (x + 3.0, 99.4), (x, 106.5)]), _WHITE, outline=1.1)
    pencil.line(oval(56, _MOUTH_Y - 6.5, 17, 10.5, arc=(20.0, 160.0)), _DARK, 2.4)


def _teeth(pencil: Pencil, who: Character) -> None:
    for x in (52.6, 59.4):
        pencil.fill(oval(x, 102, 3.5, 5.4, power=3.0), _WHITE, outline=1.3)
    _cat(pencil, who)


def _smile_low(pencil: Pencil, who: Character) -> None:
    pencil.line(oval(56, 96, 10, 8, arc=(20.0, 160.0)), _DARK, 2.3)


def _grille(pencil: Pencil, who: Character) -> None:
    pencil.fill(oval(56, _MOUTH_Y, 20, 7.6, power=5.0), mix(who.coat, _DARK, 0.75), outline=1.4)
    for x in (42.0, 49.0, 56.0, 63.0, 70.0):
        pencil.fill(oval(x, _MOUTH_Y, 2.3, 4.8, power=4.0), who.iris)


def _beak(pencil: Pencil, who: Character) -> None:
    orange = (247, 148, 40)
    pencil.fill(oval(56, 96, 11, 8.5), mix(orange, (160, 60, 20), 0.4), outline=1.6)
    upper = curve((39.0, 90.0), (56.0, 78.0), (73.0, 90.0), (56.0, 97.0), closed=True)
    pencil.fill(upper, orange, outline=1.8)
    pencil.fill(oval(51, 86, 3.4, 1.8, tilt=-18), mix(orange, _WHITE, 0.55))


MOUTHS: Mapping[str, Part] = {
    "smile": _smile,
    "smirk": _smirk,
    "laugh": _laugh,
    "grin": _grin,
    "cat": _cat,
    "tongue": _tongue,
    "oh": _oh,
    "fangs": _fangs,
    "teeth": _teeth,
    "smile_low": _smile_low,
    "grille": _grille,
    "beak": _beak,
}


def _no_nose(pencil: Pencil, who: Character) -> None:
    return


def _button(pencil: Pencil, who: Character) -> None:
    colour = mix(who.coat, (208, 84, 70), 0.32)
    pencil.fill(oval(56, 80, 5.4, 4.4), colour)
    pencil.fill(oval(54.4, 78.6, 1.6, 1.1), mix(colour, _WHITE, 0.6))


def _hook(pencil: Pencil, who: Character) -> None:
    pencil.line(
        curve((57.5, 73.0), (60.5, 80.0), (57.5, 83.0), (53.0, 82.0)),
        mix(who.coat, _DARK, 0.5),
        2.0,
    )


def _triangle(pencil: Pencil, who: Character) -> None:
    nose = curve((49.5, 81.0), (56.0, 80.0), (62.5, 81.0), (56.0, 88.0), closed=True)
    pencil.fill(nose, who.nose_colour, outline=1.3)
    pencil.line(np.array([(56.0, 88.0), (56.0, 93.0)]), _DARK, 2.0)


def _big(pencil: Pencil, who: Character) -> None:
    pencil.fill(oval(56, 81, 10.5, 7.4, power=2.4), who.nose_colour, outline=1.4)
    pencil.fill(oval(52.4, 78.2, 3.4, 1.8, tilt=-12), mix(who.nose_colour, _WHITE, 0.5))
    pencil.line(np.array([(56.0, 88.0), (56.0, 93.0)]), _DARK, 2.0)


def _snout(pencil: Pencil, who: Character) -> None:
    pencil.fill(oval(56, 81.5, 16, 10.5), mix(who.coat, (226, 96, 120), 0.35), outline=1.6)
    for x in (50.0, 62.0):
        pencil.fill(oval(x, 81.5, 2.8, 4.2), mix(who.coat, (120, 40, 60), 0.75))


def _koala(pencil: Pencil, who: Character) -> None:
    pencil.fill(oval(56, 77, 9.5, 14, power=2.3), who.nose_colour, outline=1.4)
    pencil.fill(oval(53, 69.5, 3.0, 3.8, tilt=20), mix(who.nose_colour, _WHITE, 0.35))


NOSES: Mapping[str, Part] = {
    "none": _no_nose,
    "button": _button,
    "hook": _hook,
    "triangle": _triangle,
    "big": _big,
    "snout": _snout,
    "koala": _koala,
}


def draw_cheeks(pencil: Pencil, who: Character) -> None:
    """Draw blush, freckles, hearts or whiskers.

    Args:
        pencil: what to draw on.
        who: the character.
    """
    pink = mix(who.coat, (250, 92, 110), 0.42)
    for side in (lambda points: points, mirrored):
        if who.cheeks == "blush":
            pencil.fill(side(oval(27, 82, 8.0, 5.2)), pink)
        elif who.cheeks == "freckles":
            for x, y in ((23.0, 79.0), (29.0, 77.5), (27.0, 83.0), (33.0, 82.0)):
                pencil.fill(side(oval(x, y, 1.5, 1.5)), mix(who.coat, (120, 60, 30), 0.5))
        elif who.cheeks == "hearts":
            pencil.fill(side(heart(26, 83, 6.0)), mix(who.coat, (244, 70, 100), 0.75))
        elif who.cheeks == "whiskers":
            for y, end in ((84.0, 80.0), (88.0, 88.0), (92.0, 96.0)):
                pencil.line(
                    side(curve((32.0, y), (22.0, (y + end) / 2 - 0.8), (11.0, end))),
                    ink(who.coat),
                    1.5,
                )
