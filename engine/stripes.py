"""Public digests of a picture's rows: they tell an edit from a re-encoding without any key."""

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

from engine.errors import HeaderError, ImageShapeError, ReencodedError, TamperedError

STRIPES: Final = 16
DIGEST_BYTES: Final = 4
MAX_SIDE: Final = 65_535
PIXEL_DIGEST_BYTES: Final = 32

_MIN_REENCODED: Final = 3


def stripe_count(height: int) -> int:
    """Tell how many stripes a picture of ``height`` rows has: 16, or one per row when lower."""
    return min(STRIPES, height)


def stripe_digests(photo_u8: npt.NDArray[np.uint8]) -> bytes:
    """Digest a picture in 16 horizontal stripes of rows, as equal as they can be.

    Stripe i of n holds the rows from ``i * H // n`` up to ``(i + 1) * H // n``; its digest is the
    first 4 bytes of ``SHA-256("faceveil/v1/stripe" || u32be(H) || u32be(W) || u32be(i) || rows)``.
    No key takes part: the digests say nothing that the pixels do not say.

    Args:
        photo_u8: the protected picture, ``(H, W, 3)`` uint8, sides 1 to 65,535.

    Returns:
        4 bytes per stripe, 64 altogether, fewer below 16 rows.

    Raises:
        ImageShapeError: not such an array.
    """
    check_photo(photo_u8)
    height, width = photo_u8.shape[:2]
    count = stripe_count(height)
    start = b"faceveil/v1/stripe" + height.to_bytes(4, "big") + width.to_bytes(4, "big")
    digests = []
    for i in range(count):
        digest = hashlib.sha256(start + i.to_bytes(4, "big"))
        rows = photo_u8[i * height // count : (i + 1) * height // count]
        digest.update(np.ascontiguousarray(rows).data)
        digests.append(digest.digest()[:DIGEST_BYTES])
    return b"".join(digests)


def pixel_digest(photo_u8: npt.NDArray[np.uint8]) -> bytes:
    """Digest all pixels for :func:`engine.header.tag`: once per picture serves all faces and keys.

    Args:
        photo_u8: the protected picture, ``(H, W, 3)`` uint8, sides 1 to 65,535.

    Returns:
        The 32 bytes of ``SHA-256(u32be(H) || u32be(W) || pixels)``.

    Raises:
        ImageShapeError: not such an array.
    """
    check_photo(photo_u8)
    height, width = photo_u8.shape[:2]
    pixels = hashlib.sha256(height.to_bytes(4, "big") + width.to_bytes(4, "big"))
    pixels.update(np.ascontiguousarray(photo_u8).data)
    return pixels.digest()


def digest_of(photo_u8: npt.NDArray[np.uint8] | None, digest: bytes | None) -> bytes:
    """Take a :func:`pixel_digest` that was made before, or make it.

    Args:
        photo_u8: the protected picture, ``(H, W, 3)`` uint8, or None where there is a digest.
        digest: its 32 bytes, or None where there is a picture.

    Raises:
        HeaderError: both or neither given, or a digest of another length.
        ImageShapeError: ``photo_u8`` is no picture.
    """
    if photo_u8 is not None and digest is None:
        return pixel_digest(photo_u8)
    if photo_u8 is None and type(digest) is bytes and len(digest) == PIXEL_DIGEST_BYTES:
        return digest
    got = "no picture" if photo_u8 is None else "a picture"
    size = "no digest" if digest is None else f"a digest of {len(digest)} bytes"
    raise HeaderError(
        f"expected a picture or its digest of {PIXEL_DIGEST_BYTES} bytes, got {got} and {size}",
        hint="give photo_u8, or digest=pixel_digest(photo_u8)",
    )


def check_stripes(stripes: bytes, height: int, width: int, photo_u8: npt.NDArray[np.uint8]) -> None:
    """Compare a picture with the digests made when it was protected.

    A re-encoding touches nearly every stripe, an edit a few. More than half of the stripes wrong,
    and three at least, counts as re-encoded; so a picture of one or two rows is only ever tampered
    with, and an edit over more than half of the rows is taken for a re-encoding.

    Args:
        stripes: what :func:`stripe_digests` gave for the protected picture.
        height: rows of the protected picture.
        width: columns of the protected picture.
        photo_u8: the picture at hand, ``(H, W, 3)`` uint8.

    Raises:
        ReencodedError: another size, or most stripes wrong.
        TamperedError: a few stripes wrong; the message names their rows.
        ImageShapeError: ``photo_u8`` is no picture.
    """
    check_photo(photo_u8)
    if photo_u8.shape[:2] != (height, width):
        raise ReencodedError(
            f"picture must be {height} x {width}, got {photo_u8.shape[0]} x {photo_u8.shape[1]}",
            hint="use the file as it was saved, not a resized or cropped copy",
        )
    found = stripe_digests(photo_u8)
    wrong = [
        i
        for i in range(stripe_count(height))
        if stripes[i * DIGEST_BYTES : (i + 1) * DIGEST_BYTES]
        != found[i * DIGEST_BYTES : (i + 1) * DIGEST_BYTES]
    ]
    if not wrong:
        return
    if len(wrong) >= _MIN_REENCODED and 2 * len(wrong) > stripe_count(height):
        raise ReencodedError(
            f"pixels must be those that were saved, got {len(wrong)} of "
            f"{stripe_count(height)} stripes changed",
            hint="use the file as it was saved; sending it as a picture may re-encode it",
        )
    raise TamperedError(
        f"pixels must be those that were saved, got changes in {_rows(wrong, height)}",
        hint="use the file as it was saved, before it was edited",
    )


def check_photo(photo_u8: npt.NDArray[np.uint8]) -> None:
    """Refuse what is no 8-bit picture.

    Args:
        photo_u8: ``(H, W, 3)`` uint8, sides 1 to 65,535.

    Raises:
        ImageShapeError: another type or shape.
    """
    shape, dtype = np.shape(photo_u8), getattr(photo_u8, "dtype", type(photo_u8).__name__)
    sides = len(shape) == 3 and shape[2] == 3 and all(1 <= n <= MAX_SIDE for n in shape[:2])
    if dtype != np.uint8 or not sides:
        raise ImageShapeError(
            f"photo_u8 must be (H, W, 3) uint8 with sides 1 to {MAX_SIDE}, got {shape} {dtype}",
            hint="open it with engine.images",
        )


def _rows(wrong: list[int], height: int) -> str:
    count = stripe_count(height)
    runs: list[tuple[int, int]] = []
    for i in wrong:
        first, last = i * height // count, (i + 1) * height // count - 1
        if runs and runs[-1][1] + 1 == first:
            first = runs.pop()[0]
        runs.append((first, last))
    return "rows " + ", ".join(f"{first} to {last}" for first, last in runs)
