"""Tries keys on a protected picture: wrong ones, and ones that are nearly right.

The attacker of this module has the protected file, the program and the weights, and no passphrase:
each try is a guess. What :class:`Trial` shows is what a viewer sees who leaves the tag unchecked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.attacks.guesses import (
    MAX_SHARE,
    flip_share,
    one_bit_off,
    one_character_off,
    random_key,
)
from engine.errors import MethodError, WrongKeyError
from engine.header import check_tag, context, pixel_digest
from engine.images import ProtectedFile, check_photo, from_u8
from engine.keys import Key
from engine.methods import BoundKey
from engine.methods.proface_s import ProfaceS
from engine.methods.wrongly import show_wrongly
from engine.record import Header
from engine.recovery import method_of, places, read_header

if TYPE_CHECKING:
    from engine.networks.embedder import Embedder

__all__ = [
    "MAX_SHARE",
    "SweepPoint",
    "Trial",
    "flip_share",
    "key_map_sweep",
    "one_bit_off",
    "one_character_off",
    "random_key",
]


class Trial:
    """One face of a protected picture, on which keys are tried.

    Args:
        file: from :func:`engine.images.open_protected`.
        face_index: which face of its header, from 0.
        header: from a sidecar, where the file has lost its own.

    Attributes:
        header: what travelled with the picture.
        method: name of its method.
        box: of the face, XYXY in pixels of the photograph.
        height: rows of the box.
        width: columns of the box.

    Raises:
        NotProtectedError, ReencodedError, TamperedError, HeaderError, ModelError: as
            :func:`engine.recovery.read_header`.
        HeaderError: no such face.
    """

    def __init__(
        self, file: ProtectedFile, face_index: int = 0, header: Header | None = None
    ) -> None:
        self.header, self._photo_u8 = read_header(file, header)
        self._context = context(self.header, face_index)
        self._face_index = face_index
        self._digest = pixel_digest(self._photo_u8)
        self._method = method_of(self.header)
        self._place = places(self.header)[face_index]
        self.method = self.header.method
        self.box = x0, y0, x1, y1 = self._place.box
        self.height, self.width = y1 - y0, x1 - x0

    def derive(self, passphrase: str) -> Key:
        """Derive the key of a guess at the cost that the header asks for: keep what it returns.

        Raises:
            PassphraseError, SecretError: as :meth:`engine.keys.Key.from_passphrase`.
        """
        return Key.from_passphrase(passphrase, self.header.salt, self.header.kdf)

    def opens(self, key: Key) -> bool:
        """Tell whether a key is the right one, by the face's tag.

        Raises:
            MethodError: the picture was protected without tags.
        """
        if not self._tagged:
            raise MethodError(
                "a tag must tell the right key, got a picture that was protected without one",
                hint="look at what the key shows, or protect with check_value=True",
            )
        return self._passes(key)

    def show(self, key: Key) -> npt.NDArray[np.uint8]:
        """Give what a viewer sees under any key: the original, or the method's wrong recovery.

        Returns:
            ``(height, width, 3)``.
        """
        bound = BoundKey(key, self._context)
        if self._passes(key):
            try:
                return self._method.recover(self._photo_u8, self._place, bound)
            except WrongKeyError:  # a method that tells by itself, in a picture without tags
                pass
        return show_wrongly(self._method, self._photo_u8, self._place, bound)

    def show_map(
        self, key: Key, share: float, seed: int, tile: bool = False
    ) -> npt.NDArray[np.uint8]:
        """Give what the network shows when a share of a key's map bits is wrong.

        Args:
            key: the right one, or any.
            share: of wrong bits, as for :func:`flip_share`.
            seed: of where they are.
            tile: all in one place.

        Returns:
            ``(height, width, 3)``; with share 0 what :meth:`show` gives under the right key.

        Raises:
            MethodError: the method has no key map, or ``share`` is outside its limits.
        """
        network = self._network()
        from engine.methods import embedding  # here, as in the methods: keys alone need no torch

        x0, y0, x1, y1 = self.box
        even = self.height + self.height % 2, self.width + self.width % 2
        key_map = flip_share(key.map(self._context, *even), share, seed, tile=tile)
        return embedding.recover_by_map(network, self._photo_u8[y0:y1, x0:x1], key_map)

    def spoof(self, masked_u8: npt.NDArray[np.uint8], key: Key) -> npt.NDArray[np.uint8]:
        """Recover from other pixels, handed in as if they were the protected picture.

        What a viewer sees who has no tag to check: with one, this is noticed before anything shows.

        Args:
            masked_u8: the mask alone, or what re-encoding left, of the protected photograph's size.
            key: the right one, or any.

        Returns:
            ``(height, width, 3)``.

        Raises:
            MethodError: ``masked_u8`` has another size than the protected picture.
            WrongKeyError: the method's own check refuses it, as that of ``sealed`` does.
            ImageError: ``masked_u8`` is no picture.
        """
        check_photo(masked_u8)
        if masked_u8.shape != self._photo_u8.shape:
            raise MethodError(
                f"masked_u8 must be {self._photo_u8.shape}, got {masked_u8.shape}",
                hint="pass the whole masked photograph, as Protected.masked_u8",
            )
        return self._method.recover(masked_u8, self._place, BoundKey(key, self._context))

    @property
    def _tagged(self) -> bool:
        return self.header.faces[self._face_index].tag is not None

    def _passes(self, key: Key) -> bool:
        try:
            check_tag(key, self.header, self._face_index, digest=self._digest)
        except WrongKeyError:
            return False
        return True

    def _network(self) -> "Embedder":
        if not isinstance(self._method, ProfaceS) or self._method.scrambled:
            # The stream of a scrambling key gives an order, all of it anew for any other key.
            raise MethodError(
                f"the method must have a key map whose bits can be flipped, got {self.method}",
                hint="take a picture protected by proface-s-rand or proface-s-obfs",
            )
        from engine.methods import embedding

        return embedding.load_embedder(self._method.model)


@dataclass(frozen=True, eq=False)
class SweepPoint:
    """What one share of wrong key map bits gives.

    Attributes:
        share: of wrong bits, 0 to :data:`MAX_SHARE`.
        psnr_db: original:recovered, in dB.
        recovered_u8: the picture, ``(height, width, 3)``.
    """

    share: float
    psnr_db: float
    recovered_u8: npt.NDArray[np.uint8] = field(repr=False)


def key_map_sweep(
    trial: Trial,
    key: Key,
    original_u8: npt.NDArray[np.uint8],
    shares: Sequence[float],
    seed: int,
    tile: bool = False,
) -> list[SweepPoint]:
    """Measure how much of a key map must be wrong before the face is gone.

    The attacker is taken to know the rest of the map: no one does, but who could climb along this
    curve bit by bit would need no key.

    Args:
        trial: a face protected by a network.
        key: its right key.
        original_u8: what stood in the box, ``(height, width, 3)``.
        shares: of wrong bits, each 0 to :data:`MAX_SHARE`.
        seed: of where they are, as for :func:`flip_share`.
        tile: all in one place.

    Returns:
        A point for each share, in their order.

    Raises:
        MethodError: as :meth:`Trial.show_map`.
        ImageShapeError: ``original_u8`` is not of the box's size.
    """
    from engine.metrics import psnr_db  # here: it needs torch

    original = from_u8(original_u8)
    points = []
    for share in shares:
        shown_u8 = trial.show_map(key, share, seed, tile)
        points.append(SweepPoint(share, psnr_db(original, from_u8(shown_u8)).item(), shown_u8))
    return points
