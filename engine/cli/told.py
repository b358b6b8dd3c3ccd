"""What ``protect`` tells of its work: figures as JSON, and a line where a mask lies otherwise."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engine.cli.mask_choice import SOURCE_WARNING
from engine.methods import METHODS
from engine.options import ProtectOptions
from engine.pipeline import Protected


def describe(
    protected: Protected, options: ProtectOptions, left: int, output: Path, seconds: float
) -> dict[str, Any]:
    """Tell what was done, and how many faces stayed clear, ready for JSON; nothing secret."""
    header = protected.header
    return {
        "output": str(output),
        "bytes": len(protected.png),
        "method": header.method,
        "mask": header.mask,
        "source_warning": SOURCE_WARNING if _shows_source(protected, options) else None,
        "wrong": header.wrong,
        "keyless": METHODS[header.method].keyless,
        "tag": header.faces[0].tag is not None,
        "faces": [
            {
                "box": list(face.box),
                "key": face.key_slot + 1,
                "recovery_is_exact": exact,
                "notes": [
                    f"{note.reason}; {note.instead}"
                    for note in (*protected.notes, *protected.remarks)
                    if note.region == i
                ],
            }
            for i, (face, exact) in enumerate(zip(header.faces, protected.exact, strict=True))
        ],
        "faces_left_clear": left,
        "mask:protected_psnr_db": psnr_db(protected.masked_u8, protected.photo_u8),
        "seconds": round(seconds, 3),
    }


def warnings_of(protected: Protected, options: ProtectOptions) -> list[str]:
    """One line for a source, and one for each face that is to be looked at or hidden otherwise."""
    sourced = [f"warning: {SOURCE_WARNING}"] if _shows_source(protected, options) else []
    return sourced + [
        f"warning: the face at {','.join(map(str, note.box))}: {note.reason}; {note.instead}"
        for note in (*protected.notes, *protected.remarks)
    ]


def _shows_source(protected: Protected, options: ProtectOptions) -> bool:
    return options.source is not None and protected.laid > 0


def psnr_db(first_u8: npt.NDArray[np.uint8], second_u8: npt.NDArray[np.uint8]) -> float | None:
    """PSNR of two photographs in dB, None if they are equal (JSON knows no infinity)."""
    error = cv2.norm(first_u8, second_u8, cv2.NORM_L2SQR) / first_u8.size
    return round(10 * float(np.log10(255**2 / error)), 2) if error else None
