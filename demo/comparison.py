"""Every mask by every method on one face, after the paper's Figure 5, with each cell's figures."""

from collections.abc import Iterator
from typing import Final

import engine
from demo import words
from demo.actions import Photo, psnr_db
from demo.draw import fit, in_db
from demo.exhibits import Exhibit
from demo.lab import METHODS
from engine import Face, from_u8, lay_masks, merge_overlapping, open_protected, whole_face
from engine.errors import MethodError

SIDE: Final = 112
"""The papers' size of a face, and the longer side here at most."""

PASSPHRASE: Final = "an example, known to everybody"
COLUMNS: Final = ("protected", "right key", "wrong key")


def rows(original_u8: Photo) -> Iterator[tuple[str, list[Exhibit | None]]]:
    """Protect one face by all methods under one mask after the other.

    Args:
        original_u8: a face; shrunk to :data:`SIDE`.

    Yields:
        Name of the mask; then the mask, and three cells for each method, None where the method
        refuses to hide a face in this mask.
    """
    original_u8 = fit(original_u8, SIDE)
    face = whole_face(original_u8)
    regions = merge_overlapping([face], *original_u8.shape[:2])
    for mask, name in words.MASK_TITLES.items():
        made = lay_masks(original_u8, regions, mask)
        told = (*made.notes, *made.remarks)
        notes = "; ".join(f"{note.reason}; {note.instead}" for note in told)
        shown_u8 = made.photo_u8
        cells: list[Exhibit | None] = [
            _cell(f"{name}: the mask", "", shown_u8, original_u8, shown_u8, notes)
        ]
        for method in METHODS:
            cells += _by(method, mask, original_u8, face)
        yield mask, cells


def _by(method: str, mask: str, original_u8: Photo, face: Face) -> list[Exhibit | None]:
    options = engine.ProtectOptions(method, mask)
    try:
        made = engine.protect(original_u8, [face], PASSPHRASE, options)
    except MethodError:  # it would not look like the mask, so nothing goes out
        return [None] * len(COLUMNS)
    file = open_protected(made.png)
    trial = engine.Trial(file)
    right, wrong = trial.derive(PASSPHRASE), engine.random_key()
    shown = (file.photo_u8, trial.show(right), trial.show(wrong))
    title = f"{words.METHOD_TITLES[method]}, {words.MASK_TITLES.get(mask, mask)}"
    return [
        _cell(title, column, shown_u8, original_u8, made.masked_u8)
        for column, shown_u8 in zip(COLUMNS, shown, strict=True)
    ]


def _cell(
    title: str,
    column: str,
    shown_u8: Photo,
    original_u8: Photo,
    mask_u8: Photo,
    notes: str = "",
) -> Exhibit:
    from engine import ssim  # here: it needs torch

    alike = float(ssim(from_u8(original_u8), from_u8(shown_u8)).item())
    to_face, to_mask = psnr_db(original_u8, shown_u8), psnr_db(mask_u8, shown_u8)
    details = {
        "nearness to the face": in_db(to_face),
        "likeness of structure (SSIM)": f"{alike:.3f}",
        "nearness to the mask": in_db(to_mask),
    }
    if notes:
        details["to be told"] = notes
    near = to_mask if column in ("", "protected") else to_face
    note = "" if not column else in_db(near)
    tone = "good" if column == "right key" else "plain"
    full = f"{title}: {column}" if column else title
    return Exhibit(shown_u8, full, note, full, tone, details)
