"""The Haar transform and its inverse, on which every network here works.

Sub-band order is fixed: LL, HL, LH, HH, each with all channels of the picture, so a colour picture
becomes (LL_R, LL_G, LL_B, HL_R, ..., HH_B). HL is the difference along a row (vertical edges), LH
the difference along a column. The transform is orthonormal: it keeps the sum of squares.
"""

import torch
from torch import Tensor

from engine.errors import ImageShapeError


def haar(image: Tensor) -> Tensor:
    r"""Split an image into its four Haar sub-bands at half the size.

    For each 2 x 2 cell :math:`\begin{pmatrix} a & b \\ c & d \end{pmatrix}`:
    LL = (a + b + c + d) / 2, HL = (b + d - a - c) / 2, LH = (c + d - a - b) / 2,
    HH = (a + d - b - c) / 2.

    Args:
        image: (B, C, H, W), H and W even, any range.

    Returns:
        (B, 4C, H/2, W/2), bands in the order LL, HL, LH, HH.

    Raises:
        ImageShapeError: not four-dimensional, or a side is odd.

    Example:
        >>> haar(torch.ones(1, 1, 2, 2)).flatten().tolist()
        [2.0, 0.0, 0.0, 0.0]
    """
    if image.ndim != 4 or image.shape[-2] % 2 or image.shape[-1] % 2:
        raise ImageShapeError(
            f"image must be (B, C, H, W) with even H and W, got {tuple(image.shape)}",
            hint="pad it first with engine.images.pad_to_even",
        )
    half = image * 0.5
    top, bottom = half[:, :, 0::2], half[:, :, 1::2]
    left, right = top + bottom, bottom - top  # sums and differences along the columns
    a, b = left[..., 0::2], left[..., 1::2]
    c, d = right[..., 0::2], right[..., 1::2]
    return torch.cat([a + b, b - a, c + d, d - c], dim=1)


def inverse_haar(bands: Tensor) -> Tensor:
    """Put an image together from its four Haar sub-bands; the inverse of :func:`haar`.

    Args:
        bands: (B, 4C, H, W), bands in the order LL, HL, LH, HH.

    Returns:
        (B, C, 2H, 2W).

    Raises:
        ImageShapeError: not four-dimensional, or the channels are no multiple of four.
    """
    if bands.ndim != 4 or bands.shape[1] % 4:
        raise ImageShapeError(
            f"bands must be (B, 4C, H, W), got {tuple(bands.shape)}",
            hint="pass what engine.wavelet.haar returned",
        )
    ll, hl, lh, hh = (bands * 0.5).chunk(4, dim=1)
    batch, channels, height, width = ll.shape
    a, b, c, d = ll - hl - lh + hh, ll + hl - lh - hh, ll - hl + lh - hh, ll + hl + lh + hh
    cells = torch.stack([a, b, c, d], -1)
    cells = cells.view(batch, channels, height, width, 2, 2).permute(0, 1, 2, 4, 3, 5)
    return cells.reshape(batch, channels, 2 * height, 2 * width)
