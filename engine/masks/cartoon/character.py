"""Who is drawn: the dice that make one character of a seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from engine.masks.cartoon.kinds import KINDS
from engine.masks.cartoon.pencil import Colour, mix

T = TypeVar("T")

_HAIR_COLOURS: tuple[Colour, ...] = (
    (48, 38, 44),
    (82, 54, 40),
    (128, 82, 48),
    (176, 120, 64),
    (232, 190, 108),
    (200, 92, 48),
    (152, 152, 162),
    (226, 226, 232),
    (236, 110, 150),
    (98, 132, 220),
    (92, 178, 150),
    (150, 96, 196),
)
_IRISES: tuple[Colour, ...] = (
    (96, 60, 36),
    (66, 138, 214),
    (74, 160, 100),
    (150, 100, 50),
    (134, 92, 190),
    (232, 150, 40),
    (60, 176, 180),
)
_BRIGHT: tuple[Colour, ...] = (
    (232, 72, 78),
    (246, 148, 56),
    (252, 208, 74),
    (92, 184, 104),
    (58, 168, 190),
    (72, 112, 212),
    (146, 98, 204),
    (238, 116, 164),
    (60, 64, 84),
    (244, 240, 232),
)
_HAIRS = (
    "short",
    "swept",
    "fringe",
    "bob",
    "long",
    "curly",
    "afro",
    "spiky",
    "bun",
    "mohawk",
    "pigtails",
    "bald",
)
_HATS = (
    "beanie",
    "cap",
    "party",
    "crown",
    "top_hat",
    "bow",
    "flowers",
    "headphones",
    "halo",
    "sprout",
)
_GLASSES = ("round", "square", "shades", "hearts", "stars")


@dataclass(frozen=True)
class Character:
    """Everything that the drawing of one sticker depends on."""

    kind: str
    coat: Colour
    light: Colour
    half_width: float
    half_height: float
    squareness: float
    ears: str
    marks: str
    nose: str
    mouth: str
    eyes: str
    iris: Colour
    gaze: tuple[float, float]
    brows: str
    cheeks: str
    hair: str
    hair_colour: Colour
    beard: str
    hat: str
    hat_colours: tuple[Colour, Colour]
    glasses: str
    glasses_colour: Colour

    @property
    def nose_colour(self) -> Colour:
        """Colour of an animal's nose."""
        pink = self.kind in ("cat", "rabbit", "tiger")
        return (236, 122, 140) if pink else (62, 46, 56)

    @property
    def brow_colour(self) -> Colour:
        """Colour of the brows: that of the hair, or a dark shade of the coat."""
        return self.hair_colour if self.kind == "human" else mix(self.coat, (40, 28, 40), 0.7)

    @property
    def around_eyes(self) -> Colour:
        """Colour of the eyelids."""
        return (74, 66, 78) if self.marks == "patches" else self.coat

    @property
    def mouth_ground(self) -> Colour:
        """Colour that the mouth is drawn on."""
        return (
            self.light
            if self.marks
            in ("muzzle", "tabby", "dog", "patch", "patches", "fox", "stripes", "monkey")
            else self.coat
        )


def character(seed: int) -> Character:
    """Roll a character.

    Args:
        seed: 0 or more; equal seeds give equal characters.

    Returns:
        The character.
    """
    rng = np.random.default_rng(seed)
    # A third of all characters are people: drawn evenly, one kind in fifteen would be.
    name = "human" if rng.random() < 0.34 else _pick(rng, tuple(KINDS)[1:])
    kind = KINDS[name]
    coat, light = _pick(rng, kind.coats)
    human, first = name == "human", _pick(rng, _BRIGHT)
    return Character(
        kind=name,
        coat=coat,
        light=light,
        half_width=float(rng.uniform(43.0, 47.0)),
        half_height=float(rng.uniform(47.0, 49.5)),
        squareness=float(rng.uniform(*kind.squareness)),
        ears=_pick(rng, kind.ears),
        marks=_pick(rng, kind.marks),
        nose=_pick(rng, kind.noses),
        mouth=_pick(rng, kind.mouths),
        eyes=_pick(rng, kind.eyes),
        iris=_pick(rng, _BRIGHT[:8] if name == "robot" else _IRISES),
        gaze=(float(rng.uniform(-2.5, 2.5)), float(rng.uniform(-1.5, 2.0))),
        brows=_pick(
            rng, ("flat", "raised", "bold", "keen") if human else ("none", "none", "none", "raised")
        ),
        cheeks=_pick(rng, kind.cheeks),
        hair=_pick(rng, _HAIRS) if human else "none",
        hair_colour=_pick(rng, tuple(c for c in _HAIR_COLOURS if _apart(c, coat))),
        beard=_pick(rng, ("none", "none", "none", "none", "moustache", "beard"))
        if human
        else "none",
        hat=_pick(rng, _HATS) if rng.random() < 0.5 else "none",
        hat_colours=(first, _pick(rng, tuple(c for c in _BRIGHT if c != first))),
        glasses=_pick(rng, _GLASSES) if rng.random() < 0.3 else "none",
        glasses_colour=_pick(rng, _BRIGHT),
    )


def _pick(rng: np.random.Generator, choices: Sequence[T]) -> T:
    return choices[int(rng.integers(len(choices)))]


def _apart(colour: Colour, other: Colour) -> bool:
    return sum(abs(a - b) for a, b in zip(colour, other, strict=True)) > 90
