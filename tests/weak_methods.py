"""Methods that protect badly on purpose: an attack that fails on them would prove nothing."""

from collections.abc import Sequence

import numpy as np

from engine.errors import CapacityError
from engine.methods import BoundKey, Crop, Place, Plan, WrongMode

Photo = np.ndarray


class Glass:
    """Puts the original's high bits in the mask's low ones: no key, and any residual shows it."""

    name = "glass"
    promise = "none"
    wrong_modes: tuple[WrongMode, ...] = ("rand",)
    keyless = False
    keeps_outside = True
    authenticates = True  # so it says: it recovers under any key
    carries_header = False
    note_bytes = 0

    def model_hash(self) -> bytes:
        return b""

    def made_by(self, model_hash: bytes) -> "Glass":
        return self

    def plan(self, photo_u8: Photo, crops: Sequence[Crop], header_bytes: int) -> list[Plan]:
        return [Plan() for _ in crops]

    def protect(
        self,
        photo_u8: Photo,
        crops: Sequence[Crop],
        plans: Sequence[Plan],
        keys: Sequence[BoundKey],
    ) -> Photo:
        shared_u8 = photo_u8.copy()
        for crop in crops:
            x0, y0, x1, y1 = crop.box
            shared_u8[y0:y1, x0:x1] = (shared_u8[y0:y1, x0:x1] & 0xF0) | (crop.original_u8 >> 4)
        return shared_u8

    def recover(self, photo_u8: Photo, place: Place, key: BoundKey) -> Photo:
        x0, y0, x1, y1 = place.box
        return (photo_u8[y0:y1, x0:x1] << 4) | 0x08

    recover_wrongly = recover

    def check(self, notes: Sequence[bytes], samples: int, header_bytes: int) -> None:
        """Anything goes."""

    def is_exact(self, note: bytes) -> bool:
        return False


class Shy(Glass):
    """Refuses every face."""

    name = "shy"

    def plan(self, photo_u8: Photo, crops: Sequence[Crop], header_bytes: int) -> list[Plan]:
        raise CapacityError("expected no face at all, got one", hint="take another method")


class Loud(Glass):
    """Hides nothing at all: adds noise under the key, as strong as the mask's own edges are."""

    name = "loud"

    def protect(
        self,
        photo_u8: Photo,
        crops: Sequence[Crop],
        plans: Sequence[Plan],
        keys: Sequence[BoundKey],
    ) -> Photo:
        shared_u8 = photo_u8.copy()
        for crop, key in zip(crops, keys, strict=True):
            x0, y0, x1, y1 = crop.box
            mask = photo_u8[y0:y1, x0:x1].astype(float)
            edges = sum(np.abs(step) for step in np.gradient(mask, axis=(0, 1)))
            seed = int.from_bytes(key.key.stream(key.context, "noise", 8), "big")
            noise = np.random.default_rng(seed).normal(0, 1, mask.shape) * edges / 4
            shared_u8[y0:y1, x0:x1] = np.rint(mask + noise).clip(0, 255)
        return shared_u8


class Picky(Glass):
    """Takes no faces but those it knows."""

    name = "picky"

    def __init__(self, known: Sequence[Photo]) -> None:
        self.known = known

    def plan(self, photo_u8: Photo, crops: Sequence[Crop], header_bytes: int) -> list[Plan]:
        for crop in crops:
            if not any(np.array_equal(crop.original_u8, one) for one in self.known):
                raise CapacityError("expected another face", hint="take another")
        return super().plan(photo_u8, crops, header_bytes)
