"""Why here: masks are judged by looking at many: faces beside their masks, on one sheet."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from engine.data import FaceSet
from engine.errors import DataError
from engine.faces import merge_overlapping, whole_face
from engine.masking import lay_masks
from engine.masks import Preset, Strength

__all__ = ["COLUMNS", "MOST", "contact_sheet", "spread"]

MOST = 64
"""Faces on a sheet: as many as one still looks at."""

COLUMNS = 8
"""Faces in a row of it."""

_SIDE = 112

U8 = npt.NDArray[np.uint8]


def contact_sheet(
    faces: FaceSet,
    indices: Sequence[int],
    masks: Sequence[str],
    *,
    preset: Preset = "scaled",
    strength: Strength | None = None,
    model: str = "",
    report: Callable[[int, int], None] = lambda done, total: None,
) -> U8:
    """Lay masks over faces as the program does, and put each face beside its masks.

    Args:
        faces: ready-made crops.
        indices: which of them; those after :data:`MOST` are left out.
        masks: names; a mask that cannot lie as it should shows what hides the face instead.
        preset: of the masks' strengths.
        strength: settings that replace the preset's.
        model: of a mask that takes one.
        report: told how many faces of how many are done.

    Returns:
        (rows * 112, 8 * (1 + masks) * 112, 3), RGB; the last row is filled up in grey.

    Raises:
        DataError: no faces.
        MaskError, ModelError: as :func:`engine.masks.make_mask`.
    """
    chosen = list(indices)[:MOST]
    if not chosen:
        raise DataError("expected a face or more for a sheet, got none", hint="ask for more faces")
    cells = []
    for done, index in enumerate(chosen):
        report(done, len(chosen))
        face_u8 = faces.load(index)
        regions = merge_overlapping([whole_face(face_u8)], *face_u8.shape[:2])
        shown = [face_u8]
        for mask in masks:
            made = lay_masks(
                face_u8, regions, mask, preset=preset, strength=strength, seed=index, model=model
            )
            shown.append(made.photo_u8)
        cells.append(np.hstack([_fitted(one) for one in shown]))
    cells += [np.full_like(cells[0], 128)] * (-len(cells) % COLUMNS)
    rows = [np.hstack(cells[at : at + COLUMNS]) for at in range(0, len(cells), COLUMNS)]
    return np.vstack(rows)


def spread(indices: Sequence[int]) -> list[int]:
    """At most :data:`MOST` of some faces, from the first to the last."""
    if len(indices) <= MOST:
        return list(indices)
    return [indices[at] for at in np.linspace(0, len(indices) - 1, MOST).round().astype(int)]


def _fitted(picture_u8: U8) -> U8:
    fitted = cv2.resize(picture_u8, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(fitted, np.uint8)
