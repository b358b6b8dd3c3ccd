"""Whether a recogniser still knows a face: its cosine to the original, beside the threshold."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import engine
from demo.draw import in_cosine
from engine import Face, crop, from_u8
from engine.errors import EngineError

Photo = npt.NDArray[np.uint8]

_LOG = logging.getLogger("demo")


@dataclass(frozen=True)
class Likeness:
    """How much the faces of two pictures are one person's to the released recogniser.

    Attributes:
        nearest: the greatest cosine of a face before and after.
        threshold: cosine from which on it takes two faces for one person.
        known: how many faces reach it.
    """

    nearest: float
    threshold: float
    known: int

    @property
    def digits(self) -> int:
        """How many digits tell the nearest face from the threshold; two where they are equal."""
        pairs = {n: (in_cosine(self.nearest, n), in_cosine(self.threshold, n)) for n in range(2, 7)}
        return next((n for n, (near, one) in pairs.items() if near != one), 2)

    @property
    def told(self) -> str:
        """The nearest face beside the threshold, in a few words."""
        near, one = (in_cosine(value, self.digits) for value in (self.nearest, self.threshold))
        return f"nearest: cosine {near}, one person from {one} on"


def likeness(photo_u8: Photo, other_u8: Photo, faces: Sequence[Face]) -> Likeness | None:
    """Compare faces before and after with the released recogniser.

    Args:
        photo_u8: as it was.
        other_u8: as it is now, of the same size.
        faces: to be compared, at their landmarks; of any other nothing is told.

    Returns:
        None where no recogniser is here, or there is no face, or one without landmarks, which
        cannot be held as recognisers know faces.
    """
    try:
        if engine.available("identity_match") is not None:
            return None
        threshold = engine.find_recognizer().threshold
        cosines = []
        for face in faces:
            before, after = (crop(picture_u8, face.box) for picture_u8 in (photo_u8, other_u8))
            known = engine.landmarks_in(before, face)
            if known is None:
                return None
            pair = from_u8(before), from_u8(after)
            cosines.append(float(engine.identity_cosine(*pair, [known.points])))
    except EngineError as error:  # the picture is made; this is only told of it
        _LOG.error("identity: %s", type(error).__name__)
        return None
    if threshold is None or not cosines:
        return None
    return Likeness(max(cosines), threshold, sum(cosine >= threshold for cosine in cosines))
