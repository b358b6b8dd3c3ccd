"""Makes training batches in a background thread: faces, masks at random strength, crops, keys."""

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.data import FaceSet
from engine.errors import LandmarksError, MaskError, StillKnownError
from engine.masks import MASKS, make_mask
from engine.training.ahead import made_ahead

PAPER_SIDE = 112
"""Side of the faces that the papers measure on, in pixels."""

_REDRAWS = 100


@dataclass(frozen=True)
class BatchConfig:
    """What a training batch is made of.

    Attributes:
        masks: names of masks with their shares of the samples.
        batch: faces in a batch.
        crop: side of the square crop, pixels, even.
        paper_share: share of the samples at the papers' 112 px; the others have a random side.
        sides: least and greatest side of those others.
        test_share: share of the samples with a mask's test strength instead of a random one.
        sharpened: share of the samples whose fine detail is raised first: photographs that were
            made small have more of it than most faces to learn from.
    """

    masks: dict[str, float]
    batch: int = 6
    crop: int = 64
    paper_share: float = 0.6
    sides: tuple[int, int] = (48, 224)
    test_share: float = 0.25
    sharpened: float = 0.0


@dataclass(frozen=True)
class Batch:
    """One batch: ``original`` and ``mask`` (B, 3, S, S) in [0, 1], ``key_map`` (B, 1, S, S)."""

    original: Tensor
    mask: Tensor
    key_map: Tensor


def random_key_map(batch: int, height: int, width: int, rng: np.random.Generator) -> Tensor:
    """Fresh random maps (B, 1, H, W) of -1 and +1, for training only: not from a key."""
    bits = rng.integers(0, 2, (batch, 1, height, width), dtype=np.int8)
    return torch.from_numpy(bits * 2 - 1).float()


def wrong_key_map(key_map: Tensor, rng: np.random.Generator, near_miss: float = 0.3) -> Tensor:
    """Wrong maps for right ones: mostly fresh, some differing in a fifth to a half of the bits.

    A network that only ever meets unrelated wrong maps may accept one that is nearly right.
    """
    batch, _, height, width = key_map.shape
    wrong = random_key_map(batch, height, width, rng).to(key_map.device)
    for i in np.flatnonzero(rng.random(batch) < near_miss):
        share = rng.uniform(0.2, 0.5)
        flips = torch.from_numpy(rng.random((1, height, width)) < share).to(key_map.device)
        wrong[i] = torch.where(flips, -key_map[i], key_map[i])
    return wrong


def make_sample(
    face_u8: npt.NDArray[np.uint8],
    landmarks: npt.NDArray[np.float32] | None,
    config: BatchConfig,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Resize a face, mask it, and cut the same random square from both: ``(original, mask)``."""
    at_paper_size = rng.random() < config.paper_share
    side = PAPER_SIDE if at_paper_size else int(rng.integers(config.sides[0], config.sides[1] + 1))
    scale = side / min(face_u8.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    face_u8 = cv2.resize(face_u8, None, fx=scale, fy=scale, interpolation=method)
    if config.sharpened and rng.random() < config.sharpened:
        face_u8 = sharpen(face_u8, rng)
    points = None if landmarks is None else landmarks * scale
    if rng.random() < 0.5:
        placed = np.zeros((5, 2), np.float32) if points is None else points
        face_u8, placed = mirror(face_u8, placed)
        points = None if points is None else placed
    names = list(config.masks)
    shares = np.array([config.masks[name] for name in names])
    name = str(rng.choice(names, p=shares / shares.sum()))
    entry = MASKS[name]
    strength = entry.paper if rng.random() < config.test_share else entry.sample(rng)
    masked_u8 = make_mask(
        name,
        face_u8,
        landmarks=points,
        seed=int(rng.integers(2**31)),
        preset="paper" if at_paper_size else "scaled",
        strength=strength,
    )
    return _crop_both(face_u8, masked_u8, config.crop, rng)


def sharpen(face_u8: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Raise the fine detail of a face, (H, W, 3), by an unsharp mask of random width and amount."""
    soft_u8 = cv2.GaussianBlur(face_u8, (0, 0), rng.uniform(0.6, 1.4))
    amount = rng.uniform(0.3, 2.0)
    return np.asarray(cv2.addWeighted(face_u8, 1 + amount, soft_u8, -amount, 0), np.uint8)


def mirror(
    face_u8: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    """Exchange left and right of a face, (H, W, 3), and of its landmarks, (5, 2)."""
    mirrored = np.ascontiguousarray(face_u8[:, ::-1])
    points = points[[1, 0, 2, 4, 3]].copy()
    points[:, 0] = face_u8.shape[1] - 1 - points[:, 0]
    return mirrored, points


def _crop_both(
    first: npt.NDArray[np.uint8],
    second: npt.NDArray[np.uint8],
    side: int,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    missing = [max(0, side - length) for length in first.shape[:2]]
    if any(missing):
        border = (0, missing[0], 0, missing[1])
        first, second = (
            cv2.copyMakeBorder(a, *border, cv2.BORDER_REFLECT) for a in (first, second)
        )
    top, left = (int(rng.integers(0, length - side + 1)) for length in first.shape[:2])
    area = slice(top, top + side), slice(left, left + side)
    return first[area], second[area]


def _to_tensor(pictures: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float().div_(255).contiguous()


class Batches:
    """Endless batches, made ahead by one background thread for each iterator.

    Args:
        sets: the face sets to draw from, each face equally likely.
        config: what to make.
        seed: of everything random; a resumed run passes another.
    """

    def __init__(
        self, sets: Sequence[FaceSet], config: BatchConfig, seed: int | np.random.SeedSequence
    ) -> None:
        self.sets, self.config = sets, config
        self._rng = np.random.default_rng(seed)

    def __iter__(self) -> Iterator[Batch]:
        return made_ahead(self._make() for _ in itertools.count())

    def _make(self) -> Batch:
        samples = [self._sample() for _ in range(self.config.batch)]
        originals, masks = zip(*samples, strict=True)
        side = self.config.crop
        key_map = random_key_map(len(originals), side, side, self._rng)
        return Batch(_to_tensor(originals), _to_tensor(masks), key_map)

    def _sample(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """A face and its mask, as :func:`make_sample`; another face where the mask refuses one."""
        offsets = np.cumsum([len(faces) for faces in self.sets])
        for _ in range(_REDRAWS):
            index = int(self._rng.integers(offsets[-1]))
            which = int(np.searchsorted(offsets, index, side="right"))
            faces = self.sets[which]
            local = index - (int(offsets[which - 1]) if which else 0)
            landmarks = faces.records[local].landmarks
            with contextlib.suppress(LandmarksError, StillKnownError):
                return make_sample(faces.load(local), landmarks, self.config, self._rng)
        raise MaskError(
            f"faces to learn from must take the masks {', '.join(self.config.masks)}, got "
            f"{_REDRAWS} in a row that do not",
            hint="take other masks, or faces with landmarks",
        )
