"""Two small faces, and the configuration to attack them with in moments."""

from pathlib import Path

import cv2
import numpy as np
from sample_photos import group, portrait

from engine.attacks.attack import AttackConfig
from engine.images import write_png
from engine.results import Score

SIDE = 64


def faces_folder(folder: Path) -> Path:
    """Write two faces of 64 px; returns the folder."""
    crops = {"a.png": portrait()[64:176, 72:184], "b.png": group()[60:172, 60:172]}
    for name, crop_u8 in crops.items():
        small = cv2.resize(crop_u8, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        write_png(folder / name, np.asarray(small, np.uint8), None)
    return folder


def quick(method: str = "glass", mask: str = "pixelate", **more: object) -> AttackConfig:
    """One method and mask, both faces."""
    return AttackConfig((method,), (mask,), **more)  # type: ignore[arg-type]


def by_pair(scores: list[Score], metric: str) -> dict[str, list[float]]:
    """The figures of a metric, by pair."""
    found: dict[str, list[float]] = {}
    for score in scores:
        if score.metric == metric:
            found.setdefault(score.pair, []).append(score.value)
    return found
