"""Common passphrases made by rule, as people choose them: the lab's list, none of it a third's."""

from typing import Final

__all__ = ["common_passphrases"]

_WORDS: Final = (
    "password", "welcome", "secret", "dragon", "monkey", "sunshine", "princess", "football",
    "letmein", "master", "shadow", "summer", "winter", "spring", "autumn", "monday", "friday",
    "january", "march", "july", "october", "anna", "maria", "michael", "thomas", "daniel", "family",
    "love", "hello", "freedom", "orange", "flower", "tiger", "london", "berlin", "paris", "guitar",
    "coffee", "photo", "camera", "face",
)  # fmt: skip
_WALKS: Final = ("qwerty", "qwertz", "asdfgh", "1q2w3e4r", "zxcvbn", "abc123", "qazwsx")
_ENDS: Final = (
    "", "1", "12", "123", "1234", "12345", "!", "1!", "123!", "01", "7", "69", "99", "00",
    *map(str, range(1960, 2027)),
)  # fmt: skip


def common_passphrases() -> tuple[str, ...]:
    """Runs of digits, walks on the keyboard, and words with an ending; the likeliest first.

    Returns:
        Some 8,000, each once, in the order in which an attacker would try them.
    """
    runs = ["".join(str(i % 10) for i in range(1, n + 1)) for n in range(4, 11)]
    same = [digit * n for n in (4, 6, 8) for digit in "0123456789"]
    words = [
        form + end
        for end in _ENDS
        for word in (*_WORDS, *_WALKS)
        for form in (word, word.capitalize())
    ]
    return tuple(dict.fromkeys([*runs, *same, *words]))
