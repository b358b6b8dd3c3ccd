"""Changes a protected file on purpose, naively or with its public digests made to fit again."""

import dataclasses
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from engine import carrier
from engine.attacks.attack import Target
from engine.errors import MethodError
from engine.header import encode
from engine.images import write_png
from engine.keys import new_salt
from engine.methods import find_method
from engine.record import Header
from engine.stripes import stripe_digests

__all__ = ["FORGERIES", "Forgery", "rewritten"]

U8 = npt.NDArray[np.uint8]

_PATCH = 4
"""A spliced patch has a quarter of the sides of the picture."""

_DRAWS = 100


@dataclass(frozen=True)
class Forgery:
    """One way to change a file.

    Attributes:
        name: for rows of results.
        pixels: takes the file to change, another protected one of its size, a source of chance;
            gives the pixels of the changed one.
        header: what becomes of the header.
        draws: whether it comes out differently each time.
        needs_other: whether it takes anything from the other file.
    """

    name: str
    pixels: Callable[[Target, Target, np.random.Generator], U8]
    header: Callable[[Header], Header] = lambda header: header
    draws: bool = True
    needs_other: bool = False

    def forge(
        self, target: Target, other: Target, draw: np.random.Generator, *, signed: bool
    ) -> bytes:
        """Make the changed file.

        Args:
            target: the file to change.
            other: another protected one, of the same size.
            draw: source of chance.
            signed: with the public digests of the pixels, and the copy of the header in them,
                made to fit; anyone can do that, with the program and without a key.

        Returns:
            A file that differs from the target's.

        Raises:
            MethodError: it does not: the method leaves the mask as it is.
        """
        # A change of the samples that carry the header's copy is undone by signing: draw again.
        for _ in range(_DRAWS):
            pixels_u8, header = self.pixels(target, other, draw), self.header(target.header)
            png = _signed(pixels_u8, header) if signed else _plain(pixels_u8, header)
            if png != target.png:
                return png
        raise MethodError(
            f"the forgery {self.name} must change the file, got the same {_DRAWS} times",
            hint="attack a method that changes the mask, on more than one face",
        )


def _plain(pixels_u8: U8, header: Header) -> bytes:
    return write_png(None, pixels_u8, encode(header))


def _signed(pixels_u8: U8, header: Header) -> bytes:
    carried = find_method(header.method).carries_header
    if carried:
        pixels_u8 = carrier.clear_header_samples(pixels_u8, len(encode(header)))
    raw = encode(dataclasses.replace(header, stripes=stripe_digests(pixels_u8)))
    return write_png(None, carrier.write_header_copy(pixels_u8, raw) if carried else pixels_u8, raw)


def rewritten(photo_u8: U8) -> bytes:
    """The same pixels as another program saves them: a PNG that has lost our chunk."""
    buffer = io.BytesIO()
    Image.fromarray(photo_u8).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _one_pixel(target: Target, other: Target, draw: np.random.Generator) -> U8:
    """One sample by one level."""
    del other
    changed_u8 = target.protected_u8.copy()
    row, column, colour = (int(draw.integers(n)) for n in changed_u8.shape)
    value = int(changed_u8[row, column, colour])
    changed_u8[row, column, colour] = value - 1 if value == 255 else value + 1
    return changed_u8


def _splice(target: Target, other: Target, draw: np.random.Generator) -> U8:
    """A patch of another protected picture."""
    changed_u8 = target.protected_u8.copy()
    height, width = (max(1, side // _PATCH) for side in changed_u8.shape[:2])
    top = int(draw.integers(changed_u8.shape[0] - height + 1))
    left = int(draw.integers(changed_u8.shape[1] - width + 1))
    area = slice(top, top + height), slice(left, left + width)
    changed_u8[area] = other.protected_u8[area]
    return changed_u8


def _mask(target: Target, other: Target, draw: np.random.Generator) -> U8:
    """The mask with nothing hidden in it, in the protected picture's place."""
    del other, draw
    return target.mask_u8


def _same(target: Target, other: Target, draw: np.random.Generator) -> U8:
    del other, draw
    return target.protected_u8


def _other_salt(header: Header) -> Header:
    return dataclasses.replace(header, salt=new_salt())


FORGERIES: tuple[Forgery, ...] = (
    Forgery("one_pixel", _one_pixel),
    Forgery("splice", _splice, needs_other=True),
    Forgery("mask", _mask, draws=False),
    Forgery("salt", _same, _other_salt, draws=False),
)
