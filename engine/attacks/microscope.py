"""Puts protected minus mask under the microscope, the mask estimated from the protected picture.

The attacker has one protected file and the program, no key and no original, and wants to see the
outline of the face in what the hiding changed. For pixelated faces the mask is
the block means of the protected picture itself; blurred ones are smoothed again; anything else is
denoised. The true mask in its place gives the upper bound. The control is the same mask with other
people's faces hidden in it by the same method under other keys, through the same estimate, beside
this face's outline: the mask's own edges and the noise of hiding are in both, so what is left over
the control is this face. The bare mask would not do: its estimate is without any noise, which is
nothing at all where it is pixelated, and elsewhere the mask's edges alone, where noise drowns them.
"""

import contextlib
from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene, Target
from engine.attacks.pairs import ByMethod
from engine.attacks.remask import remask
from engine.attacks.residual import MID_GREY, amplify, outline_correlation
from engine.attacks.target import resized
from engine.errors import CapacityError, DataError, MethodError
from engine.images import from_u8, to_u8
from engine.methods import find_method
from engine.results.records import Score

__all__ = ["ATTACK", "OTHERS", "TIMES", "estimate_mask"]

TIMES = (1, 10, 50)
"""How often the residual is amplified; what leaves 0 to 255 is clipped, as on a screen."""

OTHERS = 3
"""How many other faces are hidden in each mask for its control, which is their mean."""

U8 = npt.NDArray[np.uint8]

_SOFT = ("gaussian", "extreme_blur")
_SIGMA = 1.5  # of the blur that takes a residual off a blurred face of 112 px and little else
_WINDOW = 5
_STRENGTH = 0.04
_ATTEMPTS = 10


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
    """Who has one protected file and the program, and no key, wants the outline of the face."""
    for method, mask in scene.combinations():
        for target in scene.targets(method, mask):
            others = _hide_others(scene, target)
            if others:
                yield Outcome(tuple(_look(target, others)))
            else:
                scene.refuse(target.record, method, mask)


def _hide_others(scene: Scene, target: Target) -> list[U8]:
    """Hide other people's faces in a face's own mask, each under a key of its own.

    Whom the method refuses, or who is the same picture under another name, gives place to the next.

    Returns:
        :data:`OTHERS` protected pictures, (H, W, 3), the same ones for the same seed; fewer where
        few of the set can be hidden there.

    Raises:
        DataError: there is nobody else in the set.
    """
    records, own = scene.faces.records, target.record
    here = next(i for i, one in enumerate(records) if one is own)
    rng = np.random.default_rng([scene.config.seed, here])
    places = [
        int(i) for i in rng.permutation(len(records))
        if i != here and not (own.identity and records[i].identity == own.identity)
    ]  # fmt: skip
    if not places:
        raise DataError(
            "the control hides other people's faces in the same mask, got a set of one person",
            hint="attack a set of two people or more; --limit may still be 1",
        )
    hider, mask, found = ByMethod(find_method(target.method)), from_u8(target.mask_u8), []
    for place in places[:_ATTEMPTS]:
        other_u8 = resized(scene.faces.load(place), *target.mask_u8.shape[:2])
        if np.array_equal(other_u8, target.original_u8):
            continue
        with contextlib.suppress(CapacityError, MethodError):
            found.append(to_u8(hider.protect(from_u8(other_u8), mask, rng)))
        if len(found) == OTHERS:
            break
    return found


def _look(target: Target, others: Sequence[U8]) -> Iterator[Score]:
    protected_u8, mask_u8, label = target.protected_u8, target.mask_u8, target.header.mask
    estimated_u8 = estimate_mask(protected_u8, label)
    seen = {
        "residual": [(protected_u8, mask_u8)],
        "estimate": [(protected_u8, estimated_u8)],
        "control": [(other_u8, estimate_mask(other_u8, label)) for other_u8 in others],
    }
    found = {
        (name, times): _outline([amplify(*pair, times) for pair in pairs], target.original_u8)
        for name, pairs in seen.items()
        for times in TIMES
    }
    for (name, times), gain in found.items():
        yield target.score(f"original:{name}_x{times}", "outline_gain", gain)
    over = max(found["estimate", times] - found["control", times] for times in TIMES)
    yield target.score("original:estimate", "outline_over_control", over)
    error = float(np.square(estimated_u8.astype(np.float64) - mask_u8).mean())
    yield target.score("mask:estimate", "rmse", error**0.5)


def _outline(amplified_u8: Sequence[U8], original_u8: U8) -> float:
    """Correlation with the original's edges, less that of the shuffled original; their mean."""
    gains = []
    for one_u8 in amplified_u8:
        outline = outline_correlation(one_u8.astype(np.float32) - MID_GREY, original_u8)
        gains.append(outline.correlation - outline.shuffled)
    return float(np.mean(gains))


def _budget(config: AttackConfig) -> str:
    del config
    return (
        f"one file, one estimate of its mask, the difference times {', '.join(map(str, TIMES))}; "
        f"for the control the same of {OTHERS} other faces hidden in the same mask"
    )


ATTACK = Attack(
    name="microscope",
    title="Residual microscope",
    knowledge="one protected file and the program",
    goal="to see the outline of the face in what hiding it has changed",
    budget=_budget,
    run=_run,
)
