"""What all methods of one released network share: each crop hidden in its own box, and no other."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt

from engine.errors import HeaderDamagedError
from engine.methods.signature import BoundKey, Crop, Place, Plan, WrongMode
from engine.zoo import find_by_hash, find_card


class Networked:
    """One released embedder as a method.

    Args:
        name: of the method, such as ``"proface-s-rand"``.
        model: its model in the zoo, such as ``"proface-s-rand.v1"``.
        wrong: what can be shown under a wrong key, the default first.
        promise: one plain sentence.
    """

    scrambled = False
    keyless = False
    keeps_outside = True
    authenticates = False
    carries_header = False
    note_bytes = 0

    def __init__(self, name: str, model: str, wrong: tuple[WrongMode, ...], promise: str) -> None:
        self.name, self.model, self.promise = name, model, promise
        self.wrong_modes = wrong

    def model_hash(self) -> bytes:
        """SHA-256 of the released weights."""
        return bytes.fromhex(find_card(self.model).sha256)

    def made_by(self, model_hash: bytes) -> Self:
        """The same method with another released model of the family, found by its hash.

        Raises:
            UnknownModelError, WeightsMissingError: as :func:`engine.zoo.find_by_hash`.
            HeaderDamagedError: the hash is that of another method's model, or empty.
        """
        found = find_by_hash(model_hash).name if model_hash else "no model"
        if found.rpartition(".")[0] != self.model.rpartition(".")[0]:
            raise HeaderDamagedError(
                f"the header must name a model of {self.name}, got {found}",
                hint="ask for the picture again, sent as a file",
            )
        return type(self)(self.name, found, self.wrong_modes, self.promise)

    def plan(
        self, photo_u8: npt.NDArray[np.uint8], crops: Sequence[Crop], header_bytes: int
    ) -> list[Plan]:
        """Nothing to decide: the network takes any crop."""
        return [Plan() for _ in crops]

    def protect(
        self,
        photo_u8: npt.NDArray[np.uint8],
        crops: Sequence[Crop],
        plans: Sequence[Plan],
        keys: Sequence[BoundKey],
    ) -> npt.NDArray[np.uint8]:
        """Hide each crop in its own box; every other pixel stays as it is."""
        from engine.methods import embedding  # here: listing the methods needs no torch

        network = embedding.load(self.model, keyless=self.keyless)
        protected_u8 = photo_u8.copy()
        for crop, key in zip(crops, keys, strict=True):
            x0, y0, x1, y1 = crop.box
            mask_u8 = photo_u8[y0:y1, x0:x1]
            protected_u8[y0:y1, x0:x1] = embedding.protect_crop(
                network, crop.original_u8, mask_u8, self._used(key), scrambled=self.scrambled
            )
        return protected_u8

    def recover(
        self, photo_u8: npt.NDArray[np.uint8], place: Place, key: BoundKey
    ) -> npt.NDArray[np.uint8]:
        """Run the network backwards; it cannot tell whether the key is right."""
        x0, y0, x1, y1 = place.box
        from engine.methods import embedding

        network = embedding.load(self.model, keyless=self.keyless)
        crop_u8 = photo_u8[y0:y1, x0:x1]
        return embedding.recover_crop(network, crop_u8, self._used(key), scrambled=self.scrambled)

    recover_wrongly = recover

    def check(self, notes: Sequence[bytes], samples: int, header_bytes: int) -> None:
        """The network notes nothing.

        Raises:
            HeaderDamagedError: there is a note.
        """
        if any(notes):
            raise HeaderDamagedError(
                f"{self.name} notes nothing in a header, got {max(map(len, notes))} bytes",
                hint="ask for the picture again, sent as a file",
            )

    def is_exact(self, note: bytes) -> bool:
        """Never: the network's recovery is close, not equal."""
        return False

    def _used(self, key: BoundKey) -> BoundKey | None:
        return None if self.keyless else key
