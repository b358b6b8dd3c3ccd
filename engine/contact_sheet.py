"""Why here: masks are judged by looking at many: faces beside their masks, on one sheet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from engine.data import FaceSet
from engine.errors import DataError
from engine.faces import merge_overlapping, whole_face
from engine.masking import lay_masks
from engine.masks import Preset, Strength, find_mask

__all__ = ["COLUMNS", "MOST", "Sheet", "contact_sheet"]

MOST = 64
"""Faces on a sheet: as many as one still looks at."""

COLUMNS = 8
"""Faces in a row of it."""

_SIDE = 112

U8 = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Sheet:
    """Faces beside their masks.

    Attributes:
        picture_u8: (rows * 112, 8 * (1 + masks) * 112, 3), RGB; its last row is filled up in grey.
        faces: on it.
        hidden: masks that could not lie as they should; what hides the face instead is shown.
    """

    picture_u8: U8
    faces: int
    hidden: int


def contact_sheet(
    faces: FaceSet,
    indices: Sequence[int],
    masks: Sequence[str],
    *,
    preset: Preset = "scaled",
    strength: Strength | None = None,
    model: str = "",
    report: Callable[[int, int], None] = lambda done, total: None,
) -> Sheet:
    """Lay masks over faces as the program does, and put each face beside its masks.

    Args:
        faces: ready-made crops.
        indices: which of them; where they are more than :data:`MOST`, so many of all of them.
        masks: names; a mask that cannot lie as it should shows what hides the face instead.
        preset: of the masks' strengths.
        strength: settings that replace the preset's.
        model: of those masks that take one.
        report: told how many faces of how many are done.

    Raises:
        DataError: no faces.
        MaskError, ModelError: as :func:`engine.masks.make_mask`.
    """
    chosen = _spread(indices)
    if not chosen:
        raise DataError("expected a face or more for a sheet, got none", hint="ask for more faces")
    cells, hidden = [], 0
    for done, index in enumerate(chosen):
        report(done, len(chosen))
        face_u8 = faces.load(index)
        regions = merge_overlapping([whole_face(face_u8)], *face_u8.shape[:2])
        shown = [face_u8]
        for mask in masks:
            made = lay_masks(
                face_u8, regions, mask, preset=preset, strength=strength, seed=index,
                model=model if find_mask(mask).takes_model else "",
            )  # fmt: skip
            shown.append(made.photo_u8)
            hidden += len(made.notes)
        cells.append(np.hstack([_fitted(one) for one in shown]))
    cells += [np.full_like(cells[0], 128)] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[at : at + COLUMNS]) for at in range(0, len(cells), COLUMNS)]
    return Sheet(np.vstack(rows), len(chosen), hidden)


def _spread(indices: Sequence[int]) -> list[int]:
    """At most :data:`MOST` of some faces, from the first to the last."""
    if len(indices) <= MOST:
        return list(indices)
    return [indices[at] for at in np.linspace(0, len(indices) - 1, MOST).round().astype(int)]


def _fitted(picture_u8: U8) -> U8:
    fitted = cv2.resize(picture_u8, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(fitted, np.uint8)
