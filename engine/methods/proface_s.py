"""PRO-Face S: the original hidden in the mask by a key-conditioned invertible network.

Source: Yuan et al., "PRO-Face S: Privacy-preserving Reversible Obfuscation of Face Images via
Secure Flow". Departures: the key map comes from Argon2id and SHAKE-256 with a salt per picture
instead of PBKDF2 with a fixed one, and the networks are trained through 8-bit rounding.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.methods.signature import BoundKey, Crop, Place, Plan, WrongMode
from engine.zoo import find_card


class ProfaceS:
    """One released embedder as a method.

    Args:
        name: of the method, such as ``"proface-s-rand"``.
        model: its model in the zoo, such as ``"proface-s-rand.v1"``.
        wrong: what its network shows under a wrong key.
        promise: one plain sentence.
    """

    keeps_outside = True
    carries_header = False
    note_bytes = 0

    def __init__(self, name: str, model: str, wrong: WrongMode, promise: str) -> None:
        self.name, self.model, self.promise = name, model, promise
        self.wrong_modes: tuple[WrongMode, ...] = (wrong,)

    def model_hash(self) -> bytes:
        """SHA-256 of the released weights."""
        return bytes.fromhex(find_card(self.model).sha256)

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

        network = embedding.load(self.model)
        protected_u8 = photo_u8.copy()
        for crop, key in zip(crops, keys, strict=True):
            x0, y0, x1, y1 = crop.box
            mask_u8 = photo_u8[y0:y1, x0:x1]
            protected_u8[y0:y1, x0:x1] = embedding.protect_crop(
                network, crop.original_u8, mask_u8, key
            )
        return protected_u8

    def recover(
        self, photo_u8: npt.NDArray[np.uint8], place: Place, key: BoundKey
    ) -> npt.NDArray[np.uint8]:
        """Run the network backwards; it cannot tell whether the key is right."""
        x0, y0, x1, y1 = place.box
        from engine.methods import embedding

        network = embedding.load(self.model)
        return embedding.recover_crop(network, photo_u8[y0:y1, x0:x1], key)

    recover_wrongly = recover

    def is_exact(self, note: bytes) -> bool:
        """Never: the network's recovery is close, not equal."""
        return False
