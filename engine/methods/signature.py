"""What every method is given and gives back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from engine.images import Box
from engine.keys import Key

WrongMode = Literal["", "rand", "obfs", "decoy"]
"""What a wrong key shows: noise ("rand", RandWR), the mask ("obfs", ObfsWR), another ("decoy").

Empty: the face itself, with a method that knows no key.
"""


@dataclass(frozen=True, eq=False)
class Crop:
    """A part of a photograph to hide.

    Attributes:
        box: XYXY in pixels of the photograph.
        original_u8: what stands there, (h, w, 3).
    """

    box: Box
    original_u8: npt.NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True)
class BoundKey:
    """A key bound to one crop: :class:`engine.keys.Key` and the header's context of that crop."""

    key: Key
    context: bytes


@dataclass(frozen=True)
class Plan:
    """How one crop will be hidden.

    Attributes:
        note: the method's own bytes for the header, at most 64.
        payload: what will be hidden, still in clear: it must not leave the engine.
    """

    note: bytes = b""
    payload: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Place:
    """Where a crop is hidden: its box and the method's note, as read from a header.

    Attributes:
        box: XYXY in pixels of the photograph.
        note: see :class:`Plan`.
        wrong: what a wrong key shall show.
        mask: what was laid over it, as the header names it; empty where unknown.
    """

    box: Box
    note: bytes
    wrong: WrongMode
    mask: str = ""


class Method(Protocol):
    """A way to protect and recover.

    Attributes:
        name: of the registry and the header.
        promise: one plain sentence about what it promises.
        wrong_modes: what a wrong key can show. The first is the default and the method's own, that
            of :meth:`recover_wrongly`; the others :func:`engine.methods.wrongly.show_wrongly` puts
            in its place.
        keyless: whoever has the program recovers, with any key and with none: the passphrase
            protects nothing, and the header's tag proves no more than that the picture is whole.
        keeps_outside: pixels outside the boxes stay bit-identical.
        authenticates: its recovery refuses a wrong key by itself, without the header's tag.
        carries_header: the header also travels in the pixels, so stripped metadata do no harm.
        note_bytes: length of every note.
    """

    name: str
    promise: str
    wrong_modes: tuple[WrongMode, ...]
    keyless: bool
    keeps_outside: bool
    authenticates: bool
    carries_header: bool
    note_bytes: int

    def model_hash(self) -> bytes:
        """SHA-256 of the weights that protect, or empty for a method without a model."""
        ...

    def made_by(self, model_hash: bytes) -> "Method":
        """This method with the model that a header names, to recover what an older tag protected.

        Raises:
            UnknownModelError: no released model has this hash.
            WeightsMissingError: the model is released, but not here.
            HeaderDamagedError: it is a model of another method.
        """
        ...

    def plan(
        self, photo_u8: npt.NDArray[np.uint8], crops: Sequence[Crop], header_bytes: int
    ) -> list[Plan]:
        """Decide how each crop will be hidden.

        Args:
            photo_u8: the photograph with its faces masked.
            crops: what to hide.
            header_bytes: length that the encoded header will have if each note is
                :attr:`note_bytes` long.

        Raises:
            CapacityError: it does not fit.
        """
        ...

    def protect(
        self,
        photo_u8: npt.NDArray[np.uint8],
        crops: Sequence[Crop],
        plans: Sequence[Plan],
        keys: Sequence[BoundKey],
    ) -> npt.NDArray[np.uint8]:
        """Hide every crop in the masked photograph: the photograph to share."""
        ...

    def recover(
        self, photo_u8: npt.NDArray[np.uint8], place: Place, key: BoundKey
    ) -> npt.NDArray[np.uint8]:
        """Bring a crop back, (h, w, 3) uint8.

        Raises:
            WrongKeyError: the method itself can tell that the key is wrong.
        """
        ...

    def recover_wrongly(
        self, photo_u8: npt.NDArray[np.uint8], place: Place, key: BoundKey
    ) -> npt.NDArray[np.uint8]:
        """What the method itself gives in a place under a key that is not its own."""
        ...

    def check(self, notes: Sequence[bytes], samples: int, header_bytes: int) -> None:
        """Refuse a picture's notes if :meth:`plan` cannot have made them; before any work is done.

        Args:
            notes: of all crops of the picture.
            samples: of the picture, three for each pixel.
            header_bytes: length of its encoded header.

        Raises:
            HeaderDamagedError: they are not.
        """
        ...

    def is_exact(self, note: bytes) -> bool:
        """Tell from a crop's note whether its recovery is bit-exact."""
        ...
