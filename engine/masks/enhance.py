"""Makes the portrait of a swapped face clear again, as large as the face needs it."""

from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from engine.images import from_u8, to_u8
from engine.zoo import load_model

if TYPE_CHECKING:
    from engine.networks.enhancer import Enhancer

ENHANCER = "enhancer.v1"
"""The enhancer that is meant where none is named; it is still in training, and not released."""

_TWICE_FROM = 1.3
"""Pixels of the face for each of the portrait from which on twice the pixels show."""

U8 = npt.NDArray[np.uint8]


def enhance(portrait_u8: U8, scale: int = 1, model: str = ENHANCER) -> U8:
    """Give a portrait the detail that blur, few pixels or a swapper have taken from it.

    What it gives is what faces look like, not what this one did: it cannot know that.

    Args:
        portrait_u8: (S, S, 3), RGB, from :func:`engine.masks.portrait.to_portrait`, S even.
        scale: 1, or 2 for twice the side.
        model: a released enhancer.

    Returns:
        (S * scale, S * scale, 3).

    Raises:
        ImageShapeError: another scale, or an odd side.
        ModelError: as :func:`engine.zoo.load_model`.
    """
    import torch

    network = cast("Enhancer", load_model(model))
    with torch.inference_mode():
        made = network(from_u8(portrait_u8).to(network.device), scale)
    return to_u8(made.float().clamp(0, 1).cpu())


def scale_for(matrix: npt.NDArray[np.float64]) -> int:
    """The scale that a face needs.

    Args:
        matrix: (2, 3), from its portrait's pixels to its own.
    """
    pixels = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    return 2 if pixels > _TWICE_FROM else 1
