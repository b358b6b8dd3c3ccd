"""Passphrase in, key out: the only place where a secret becomes numbers.

::

    passphrase ── NFKC, UTF-8 ── Argon2id(salt, m, t, p) ── root (32 bytes) = Key
    root ── HKDF-SHA256(salt = SHA-256(context)) ─┬─ "faceveil/v1/map"  ── SHAKE-256 ── key map
                                                  ├─ "faceveil/v1/tag"  ── HMAC-SHA256 of a face
                                                  ├─ "faceveil/v1/seal" ── authenticated encryption
                                                  └─ "faceveil/v1/..."  ── SHAKE-256 ── keyed orders

Every byte is the same on every platform: no generator of torch or numpy takes part. Sources:
RFC 9106 (Argon2id, second recommended option), RFC 5869 (HKDF), FIPS 202 (SHAKE-256).
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn, Self, SupportsIndex

import numpy as np
import numpy.typing as npt
from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from engine.errors import ImageTooLargeError, SecretError
from engine.passphrase import entropy_bits, generate_passphrase, normalize_passphrase

if TYPE_CHECKING:
    import torch

__all__ = [
    "KdfParams",
    "Key",
    "entropy_bits",
    "generate_passphrase",
    "key_map_tensor",
    "new_salt",
    "normalize_passphrase",
]

KEY_BYTES: Final = 32
SALT_BYTES: Final = 16
MAX_MEMORY_KIB: Final = 262_144
MAX_ITERATIONS: Final = 10
MAX_LANES: Final = 8
MAX_MAP_PIXELS: Final = 16_000_000
MAX_STREAM_BYTES: Final = 2**29

_DOMAIN: Final = b"faceveil/v1/"
_OWN_LABELS: Final = frozenset({"map", "tag", "seal", "fingerprint"})
_LABEL: Final = re.compile(r"[a-z0-9-]{1,32}")


@dataclass(frozen=True)
class KdfParams:
    """Cost of one guess at the passphrase: Argon2id version 1.3, 32 bytes out.

    The limits are those of a decoder, so that no file can make the program stall. What may be
    *made* is narrower, see :meth:`check_floor`.

    Args:
        memory_kib: memory in KiB, ``8 * lanes`` (RFC 9106, 3.1) to 262,144.
        iterations: passes over the memory, 1 to 10.
        lanes: lanes computed in parallel, 1 to 8.

    Raises:
        SecretError: a value that is no integer or outside its limits.
    """

    memory_kib: int = 65_536
    iterations: int = 3
    lanes: int = 4
    _unguarded: bool = field(default=False, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        _check_cost("lanes", self.lanes, 1, MAX_LANES)
        _check_cost("iterations", self.iterations, 1, MAX_ITERATIONS)
        _check_cost("memory_kib", self.memory_kib, 8 * self.lanes, MAX_MEMORY_KIB)

    @classmethod
    def cheapest(cls) -> Self:
        """Give the cheapest parameters, let through :meth:`check_floor` all the same.

        For tests and benchmarks, whose passphrases guard nothing: who protects a photograph with
        them can be guessed in moments.
        """
        params = cls(memory_kib=8, iterations=1, lanes=1)
        object.__setattr__(params, "_unguarded", True)
        return params

    def check_floor(self) -> None:
        """Refuse to protect anything with less than the default cost.

        Recovering needs no floor: a cheap derivation of an old picture endangers nobody.

        Raises:
            SecretError: less memory or fewer iterations than the default.
        """
        floor = KdfParams()
        cheap = self.memory_kib < floor.memory_kib or self.iterations < floor.iterations
        if cheap and not self._unguarded:
            raise SecretError(
                f"key derivation must cost at least {floor.memory_kib} KiB and "
                f"{floor.iterations} iterations, got {self.memory_kib} and {self.iterations}",
                hint="protect with the default KdfParams()",
            )


def _check_cost(name: str, value: int, low: int, high: int) -> None:
    if type(value) is not int or not low <= value <= high:
        raise SecretError(
            f"kdf {name} must be an integer from {low} to {high}, got {value!r}",
            hint="use the default KdfParams()",
        )


class Key:
    """The 32 bytes behind a passphrase; shows a fingerprint and never itself.

    A ``context`` is the canonical header of one face, :func:`engine.header.context`: it makes every
    derived value belong to one face of one picture.

    Args:
        root: 32 secret bytes.

    Raises:
        SecretError: not 32 bytes.
    """

    __slots__ = ("_root",)

    def __init__(self, root: bytes) -> None:
        if not isinstance(root, bytes) or len(root) != KEY_BYTES:
            raise SecretError(f"key must be {KEY_BYTES} bytes", hint="use Key.from_passphrase")
        self._root = root

    @classmethod
    def from_passphrase(cls, passphrase: str, salt: bytes, params: KdfParams | None = None) -> Self:
        """Derive the key of an existing picture, whatever cost its header asks for.

        Args:
            passphrase: what the user typed.
            salt: the picture's 16 bytes.
            params: cost of the derivation; ``KdfParams()`` unless given.

        Raises:
            PassphraseError: see :func:`normalize_passphrase`.
            SecretError: the salt is not 16 bytes, or the memory cannot be had.
        """
        pw = normalize_passphrase(passphrase)
        cost = params or KdfParams()
        if not isinstance(salt, bytes) or len(salt) != SALT_BYTES:
            raise SecretError(f"salt must be {SALT_BYTES} bytes", hint="use new_salt()")
        try:
            root = hash_secret_raw(
                pw, salt, cost.iterations, cost.memory_kib, cost.lanes, KEY_BYTES, Type.ID
            )
        except HashingError:
            raise SecretError(
                f"key derivation needs {cost.memory_kib} KiB of memory, got less",
                hint="close other programs and try again",
            ) from None
        return cls(root)

    @classmethod
    def for_protecting(cls, passphrase: str, salt: bytes, params: KdfParams | None = None) -> Self:
        """Derive the key of a new picture: :meth:`from_passphrase` behind the security floor.

        Raises:
            PassphraseError: see :func:`normalize_passphrase`.
            SecretError: ``params`` are cheaper than the default, or as in :meth:`from_passphrase`.
        """
        cost = params or KdfParams()
        cost.check_floor()
        return cls.from_passphrase(passphrase, salt, cost)

    @property
    def fingerprint(self) -> str:
        """Eight hex digits that tell keys apart; enough to test a guess, so not for files."""
        return hashlib.sha256(_DOMAIN + b"fingerprint" + self._root).hexdigest()[:8]

    def map(self, context: bytes, height: int, width: int) -> npt.NDArray[np.int8]:
        """Draw the key map of one face.

        Args:
            context: the canonical header of the face.
            height: rows, at least 1.
            width: columns, at least 1; no more than 16 million values altogether.

        Returns:
            ``(height, width)`` of -1 and +1, int8.

        Raises:
            ImageTooLargeError: ``height * width`` is 0 or beyond 16 million.

        Example:
            >>> Key(bytes(32)).map(b"a face", 2, 4).shape
            (2, 4)
        """
        if height < 1 or width < 1 or height * width > MAX_MAP_PIXELS:
            raise ImageTooLargeError(
                f"key map must have 1 to {MAX_MAP_PIXELS} values, got {height} x {width}",
                hint="choose a smaller box",
            )
        size = height.to_bytes(4, "big") + width.to_bytes(4, "big")
        k_map = self._derive(context, "map")
        count = height * width
        stream = hashlib.shake_256(_DOMAIN + b"map" + k_map + size).digest((count + 7) // 8)
        bits = np.unpackbits(np.frombuffer(stream, dtype=np.uint8), count=count)
        signs: npt.NDArray[np.int8] = bits.astype(np.int8) * np.int8(2) - np.int8(1)
        return signs.reshape(height, width)

    def tag_key(self, context: bytes) -> bytes:
        """Derive the 32 bytes that authenticate one face."""
        return self._derive(context, "tag")

    def seal_key(self, context: bytes) -> bytes:
        """Derive the 32 bytes that encrypt one face."""
        return self._derive(context, "seal")

    def stream(self, context: bytes, label: str, length: int) -> bytes:
        """Draw keyed bytes for a purpose of the caller's own, as an order of positions.

        Args:
            context: the canonical header of the face.
            label: the purpose, 1 to 32 of ``a-z0-9-``; those of the scheme itself are taken.
            length: bytes wanted, 0 to 2**29.

        Raises:
            SecretError: a label or length outside these limits.
        """
        if _LABEL.fullmatch(label) is None or label in _OWN_LABELS:
            raise SecretError(
                f"stream label must be 1 to 32 of a-z0-9- and not reserved, got {label!r}",
                hint="name the purpose, as in 'order'",
            )
        if not 0 <= length <= MAX_STREAM_BYTES:
            raise SecretError(
                f"stream length must be 0 to {MAX_STREAM_BYTES}, got {length}", hint="ask for less"
            )
        seed = _DOMAIN + label.encode("ascii") + self._derive(context, label)
        return hashlib.shake_256(seed).digest(length)

    def _derive(self, context: bytes, label: str) -> bytes:
        salt = hashlib.sha256(context).digest()
        info = _DOMAIN + label.encode("ascii")
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=info).derive(self._root)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Key):
            return NotImplemented
        return hmac.compare_digest(self._root, other._root)

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __repr__(self) -> str:
        return f"Key({self.fingerprint})"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise SecretError("a key cannot be pickled or copied", hint="derive it where it is needed")


def key_map_tensor(key_map: npt.NDArray[np.int8]) -> "torch.Tensor":
    """Give a key map the shape that networks take.

    Args:
        key_map: ``(H, W)`` of -1 and +1.

    Returns:
        ``(1, 1, H, W)``, float32, on the CPU.
    """
    import torch  # here: the header and the dashboard need keys without two seconds of torch

    return torch.from_numpy(key_map.astype(np.float32))[None, None]


def new_salt() -> bytes:
    """Draw the 16 random bytes of a new picture."""
    return secrets.token_bytes(SALT_BYTES)
