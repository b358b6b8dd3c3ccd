"""What stands in for a face: one signature for every mask maker, one literal table of them.

Strengths in pixels are given for a face of 112 px, the size of the papers' faces. Sources: PRO-Face
S (Yuan et al., experiments) for filters and sticker; FIT (Gu et al., ECCV 2020) for the baselines.
"""

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from engine.errors import ImageShapeError, MaskError
from engine.masks.baselines import box, edge, extreme_blur, noise, superpixel
from engine.masks.filters import gaussian, median, pixelate
from engine.masks.sticker import sticker

__all__ = ["MASKS", "MaskEntry", "MaskMaker", "find_mask", "make_mask", "mask_label"]

Strength = Mapping[str, float]
"""Strengths by name: the keyword arguments of one mask maker."""

Preset = Literal["scaled", "paper"]

_NATIVE_SIDE = 112
_LARGEST_PAPER_SIDE = 168  # half as much again: on larger faces the papers' pixels hide too little
_SMALLEST_SIDE = 2
_LARGEST_SIDE = 16384
_SMALLEST_SIGMA = 1.0  # a narrower Gaussian gives a face of a few pixels back as it was


class MaskMaker(Protocol):
    """The signature of every mask maker: ``make(face_u8, *, landmarks, seed, **strength)``.

    A maker leaves the face that it is given unchanged, and makes equal masks from equal arguments.
    """

    # *args and **kwargs of Any stand for the strengths: each maker names its own.
    def __call__(
        self, face_u8: npt.NDArray[np.uint8], /, *args: Any, **kwargs: Any
    ) -> npt.NDArray[np.uint8]:
        """Make a mask; :func:`make_mask` says what goes in and what comes out."""
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
    """

    name: str
    make: MaskMaker
    description: str
    needs_landmarks: bool
    defaults: Strength
    sample: Callable[[np.random.Generator], dict[str, float]]
    paper: Strength
    lengths: tuple[str, ...] = ()


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
}


def make_mask(
    name: str,
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    preset: Preset = "scaled",
    strength: Strength | None = None,
) -> npt.NDArray[np.uint8]:
    """Make the picture that people see in place of a face.

    Args:
        name: a key of ``MASKS``.
        face_u8: face, ``(H, W, 3)`` RGB, 2 pixels or more each way.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order; None where they are not known. Only
            the masks that need landmarks look at them.
        seed: chooses among the masks that one name can make, 0 or more.
        preset: "scaled" grows strengths in pixels with the face, by min(H, W) / 112; "paper" takes
            the papers' numbers as they are, for faces of at most 168 px on their shorter side.
        strength: replaces strengths of the preset; scaled like them.

    Returns:
        The mask, a new array of the shape of ``face_u8``.

    Raises:
        ImageShapeError: the face is not ``(H, W, 3)`` in 8 bits.
        MaskError: unknown mask or strength, a strength outside its range, landmarks that cannot be
            used, a negative seed, a face of under 2 or over 16,384 pixels one way, or one too
            large for the "paper" preset.

    Example:
        >>> face_u8 = np.zeros((112, 96, 3), np.uint8)
        >>> make_mask("pixelate", face_u8, preset="paper").shape
        (112, 96, 3)
    """
    entry = find_mask(name)
    side = _checked_side(face_u8)
    if seed < 0:
        raise MaskError(f"seed must be 0 or more, got {seed}", hint="any whole number from 0 on")
    base = _preset_of(entry, preset)
    if preset == "paper" and side > _LARGEST_PAPER_SIDE:
        raise MaskError(
            f"paper settings are for faces of 112 px, got {face_u8.shape[0]} x {face_u8.shape[1]}",
            hint="leave out --preset paper",
        )
    values = _merged(entry, base, strength)
    if preset == "scaled":
        for key in entry.lengths:
            values[key] = _scaled(key, values[key], side / _NATIVE_SIDE)
    return entry.make(np.ascontiguousarray(face_u8), landmarks=landmarks, seed=seed, **values)


def mask_label(name: str, strength: Strength | None = None, *, preset: Preset = "scaled") -> str:
    """Write a mask and its strengths as one short line, equal for equal masks.

    Strengths in pixels that grow with the face are marked with the size that they are given for.

    Args:
        name: a key of ``MASKS``.
        strength: replaces strengths of the preset; to six digits.
        preset: as for :func:`make_mask`.

    Returns:
        At most 64 ASCII characters.

    Raises:
        MaskError: unknown mask, preset or strength, or a strength that is not a number.

    Example:
        >>> mask_label("gaussian", {"sigma": 6.5})
        'gaussian:kernel=21,sigma=6.5 at 112 px'
        >>> mask_label("gaussian", preset="paper")
        'gaussian:kernel=21,sigma=8'
    """
    entry = find_mask(name)
    values = _merged(entry, _preset_of(entry, preset), strength)
    words = ",".join(f"{key}={values[key]:g}" for key in sorted(values))
    size = f" at {_NATIVE_SIDE} px" if preset == "scaled" and entry.lengths else ""
    return f"{name}:{words}{size}" if words else name


def _preset_of(entry: MaskEntry, preset: Preset) -> Strength:
    if preset not in ("scaled", "paper"):
        raise MaskError(f"unknown preset {preset!r}", hint="known: scaled, paper")
    return entry.defaults if preset == "scaled" else entry.paper


def _merged(entry: MaskEntry, base: Strength, strength: Strength | None) -> dict[str, float]:
    values = {**base, **(strength or {})}
    for key, value in values.items():
        if key not in entry.defaults:
            known = ", ".join(entry.defaults) or "none"
            raise MaskError(f"{entry.name} has no strength {key!r}", hint=f"known: {known}")
        if not isinstance(value, Real) or not math.isfinite(value):
            raise MaskError(f"{key} must be a finite number", hint=f"say {entry.defaults[key]:g}")
        if value < 0:
            raise MaskError(f"{key} must not be negative, got {value:g}", hint="leave it out")
    return values


def _checked_side(face_u8: npt.NDArray[np.uint8]) -> int:
    if face_u8.dtype != np.uint8 or face_u8.ndim != 3 or face_u8.shape[2] != 3:
        raise ImageShapeError(
            f"face must be (H, W, 3) uint8, got {face_u8.shape} {face_u8.dtype}",
            hint="convert it to 8-bit RGB first",
        )
    side = int(min(face_u8.shape[:2]))
    if side < _SMALLEST_SIDE:
        raise MaskError(
            f"face must be 2 pixels or more each way, got {face_u8.shape[0]} x {face_u8.shape[1]}",
            hint="nothing can hide in a single row: give the box more room",
        )
    if max(face_u8.shape[:2]) > _LARGEST_SIDE:
        raise MaskError(
            f"face must be {_LARGEST_SIDE} pixels or less each way, got {face_u8.shape[:2]}",
            hint="reduce the picture first",
        )
    return side


def _scaled(key: str, value: float, factor: float) -> float:
    if key == "kernel":
        return max(3, 2 * math.floor((value * factor - 1) / 2 + 0.5) + 1)
    if key == "block":
        return max(2, math.floor(value * factor + 0.5))
    return max(_SMALLEST_SIGMA, value * factor)


def find_mask(name: str) -> MaskEntry:
    """Return a mask by name; MaskError where there is none."""
    if name in MASKS:
        return MASKS[name]
    close = difflib.get_close_matches(name, MASKS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(MASKS)}"
    raise MaskError(f"unknown mask {name!r}", hint=hint)
