"""Makes keys that are not the right one: any at all, a slip of the finger away, a few bits away."""

import random
import secrets
import string
from collections.abc import Iterator
from itertools import chain, zip_longest
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.errors import MethodError, PassphraseError, SecretError
from engine.keys import KEY_BYTES, Key, normalize_passphrase

MAX_SHARE: Final = 0.5
"""Of flipped key map bits: with half of them wrong nothing of the key is left."""

_LETTERS: Final = string.ascii_letters + string.digits + string.punctuation


def one_character_off(passphrase: str, seed: int) -> str:
    """Mistype a passphrase: one character replaced, dropped or doubled, or two neighbours swapped.

    Args:
        passphrase: the right one.
        seed: any integer; the same one makes the same edit.

    Returns:
        A passphrase in NFKC that is hashed to another key than the right one.

    Raises:
        PassphraseError: as :func:`engine.keys.normalize_passphrase`.
    """
    right = normalize_passphrase(passphrase).decode("utf-8")
    draw = random.Random(seed)
    while True:
        edit, place = draw.choice(_EDITS), draw.randrange(len(right))
        found = _normalized(edit(right, place, draw.choice(_LETTERS) if edit is _replace else ""))
        if found is not None and found != right:
            return found


def all_one_character_off(passphrase: str, seed: int) -> Iterator[str]:
    """Mistype a passphrase in every way of :func:`one_character_off`, each result once.

    Args:
        passphrase: the right one.
        seed: any integer; the same one gives the same order. The kinds of edits come in turn, as
            long as there are more of each: most are replacements.

    Yields:
        Passphrases in NFKC that are hashed to different keys, none of them the right one.

    Raises:
        PassphraseError: as :func:`engine.keys.normalize_passphrase`, when the first is asked for.
    """
    right = normalize_passphrase(passphrase).decode("utf-8")
    draw = random.Random(seed)
    kinds = [
        [(edit, place, letter) for place in range(len(right)) for letter in letters]
        for edit, letters in ((_replace, _LETTERS), (_drop, " "), (_double, " "), (_swap, " "))
    ]
    for kind in kinds:
        draw.shuffle(kind)
    seen = {right}
    for edit, place, letter in filter(None, chain.from_iterable(zip_longest(*kinds))):
        found = _normalized(edit(right, place, letter))
        if found is not None and found not in seen:
            seen.add(found)
            yield found


def one_bit_off(key: Key, bit: int) -> Key:
    """Flip one bit of a key.

    Args:
        key: the right one.
        bit: 0 to 255; 0 is the highest of the first byte.

    Raises:
        SecretError: no such bit.
    """
    if type(bit) is not int or not 0 <= bit < 8 * KEY_BYTES:
        raise SecretError(
            f"bit must be an integer from 0 to {8 * KEY_BYTES - 1}, got {bit!r:.20}",
            hint="a key has 32 bytes",
        )
    # Only here: the lab alone has a use for a key's bytes, and they stay in this function.
    root = bytearray(key._root)
    root[bit // 8] ^= 0x80 >> bit % 8
    return Key(bytes(root))


def random_key() -> Key:
    """Draw any key: what guessing without a list of passphrases comes to."""
    return Key(secrets.token_bytes(KEY_BYTES))


def flip_share(
    key_map: npt.NDArray[np.int8], share: float, seed: int, *, tile: bool = False
) -> npt.NDArray[np.int8]:
    """Make a share of a key map's bits wrong.

    Args:
        key_map: ``(H, W)`` of -1 and +1; it is not changed.
        share: of all bits, 0 to :data:`MAX_SHARE`, rounded to whole bits.
        seed: of where, 0 or more; a larger share flips the bits of a smaller one and more.
        tile: all in one place, as square as it fits, instead of scattered.

    Returns:
        A new map.

    Raises:
        MethodError: ``share`` is outside its limits.
    """
    if not 0 <= share <= MAX_SHARE:
        raise MethodError(
            f"share of wrong key map bits must lie in [0, {MAX_SHARE}], got {share}",
            hint="half of the bits wrong is as wrong as a random key",
        )
    draw = np.random.default_rng(seed)
    flipped = key_map.copy()
    count = round(share * key_map.size)
    if tile:
        rows, columns = _tile(key_map.shape[0], key_map.shape[1], count, draw)
        flipped[rows, columns] *= -1
    else:
        flipped.reshape(-1)[draw.permutation(key_map.size)[:count]] *= -1
    return flipped


def _tile(height: int, width: int, count: int, draw: np.random.Generator) -> tuple[slice, slice]:
    rows = min(height, max(1, round(count**0.5)))
    columns = min(width, round(count / rows))
    rows = min(height, round(count / max(1, columns)))
    top, left = (int(draw.random() * (n + 1)) for n in (height - rows, width - columns))
    return slice(top, top + rows), slice(left, left + columns)


def _normalized(edited: str) -> str | None:
    """A passphrase in NFKC; None where it was dropped to nothing, or doubled beyond the limit."""
    try:
        return normalize_passphrase(edited).decode("utf-8")
    except PassphraseError:
        return None


def _replace(text: str, place: int, letter: str) -> str:
    return text[:place] + letter + text[place + 1 :]


def _drop(text: str, place: int, letter: str) -> str:
    del letter
    return text[:place] + text[place + 1 :]


def _double(text: str, place: int, letter: str) -> str:
    del letter
    return text[:place] + text[place] + text[place:]


def _swap(text: str, place: int, letter: str) -> str:
    del letter
    return text[:place] + text[place + 1 : place + 2] + text[place] + text[place + 2 :]


_EDITS: Final = (_replace, _drop, _double, _swap)
