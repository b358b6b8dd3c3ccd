"""Methods and networks that hide nothing, so that an attack that passes on others has meant it."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from sample_photos import portrait
from tiny_zoo import grey_embedder
from torch import Tensor, nn

from engine.images import write_png
from engine.methods import BoundKey, Crop, Place, Plan
from engine.networks.embedder import Embedder

U8 = npt.NDArray[np.uint8]

LEVELS = 4


class Whisper:
    """Adds a faint ghost of what the mask took away, four levels at most, under no key at all."""

    name = "whisper"
    promise = "none"
    wrong_modes = ("obfs",)
    keyless = False
    keeps_outside, authenticates, carries_header, note_bytes = True, False, False, 0

    def model_hash(self) -> bytes:
        return b""

    def made_by(self, model_hash: bytes) -> "Whisper":
        return self

    def plan(self, photo_u8: U8, crops: Sequence[Crop], header_bytes: int) -> list[Plan]:
        return [Plan() for _ in crops]

    def protect(
        self,
        photo_u8: U8,
        crops: Sequence[Crop],
        plans: Sequence[Plan],
        keys: Sequence[BoundKey],
    ) -> U8:
        protected_u8 = photo_u8.copy()
        for crop in crops:
            x0, y0, x1, y1 = crop.box
            lost = crop.original_u8.astype(float) - photo_u8[y0:y1, x0:x1]
            ghost = np.clip(np.rint(lost / 10), -LEVELS, LEVELS)
            protected_u8[y0:y1, x0:x1] = np.clip(photo_u8[y0:y1, x0:x1] + ghost, 0, 255)
        return protected_u8

    def recover(self, photo_u8: U8, place: Place, key: BoundKey) -> U8:
        x0, y0, x1, y1 = place.box
        return photo_u8[y0:y1, x0:x1].copy()

    recover_wrongly = recover

    def check(self, notes: Sequence[bytes], samples: int, header_bytes: int) -> None:
        assert not any(notes)

    def is_exact(self, note: bytes) -> bool:
        return False


class MapAsNoise(nn.Module):
    """An embedder that only adds its key map to the original: one look at smoothness undoes it."""

    def __init__(self, strength: float = 0.1) -> None:
        super().__init__()
        self.strength = strength

    def protect(self, original: Tensor, mask: Tensor, key_map: Tensor) -> Tensor:
        return original + self.strength * key_map

    def recover(self, protected: Tensor, key_map: Tensor) -> Tensor:
        return protected - self.strength * key_map

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")


def faintly_keyed(share: float = 0.2, strength: float = 0.15) -> Embedder:
    """An embedder set by hand that hides anything in plain grey, its key map a faint noise on it.

    Under the right key the noise is taken off again; under a wrong one it is all that spoils the
    picture, so that a map under which the picture is smooth is the right one.
    """
    network = grey_embedder(strength)
    colours = torch.eye(4).repeat_interleave(3, 0)  # as the key stands in for the byproduct
    phi, eta = (getattr(network.couplings[0], name).convolutions[0] for name in ("phi", "eta"))
    with torch.no_grad():
        phi.weight[-12:, 12:, 1, 1] = -strength * share * colours
        eta.weight[-12:, 12:, 1, 1] = (1 - share) * colours
    return network


def write_faces(folder: Path, count: int, seed: int = 0, side: int = 112) -> Path:
    """Views of the sample photograph, each a square of its own, as a zip of faces."""
    rng = np.random.default_rng(seed)
    photo_u8, file = portrait(), folder / f"faces{seed}.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for i in range(count):
            size = int(rng.integers(100, 200))
            top, left = rng.integers(0, 256 - size, 2)
            view = photo_u8[top : top + size, left : left + size]
            if rng.random() < 0.5:
                view = view[:, ::-1]
            small = cv2.resize(view, (side, side), interpolation=cv2.INTER_AREA)
            archive.writestr(f"{i:03}.png", write_png(None, np.ascontiguousarray(small), None))
    return file


def means(outcomes: Sequence[Any], metric: str = "psnr_db") -> dict[str, float]:
    """Mean of one metric by pair over single faces."""
    found: dict[str, list[float]] = {}
    for score in (score for outcome in outcomes for score in outcome.scores):
        if score.metric == metric and score.image != "all":
            found.setdefault(score.pair, []).append(score.value)
    return {pair: float(np.mean(values)) for pair, values in found.items()}
