"""Says what a passphrase is worth: exactly if the program drew it, else by a rough estimate."""

import math
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from engine import entropy_bits

GENERATED_WORDS: Final = 6

_HEADS: Final = """
123456 password qwerty letmein admin welcome monkey dragon football baseball iloveyou abc sunshine
princess master shadow superman batman trustno whatever starwars login hello freedom secret
passphrase faceveil changeme default test guest root access flower lovely michael jordan jennifer
jessica daniel charlie thomas ashley computer internet samsung google pokemon summer winter spring
autumn cheese chocolate cookie pepper ginger killer hunter soccer hockey passw0rd qwertyuiop asdfgh
asdfghjkl zxcvbn zxcvbnm qazwsx azerty qwertz
"""
"""The heads of every cracker's list, without the digits and signs that people put around them."""

_SAYINGS: Final = ("correct horse battery staple", "to be or not to be", "open sesame")

_ROWS: Final = ("abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "01234567890")
_FAIR, _STRONG = 35.0, 60.0


@dataclass(frozen=True)
class Worth:
    """What a passphrase is worth.

    Attributes:
        bits: twice as many guesses for each.
        word: for the bits.
        note: one sentence about where the number comes from, or why it is so low.
        exact: no estimate, provided that the words were drawn.
    """

    bits: float
    word: str
    note: str
    exact: bool = False


def worth_of(passphrase: str) -> Worth:
    """Say what a passphrase is worth.

    Words of the list that Generate draws from have their exact worth if they were drawn, which
    nobody but who drew them can know; a word said twice counts once. Others are estimated by NIST
    SP 800-63-1 (2011), appendix A: what people choose has 4 bits in its first character, 2 in each
    of the next seven, 1.5 in each up to the twentieth, and 1 in each after. Lists of known
    passphrases are far shorter, so listed ones are worth next to nothing.
    """
    if not passphrase:
        return Worth(0.0, "", "")
    if is_listed(passphrase):
        return Worth(8.0, "listed", "It is on every list that is tried first. Choose another.")
    words = passphrase.split(" ")
    if 4 <= len(set(words)) == len(words) <= 20 and _drawn_from() >= set(words):
        note = f"{len(words)} words, if drawn by Generate; far less if chosen. Write them down."
        return Worth(entropy_bits(len(words)), _word(entropy_bits(len(words))), note, exact=True)
    length = len(re.sub(r"(.)\1+", r"\1\1", " ".join(dict.fromkeys(words))))
    bits = min(length, 1) * 4.0
    bits += 2.0 * min(max(length - 1, 0), 7) + 1.5 * min(max(length - 8, 0), 12)
    bits += 1.0 * max(length - 20, 0)
    drawn = math.floor(entropy_bits(GENERATED_WORDS))
    note = (
        f"A rough estimate; few known passphrases are listed here. Generate is worth {drawn} bits."
    )
    return Worth(bits, _word(bits), note)


def _word(bits: float) -> str:
    return "weak" if bits < _FAIR else "fair" if bits < _STRONG else "strong"


@cache
def _drawn_from() -> frozenset[str]:
    raw = resources.files("xkcdpass").joinpath("static", "eff-long").read_text("ascii")
    return frozenset(raw.split())


def is_listed(passphrase: str) -> bool:
    """Tell whether a passphrase is one of the first that anybody tries."""
    plain = passphrase.casefold().strip()
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    row = len(plain) < 12 and any(plain in line or plain in line[::-1] for line in _ROWS)
    return bool({plain, bare} & {*_HEADS.split(), *_SAYINGS} or row or len(set(plain)) <= 2)
