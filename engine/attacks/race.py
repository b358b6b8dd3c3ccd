"""Lets a list of common passphrases run against one file, live: through the papers' key, and ours.

The attacker has the protected file and a list with the passphrase on it. The
papers' derivation tells nothing by itself: whether a key map is the right one must be seen in the
picture. Here it is compared with the right one, which costs nothing and so favours the attacker.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.attacks.common_passphrases import common_passphrases
from engine.attacks.keys import Trial
from engine.attacks.rates import paper_key_map
from engine.passphrase import normalize_passphrase

__all__ = ["DERIVATIONS", "Lap", "planted", "race"]

DERIVATIONS: Final = ("pbkdf2-10", "argon2id")
"""The papers' derivation, and ours; named as the rows of :mod:`engine.attacks.rates`."""

_LAP_SECONDS: Final = 0.25
_LEAST_SECONDS: Final = 0.3  # a rate of one single try would say little


@dataclass(frozen=True)
class Lap:
    """How far one runner has come.

    Attributes:
        derivation: of :data:`DERIVATIONS`.
        tried: passphrases so far.
        seconds: by the clock on the wall, so that what else runs on the machine slows it.
        place: of the right one on the list, from 1, once it is found.
        found_s: when it was found.
        done: it goes no further.
    """

    derivation: str
    tried: int
    seconds: float
    place: int | None = None
    found_s: float | None = None
    done: bool = False

    @property
    def rate(self) -> float:
        """Passphrases a second."""
        return self.tried / self.seconds if self.seconds else 0.0


def planted(passphrase: str) -> tuple[list[str], int, bool]:
    """Put a passphrase on the list of common ones, unless it stands there.

    Args:
        passphrase: any that could protect a picture.

    Returns:
        The list; its place there from 1, its own or the middle; and whether it stood there.

    Raises:
        PassphraseError: as :func:`engine.passphrase.normalize_passphrase`.
    """
    wanted = normalize_passphrase(passphrase)
    words = list(common_passphrases())
    for place, word in enumerate(words, 1):
        if normalize_passphrase(word) == wanted:
            return words, place, True
    middle = len(words) // 2
    return [*words[:middle], passphrase, *words[middle:]], middle + 1, False


def race(trial: Trial, passphrase: str, words: Sequence[str], seconds: float) -> Iterator[Lap]:
    """Run through a list by each derivation in turn, until found, at its end, or out of time.

    Args:
        trial: a face protected with a tag under ``passphrase``.
        passphrase: the right one; the papers' runner compares key maps with its own.
        words: the list.
        seconds: for each of the two.

    Yields:
        A :class:`Lap` some four times a second; the last one of each runner is ``done``.

    Raises:
        MethodError: the picture was protected without a tag.
    """
    size = trial.height, trial.width
    right_map = paper_key_map(normalize_passphrase(passphrase).decode(), *size)

    def is_map(word: str) -> bool:
        own_map = paper_key_map(normalize_passphrase(word).decode(), *size)
        return np.array_equal(own_map, right_map)

    runners: dict[str, Callable[[str], bool]] = {
        DERIVATIONS[0]: is_map,
        DERIVATIONS[1]: lambda word: trial.opens(trial.derive(word)),
    }
    for derivation, opens in runners.items():
        yield from _run(derivation, opens, words, seconds)


def _run(
    derivation: str, opens: Callable[[str], bool], words: Sequence[str], seconds: float
) -> Iterator[Lap]:
    start = told = time.perf_counter()
    tried, place, found_s, spent = 0, None, None, 0.0
    for tried, word in enumerate(words, 1):
        opened = opens(word)
        now = time.perf_counter()
        spent = now - start
        if opened and place is None:
            place, found_s = tried, spent
        if spent >= seconds or (place is not None and spent >= _LEAST_SECONDS):
            break
        if now - told >= _LAP_SECONDS:
            told = now
            yield Lap(derivation, tried, spent, place, found_s)
    yield Lap(derivation, tried, spent, place, found_s, done=True)
