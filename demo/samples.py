"""Photographs to try, read from installed packages when they are asked for; none is stored here."""

from collections.abc import Callable
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

Photo = npt.NDArray[np.uint8]


def astronaut() -> Photo:
    """One face; Eileen Collins, NASA, public domain; ``(512, 512, 3)``."""
    import skimage.data

    return np.ascontiguousarray(skimage.data.astronaut())


def group() -> Photo:
    """Six faces; insightface's own sample; ``(886, 1280, 3)``."""
    from insightface.data import get_image

    return np.ascontiguousarray(get_image("t1")[:, :, ::-1])


SAMPLES: Final[dict[str, Callable[[], Photo]]] = {"Astronaut": astronaut, "Group of six": group}


@cache
def sample(name: str) -> Photo:
    """Read a sample once."""
    photo_u8 = SAMPLES[name]()
    photo_u8.flags.writeable = False
    return photo_u8
