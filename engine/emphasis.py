r"""Pre-emphasis: raises a picture's fine detail before it is hidden, and lowers it again after.

A picture's energy lies in its coarse structure, but rounding to 8 bits disturbs fine and coarse
alike, so a network that hides a picture as it is pays for the coarse and loses the fine. Sending
values of standard deviation s through noise at a given power is best with gains in proportion to
1/sqrt(s); in natural pictures s falls about as 1/f, so the gain grows with about the root of the
frequency f. A power law knows no size: it is the same for a face of 50 pixels and of 5,000. Radio
does the same to sound, and the name is from there.
"""

import functools
import math
from typing import Final

import torch
from scipy.fft import dctn, idctn
from torch import Tensor

__all__ = ["deemphasize", "emphasize", "from_opponent", "to_opponent"]

_ROWS: Final = ((1, 1, 1), (1, 0, -1), (1, -2, 1))
_OPPONENT: Final = torch.nn.functional.normalize(torch.tensor(_ROWS, dtype=torch.float64))

_LEVEL: Final = 9.0
"""Leaves a natural face of 112 px as contrasty as it was: standard deviation about 0.25."""

_COLOURS: Final = (1.0, 2.0, 2.7)
"""More for the two colour differences, which are as much weaker than light."""


_BY_MATRICES: Final = 512
"""Longest side of a picture that is transformed by matrices, in pixels."""


def emphasize(image: Tensor, exponent: float) -> Tensor:
    """Multiply each frequency f of a picture by a gain in proportion to ``f ** exponent``.

    Frequencies are those of the discrete cosine transform of the whole picture, in opponent
    colours; the mean counts as half of the lowest.

    Args:
        image: (B, 3, H, W), RGB around 0.5.
        exponent: 0.5 is the best for an energy that falls as 1/f².

    Returns:
        (B, 3, H, W) around 0.5; single values leave [0, 1].
    """
    return _filtered(image, exponent)


def deemphasize(image: Tensor, exponent: float) -> Tensor:
    """Undo :func:`emphasize`."""
    return _filtered(image, -exponent)


def to_opponent(image: Tensor) -> Tensor:
    """RGB to light, red against blue, and green against both: orthonormal, (B, 3, H, W) both."""
    return torch.einsum("oc,bchw->bohw", _OPPONENT.to(image), image)


def from_opponent(image: Tensor) -> Tensor:
    """Undo :func:`to_opponent`."""
    return torch.einsum("oc,bohw->bchw", _OPPONENT.to(image), image)


def _filtered(image: Tensor, exponent: float) -> Tensor:
    """Each frequency times its gain, or divided by it for a negative exponent."""
    # Autocast would round to bfloat16 here, at 48 dB.
    with torch.autocast(image.device.type, enabled=False):
        image = image if image.dtype == torch.float64 else image.float()
        height, width = image.shape[-2:]
        change = _by_matrices if max(height, width) <= _BY_MATRICES else _by_fft
        colours = torch.tensor(_COLOURS).to(image)[:, None, None]
        gains = _frequencies(height, width).to(image) ** exponent
        gains = gains * (_LEVEL * colours) ** (1 if exponent > 0 else -1)
        return from_opponent(change(to_opponent(image - 0.5), gains)) + 0.5


def _by_matrices(image: Tensor, gains: Tensor) -> Tensor:
    """By two products each way: fast for faces as they are trained on, and with a gradient."""
    height, width = (_cosines(side).to(image) for side in image.shape[-2:])
    return height.T @ (height @ image @ width.T * gains) @ width


def _by_fft(image: Tensor, gains: Tensor) -> Tensor:
    """The same in time and memory that grow with the picture, and no faster; without a gradient."""
    axes = (-2, -1)
    found = dctn(image.detach().cpu().numpy(), axes=axes, norm="ortho") * gains.cpu().numpy()
    return torch.from_numpy(idctn(found, axes=axes, norm="ortho")).to(image)


@functools.lru_cache(maxsize=8)
def _cosines(side: int) -> Tensor:
    """The orthonormal discrete cosine transform (DCT-II) of so many values, (side, side)."""
    with torch.inference_mode(False):  # what is made in it could not be trained through later
        places, waves = torch.arange(side, dtype=torch.float64), torch.arange(side)[:, None]
        matrix = torch.cos(math.pi / side * (places + 0.5) * waves) * math.sqrt(2 / side)
        matrix[0] /= math.sqrt(2)
        return matrix


def _frequencies(height: int, width: int) -> Tensor:
    """The frequency of every coefficient in cycles a pixel, (height, width)."""
    rows, columns = (
        torch.arange(side, dtype=torch.float64) / (2 * side) for side in (height, width)
    )
    found = torch.hypot(rows[:, None], columns)
    found[0, 0] = 0.25 / max(height, width)
    return found
