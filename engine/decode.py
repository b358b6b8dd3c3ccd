"""Why here: other people's JPEG, PNG and WebP files become upright sRGB pixels, or a named error.

What a file may say and what is done about it:

* EXIF or XMP orientation: applied. EXIF that cannot be read counts as upright, as viewers have it.
* ICC profile: converted to sRGB (perceptual), then dropped. A profile that cannot be read, or that
  is for other channels than the picture's, is an error: the colours are unknown, and guessing them
  would change the photograph in silence. A grey picture under an RGB profile is well defined.
* CMYK and YCCK: Adobe's inverted inks; through the profile where there is one.
* 16 bits per sample: ``round(v * 255 / 65535)``, before the profile is applied.
* Alpha, transparent colour or palette entry: composed on white after the profile, so that a colour
  hidden under alpha 0 never shows.
* gAMA, cHRM and cICP of PNG: ignored, as most viewers do.
* Several pictures in one JPEG (MPO, gain map, motion photo): the first. Animations: refused.

A JPEG whose compressed data are damaged but complete decodes to a damaged picture: the format has
no checksum. Everything else that is wrong with a file is an exception.
"""

import io
import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageCms, ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from engine import png
from engine.errors import ImageDamagedError, ImageError, ImageFormatError, ImageTooLargeError

_PLUGINS: dict[str, type[ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "WEBP": WebPImageFile,
}
_TO_PILLOW = (
    b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"IDAT", b"IEND"
)  # fmt: skip
_DAMAGE = (
    OSError, SyntaxError, ValueError, TypeError, EOFError, LookupError, ArithmeticError,
    AssertionError, struct.error, zlib.error,
)  # fmt: skip
_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}
_MAX_SCANS = 50
_MARKER = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd8])", re.DOTALL)
_AGAIN = "fetch or export the file again"
_NO_PROFILE = "save the picture in sRGB, or without its colour profile"
_QUIET = threading.Lock()


def format_of(data: bytes) -> str:
    """Say by its first bytes whether a file is ``"JPEG"``, ``"PNG"`` or ``"WEBP"``.

    Args:
        data: a whole file.

    Raises:
        ImageDamagedError: the file is empty.
        ImageFormatError: it is none of the three.
    """
    if not data:
        raise ImageDamagedError("expected a picture, got an empty file", hint=_AGAIN)
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(png.MAGIC):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    raise ImageFormatError(
        "expected a JPEG, PNG or WebP file, got something else",
        hint="export it as one of the three",
    )


def decode_srgb(data: bytes) -> npt.NDArray[np.uint8]:
    """Decode a file to upright sRGB on white.

    Args:
        data: a whole JPEG, PNG or WebP file.

    Returns:
        ``(H, W, 3)``, 0..255, in memory of its own.

    Raises:
        ImageFormatError: none of the three formats, or animated.
        ImageDamagedError: empty, truncated, corrupt, or with a colour profile that does not apply.
        ImageTooLargeError: more than :data:`engine.png.MAX_PIXELS`, or a decompression bomb.
    """
    with _pillow_errors_named():
        image = _load(data)
        turn = _orientation(image)
        colour, alpha = _split(image, data)
        rgb = np.asarray(_convert(colour, image.info))
        return np.array(_upright(_on_white(rgb, alpha), turn), order="C")


def decode_stored(data: bytes) -> npt.NDArray[np.uint8] | None:
    """Decode an 8-bit RGB PNG exactly as stored: no profile, orientation or transparent colour.

    Args:
        data: a whole PNG file.

    Returns:
        ``(H, W, 3)``, 0..255, or None for any other kind of PNG.

    Raises:
        ImageError: as :func:`decode_srgb`.
    """
    layout = png.read_layout(data)
    if (layout.bits, layout.colour) != (8, 2):
        return None
    with _pillow_errors_named():
        image = PngImageFile(io.BytesIO(png.keep_chunks(data, (b"IHDR", b"IDAT", b"IEND"))))
        image.load()
        return np.array(image)


@contextmanager
def _pillow_errors_named() -> Iterator[None]:
    """Turn whatever Pillow's parsers throw at a hostile file into our errors."""
    try:
        yield
    except ImageError:
        raise
    except _DAMAGE as error:
        if "too large" in str(error) or "Too much memory" in str(error):
            bomb = "expected small metadata, got a decompression bomb"
            raise ImageTooLargeError(bomb, hint="export it without metadata") from error
        damage = "expected a sound picture, got one that ends early or is corrupt"
        raise ImageDamagedError(damage, hint=_AGAIN) from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Silence Pillow's warnings about EXIF; the lock is there because filters are process-wide."""
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _load(data: bytes) -> ImageFile.ImageFile:
    """Check a file, then decode it with the one plugin that its first bytes ask for."""
    kind = format_of(data)
    stream = data
    if kind == "PNG":
        png.read_layout(data)
        stream = png.keep_chunks(data, _TO_PILLOW)
    elif kind == "WEBP":
        png.check_size(*_webp_canvas(data))
    else:
        _refuse_many_scans(data)
    with _quietly():
        image = _PLUGINS[kind](io.BytesIO(stream))
    png.check_size(image.height, image.width)
    png.check_frames(getattr(image, "n_frames", 1))
    image.load()
    return image


def _webp_canvas(data: bytes) -> tuple[int, int]:
    """Height and width from a WebP header, because libwebp allocates the canvas when it opens one.

    Source: RFC 9649, sections 2.5 to 2.7.
    """
    if data[12:16] == b"VP8X":
        width, height = (int.from_bytes(data[i : i + 3], "little") + 1 for i in (24, 27))
    elif data[12:16] == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = (int.from_bytes(data[i : i + 2], "little") & 0x3FFF for i in (26, 28))
    return height, width


def _refuse_many_scans(data: bytes) -> None:
    """Refuse a JPEG of endless progressive scans: each costs a pass over all pixels.

    Source: ITU-T T.81, annex B.1 (marker segments).
    """
    scans, found = 0, _MARKER.search(data, 2)
    while found and found[1] != b"\xd9" and scans <= _MAX_SCANS:
        scans += found[1] == b"\xda"
        length = int.from_bytes(data[found.end() : found.end() + 2], "big")
        found = _MARKER.search(data, found.end() + length)
    if scans > _MAX_SCANS:
        raise ImageTooLargeError(
            f"expected at most {_MAX_SCANS} scans, got more", hint="export it as a plain JPEG"
        )


def _orientation(image: ImageFile.ImageFile) -> int:
    with _quietly():
        try:
            turn = image.getexif().get(ExifTags.Base.Orientation, 1)
        except _DAMAGE:
            return 1
    return turn if isinstance(turn, int) else 1


def _upright(photo_u8: npt.NDArray[np.uint8], turn: int) -> npt.NDArray[np.uint8]:
    """Undo the orientation 1..8 of EXIF (CIPA DC-008, tag 0x0112); other values mean upright."""
    if 5 <= turn <= 8:
        photo_u8 = photo_u8.transpose(1, 0, 2)
    if turn in (2, 3, 6, 7):
        photo_u8 = photo_u8[:, ::-1]
    if turn in (3, 4, 7, 8):
        photo_u8 = photo_u8[::-1]
    return photo_u8


def _split(image: Image.Image, data: bytes) -> tuple[Image.Image, npt.NDArray[np.uint8] | None]:
    """Separate colour (L, RGB or CMYK, 8 bits) from alpha (8 bits, or None for opaque)."""
    key = image.info.get("transparency")
    if data.startswith(png.MAGIC) and data[24] == 16:
        samples = _read_16_bit(data)
        colours = samples.shape[2] - (samples.shape[2] + 1) % 2
        eight = _to_8_bit(samples)
        alpha = eight[..., -1] if colours < samples.shape[2] else _alpha_of(samples, key, 16)
        return Image.fromarray(eight[..., 0] if colours == 1 else eight[..., :3].copy()), alpha
    if image.mode == "P":
        image = image.convert("RGB" if key is None else "RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    if "A" in image.getbands():
        return image.convert(image.mode.removesuffix("A")), np.asarray(image.getchannel("A"))
    return image, _alpha_of(np.asarray(image), key, data[24])


def _read_16_bit(data: bytes) -> npt.NDArray[np.uint16]:
    """Decode the samples of a 16-bit PNG, (H, W, C), of which Pillow keeps only the high byte."""
    import cv2  # slow to import, and needed for 16-bit files alone

    plain = png.keep_chunks(data, (b"IHDR", b"IDAT", b"IEND"))
    try:
        samples = cv2.imdecode(np.frombuffer(plain, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        samples = None
    if samples is None or samples.dtype != np.uint16:
        raise ImageDamagedError("expected a sound PNG, got a corrupt one", hint=_AGAIN)
    order = {0: [0], 2: [2, 1, 0], 4: [0, 3], 6: [2, 1, 0, 3]}[data[25]]
    return np.ascontiguousarray(np.atleast_3d(samples)[..., order], np.uint16)


def _to_8_bit(samples: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Reduce 0..65535 to 0..255 by rounding to the nearest; there are no ties."""
    nearest = np.round(np.arange(65536) * (255 / 65535)).astype(np.uint8)
    return np.asarray(nearest[samples], np.uint8)


def _alpha_of(
    samples: npt.NDArray[np.generic], key: int | tuple[int, ...] | None, bits: int
) -> npt.NDArray[np.uint8] | None:
    """Make PNG's one transparent colour 0; Pillow leaves that colour unscaled in 2 and 4 bits."""
    if key is None:
        return None
    colour = np.asarray(key)
    if bits in (2, 4, 8):
        most = 2**bits - 1
        colour = (colour & most) * (255 // most)
    hidden = (np.atleast_3d(samples) == colour).all(axis=2)
    return np.where(hidden, 0, 255).astype(np.uint8)


def _convert(colour: Image.Image, info: dict[str | tuple[int, int], object]) -> Image.Image:
    """Convert L, RGB or CMYK to sRGB through the embedded profile, where there is one."""
    if "icc_profile" not in info:
        return colour.convert("RGB")
    try:
        icc = info["icc_profile"]
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc if isinstance(icc, bytes) else b""))
        space = profile.profile.xcolor_space.strip()
        if space == "RGB" and colour.mode == "L":
            colour = colour.convert("RGB")
        if _SPACES[colour.mode] != space:
            mismatch = f"expected a colour profile for {colour.mode}, got one for {space}"
            raise ImageDamagedError(mismatch, hint=_NO_PROFILE)
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(profile, srgb, colour.mode, "RGB").apply(colour)
    except (OSError, ImageCms.PyCMSError) as error:
        raise ImageDamagedError(
            "expected a readable colour profile, got a broken one", hint=_NO_PROFILE
        ) from error


def _on_white(
    rgb: npt.NDArray[np.uint8], alpha: npt.NDArray[np.uint8] | None
) -> npt.NDArray[np.uint8]:
    """Compose on white in sRGB values, rounded to the nearest; alpha 0 leaves pure white."""
    if alpha is None or alpha.min() == 255:
        return rgb
    cover = alpha[..., None].astype(np.uint16)
    return ((rgb * cover + 255 * (255 - cover) + 127) // 255).astype(np.uint8)
