"""Says how far apart two batches of pictures are; below the pipeline, which it judges.

One table, :data:`METRICS`, holds every measure with its unit and which way is better. All take
clamped pictures in [0, 1] and refuse others: an image that leaves the range is scored too well by
some measures and too badly by others, and no viewer ever shows it.
"""

import difflib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from engine.errors import MetricError
from engine.identity import identity_cosine, identity_match, why_not
from engine.perceptual import BACKBONES, missing, perceptual_distance
from engine.recognition import Judge, Landmarks, find_recognizer
from engine.similarity import LUMA, check_pair, check_sides, ssim, ssim_y
from engine.zoo import RECOGNIZER

__all__ = [
    "METRICS",
    "Metric",
    "available",
    "identity_cosine",
    "identity_match",
    "label",
    "mae",
    "mean_psnr",
    "measure",
    "perceptual_distance",
    "psnr_db",
    "psnr_y_db",
    "recognizer_of",
    "rmse",
    "ssim",
    "ssim_y",
]

Score = Callable[..., Tensor]
"""(B, 3, H, W), (B, 3, H, W) -> (B,): one value for each pair of pictures."""


@dataclass(frozen=True)
class Metric:
    """One row of the table.

    Attributes:
        name: lower case, with the unit where there is one, such as ``"psnr_db"``.
        function: takes two batches (B, 3, H, W) in [0, 1] and returns (B,) float64.
        unit: ``"dB"``, ``"levels"`` (of 0..255), or empty for a bare number.
        better: which way is better where the two pictures should be alike.
        description: one sentence for a reader who does not know the measure.
        of_faces: it looks for a face in each picture, and takes ``landmarks`` as well.
    """

    name: str
    function: Score
    unit: str
    better: Literal["higher", "lower"]
    description: str
    of_faces: bool = False


def psnr_db(first: Tensor, second: Tensor) -> Tensor:
    """Peak signal-to-noise ratio over the three colours, in dB; symmetric.

    Args:
        first: (B, 3, H, W), RGB in [0, 1]; the peak is always 1.
        second: the same shape and range.

    Returns:
        (B,) float64; infinity where the two are equal.

    Raises:
        ImageShapeError: not pictures, or of unequal shapes.
        ImageRangeError: outside [0, 1], or not numbers.

    Example:
        >>> psnr_db(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.1)).round(decimals=4)
        tensor([20.], dtype=torch.float64)
    """
    first, second = check_pair(first, second)
    return -10 * torch.log10((first - second).square().flatten(1).mean(1))


def psnr_y_db(first: Tensor, second: Tensor) -> Tensor:
    """PSNR of the luma alone, in dB; symmetric. Only ever shown beside :func:`psnr_db`.

    The luma is BT.601's, 16 to 235 of 255, and the peak is 255 all the same: the convention of
    MATLAB's ``rgb2ycbcr``, which the code of HiNet and IMN follows. It gives 1.32 dB more than a
    luma of full range, and several more than RGB where the error is in the colours.

    Args:
        first: (B, 3, H, W), RGB in [0, 1].
        second: the same shape and range.

    Returns:
        (B,) float64; infinity where the two lumas are equal.

    Raises:
        ImageShapeError, ImageRangeError: as :func:`psnr_db`.
    """
    first, second = check_pair(first, second)
    difference = first - second
    luma = (difference * difference.new_tensor(LUMA).view(3, 1, 1)).sum(1)
    return -10 * torch.log10(luma.square().flatten(1).mean(1))


def mae(first: Tensor, second: Tensor) -> Tensor:
    """Mean absolute error in 8-bit levels (0..255); symmetric.

    Args:
        first: (B, 3, H, W), RGB in [0, 1].
        second: the same shape and range.

    Returns:
        (B,) float64.

    Raises:
        ImageShapeError, ImageRangeError: as :func:`psnr_db`.
    """
    first, second = check_pair(first, second)
    return 255 * (first - second).abs().flatten(1).mean(1)


def rmse(first: Tensor, second: Tensor) -> Tensor:
    """Root of the mean squared error, in 8-bit levels (0..255); symmetric.

    A root, unlike the figure that IMN prints under this name; so never below :func:`mae`.

    Args:
        first: (B, 3, H, W), RGB in [0, 1].
        second: the same shape and range.

    Returns:
        (B,) float64.

    Raises:
        ImageShapeError, ImageRangeError: as :func:`psnr_db`.
    """
    first, second = check_pair(first, second)
    return 255 * (first - second).square().flatten(1).mean(1).sqrt()


def _lpips(net: str, first: Tensor, second: Tensor) -> Tensor:
    check_pair(first, second)
    check_sides(f"lpips_{net}", first, BACKBONES[net].least_side)
    distance = perceptual_distance(net, first.device)
    with torch.no_grad():
        return distance(first.float(), second.float()).double()


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("psnr_db", psnr_db, "dB", "higher", "How small the squared error is, over RGB."),
        Metric("ssim", ssim, "", "higher", "How alike the local structure is, 1 for equal."),
        Metric("mae", mae, "levels", "lower", "Mean absolute error in levels of 0 to 255."),
        Metric("rmse", rmse, "levels", "lower", "Root of the mean squared error in levels."),
        Metric(
            "psnr_y_db", psnr_y_db, "dB", "higher", "PSNR of the BT.601 luma alone (HiNet, IMN)."
        ),
        Metric("ssim_y", ssim_y, "", "higher", "SSIM of the BT.601 luma alone (HiNet, IMN)."),
        *(
            Metric(
                f"lpips_{net}",
                partial(_lpips, net),
                "",
                "lower",
                f"How different the two look to a {net} network, 0 for equal.",
            )
            for net in BACKBONES
        ),
        Metric(
            "identity_cosine",
            identity_cosine,
            "",
            "higher",
            "How much the two look like one person to a recogniser, 1 for equal.",
            of_faces=True,
        ),
        Metric(
            "identity_match",
            identity_match,
            "",
            "higher",
            "Whether a recogniser takes the two for one person, once in 1,000 wrongly.",
            of_faces=True,
        ),
    )
}


def measure(
    names: Sequence[str], first: Tensor, second: Tensor, landmarks: Landmarks | None = None
) -> dict[str, Tensor]:
    """Compute several metrics of the same two batches.

    Args:
        names: of :data:`METRICS`, each at most once; one that looks for faces may name another
            recogniser, as in ``identity_cosine@insightface:PACK``.
        first: (B, 3, H, W), RGB in [0, 1].
        second: the same shape and range.
        landmarks: for those that look for faces: (5, 2) of each pair, or None where unknown.

    Returns:
        Each name with its (B,) float64 values, in the order of ``names``.

    Raises:
        MetricError: unknown, or it cannot be had here or at this size.
        ImageShapeError: not pictures, or of unequal shapes.
        ImageRangeError: outside [0, 1], or not numbers.
        ModelError: a recogniser that cannot be loaded.
    """
    found = {}
    for name in names:
        metric, recognizer = _find(name)
        if metric.of_faces:
            found[name] = metric.function(first, second, landmarks, recognizer)
        else:
            found[name] = metric.function(first, second)
    return found


def available(name: str) -> str | None:
    """Tell why a metric cannot be had on this machine, or None where it can.

    Raises:
        MetricError: no metric has this name.
    """
    metric, recognizer = _find(name)
    if name.startswith("lpips_"):
        return missing(name.removeprefix("lpips_"))
    return why_not(metric.name, recognizer) if metric.of_faces else None


def recognizer_of(name: str) -> Judge | None:
    """Load the recogniser that a metric asks, or None where it asks none.

    Raises:
        MetricError: no metric has this name.
        ModelError: as :func:`engine.recognition.find_recognizer`.
    """
    metric, recognizer = _find(name)
    return find_recognizer(recognizer) if metric.of_faces else None


def label(name: str) -> str:
    """Write a metric's name for results: with its recogniser's name, not with its path here.

    Raises:
        MetricError, ModelError: as :func:`recognizer_of`.
    """
    plain, mark, _ = name.partition("@")
    recognizer = recognizer_of(name) if mark else None
    return plain if recognizer is None else f"{plain}@{recognizer.name}"


def mean_psnr(values: Tensor | Iterable[float]) -> tuple[float, int]:
    """Average PSNRs, exact recoveries apart.

    Args:
        values: in dB, infinite for an exact recovery.

    Returns:
        ``(mean of the finite ones, number of infinite ones)``; the mean is infinite where all are.

    Raises:
        MetricError: there are none, or one is not a number.

    Example:
        >>> mean_psnr([40.0, 50.0, math.inf])
        (45.0, 1)
    """
    numbers = [float(value) for value in values]
    if not numbers or any(math.isnan(value) or value == -math.inf for value in numbers):
        raise MetricError(
            f"values must be one or more PSNRs in dB, got {numbers[:3]}",
            hint="pass what psnr_db returned",
        )
    finite = [value for value in numbers if math.isfinite(value)]
    mean = math.fsum(finite) / len(finite) if finite else math.inf
    return mean, len(numbers) - len(finite)


def _find(name: str) -> tuple[Metric, str]:
    """The metric of a name, and the recogniser behind its ``@``, or the usual one."""
    plain, mark, recognizer = name.partition("@")
    if plain in METRICS and (not mark or (METRICS[plain].of_faces and recognizer)):
        return METRICS[plain], recognizer or RECOGNIZER
    close = difflib.get_close_matches(name, METRICS, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(METRICS)}"
    raise MetricError(f"unknown metric {name!r}", hint=hint)
