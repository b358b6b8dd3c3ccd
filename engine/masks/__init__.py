"""What stands in for a face: one signature for every mask maker, one literal table of them."""

import math
from collections.abc import Iterable
from numbers import Real
from typing import Literal

import numpy as np
import numpy.typing as npt

from engine.errors import ImageShapeError, MaskError
from engine.masks.table import MASKS, MaskEntry, MaskMaker, Strength, find_mask, weights_of
from engine.sources import Source

__all__ = [
    "MASKS",
    "MaskEntry",
    "MaskMaker",
    "Preset",
    "Strength",
    "check_takes_source",
    "checked_model",
    "find_mask",
    "make_mask",
    "mask_label",
    "models_of",
    "strengths_of",
    "weights_of",
]

Preset = Literal["scaled", "paper"]

_NATIVE_SIDE = 112
_LARGEST_PAPER_SIDE = 168  # half as much again: on larger faces the papers' pixels hide too little
_SMALLEST_SIDE = 2
_LONGEST_LABEL = 64
_LARGEST_SIDE = 16384
_SMALLEST_SIGMA = 1.0  # a narrower Gaussian gives a face of a few pixels back as it was


def make_mask(
    name: str,
    face_u8: npt.NDArray[np.uint8],
    *,
    landmarks: npt.ArrayLike | None = None,
    seed: int = 0,
    preset: Preset = "scaled",
    strength: Strength | None = None,
    model: str = "",
    source: Source | None = None,
) -> npt.NDArray[np.uint8]:
    """Make the picture that people see in place of a face.

    Args:
        name: a key of ``MASKS``.
        face_u8: face, ``(H, W, 3)`` RGB, 2 pixels or more each way.
        landmarks: ``(5, 2)`` x, y in pixels in ArcFace order; None where they are not known. Only
            the masks that need landmarks look at them, and those that replace the face cannot be
            made without.
        seed: chooses among the masks that one name can make, 0 or more.
        preset: "scaled" grows strengths in pixels with the face, by min(H, W) / 112; "paper" takes
            the papers' numbers as they are, for faces of at most 168 px on their shorter side.
        strength: replaces strengths of the preset; scaled like them.
        model: of a mask that takes one, such as ``"diffusion"``: name or path of its network.
        source: of a mask that takes one, such as ``"simswap"``: whose face it lays.

    Returns:
        The mask, a new array of the shape of ``face_u8``.

    Raises:
        ImageShapeError: the face is not ``(H, W, 3)`` in 8 bits.
        LandmarksError: landmarks that cannot be used, or none where the mask needs them.
        MaskError: unknown mask or strength, a strength outside its range, a negative seed, a face
            of under 2 or over 16,384 pixels one way, or one too large for the "paper" preset; a
            model that is missing; a model or source that the mask does not take.
        ModelError: the mask's network cannot be loaded.

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
            f"paper settings are for faces of up to {_LARGEST_PAPER_SIDE} px, got {side}",
            hint="leave out --preset paper",
        )
    values = _merged(entry, base, strength)
    named = _named(name, model, source)
    if preset == "scaled":
        for key in entry.lengths:
            values[key] = _scaled(key, values[key], side / _NATIVE_SIDE)
    return entry.make(
        np.ascontiguousarray(face_u8), landmarks=landmarks, seed=seed, **values, **named
    )


def _named(name: str, model: str, source: Source | None) -> dict[str, object]:
    """What the user names for a mask beside its strengths."""
    named: dict[str, object] = {}
    if checked_model(name, model):
        named["model"] = model
    if source is not None:
        check_takes_source(name)
        named["source"] = source
    return named


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
    values = strengths_of(name, preset, strength)
    size = f" at {_NATIVE_SIDE} px" if preset == "scaled" and entry.lengths else ""
    for digits in (6, 3):  # three where they are so large or small that six would be too long
        words = ",".join(f"{key}={values[key]:.{digits}g}" for key in sorted(values))
        label = f"{name}:{words}{size}" if words else name
        if len(label) <= _LONGEST_LABEL:
            break
    return label


def strengths_of(
    name: str, preset: Preset = "scaled", strength: Strength | None = None
) -> dict[str, float]:
    """Strengths of a mask by name, those in pixels for a face of 112 px; as :func:`make_mask`.

    Raises:
        MaskError: as :func:`mask_label`.
    """
    entry = find_mask(name)
    return _merged(entry, _preset_of(entry, preset), strength)


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


def checked_model(mask: str, model: str) -> str:
    """Return the model that a mask shall draw with; MaskError where it needs one or takes none."""
    if find_mask(mask).takes_model and not model:
        raise MaskError(
            f"the mask {mask} draws with a network that you name, and none is named",
            hint="name an inpainting pipeline of diffusers with --diffusion-model NAME_OR_PATH",
        )
    if model and not find_mask(mask).takes_model:
        takes = ", ".join(name for name, entry in MASKS.items() if entry.takes_model)
        raise MaskError(f"the mask {mask} takes no model", hint=f"{takes} does")
    return model


def models_of(masks: Iterable[str], model: str) -> dict[str, str]:
    """Say which model each of several masks draws with: the one that the user names, or none.

    Args:
        masks: names.
        model: for those that take one; empty where none is named.

    Returns:
        Mask to model, empty for a mask that takes none.

    Raises:
        MaskError: a mask needs a model and none is named, or one is named and none takes it.
    """
    found = {mask: model if find_mask(mask).takes_model else "" for mask in masks}
    for mask, own in found.items():
        checked_model(mask, own)
    if model and not any(found.values()):
        takes = ", ".join(name for name, entry in MASKS.items() if entry.takes_model)
        raise MaskError(
            f"expected a mask that takes a model, got {', '.join(found) or 'none'}",
            hint=f"leave --diffusion-model out, or add a mask that takes one: {takes}",
        )
    return found


def check_takes_source(mask: str) -> None:
    """Refuse a mask that cannot lay the face of a person whom the user names; MaskError then."""
    if not find_mask(mask).takes_source:
        takes = ", ".join(name for name, entry in MASKS.items() if entry.takes_source)
        raise MaskError(
            f"expected a mask that takes a source, got {mask}", hint=f"take one of these: {takes}"
        )
