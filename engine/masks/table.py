"""The literal table of masks: what each is called, makes, needs, and how strong it is.

Strengths in pixels are given for a face of 112 px, the size of the papers' faces. Sources: PRO-Face
S (Yuan et al., experiments) for filters and sticker; FIT (Gu et al., ECCV 2020) for the baselines;
Newton et al., 2005, for k-Same; Chen et al. (SimSwap), ACM MM 2020.

A mask that draws with a network loads it when it is first made, through :mod:`engine.zoo`: the
table itself needs neither torch nor weights.
"""

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from engine.agents import GALLERY
from engine.errors import MaskError
from engine.masks.baselines import box, edge, extreme_blur, noise, superpixel
from engine.masks.diffusion import diffusion
from engine.masks.enhance import ENHANCED, ENHANCER
from engine.masks.filters import gaussian, median, pixelate
from engine.masks.ksame import MODEL as AVERAGES
from engine.masks.ksame import ksame
from engine.masks.sticker import sticker
from engine.masks.swap import FACESHIFTER, GALLERIES, SIMSWAP, faceshifter, simswap
from engine.zoo import IDENTITIES, LANDMARKS, RECOGNIZER, RELEASED

Strength = Mapping[str, float]
"""Strengths by name: the keyword arguments of one mask maker."""


class MaskMaker(Protocol):
    """The signature of every mask maker: ``make(face_u8, *, landmarks, seed, **strength)``.

    A maker leaves the face that it is given unchanged, and makes equal masks from equal arguments.
    """

    # *args and **kwargs of Any stand for the strengths: each maker names its own.
    def __call__(
        self, face_u8: npt.NDArray[np.uint8], /, *args: Any, **kwargs: Any
    ) -> npt.NDArray[np.uint8]:
        """Make a mask; :func:`engine.masks.make_mask` says what goes in and what comes out."""
        ...


@dataclass(frozen=True)
class MaskEntry:
    """One mask of the table.

    Attributes:
        name: as users write it.
        make: the maker.
        description: one plain sentence for people who choose.
        needs_landmarks: whether the mask lies where the face is; without landmarks such a mask
            covers the middle of the box.
        defaults: strengths of the ``scaled`` preset, for a face of 112 px.
        sample: rolls the strengths of one training mask, for a face of 112 px.
        paper: strengths of the ``paper`` preset, the papers' test settings at 112 px.
        lengths: the strengths that are pixels, and so grow with the face.
        replaces: whether it lays another face over this one, which cannot be done without
            landmarks.
        seeded: whether a seed chooses what is drawn, and may be known; noise is not, since
            noise of a known seed could be subtracted again.
        takes_model: whether it draws with a network that the user names.
        takes_source: whether it can lay the face of a person whom the user names.
        models: released, that it draws with, or that say whether the person is still known.
    """

    name: str
    make: MaskMaker
    description: str
    needs_landmarks: bool
    defaults: Strength
    sample: Callable[[np.random.Generator], dict[str, float]]
    paper: Strength
    lengths: tuple[str, ...] = ()
    replaces: bool = False
    seeded: bool = False
    takes_model: bool = False
    takes_source: bool = False
    models: tuple[str, ...] = ()


MASKS: dict[str, MaskEntry] = {
    "gaussian": MaskEntry(
        name="gaussian",
        make=gaussian,
        description="Blurs the face softly",
        needs_landmarks=False,
        defaults={"kernel": 21, "sigma": 8},
        sample=lambda rng: {"kernel": 21, "sigma": float(rng.uniform(6, 10))},
        paper={"kernel": 21, "sigma": 8},
        lengths=("kernel", "sigma"),
    ),
    "pixelate": MaskEntry(
        name="pixelate",
        make=pixelate,
        description="Turns the face into a mosaic of plain squares",
        needs_landmarks=False,
        defaults={"block": 9},
        sample=lambda rng: {"block": int(rng.integers(5, 14))},
        paper={"block": 9},
        lengths=("block",),
    ),
    "median": MaskEntry(
        name="median",
        make=median,
        description="Smooths the face into flat patches, like a painting",
        needs_landmarks=False,
        defaults={"kernel": 15},
        # The paper rolls 8 to 22; a median needs a middle pixel, so the odd ones of them: 9 to 21.
        sample=lambda rng: {"kernel": 2 * int(rng.integers(4, 11)) + 1},
        paper={"kernel": 15},
        lengths=("kernel",),
    ),
    "sticker": MaskEntry(
        name="sticker",
        make=sticker,
        description="Puts a cartoon character over the face",
        needs_landmarks=True,
        seeded=True,
        defaults={},
        sample=lambda rng: {},
        paper={},
    ),
    "superpixel": MaskEntry(
        name="superpixel",
        make=superpixel,
        description="Breaks the face into shards of one colour each",
        needs_landmarks=False,
        defaults={"segments": 40, "compactness": 20},
        sample=lambda rng: {"segments": int(rng.integers(30, 61)), "compactness": 20},
        paper={"segments": 40, "compactness": 20},
    ),
    "edge": MaskEntry(
        name="edge",
        make=edge,
        description="Leaves a line drawing of the face, which may still be recognised",
        needs_landmarks=False,
        defaults={"sigma": 1.4, "dark": 0},
        sample=lambda rng: {"sigma": float(rng.uniform(1, 2)), "dark": int(rng.integers(2))},
        paper={"sigma": 1.4, "dark": 0},
        lengths=("sigma",),
    ),
    "extreme_blur": MaskEntry(
        name="extreme_blur",
        make=extreme_blur,
        description="Keeps eight by eight pixels of the face and enlarges them",
        needs_landmarks=False,
        defaults={"size": 8},
        sample=lambda rng: {"size": int(rng.integers(6, 11))},
        paper={"size": 8},
    ),
    "noise": MaskEntry(
        name="noise",
        make=noise,
        description="Buries the face in coloured noise",
        needs_landmarks=False,
        defaults={"variance": 0.5},
        sample=lambda rng: {"variance": float(rng.uniform(0.4, 0.6))},
        paper={"variance": 0.5},
    ),
    "box": MaskEntry(
        name="box",
        make=box,
        description="Covers the face with a grey rectangle",
        needs_landmarks=True,
        defaults={"fraction": 0.8, "follow": 1},
        sample=lambda rng: {"fraction": float(rng.uniform(0.7, 0.9)), "follow": 1},
        paper={"fraction": 0.6, "follow": 0},
    ),
    "ksame": MaskEntry(
        name="ksame",
        make=ksame,
        description="Lays the average of ten other faces over the face",
        needs_landmarks=True,
        seeded=True,
        defaults={"choices": 40, "character": 1.6, "enhance": 1},
        sample=lambda rng: {
            "choices": 40,
            "character": float(rng.uniform(1, 2.5)),
            "enhance": int(rng.integers(2)),
        },
        # k-Same draws the average as it is.
        paper={"choices": 40, "character": 1, "enhance": 0},
        replaces=True,
        models=(LANDMARKS, AVERAGES, ENHANCER, RECOGNIZER),
    ),
    "simswap": MaskEntry(
        name="simswap",
        make=simswap,
        description="Gives the face the features of nobody, in its own pose and light",
        needs_landmarks=True,
        seeded=True,
        defaults={"enhance": ENHANCED},
        sample=lambda rng: {"enhance": int(rng.integers(2))},
        paper={"enhance": 0},
        replaces=True,
        takes_source=True,
        models=(LANDMARKS, SIMSWAP, GALLERY, AVERAGES, ENHANCER, IDENTITIES, RECOGNIZER),
    ),
    "faceshifter": MaskEntry(
        name="faceshifter",
        make=faceshifter,
        description="As simswap, with a second network and other identities",
        needs_landmarks=True,
        seeded=True,
        defaults={"enhance": ENHANCED},
        sample=lambda rng: {"enhance": int(rng.integers(2))},
        paper={"enhance": 0},
        replaces=True,
        takes_source=True,
        models=(
            LANDMARKS,
            FACESHIFTER,
            GALLERIES[FACESHIFTER],
            AVERAGES,
            ENHANCER,
            IDENTITIES,
            RECOGNIZER,
        ),
    ),
    "diffusion": MaskEntry(
        name="diffusion",
        make=diffusion,
        description="Paints another face with a diffusion model that you name",
        needs_landmarks=True,
        seeded=True,
        defaults={"steps": 30, "guidance": 7.5},
        sample=lambda rng: {"steps": 30, "guidance": float(rng.uniform(5, 10))},
        paper={"steps": 30, "guidance": 7.5},
        replaces=True,
        takes_model=True,
    ),
}


def find_mask(name: str) -> MaskEntry:
    """Return a mask by name; MaskError where there is none."""
    if name in MASKS:
        return MASKS[name]
    close = difflib.get_close_matches(name, MASKS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(MASKS)}"
    raise MaskError(f"unknown mask {name!r}", hint=hint)


def weights_of(names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of the released models that masks draw with, by the models' names."""
    return {model: RELEASED[model] for name in names for model in find_mask(name).models}
