"""What people type, and what they should: checked text, and words drawn for them."""

import hashlib
import math
import secrets
import unicodedata
from functools import cache
from importlib import resources
from typing import Final

from engine.errors import PassphraseError, SecretError

MAX_PASSPHRASE_BYTES: Final = 1024

# NFKC joins at most a handful of code points into one, so longer texts cannot shrink to the limit;
# refusing them first keeps the normalisation of hostile text cheap.
_MAX_CODE_POINTS: Final = 8 * MAX_PASSPHRASE_BYTES
_WORDS: Final = 7776
_WORDS_SHA256: Final = "6d557f0693958fb5e650b68b5bee585eb82cf4da32965505c789e924743bc522"


def normalize_passphrase(passphrase: str) -> bytes:
    """Turn typed text into the bytes that are hashed, the same on every keyboard.

    NFKC, then UTF-8; nothing is stripped, folded or cut.

    Args:
        passphrase: what the user typed.

    Returns:
        1 to 1024 bytes.

    Raises:
        PassphraseError: not text, empty, a lone surrogate, or more than 1024 bytes.

    Example:
        >>> normalize_passphrase("ｆａｃｅ ") == b"face "
        True
    """
    if not isinstance(passphrase, str):
        raise PassphraseError(
            f"passphrase must be text, got {type(passphrase).__name__}", hint="pass a str"
        )
    if len(passphrase) > _MAX_CODE_POINTS:
        raise _passphrase_length("more")
    # Looked for beforehand: a UnicodeEncodeError would carry the passphrase in its attributes.
    if any("\ud800" <= letter <= "\udfff" for letter in passphrase):
        raise PassphraseError(
            "passphrase must be Unicode text, got a lone surrogate",
            hint="type the passphrase again, or read it from a UTF-8 file",
        )
    pw = unicodedata.normalize("NFKC", passphrase).encode("utf-8")
    if not 1 <= len(pw) <= MAX_PASSPHRASE_BYTES:
        raise _passphrase_length("more" if pw else "none")
    return pw


def _passphrase_length(got: str) -> PassphraseError:
    hint = "use a shorter passphrase" if got == "more" else "type a passphrase"
    return PassphraseError(
        f"passphrase must have 1 to {MAX_PASSPHRASE_BYTES} bytes in UTF-8, got {got}", hint=hint
    )


def generate_passphrase(words: int = 6) -> str:
    """Draw a passphrase that can be remembered, from the EFF's large list of 7776 words.

    The words are joined by spaces: four of the list hold a hyphen, none a space, so that each draw
    has its own text.

    Args:
        words: how many, 4 to 20; each is worth 12.9 bits.

    Raises:
        SecretError: ``words`` outside its limits, or the installed list is not the EFF's.
    """
    entropy_bits(words)
    return " ".join(secrets.choice(_word_list()) for _ in range(words))


def entropy_bits(words: int) -> float:
    """Tell what a generated passphrase is worth, in bits.

    Args:
        words: how many, 4 to 20.

    Raises:
        SecretError: ``words`` outside its limits.

    Example:
        >>> round(entropy_bits(6), 1)
        77.5
    """
    if not 4 <= words <= 20:
        raise SecretError(f"a passphrase must have 4 to 20 words, got {words}", hint="use 6")
    return words * math.log2(_WORDS)


@cache
def _word_list() -> tuple[str, ...]:
    raw = resources.files("xkcdpass").joinpath("static", "eff-long").read_bytes()
    if hashlib.sha256(raw).hexdigest() != _WORDS_SHA256:
        raise SecretError(
            "the word list must be the EFF's large list, got another",
            hint="install the version of xkcdpass that requirements.txt names",
        )
    return tuple(raw.decode("ascii").split())
