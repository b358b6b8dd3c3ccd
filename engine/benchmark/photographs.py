"""Measures one picture at a time through the whole pipeline, as a person uses it."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engine.attacks.keys import Trial, one_bit_off, one_character_off
from engine.benchmark.judge import Exhibit
from engine.benchmark.plan import BenchmarkConfig, Subject, drawn, passphrase
from engine.data import FaceFile, FaceSet
from engine.errors import BoxError, CapacityError, MethodError, WrongKeyError
from engine.faces import Face, detect
from engine.images import Box, ProtectedFile, from_u8, open_photo, open_protected, write_png
from engine.keys import KdfParams
from engine.methods import find_method
from engine.methods.networked import Networked
from engine.metrics import psnr_db
from engine.pipeline import Protected, ProtectOptions, protect, recover, recover_wrongly
from engine.zoo import load_model

U8 = npt.NDArray[np.uint8]


def settle(subject: Subject, device: str) -> None:
    """Have the pipeline's network on this device: the pipeline runs it where it lies."""
    if subject.folder is None and isinstance(method := find_method(subject.name), Networked):
        load_model(method.model).to(device)


def show(
    faces: FaceSet,
    index: int,
    subject: Subject,
    mask: str,
    config: BenchmarkConfig,
    folder: Path,
    device: str,
) -> Exhibit:
    """Protect, write, read and recover one picture.

    The key derivation runs at its cheapest: its cost changes no picture.

    Returns:
        Its pictures; only that it was refused, or that no face was found, where it was so.
    """
    settle(subject, device)
    record = faces.records[index]
    original_u8 = faces.load(index)
    found = detect(original_u8) if config.photographs else [whole(original_u8, record)]
    exhibit = Exhibit(record, record.source)
    if not found:
        exhibit.source = "faces not found"
        exhibit.values["photograph", "no_face"] = 1.0
        return exhibit
    options = ProtectOptions(
        subject.name, mask, config.preset, kdf=KdfParams.cheapest(), model=config.model_for(mask)
    )
    secret, guess = (passphrase(config.seed, record.file, word) for word in ("right", "wrong"))
    try:
        protected = protect(original_u8, found, secret, options)
    except (BoxError, CapacityError, MethodError):
        exhibit.refuse()
        return exhibit
    if protected.notes:
        exhibit.note_mask()
    file = _stored(protected, folder)
    pictures = {
        "original": original_u8,
        "mask": protected.masked_u8,
        "protected": file.photo_u8,
        "recovered": through_png(recover(file, [secret]).photo_u8, folder),
        "wrong": through_png(recover_wrongly(file, guess), folder),
    }
    aim = "mask" if protected.header.wrong == "obfs" else "original"
    exhibit.compare(config.metrics, "mask:protected", "original:recovered", f"{aim}:wrong")
    if config.of_faces:
        exhibit.compare(config.of_faces, "original:protected")
    exhibit.values["wrong", "clipped"] = clipped(pictures["wrong"])
    if config.photographs:
        _look_at_faces(exhibit, pictures, [face.box for face in protected.header.faces])
    elif {"keys", "spoof"} & set(config.parts):
        _try_keys(exhibit, pictures, file, secret, aim, config, folder)
    exhibit.shown = {name: from_u8(picture) for name, picture in pictures.items()}
    return exhibit


def whole(original_u8: U8, record: FaceFile) -> Face:
    """The face that fills its picture."""
    height, width = original_u8.shape[:2]
    return Face((0, 0, width, height), (0, 0, width, height), record.landmarks, 1.0)


def clipped(picture_u8: U8) -> float:
    """The share of samples at one end of the range: many of them are blotches, not noise."""
    return float(np.mean((picture_u8 == 0) | (picture_u8 == 255)))


def through_png(photo_u8: U8, folder: Path) -> U8:
    """What a picture is once it has been a file."""
    with _file(folder, write_png(None, photo_u8, None)) as path:
        return open_photo(path)


def _stored(protected: Protected, folder: Path) -> ProtectedFile:
    with _file(folder, protected.png) as path:
        return open_protected(path)


@contextlib.contextmanager
def _file(folder: Path, data: bytes) -> Iterator[Path]:
    """A file for as long as it takes to read it: a benchmark that is killed leaves no faces."""
    path = folder / "picture.png"
    path.write_bytes(data)
    yield path
    path.unlink()


def _look_at_faces(exhibit: Exhibit, pictures: dict[str, U8], boxes: Sequence[Box]) -> None:
    inside = {name: _only(picture, boxes) for name, picture in pictures.items()}
    for first, second in (("mask", "protected"), ("original", "recovered")):
        value = psnr_db(from_u8(inside[first]), from_u8(inside[second])).item()
        exhibit.values[f"{first}:{second} faces", "psnr_db"] = value
    share = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes)
    tenth = pictures["original"][..., 0].size / 10
    exhibit.source = "faces under a tenth" if share < tenth else "faces over a tenth"


def _only(photo_u8: U8, boxes: Sequence[Box]) -> U8:
    """The pixels inside the boxes, as one picture of a single row."""
    inside = np.zeros(photo_u8.shape[:2], bool)
    for x0, y0, x1, y1 in boxes:
        inside[y0:y1, x0:x1] = True
    return np.ascontiguousarray(photo_u8[inside][None])


def _try_keys(
    exhibit: Exhibit,
    pictures: dict[str, U8],
    file: ProtectedFile,
    secret: str,
    aim: str,
    config: BenchmarkConfig,
    folder: Path,
) -> None:
    """Keys that are nearly right, and the mask in the protected picture's place."""
    trial = Trial(file)
    key = trial.derive(secret)
    seed = int.from_bytes(drawn(config.seed, exhibit.record.file, "edit")[:4], "big")
    if "keys" in config.parts:
        slip = trial.derive(one_character_off(secret, seed))
        for name, tried in (("one_char", slip), ("one_bit", one_bit_off(key, seed % 256))):
            pictures[name] = through_png(trial.show(tried), folder)
            exhibit.compare(config.metrics, f"{aim}:{name}")
    if "spoof" in config.parts:
        try:
            pictures["spoofed"] = through_png(trial.spoof(pictures["mask"], key), folder)
            exhibit.compare(config.metrics, "original:spoofed")
        except WrongKeyError:
            exhibit.refuse("spoofed")
