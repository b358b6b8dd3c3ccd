"""Why here: whose face a mask shall show, taken from a photograph that the user names."""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from engine.errors import MaskError, NoFaceError
from engine.faces import Face, crop, detect
from engine.zoo import IDENTITIES

_SIZE = 256
_LENGTH_ERROR = 1e-3


@dataclass(frozen=True, eq=False)
class Source:
    """A person whose face a mask lays over others; the photograph itself is not kept.

    Attributes:
        identity: (256,) float32 of length 1, an embedding by :data:`engine.zoo.IDENTITIES`.
        among: faces that were found on the photograph, of which it is the largest.

    Raises:
        MaskError: a vector of another size or length.
    """

    identity: npt.NDArray[np.float32] = field(repr=False)
    among: int = field(default=1, repr=False)

    def __post_init__(self) -> None:
        long = float(np.linalg.norm(self.identity))
        if self.identity.shape != (_SIZE,) or not abs(long - 1) < _LENGTH_ERROR:
            raise MaskError(
                f"an identity must be ({_SIZE},) of length 1, got {self.identity.shape}, {long:g}",
                hint="take it from a photograph with find_source",
            )


def find_source(photo_u8: npt.NDArray[np.uint8], detector: str = "centerface") -> Source:
    """Take the identity of the largest face of a photograph.

    Args:
        photo_u8: (H, W, 3), RGB, 0..255, upright.
        detector: as in :func:`engine.faces.detect`.

    Raises:
        NoFaceError: no face in it, or the detector gives the largest one no landmarks.
        LandmarksError: they cannot place a face.
        ImageError, ModelError: as :func:`engine.faces.detect` and
            :func:`engine.recognition.find_recognizer`.
    """
    from engine.images import from_u8  # torch takes seconds to load
    from engine.landmarks import landmarks_in
    from engine.recognition import embed

    found = detect(photo_u8, detector=detector)
    if not found:
        raise NoFaceError(
            "expected a face in the photograph of whose face the mask shall show, found none",
            hint="name one that shows the face large and from the front",
        )
    face = max(found, key=_area)
    crop_u8 = crop(photo_u8, face.box)
    placed = landmarks_in(crop_u8, face)
    if placed is None:
        raise NoFaceError(
            "expected landmarks of the face that the mask shall show, the detector gives none",
            hint="take another one, such as --detector centerface",
        )
    embedded = embed(from_u8(crop_u8), [placed.points], IDENTITIES)[0]
    return Source(np.asarray(embedded.cpu().numpy(), np.float32), len(found))


def _area(face: Face) -> float:
    x0, y0, x1, y1 = face.detection
    return (x1 - x0) * (y1 - y0)
