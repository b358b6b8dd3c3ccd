"""One slider for every mask: from half to double what the papers use."""

from typing import Final

from engine import MASKS

WEAKEST: Final = 0.5
STRONGEST: Final = 2.0

_GROWS: Final[dict[str, tuple[str, ...]]] = {
    "gaussian": ("sigma", "kernel"),
    "pixelate": ("block",),
    "median": ("kernel",),
    "noise": ("variance",),
    "edge": ("sigma",),
}
_SHRINKS: Final[dict[str, tuple[str, ...]]] = {
    "superpixel": ("segments",),
    "extreme_blur": ("size",),
}


def has_strength(mask: str) -> bool:
    """Tell whether the slider does anything for a mask."""
    return mask in _GROWS or mask in _SHRINKS


def strength_of(mask: str, factor: float) -> dict[str, float]:
    """Turn the slider into a mask's own settings.

    Args:
        mask: name in :data:`engine.masks.MASKS`.
        factor: 1 for the usual strength.
    """
    if mask not in MASKS or factor == 1 or not has_strength(mask):
        return {}
    factor = min(max(factor, WEAKEST), STRONGEST)
    usual = MASKS[mask].defaults
    grown = {name: usual[name] * factor for name in _GROWS.get(mask, ())}
    shrunk = {name: max(2.0, round(usual[name] / factor)) for name in _SHRINKS.get(mask, ())}
    return {name: _whole(name, value) for name, value in grown.items()} | shrunk


def _whole(name: str, value: float) -> float:
    if name == "kernel":
        return float(max(3, 2 * round((value - 1) / 2) + 1))
    return float(max(2, round(value))) if name == "block" else value
