"""Structural similarity, and what all metrics ask of two batches; apart from their table."""

import torch
from torch import Tensor

from engine.errors import ImageShapeError, MetricError
from engine.images import check_image

LUMA = (65.481 / 255, 128.553 / 255, 24.966 / 255)
"""BT.601's weights of red, green and blue, 16 to 235 of 255."""

_SSIM_WINDOW = 11


def ssim(first: Tensor, second: Tensor) -> Tensor:
    r"""Structural similarity, mean over the three colours, from -1 to 1; symmetric.

    Gaussian window of 11 x 11, sigma 1.5, population covariance, :math:`K_1 = 0.01, K_2 = 0.03`,
    data range 1. Border: only windows that lie wholly inside the picture count, so a strip of 5
    pixels on each side is not scored on its own (the authors' rule; torchmetrics counts the strip
    with reflected pixels instead). Source: Wang et al. 2004; computed by scikit-image in float64.

    Args:
        first: (B, 3, H, W), RGB in [0, 1], H and W at least 11.
        second: the same shape and range.

    Returns:
        (B,) float64; 1 where the two are equal.

    Raises:
        ImageShapeError, ImageRangeError: as :func:`engine.metrics.psnr_db`.
        MetricError: a side is below 11 pixels.
    """
    first, second = check_pair(first, second)
    check_sides("ssim", first, _SSIM_WINDOW)
    return _similarity(first, second)


def ssim_y(first: Tensor, second: Tensor) -> Tensor:
    """SSIM of the luma alone; symmetric. Only ever shown beside :func:`ssim`.

    The luma is that of :func:`engine.metrics.psnr_y_db`, window and constants are those of
    :func:`ssim`: what the code of HiNet and IMN computes.

    Args:
        first: (B, 3, H, W), RGB in [0, 1], H and W at least 11.
        second: the same shape and range.

    Returns:
        (B,) float64; 1 where the two lumas are equal.

    Raises:
        ImageShapeError, ImageRangeError: as :func:`engine.metrics.psnr_db`.
        MetricError: a side is below 11 pixels.
    """
    first, second = check_pair(first, second)
    check_sides("ssim_y", first, _SSIM_WINDOW)
    weights = first.new_tensor(LUMA).view(3, 1, 1)
    lumas = [(image * weights).sum(1, keepdim=True) + 16 / 255 for image in (first, second)]
    return _similarity(*lumas)


def _similarity(first: Tensor, second: Tensor) -> Tensor:
    """Mean SSIM over the channels of (B, C, H, W) pairs."""
    from skimage.metrics import structural_similarity

    device = first.device
    first, second = first.cpu(), second.cpu()
    values = [
        structural_similarity(
            a.numpy(),
            b.numpy(),
            channel_axis=0,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            K1=0.01,
            K2=0.03,
        )
        for a, b in zip(first, second, strict=True)
    ]
    return torch.tensor(values, dtype=torch.float64, device=device)


def check_pair(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Refuse what are not two batches of pictures of the same size; gives both in float64."""
    check_image(first, "first")
    check_image(second, "second")
    if first.shape != second.shape:
        raise ImageShapeError(
            f"second must have the shape of first, {tuple(first.shape)}, got {tuple(second.shape)}",
            hint="resize or crop one of them",
        )
    return first.detach().double(), second.detach().double()


def check_sides(name: str, image: Tensor, least: int) -> None:
    """Refuse pictures that are too small for a metric."""
    height, width = image.shape[-2:]
    if min(height, width) < least:
        raise MetricError(
            f"{name} needs sides of at least {least} pixels, got {height} x {width}",
            hint="measure a larger crop, or another metric",
        )
