"""A face crop as bytes: exactly where they fit, else as faithfully as the room allows.

Lossless is WebP. Lossy is JPEG 2000 with the irreversible transforms (ISO/IEC 15444-1), whose
encoder aims at a size, which is what a carrier has to offer, and not at a quality.
"""

import io
import math
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.WebPImagePlugin import WebPImageFile

from engine.errors import CapacityError, HeaderDamagedError, ImageDamagedError, ImageShapeError

CropU8 = npt.NDArray[np.uint8]
Codec = Literal["webp-lossless", "jpeg2000-lossless", "jpeg2000"]

# The place in this tuple is what a header stores: append only.
CODECS: Final[tuple[Codec, ...]] = ("webp-lossless", "jpeg2000-lossless", "jpeg2000")
FLOOR_DB: Final = 30.0

_MAX_SIDE: Final = 65_535
_WEBP_MAX_SIDE: Final = 16_383
# Pixels up to which an effort (quality, method) is bearable: less effort is faster and larger.
_WEBP_EFFORTS: Final = ((65_536, 75, 6), (6_000_000, 75, 4), (math.inf, 0, 0))
_SMALL_PIXELS: Final = 250_000
# So much larger may the quick encoding be than the room, and the thorough one still be tried.
_QUICK_EXCESS: Final = 1.35
_FULL_ENOUGH: Final = 0.999
# What Pillow raises on bytes that are no such picture, or not all of one.
_DAMAGE: Final = (OSError, SyntaxError, EOFError, ValueError)
_COMMENT: Final = 0x64
_START_OF_TILE: Final = 0x90


@dataclass(frozen=True)
class Payload:
    """An encoded crop.

    Attributes:
        codec: how it was encoded, one of :data:`CODECS`.
        data: the encoded crop, still in clear.
        exact: whether decoding gives the crop bit by bit, as the lossless codecs promise.
    """

    codec: Codec
    data: bytes = field(repr=False)
    exact: bool


def encode(
    crop_u8: CropU8,
    budget_bytes: int,
    *,
    floor_db: float = FLOOR_DB,
    exact: Payload | None = None,
) -> Payload:
    """Encode a crop within a budget: losslessly if that fits, else as faithfully as fits.

    Args:
        crop_u8: the crop, ``(H, W, 3)`` uint8 RGB.
        budget_bytes: the most bytes the result may have.
        floor_db: the least PSNR over the crop's RGB values worth storing, in dB.
        exact: what :func:`encode_lossless` gave for this crop, where it is known: saves the work.

    Returns:
        The encoded crop; the same one for the same arguments.

    Raises:
        CapacityError: nothing that reaches ``floor_db`` fits.
        ImageShapeError: ``crop_u8`` is no crop.
    """
    _check(crop_u8)
    if exact is None and _may_fit(crop_u8, budget_bytes):
        exact = encode_lossless(crop_u8)
    if exact is not None and len(exact.data) <= budget_bytes:
        return exact
    height, width = crop_u8.shape[:2]
    data = _encode_lossy(crop_u8, budget_bytes)
    if not data or _psnr_db(crop_u8, decode(data, "jpeg2000", height, width)) < floor_db:
        raise CapacityError(
            f"a crop of {height} x {width} must reach {floor_db:g} dB in {budget_bytes} bytes, "
            "got less",
            hint="take a larger picture, or fewer or smaller faces",
        )
    return Payload("jpeg2000", data, exact=False)


def encode_lossless(crop_u8: CropU8) -> Payload:
    """Encode a crop so that it comes back bit by bit, whatever it takes.

    WebP, with less effort the larger the crop is; JPEG 2000 (5/3) beyond WebP's longest side.

    Args:
        crop_u8: the crop, ``(H, W, 3)`` uint8 RGB.

    Returns:
        The encoded crop, ``exact``.

    Raises:
        ImageShapeError: ``crop_u8`` is no crop.
    """
    _check(crop_u8)
    if max(crop_u8.shape[:2]) > _WEBP_MAX_SIDE:
        return Payload("jpeg2000-lossless", _jpeg2000(crop_u8, None), exact=True)
    pixels = crop_u8.shape[0] * crop_u8.shape[1]
    quality, method = next((q, m) for most, q, m in _WEBP_EFFORTS if pixels <= most)
    return Payload("webp-lossless", _webp(crop_u8, quality, method), exact=True)


def decode(payload_data: bytes, codec: str, height: int, width: int) -> CropU8:
    """Decode what :func:`encode` gave.

    Args:
        payload_data: the encoded crop.
        codec: how it was encoded, one of :data:`CODECS`.
        height: rows that the crop must have.
        width: columns that the crop must have.

    Returns:
        The crop, ``(H, W, 3)`` uint8 RGB.

    Raises:
        HeaderDamagedError: unknown codec, or the encoded crop has another size.
        ImageDamagedError: not such an encoding, or a truncated one.
    """
    if codec not in CODECS:
        raise HeaderDamagedError(
            f"codec must be one of {', '.join(CODECS)}, got {codec!r}",
            hint="use a newer version of this program, or another copy of the picture",
        )
    # The plugin's class itself: the size is checked here, before anything is decoded.
    kind = WebPImageFile if codec == "webp-lossless" else Jpeg2KImageFile
    try:
        picture = kind(io.BytesIO(payload_data))
    except _DAMAGE as error:
        raise _damaged(codec, f"got {len(payload_data)} bytes that are none") from error
    if picture.size != (width, height):
        raise HeaderDamagedError(
            f"crop must be {height} x {width}, got {picture.height} x {picture.width}",
            hint="use another copy of the picture",
        )
    if picture.mode != "RGB":
        raise _damaged(codec, f"got mode {picture.mode}")
    try:
        return np.array(picture)
    except _DAMAGE as error:
        raise _damaged(codec, f"got {len(payload_data)} bytes that do not decode") from error


def is_exact(codec: str) -> bool:
    """Tell whether a codec is lossless by itself."""
    return codec.endswith("-lossless")


def _damaged(codec: str, found: str) -> ImageDamagedError:
    return ImageDamagedError(
        f"crop must be a whole {codec} picture, {found}", hint="use another copy of the picture"
    )


def _check(crop_u8: CropU8) -> None:
    shape, dtype = np.shape(crop_u8), getattr(crop_u8, "dtype", type(crop_u8).__name__)
    sides = len(shape) == 3 and shape[2] == 3 and all(1 <= n <= _MAX_SIDE for n in shape[:2])
    if dtype != np.uint8 or not sides:
        raise ImageShapeError(
            f"crop_u8 must be (H, W, 3) uint8 with sides 1 to {_MAX_SIDE}, got {shape} {dtype}",
            hint="cut it from a picture opened with engine.images",
        )


def _may_fit(crop_u8: CropU8, budget_bytes: int) -> bool:
    """Spare large crops the thorough encoding where a quick one shows that it will not fit."""
    if crop_u8.size <= 3 * _SMALL_PIXELS or max(crop_u8.shape[:2]) > _WEBP_MAX_SIDE:
        return True
    return len(_webp(crop_u8, 0, 0)) <= _QUICK_EXCESS * budget_bytes


def _webp(crop_u8: CropU8, quality: int, method: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(crop_u8).save(out, "WEBP", lossless=True, quality=quality, method=method)
    return out.getvalue()


def _jpeg2000(crop_u8: CropU8, ratio: float | None) -> bytes:
    """Encode as a bare codestream at a compression ratio; ``None`` is lossless."""
    out = io.BytesIO()
    shortest = min(crop_u8.shape[:2])
    # Four levels of detail are best at 112 px; a side must not shrink below one sample.
    resolutions = min(4 if shortest < 256 else 6, shortest.bit_length())
    lossy = {"irreversible": True, "quality_mode": "rates", "quality_layers": [ratio]}
    Image.fromarray(crop_u8).save(
        out,
        "JPEG2000",
        no_jp2=True,
        mct=1,
        num_resolutions=resolutions,
        **({} if ratio is None else lossy),
    )
    return _without_comments(out.getvalue())


def _without_comments(stream: bytes) -> bytes:
    """Leave out the main header's comment segments: the encoder's name, 39 bytes."""
    kept, at = bytearray(stream[:2]), 2
    while stream[at] == 0xFF and stream[at + 1] != _START_OF_TILE:
        end = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if stream[at + 1] != _COMMENT:
            kept += stream[at:end]
        at = end
    return bytes(kept + stream[at:])


def _encode_lossy(crop_u8: CropU8, budget_bytes: int) -> bytes | None:
    """Find the least compression that fits; the encoder meets a ratio only roughly."""
    if budget_bytes <= 0:
        return None
    above, ratio = 0.0, max(1.0, crop_u8.size / budget_bytes)
    for _ in range(12):
        data = _jpeg2000(crop_u8, ratio)
        if len(data) <= budget_bytes:
            break
        above, ratio = ratio, ratio * 1.08 + 0.05
    else:
        return None
    below, best = ratio, data
    above = above or max(1.0, 0.9 * ratio)
    for _ in range(10 if crop_u8.size <= 3 * _SMALL_PIXELS else 2):
        if len(best) >= _FULL_ENOUGH * budget_bytes:
            break
        ratio = math.sqrt(above * below)
        data = _jpeg2000(crop_u8, ratio)
        if len(data) > budget_bytes:
            above = ratio
        else:
            below = ratio
            best = max(best, data, key=len)
    return best


def _psnr_db(first_u8: CropU8, second_u8: CropU8) -> float:
    squares = np.zeros(256, np.int64)
    for one, two in zip(first_u8, second_u8, strict=True):
        difference = np.abs(one.astype(np.int16) - two)
        squares += np.bincount(difference.reshape(-1), minlength=256)
    error = float(squares @ np.arange(256) ** 2) / first_u8.size
    return 10 * math.log10(255**2 / error) if error else math.inf
