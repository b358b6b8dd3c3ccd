"""The seed of a photo's masks; it travels with the page, which protects what it previewed."""

import secrets
from collections.abc import Sequence
from typing import Final

from demo.troubles import problem
from engine import Face

_BITS: Final = 128
_DIGITS: Final = len(str(2**_BITS))

DRAW: Final = """() => {
    const [high, low] = crypto.getRandomValues(new BigUint64Array(2))
    return String((high << 64n) | low)
}"""
"""Draws a seed in the browser, the moment a photo is chosen.

One for several photos would lay the same stranger's face in all of them; and one that the server
draws comes too late for who presses Protect before the first preview is there.
"""


def seed_of(text: str | None) -> int:
    """Read a seed that the page or a program gives back, or draw one where it gives none.

    Args:
        text: digits, as the actions of the tab Protect return them; it travels as text since
            browsers round large numbers.

    Raises:
        gr.Error: it is something else.
    """
    if not text:
        return secrets.randbits(_BITS)
    # Others than ASCII's are digits to Python, too; and very long ones take it very long to read.
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        came = f"{text[:_DIGITS]!r}{'...' * (len(text) > _DIGITS)}"
        raise problem(
            "This is no seed",
            f"Expected a whole number from 0, of at most {_DIGITS} digits, got {came}. Give back "
            "what the preview returned, or leave it out.",
        )
    return int(text)


def next_seed(seed: int, faces: Sequence[Face]) -> int:
    """Go past the seeds of all faces of a photo, or one would get its neighbour's mask.

    Args:
        seed: of the first face; each next one has the next seed.
        faces: of the photo; one in which several were found counts as these.
    """
    return seed + sum(len(face.others) or 1 for face in faces)
