"""The sealed payload: the original encrypted and authenticated, carried by the picture's samples.

Real cryptography instead of a learned secret: without the key the payload is random bytes, so a
network trained on any number of pictures learns nothing from it. What it gives away is the mask,
and that something of a certain length is hidden.

What it does not survive: any change of the pixels that carry it, so JPEG, resizing, filters and
messengers that re-encode. It survives the loss of every chunk and every name of the file, since the
header travels in the pixels too.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import shake_256
from typing import Final

import numpy as np
import numpy.typing as npt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

from engine import carrier, payload
from engine.codes import Code, capacity_bytes, choose_code
from engine.errors import CapacityError, HeaderDamagedError, WrongKeyError
from engine.methods.signature import BoundKey, Crop, Place, Plan, WrongMode
from engine.order import Area
from engine.payload import CODECS
from engine.zoo import find_by_hash

AEAD_TAG_BYTES: Final = 16
# Rounding when areas are cut and bytes are packed must not push a crop to a coarser code.
SPARE_BYTES: Final = 3
# Every key seals one message: it is derived from the picture's own salt and the crop's own box.
NONCE: Final = bytes(12)
_NOTE: Final = struct.Struct(">BBBIII")


@dataclass(frozen=True)
class Note:
    """What recovery must know of one crop's payload; in the header, authenticated.

    Attributes:
        codec: number in :data:`engine.payload.CODECS`.
        code: how bytes sit in samples.
        start: first slot of the crop's area, see :mod:`engine.carrier`.
        length: slots of that area.
        size: bytes of the sealed payload.
    """

    codec: int
    code: Code
    start: int
    length: int
    size: int

    def pack(self) -> bytes:
        """15 bytes for the header."""
        return _NOTE.pack(
            self.codec, self.code.modulus, self.code.order, self.start, self.length, self.size
        )

    @classmethod
    def unpack(cls, raw: bytes) -> "Note":
        """Read :meth:`pack`'s bytes.

        Raises:
            HeaderDamagedError: not what this version writes.
        """
        if len(raw) != _NOTE.size:
            raise _damaged(f"a sealed crop's note has {_NOTE.size} bytes, got {len(raw)}")
        codec, modulus, order, start, length, size = _NOTE.unpack(raw)
        if codec >= len(CODECS) or size <= AEAD_TAG_BYTES:
            raise _damaged(f"a sealed crop's note names codec {codec} and {size} bytes")
        try:
            code = Code(modulus, order)
        except ValueError as error:
            raise _damaged(f"a sealed crop's note names no code ({error})") from error
        if capacity_bytes(length, code) < size:
            raise _damaged(f"{size} sealed bytes do not fit {length} samples")
        return cls(codec, code, start, length, size)


class Sealed:
    """The method: encode, seal with ChaCha20-Poly1305, hide in keyed places.

    The payload of a face lies in the whole photograph, so most faces travel losslessly. A crop that
    is its own carrier (``--whole``) is re-encoded as large as fits.
    """

    name = "sealed"
    promise = "only the key opens it"
    wrong_modes: tuple[WrongMode, ...] = ("rand", "obfs", "decoy")
    keyless = False
    keeps_outside = False
    authenticates = True
    carries_header = True
    note_bytes = _NOTE.size

    def model_hash(self) -> bytes:
        """Empty: there is no model."""
        return b""

    def made_by(self, model_hash: bytes) -> "Sealed":
        """Itself: there is no model, and a header that names one is refused.

        Raises:
            UnknownModelError, WeightsMissingError, HeaderDamagedError: the header names a model.
        """
        if model_hash:
            raise _damaged(
                f"sealed needs no model, the header names {find_by_hash(model_hash).name}"
            )
        return self

    def plan(
        self, photo_u8: npt.NDArray[np.uint8], crops: Sequence[Crop], header_bytes: int
    ) -> list[Plan]:
        """Encode every crop and cut the photograph's samples in one area for each.

        Losslessly with changes of at most one level if all fit so; else re-encoded, each crop into
        its share of the room by area.

        Raises:
            CapacityError: even the coarsest encoding does not fit.
        """
        height, width = photo_u8.shape[:2]
        first = carrier.header_slots(header_bytes)
        slots = height * width * 3 - first
        payloads = _encode(crops, max(0, slots))
        sizes = [len(p.data) + AEAD_TAG_BYTES for p in payloads]
        shares = [size + SPARE_BYTES for size in sizes]
        plans = []
        for i, (encoded, size) in enumerate(zip(payloads, sizes, strict=True)):
            start = first + slots * sum(shares[:i]) // sum(shares)
            end = first + slots * sum(shares[: i + 1]) // sum(shares)
            code = choose_code(end - start, size)
            if code is None:
                raise _does_not_fit(slots)
            note = Note(CODECS.index(encoded.codec), code, start, end - start, size)
            plans.append(Plan(note.pack(), encoded.data))
        return plans

    def protect(
        self,
        photo_u8: npt.NDArray[np.uint8],
        crops: Sequence[Crop],
        plans: Sequence[Plan],
        keys: Sequence[BoundKey],
    ) -> npt.NDArray[np.uint8]:
        """Seal each payload under its key and hide it in its area, in the key's order."""
        for plan, key in zip(plans, keys, strict=True):
            note = Note.unpack(plan.note)
            seal = ChaCha20Poly1305(key.key.seal_key(key.context))
            sealed = seal.encrypt(NONCE, plan.payload, key.context)
            photo_u8 = carrier.embed(photo_u8, _area(photo_u8, note, key), sealed, note.code)
        return photo_u8

    def recover(
        self, photo_u8: npt.NDArray[np.uint8], place: Place, key: BoundKey
    ) -> npt.NDArray[np.uint8]:
        """Collect, open and decode; exact if it was stored losslessly.

        Raises:
            WrongKeyError: the seal does not open: another key, or changed pixels.
        """
        note = Note.unpack(place.note)
        sealed = _collect(photo_u8, note, key)
        try:
            opened = ChaCha20Poly1305(key.key.seal_key(key.context)).decrypt(
                NONCE, sealed, key.context
            )
        except InvalidTag:
            raise WrongKeyError(
                "the key must be the one that sealed this face, got another",
                hint="check the passphrase: capitals, spaces and every sign count",
            ) from None
        x0, y0, x1, y1 = place.box
        return payload.decode(opened, CODECS[note.codec], y1 - y0, x1 - x0)

    def recover_wrongly(
        self, photo_u8: npt.NDArray[np.uint8], place: Place, key: BoundKey
    ) -> npt.NDArray[np.uint8]:
        """What decrypting without checking gives, as a picture.

        Random bytes have no size, so they are stretched over the crop by SHAKE-256.
        """
        x0, y0, x1, y1 = place.box
        sealed = _collect(photo_u8, Note.unpack(place.note), key)
        # ChaCha20-Poly1305 (RFC 8439, 2.8) starts encrypting at block 1, little-endian.
        stream = ChaCha20(key.key.seal_key(key.context), (1).to_bytes(4, "little") + NONCE)
        opened = Cipher(stream, mode=None).decryptor().update(sealed)
        shape = (y1 - y0, x1 - x0, 3)
        noise = shake_256(b"faceveil/v1/unchecked" + opened).digest(int(np.prod(shape)))
        return np.frombuffer(noise, np.uint8).reshape(shape).copy()

    def check(self, notes: Sequence[bytes], samples: int, header_bytes: int) -> None:
        """Hold the areas apart, so that no header can ask for the same work twice.

        Raises:
            HeaderDamagedError: areas overlap each other or the header's copy, or leave the picture.
        """
        end = carrier.header_slots(header_bytes)
        for note in sorted(map(Note.unpack, notes), key=lambda note: note.start):
            if note.start < end or note.start + note.length > samples:
                raise _damaged("a sealed crop's area overlaps another or leaves the picture")
            end = note.start + note.length

    def is_exact(self, note: bytes) -> bool:
        """Whether the crop travels losslessly."""
        return payload.is_exact(CODECS[Note.unpack(note).codec])


def _encode(crops: Sequence[Crop], slots: int) -> list[payload.Payload]:
    """Encode all crops losslessly if they fit as ternary digits together, else within budgets."""
    room = capacity_bytes(slots, Code(3, 1)) - (AEAD_TAG_BYTES + SPARE_BYTES) * len(crops)
    exact = [payload.encode_lossless(crop.original_u8) for crop in crops]
    if sum(len(whole.data) for whole in exact) <= room:
        return exact
    areas = [crop.original_u8.shape[0] * crop.original_u8.shape[1] for crop in crops]
    return [
        payload.encode(crop.original_u8, room * area // sum(areas), exact=whole)
        for crop, area, whole in zip(crops, areas, exact, strict=True)
    ]


def _does_not_fit(slots: int) -> CapacityError:
    return CapacityError(
        f"the faces do not fit into the {max(0, slots)} samples of the picture",
        hint="take a larger picture, fewer faces, or --method proface-k",
    )


def _damaged(message: str) -> HeaderDamagedError:
    return HeaderDamagedError(message, hint="ask for the picture again, sent as a file")


def _area(photo_u8: npt.NDArray[np.uint8], note: Note, key: BoundKey) -> Area:
    height, width = photo_u8.shape[:2]
    order = key.key.stream(key.context, "order", 32)
    return Area(height, width, note.start, note.length, order)


def _collect(photo_u8: npt.NDArray[np.uint8], note: Note, key: BoundKey) -> bytes:
    return carrier.extract(photo_u8, _area(photo_u8, note, key), note.size, note.code)
