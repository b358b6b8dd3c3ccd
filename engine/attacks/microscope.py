"""Puts protected minus mask under the microscope, the mask estimated from the protected picture.

The attacker has one protected file and the program, no key and no original, and wants to see the
outline of the face in what the hiding changed (SECURITY.md, A6). For pixelated faces the mask is
the block means of the protected picture itself; blurred ones are smoothed again; anything else is
denoised. The true mask in its place gives the upper bound; the mask with nothing hidden in it,
through the same estimate, gives the control, since an estimate leaves some of the mask's own edges.
"""

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene, Target
from engine.attacks.remask import remask
from engine.attacks.residual import MID_GREY, amplify, outline_correlation
from engine.results.records import Score

__all__ = ["ATTACK", "TIMES", "estimate_mask"]

TIMES = (1, 10, 50)
"""How often the residual is amplified; what leaves 0 to 255 is clipped, as on a screen."""

U8 = npt.NDArray[np.uint8]

_SOFT = ("gaussian", "extreme_blur")
_SIGMA = 1.5  # of the blur that takes a residual off a blurred face of 112 px and little else
_WINDOW = 5
_STRENGTH = 0.04


def estimate_mask(protected_u8: U8, label: str) -> U8:
    """Estimate the mask from the protected picture alone.

    Args:
        protected_u8: (H, W, 3), the face and nothing else.
        label: the mask and its strengths, from the header, which everybody can read.

    Returns:
        (H, W, 3).
    """
    name = label.partition(":")[0]
    if name == "pixelate":
        return remask(label, protected_u8)
    if name in _SOFT:
        sigma = max(1.0, _SIGMA * min(protected_u8.shape[:2]) / 112)
        return np.asarray(cv2.GaussianBlur(protected_u8, (0, 0), sigma), np.uint8)
    if name == "median":
        return np.asarray(cv2.medianBlur(protected_u8, _WINDOW), np.uint8)
    from skimage.restoration import denoise_nl_means

    smooth = denoise_nl_means(
        protected_u8 / 255, patch_size=5, patch_distance=6, h=_STRENGTH, channel_axis=-1
    )
    return np.asarray(np.rint(255 * smooth).clip(0, 255), np.uint8)


def _run(scene: Scene) -> Iterator[Outcome]:
    for method, mask in scene.combinations():
        for target in scene.targets(method, mask):
            yield Outcome(tuple(_look(target)))


def _look(target: Target) -> Iterator[Score]:
    protected_u8, mask_u8, label = target.protected_u8, target.mask_u8, target.header.mask
    estimated_u8 = estimate_mask(protected_u8, label)
    seen = {
        "residual": (protected_u8, mask_u8),
        "estimate": (protected_u8, estimated_u8),
        "control": (mask_u8, estimate_mask(mask_u8, label)),
    }
    found = {
        (name, times): _outline(amplify(*pictures, times), target.original_u8)
        for name, pictures in seen.items()
        for times in TIMES
    }
    for (name, times), gain in found.items():
        yield target.score(f"original:{name}_x{times}", "outline_gain", gain)
    over = max(found["estimate", times] - found["control", times] for times in TIMES)
    yield target.score("original:estimate", "outline_over_control", over)
    error = float(np.square(estimated_u8.astype(np.float64) - mask_u8).mean())
    yield target.score("mask:estimate", "rmse", error**0.5)


def _outline(amplified_u8: U8, original_u8: U8) -> float:
    """Correlation with the original's edges, less that of the shuffled original."""
    outline = outline_correlation(amplified_u8.astype(np.float32) - MID_GREY, original_u8)
    return outline.correlation - outline.shuffled


def _budget(config: AttackConfig) -> str:
    del config
    return f"one file, one estimate of its mask, the difference times {', '.join(map(str, TIMES))}"


ATTACK = Attack(
    name="microscope",
    title="Residual microscope",
    knowledge="one protected file and the program",
    goal="to see the outline of the face in what hiding it has changed",
    budget=_budget,
    run=_run,
)
