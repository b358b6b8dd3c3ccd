"""One face under attack: protected as its owner would, and at the size that attackers train at."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
import numpy.typing as npt

from engine.data import FaceFile
from engine.images import ProtectedFile, from_u8
from engine.keys import Key
from engine.metrics import measure
from engine.record import Header
from engine.results.records import Score
from engine.training.batches import PAPER_SIDE

__all__ = ["Target", "paper_sized", "resized"]

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Target:
    """One protected face, and beside it what only its owner and the judge know.

    Attributes:
        record: which face of the set.
        method: that protects it.
        mask: that hides it.
        original_u8: the face, (H, W, 3).
        mask_u8: what was laid over it, same shape.
        png: the file that was shared.
        file: the same as it is read back.
        header: what travels with it.
        passphrase: the right one.
        key: the right one.
    """

    record: FaceFile
    method: str
    mask: str
    original_u8: U8 = field(repr=False)
    mask_u8: U8 = field(repr=False)
    png: bytes = field(repr=False)
    file: ProtectedFile = field(repr=False)
    header: Header = field(repr=False)
    passphrase: str = field(repr=False)

    @cached_property
    def key(self) -> Key:
        """The right key, derived on first use."""
        return Key.from_passphrase(self.passphrase, self.header.salt, self.header.kdf)

    @property
    def protected_u8(self) -> U8:
        """The pixels that were shared, as read back from the file."""
        return self.file.photo_u8

    def score(self, pair: str, metric: str, value: float) -> Score:
        """A figure of this face."""
        record = self.record
        return Score(record.file, record.source, self.method, self.mask, pair, metric, float(value))

    def compare(
        self, name: str, shown_u8: U8, metrics: Sequence[str] = ("psnr_db", "ssim")
    ) -> list[Score]:
        """Measure a picture against the original, as the pair ``original:name``.

        Raises:
            MetricError, ImageShapeError: as :func:`engine.metrics.measure`.
        """
        found = measure(metrics, from_u8(self.original_u8), from_u8(shown_u8))
        return [self.score(f"original:{name}", m, value.item()) for m, value in found.items()]


def paper_sized(face_u8: U8, record: FaceFile) -> tuple[U8, npt.NDArray[np.float32] | None]:
    """The middle square of a face at 112 px, and its landmarks there."""
    height, width = face_u8.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    points = record.landmarks
    if points is not None:
        points = (points - np.array([left, top], np.float32)) * (PAPER_SIDE / side)
    return resized(face_u8[top : top + side, left : left + side], PAPER_SIDE, PAPER_SIDE), points


def resized(face_u8: U8, height: int, width: int) -> U8:
    """A picture at another size; itself where it has it.

    Args:
        face_u8: (H, W, 3).
        height: wanted.
        width: wanted.

    Returns:
        (height, width, 3).
    """
    if face_u8.shape[:2] == (height, width):
        return face_u8
    how = cv2.INTER_AREA if face_u8.shape[0] > height else cv2.INTER_CUBIC
    made = cv2.resize(face_u8, (width, height), interpolation=how)
    return np.asarray(made, dtype=np.uint8)
