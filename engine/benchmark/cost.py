"""Times protection and recovery: the papers' batch of 16 small faces, and a person's photograph."""

import functools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from engine.benchmark.photographs import settle
from engine.benchmark.plan import BenchmarkConfig, Subject, passphrase
from engine.benchmark.rig import Keys, network_of
from engine.errors import MetricError
from engine.faces import Face, Region, crop, detect, merge_overlapping, paste
from engine.images import from_u8, open_protected
from engine.keys import key_map_tensor
from engine.masking import MaskNote, lay_masks
from engine.masks import find_mask
from engine.pipeline import ProtectOptions, protect, recover
from engine.results import Cost
from engine.scramble import Shuffle, scramble, unscramble

BATCH = 16
_SIDE = 112
_PHOTO = (1080, 1920)
_FACE = (700, 280, 1212, 792)
_REPEATS = 9

U8 = npt.NDArray[np.uint8]


def measure_costs(
    subject: Subject, mask: str, config: BenchmarkConfig, device: str, repeats: int = _REPEATS
) -> list[Cost]:
    """Measure a method with a mask; median and quartiles after a warm-up.

    ``protect_batch_s`` and ``recover_batch_s`` are for 16 faces of 112 px: mask and network, from
    pixels to pixels, as the papers count. ``protect_photo_s`` and ``recover_photo_s`` are what a
    person waits for: a photograph of 1080 x 1920 with one face of 512 px, key derivation and PNG
    included, the detector not; with the first mask only. Methods without a network have no others.

    The face is that of scikit-image's astronaut: what lies where the face is, and what replaces
    it, needs one with landmarks, or only the blur would be timed that stands in for it.

    Raises:
        MetricError: the mask cannot be laid over this face.
    """
    found = []

    def note(name: str, batch: int, seconds: list[float]) -> None:
        low, middle, high = statistics.quantiles(seconds, n=4, method="inclusive")
        found.append(Cost(subject.name, mask, name, batch, middle, low, high, "s"))

    if subject.is_embedder:
        count = float(sum(p.numel() for p in network_of(subject, device).parameters()))
        found.append(Cost(subject.name, mask, "parameters", 0, count, count, count, ""))
        hide, bring_back = _batch_calls(subject, mask, config, device)
        note("protect_batch_s", BATCH, _times(hide, device, repeats))
        note("recover_batch_s", BATCH, _times(bring_back, device, repeats))
    if subject.folder is None and mask == config.masks[0]:
        settle(subject, device)
        with tempfile.TemporaryDirectory() as folder:
            hide, bring_back = _photo_calls(subject, mask, config.model_for(mask), Path(folder))
            note("protect_photo_s", 1, _times(hide, device, max(3, repeats // 3)))
            note("recover_photo_s", 1, _times(bring_back, device, max(3, repeats // 3)))
    return found


def _times(call: Callable[[], object], device: str, repeats: int) -> list[float]:
    seconds = []
    for i in range(repeats + 1):
        start = time.perf_counter()
        call()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        if i:  # the first one warms up
            seconds.append(time.perf_counter() - start)
    return seconds


def _picture(height: int, width: int) -> U8:
    """Smooth colours with a little noise: what lies around a face does not change the time."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / (20 + 9 * c)) + np.cos(y / (31 - 7 * c)) for c in range(3)]
    noise = np.random.default_rng(0).normal(0, 4, (height, width, 3))
    return np.clip(127 + 55 * np.stack(waves, -1) + noise, 0, 255).astype(np.uint8)


def _sitter(side: int) -> tuple[U8, npt.NDArray[np.float32]]:
    """The crop of a face, (side, side, 3), and its landmarks, (5, 2)."""
    from skimage.data import astronaut

    photo_u8 = astronaut()
    (face,) = detect(photo_u8)
    assert face.landmarks is not None
    scale = side / (face.box[2] - face.box[0])
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized_u8 = cv2.resize(crop(photo_u8, face.box), (side, side), interpolation=way)
    landmarks = (face.landmarks - np.array(face.box[:2]) + 0.5) * scale - 0.5
    return np.asarray(sized_u8, np.uint8), landmarks.astype(np.float32)


def check_costs(mask: str, config: BenchmarkConfig) -> None:
    """Refuse a mask whose cost cannot be measured, before the hours of work that come first.

    Raises:
        MetricError: the mask cannot be laid over the face that costs are measured on.
    """
    _lay_batch(*_seated(), mask, config)


def _seated() -> tuple[U8, list[Region]]:
    """The face of the batches, and the one region that it fills."""
    face_u8, landmarks = _sitter(_SIDE)
    box = (0, 0, _SIDE, _SIDE)
    return face_u8, merge_overlapping([Face(box, box, landmarks, 1.0)], _SIDE, _SIDE)


def _lay_batch(
    face_u8: U8, regions: Sequence[Region], mask: str, config: BenchmarkConfig
) -> list[U8]:
    lay = functools.partial(lay_masks, preset=config.preset, model=config.model_for(mask))
    laid = [lay(face_u8, regions, mask, seed=i) for i in range(BATCH)]
    _check_laid([note for one in laid for note in one.notes], mask)
    return [one.photo_u8 for one in laid]


def _check_laid(notes: Sequence[MaskNote], mask: str) -> None:
    if notes:
        raise MetricError(
            f"the cost of the mask {mask} cannot be measured: {notes[0].reason}",
            hint="leave the mask out, or the part cost",
        )


def _batch_calls(
    subject: Subject, mask: str, config: BenchmarkConfig, device: str
) -> tuple[Callable[[], object], Callable[[], object]]:
    network = network_of(subject, device)
    face_u8, regions = _seated()
    keys = Keys(subject, mask, config, "cost", (_SIDE, _SIDE))
    maps = () if subject.keyless else (_spread_map(keys, device),)
    originals = from_u8(face_u8).expand(BATCH, -1, -1, -1).to(device)
    shuffle = _spread(keys.shuffle("right"), device) if subject.scrambled else None

    def hide() -> object:
        masks = [from_u8(one) for one in _lay_batch(face_u8, regions, mask, config)]
        with torch.inference_mode():
            hidden = scramble(originals, shuffle) if shuffle else originals
            return network.rounded(network.protect(hidden, torch.cat(masks).to(device), *maps))

    def bring_back() -> object:
        with torch.inference_mode():
            found = network.recover(originals, *maps)
            return unscramble(found, shuffle) if shuffle else found

    return hide, bring_back


def _spread_map(keys: Keys, device: str) -> Tensor:
    return key_map_tensor(keys.map("right")).expand(BATCH, -1, -1, -1).to(device)


def _spread(shuffle: Shuffle, device: str) -> Shuffle:
    """The same for every face of a batch: drawing it is not timed, as drawing key maps is not."""
    source, signs = (part.expand(BATCH, -1).to(device) for part in (shuffle.source, shuffle.signs))
    return Shuffle(source, signs)


def _photo_calls(
    subject: Subject, mask: str, model: str, folder: Path
) -> tuple[Callable[[], object], Callable[[], object]]:
    face_u8, landmarks = _sitter(_FACE[2] - _FACE[0])
    photo_u8 = paste(_picture(*_PHOTO), _FACE, face_u8)
    # Where a seed may be told, always the same one: how many faces are tried depends on it.
    seed = 0 if find_mask(mask).seeded else None
    options = ProtectOptions(subject.name, mask, model=model, mask_seed=seed)
    faces = [Face(_FACE, _FACE, landmarks + np.array(_FACE[:2], np.float32), 1.0)]
    path = folder / "photo.png"
    secret = passphrase(0, "cost", "right")

    def hide() -> object:
        made = protect(photo_u8, faces, secret, options)
        _check_laid(made.notes, mask)
        return path.write_bytes(made.png)

    def bring_back() -> object:
        return recover(open_protected(path), [secret])

    return hide, bring_back
