"""Why here: the only place for pixels: open, check, 8-bit, float, colour, padding, clean PNG out.

Inside the engine a picture is RGB, float32, ``(B, 3, H, W)``, in [0, 1]; an array that carries the
suffix ``_u8`` is RGB, uint8, ``(H, W, 3)``. Behind this door: ``png``, ``decode``, ``boxes``.
"""

import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from engine.boxes import Box, check_box, even_box
from engine.decode import decode_srgb, decode_stored, format_of
from engine.errors import (
    HeaderDamagedError,
    ImageFormatError,
    ImageRangeError,
    ImageShapeError,
    ImageTooLargeError,
)
from engine.files import write_file
from engine.png import CHUNK, MAX_PIXELS, TRAILING, check_size, list_chunks, read_header

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "CHUNK",
    "MAX_PIXELS",
    "TRAILING",
    "Box",
    "ProtectedFile",
    "batch_to_u8",
    "check_box",
    "check_image",
    "check_photo",
    "even_box",
    "from_u8",
    "list_chunks",
    "open_photo",
    "open_protected",
    "pad_to_even",
    "to_u8",
    "write_file",
    "write_png",
]

_MAX_BYTES = 256 * 2**20
_TOLERANCE = 1e-6
_LEVEL = 3  # much faster than zlib's default, for files that are little larger


@dataclass(frozen=True, eq=False)
class ProtectedFile:
    """A file that may be one of ours.

    Attributes:
        photo_u8: ``(H, W, 3)``, 0..255; of an 8-bit RGB PNG exactly the stored values.
        header: the content of our chunk, or None where there is none that can be read.
        format: ``"PNG"``, ``"JPEG"`` or ``"WEBP"``.
        fault: what is wrong with our chunk, where it cannot be read: the header may still be had
            from a sidecar or from the pixels.
    """

    photo_u8: npt.NDArray[np.uint8] = field(repr=False)
    header: bytes | None
    format: str
    fault: HeaderDamagedError | None = None


def open_photo(source: str | os.PathLike[str] | bytes) -> npt.NDArray[np.uint8]:
    """Open anybody's photograph: upright, in sRGB, on white; :mod:`engine.decode` has the rules.

    Args:
        source: a path, or the bytes of a JPEG, PNG or WebP file.

    Returns:
        ``(H, W, 3)``, 0..255.

    Raises:
        ImageFormatError: none of the three formats, animated, or a folder.
        ImageDamagedError: empty, truncated, corrupt, or with a colour profile that does not apply.
        ImageTooLargeError: more than :data:`MAX_PIXELS`, or a decompression bomb.
        OSError: no such file, or it may not be read.
    """
    return decode_srgb(_read(source))


def open_protected(source: str | os.PathLike[str] | bytes) -> ProtectedFile:
    """Open a file to recover from: an 8-bit RGB PNG pixel by pixel, anything else as a photograph.

    Args:
        source: a path, or the bytes of a JPEG, PNG or WebP file.

    Raises:
        ImageError, OSError: as :func:`open_photo`.
    """
    data = _read(source)
    kind = format_of(data)
    if kind != "PNG":
        return ProtectedFile(decode_srgb(data), None, kind)
    header, fault = None, None
    try:
        header = read_header(data)
    except HeaderDamagedError as error:
        fault = error
    stored = decode_stored(data)
    return ProtectedFile(decode_srgb(data) if stored is None else stored, header, kind, fault)


def write_png(
    path: str | os.PathLike[str] | None,
    photo_u8: npt.NDArray[np.uint8],
    header: bytes | None = None,
) -> bytes:
    """Build the file that may leave: IHDR, sRGB, IDAT, our chunk, IEND and nothing else.

    The same pixels and header give the same bytes. On disk the file is there whole or not at all.

    Args:
        path: where to write, or None to only build. The folder must exist.
        photo_u8: ``(H, W, 3)``, sRGB, 0..255.
        header: the content of our chunk, or None for none.

    Returns:
        The file's bytes.

    Raises:
        ImageShapeError: not ``(H, W, 3)`` in 8 bits.
        ImageTooLargeError: more than :data:`MAX_PIXELS`; nothing could open the file again.
        OSError: the file cannot be written.
    """
    check_photo(photo_u8)
    chunks = PngInfo()
    chunks.add(b"sRGB", b"\0")
    if header is not None:
        chunks.add(CHUNK, header, after_idat=True)
    picture, buffer = Image.fromarray(np.ascontiguousarray(photo_u8)), io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=chunks, compress_level=_LEVEL)
    png = buffer.getvalue()
    if path is not None:
        write_file(Path(path), png)
    return png


def from_u8(photo_u8: npt.NDArray[np.uint8]) -> "Tensor":
    """Make an 8-bit picture a tensor.

    Args:
        photo_u8: ``(H, W, 3)``, 0..255; it is copied.

    Returns:
        ``(1, 3, H, W)``, float32 in [0, 1], contiguous.

    Raises:
        ImageShapeError, ImageTooLargeError: as :func:`check_photo`.

    Example:
        >>> from_u8(np.full((2, 4, 3), 255, np.uint8)).shape
        torch.Size([1, 3, 2, 4])
    """
    import torch  # here, as below: opening and writing pictures needs none of its two seconds

    check_photo(photo_u8)
    planes = torch.from_numpy(np.ascontiguousarray(photo_u8.transpose(2, 0, 1)))
    return planes[None].to(torch.float32) / 255


def to_u8(image: "Tensor") -> npt.NDArray[np.uint8]:
    """Make one picture 8-bit: ``round(255 v)``, ties to the even value.

    Args:
        image: ``(1, 3, H, W)``, float, in [0, 1] within 1e-6, on any device.

    Returns:
        ``(H, W, 3)``, 0..255. ``to_u8(from_u8(photo_u8))`` is ``photo_u8``.

    Raises:
        ImageShapeError: not one picture of three channels.
        ImageRangeError: outside [0, 1], or not numbers.
    """
    if image.ndim != 4 or image.shape[0] != 1:
        raise ImageShapeError(
            f"image must be (1, 3, H, W), got {tuple(image.shape)}",
            hint="convert several at once with engine.images.batch_to_u8",
        )
    return np.ascontiguousarray(batch_to_u8(image)[0])


def batch_to_u8(images: "Tensor") -> npt.NDArray[np.uint8]:
    """Make a batch of pictures 8-bit, each as :func:`to_u8` does.

    Args:
        images: ``(B, 3, H, W)``, float, in [0, 1] within 1e-6, on any device.

    Returns:
        ``(B, H, W, 3)``, 0..255.

    Raises:
        ImageShapeError, ImageRangeError: as :func:`check_image`.
    """
    import torch

    check_image(images, "images")
    precise = images.detach().to(torch.promote_types(images.dtype, torch.float32))
    rounded = precise.clamp(0, 1).mul(255).round().to(torch.uint8)
    return np.ascontiguousarray(rounded.permute(0, 2, 3, 1).cpu().numpy())


def check_image(image: "Tensor", name: str, *, even: bool = False) -> None:
    """Refuse a tensor that is not a batch of pictures.

    Args:
        image: expected ``(B, 3, H, W)``, any float type, in [0, 1] within 1e-6.
        name: what the caller calls it, for the message.
        even: whether H and W must be even.

    Raises:
        ImageShapeError: wrong shape or type.
        ImageRangeError: outside [0, 1], or not numbers.
    """
    shape, sides = tuple(image.shape), " with even H and W" if even else ""
    pictures = len(shape) == 4 and shape[1] == 3 and 0 not in shape
    if not pictures or (even and (shape[2] % 2 or shape[3] % 2)):
        hint = "pad it first with engine.images.pad_to_even" if pictures else "one batch of RGB"
        raise ImageShapeError(f"{name} must be (B, 3, H, W){sides}, got {shape}", hint=hint)
    if not image.is_floating_point():
        raise ImageShapeError(
            f"{name} must be of a float type, got {image.dtype}",
            hint="convert 8-bit images with engine.images.from_u8",
        )
    low, high = (value.item() for value in image.detach().aminmax())
    if not (low >= -_TOLERANCE and high <= 1 + _TOLERANCE):
        raise ImageRangeError(
            f"{name} must lie in [0, 1], got [{low:.6g}, {high:.6g}]",
            hint="convert 8-bit images with engine.images.from_u8",
        )


def check_photo(photo_u8: npt.NDArray[np.uint8]) -> None:
    """Refuse an array that is not an 8-bit picture.

    Args:
        photo_u8: expected ``(H, W, 3)``, uint8, with 1 to :data:`MAX_PIXELS` pixels.

    Raises:
        ImageShapeError: wrong shape or type.
        ImageTooLargeError: too many pixels.
    """
    shape = photo_u8.shape
    if photo_u8.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3 or 0 in shape:
        raise ImageShapeError(
            f"photo_u8 must be (H, W, 3) in uint8, got {shape} in {photo_u8.dtype}",
            hint="convert float images with engine.images.to_u8",
        )
    check_size(shape[0], shape[1])


def pad_to_even(image: "Tensor") -> "tuple[Tensor, tuple[int, int]]":
    """Repeat the last column and row where a side is odd, so that a network can take the picture.

    Args:
        image: ``(B, 3, H, W)``, float; it is not changed.

    Returns:
        ``(padded, (H, W))``: the picture with even sides, and the size to cut it back to with
        ``padded[..., :H, :W]``.

    Raises:
        ImageShapeError, ImageRangeError: as :func:`check_image`.
    """
    check_image(image, "image")
    height, width = image.shape[2:]
    if height % 2 or width % 2:
        from torch.nn.functional import pad

        image = pad(image, (0, width % 2, 0, height % 2), mode="replicate")
    return image, (height, width)


def _read(source: str | os.PathLike[str] | bytes) -> bytes:
    if isinstance(source, bytes):
        data = source
    elif os.path.isdir(source):
        raise ImageFormatError("expected a picture, got a folder", hint="name one file inside it")
    else:
        with open(source, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise ImageTooLargeError(
            f"expected at most {_MAX_BYTES // 2**20} MiB, got more",
            hint="scale the picture down first",
        )
    return data
