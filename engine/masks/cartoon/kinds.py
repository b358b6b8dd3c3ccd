"""The kinds of characters there are: people, animals, robots and visitors, as one table."""

from dataclasses import dataclass

from engine.masks.cartoon.pencil import Colour


@dataclass(frozen=True)
class Kind:
    """What the characters of one kind have in common; the dice choose one of each tuple."""

    coats: tuple[tuple[Colour, Colour], ...]
    ears: tuple[str, ...]
    marks: tuple[str, ...]
    noses: tuple[str, ...]
    mouths: tuple[str, ...]
    eyes: tuple[str, ...] = ("dot", "ball", "doll", "doll", "lashes", "happy", "wink", "sleepy")
    cheeks: tuple[str, ...] = ("none", "blush", "blush")
    squareness: tuple[float, float] = (2.1, 2.6)


_MOUTHS = ("smile", "smirk", "laugh", "laugh", "grin", "tongue", "oh", "smile")
_ANIMAL_MOUTHS = ("cat", "cat", "cat", "tongue", "oh", "laugh")
_WHITE = (252, 248, 244)

KINDS: dict[str, Kind] = {
    "human": Kind(
        coats=tuple(
            (skin, skin)
            for skin in (
                (255, 226, 200),
                (250, 209, 172),
                (238, 186, 140),
                (219, 160, 112),
                (186, 124, 82),
                (148, 94, 62),
                (124, 80, 56),
                (255, 214, 186),
            )
        ),
        ears=("human",),
        marks=("none",),
        noses=("button", "hook", "button", "none"),
        mouths=_MOUTHS,
        cheeks=("none", "blush", "blush", "freckles", "hearts"),
        eyes=(
            "dot",
            "ball",
            "doll",
            "doll",
            "lashes",
            "happy",
            "wink",
            "sleepy",
            "stars",
            "hearts",
        ),
    ),
    "cat": Kind(
        coats=(
            ((250, 178, 92), _WHITE),
            ((142, 146, 160), (226, 228, 236)),
            ((84, 76, 92), (176, 168, 184)),
            ((250, 236, 214), (255, 252, 246)),
            ((196, 150, 112), (246, 228, 206)),
        ),
        ears=("pointed",),
        marks=("muzzle", "tabby"),
        noses=("triangle",),
        mouths=_ANIMAL_MOUTHS,
        cheeks=("whiskers",),
    ),
    "tiger": Kind(
        coats=(((250, 160, 60), _WHITE), ((244, 240, 236), (255, 255, 255))),
        ears=("round",),
        marks=("stripes",),
        noses=("triangle",),
        mouths=(*_ANIMAL_MOUTHS, "fangs"),
        cheeks=("whiskers",),
    ),
    "dog": Kind(
        coats=(
            ((214, 164, 108), (250, 234, 208)),
            ((250, 240, 224), (255, 252, 246)),
            ((150, 104, 72), (236, 208, 176)),
            ((112, 108, 118), (226, 224, 228)),
        ),
        ears=("floppy",),
        marks=("dog", "patch"),
        noses=("big",),
        mouths=("tongue", "tongue", *_ANIMAL_MOUTHS),
    ),
    "bear": Kind(
        coats=(
            ((168, 114, 74), (234, 200, 158)),
            ((122, 82, 60), (206, 164, 124)),
            ((246, 244, 248), (255, 255, 255)),
            ((236, 172, 190), (255, 226, 232)),
        ),
        ears=("round",),
        marks=("muzzle",),
        noses=("big",),
        mouths=_ANIMAL_MOUTHS,
    ),
    "panda": Kind(
        coats=(((250, 250, 250), (255, 255, 255)),),
        ears=("panda",),
        marks=("patches",),
        noses=("big",),
        mouths=_ANIMAL_MOUTHS,
        eyes=("ball", "ball", "doll", "sleepy"),
    ),
    "fox": Kind(
        coats=(
            ((242, 124, 52), _WHITE),
            ((206, 84, 44), (255, 240, 224)),
            ((226, 232, 240), (255, 255, 255)),
        ),
        ears=("pointed",),
        marks=("fox",),
        noses=("triangle",),
        mouths=(*_ANIMAL_MOUTHS, "fangs"),
    ),
    "rabbit": Kind(
        coats=(
            ((250, 244, 244), (255, 255, 255)),
            ((214, 192, 176), (250, 242, 232)),
            ((190, 196, 214), (240, 242, 250)),
            ((255, 214, 222), (255, 244, 246)),
        ),
        ears=("long",),
        marks=("muzzle",),
        noses=("triangle",),
        mouths=("cat", "cat", "teeth"),
        cheeks=("blush", "whiskers", "blush"),
    ),
    "koala": Kind(
        coats=(((164, 172, 188), (228, 232, 240)), ((184, 168, 166), (238, 228, 224))),
        ears=("fluffy",),
        marks=("none",),
        noses=("koala",),
        mouths=("smile_low", "oh"),
    ),
    "pig": Kind(
        coats=(((255, 186, 196), (255, 214, 220)), ((244, 160, 174), (252, 196, 204))),
        ears=("folded",),
        marks=("none",),
        noses=("snout",),
        mouths=("smile", "laugh", "tongue", "oh"),
    ),
    "monkey": Kind(
        coats=(((150, 98, 66), (250, 216, 176)), ((116, 84, 76), (240, 204, 176))),
        ears=("human",),
        marks=("monkey",),
        noses=("button",),
        mouths=_MOUTHS,
    ),
    "frog": Kind(
        coats=(
            ((122, 200, 92), (214, 240, 178)),
            ((72, 176, 136), (200, 238, 214)),
            ((176, 208, 72), (236, 246, 190)),
        ),
        ears=("none",),
        marks=("belly",),
        noses=("none",),
        mouths=("smile", "laugh", "tongue", "smirk"),
        eyes=("ball", "ball", "sleepy"),
        squareness=(2.3, 2.7),
    ),
    "bird": Kind(
        coats=(
            ((255, 218, 84), (255, 240, 170)),
            ((104, 186, 232), (226, 244, 255)),
            ((240, 98, 92), (255, 216, 206)),
            ((84, 92, 118), (250, 250, 252)),
        ),
        ears=("tuft",),
        marks=("bib",),
        noses=("none",),
        mouths=("beak",),
    ),
    "robot": Kind(
        coats=(
            ((178, 192, 208), (226, 234, 242)),
            ((116, 196, 206), (206, 240, 242)),
            ((246, 190, 96), (255, 232, 186)),
            ((226, 122, 118), (250, 206, 200)),
            ((160, 150, 214), (222, 216, 246)),
        ),
        ears=("bolts",),
        marks=("panel",),
        noses=("none",),
        mouths=("grille", "grille", "smile", "grin"),
        eyes=("lamp", "lamp", "ball", "hearts"),
        cheeks=("none", "blush"),
        squareness=(3.6, 5.0),
    ),
    "alien": Kind(
        coats=(
            ((150, 214, 150), (206, 244, 200)),
            ((176, 150, 226), (224, 208, 250)),
            ((110, 196, 222), (200, 238, 248)),
            ((240, 150, 196), (255, 214, 234)),
        ),
        ears=("antennae",),
        marks=("spots",),
        noses=("none",),
        mouths=(*_MOUTHS, "fangs"),
    ),
}
