"""Measures methods and masks on a set of faces, from the PNG read back from disk."""

import dataclasses
import hashlib
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from engine.data import FaceRecord, FaceSet
from engine.faces import Face, detect
from engine.images import Box, from_u8, open_photo, open_protected, write_png
from engine.keys import KdfParams
from engine.methods import find_method
from engine.metrics import measure, psnr_db
from engine.pipeline import Preset, ProtectOptions, protect, recover, recover_wrongly
from engine.results import MeanScore, Results, Score

Report = Callable[[int, int, str], None]
"""Takes faces done, faces in all, and what is being measured."""


@dataclass(frozen=True)
class BenchmarkConfig:
    """What to measure.

    Attributes:
        methods: names in :data:`engine.methods.METHODS`.
        masks: names in :data:`engine.masks.MASKS`.
        metrics: names in :data:`engine.metrics.METRICS`.
        preset: mask strengths; the papers' at 112 px by default.
        limit: faces of each set, chosen with ``seed``; None for all.
        seed: of the choice and of the passphrases.
        photographs: find the faces with the detector, instead of taking each picture as one; the
            sets are then photographs whose faces fill less and more than a tenth of them.
    """

    methods: tuple[str, ...]
    masks: tuple[str, ...]
    metrics: tuple[str, ...] = ("psnr_db", "ssim")
    preset: Preset = "paper"
    limit: int | None = None
    seed: int = 0
    photographs: bool = False


def benchmark(
    faces: FaceSet,
    config: BenchmarkConfig,
    results: Results,
    command: str = "",
    report: Report = lambda done, total, what: None,
) -> int:
    """Measure every chosen face with every method and mask; interrupted, it goes on from there.

    Each face is protected whole under a fresh passphrase, written as PNG, read back, recovered with
    the right passphrase and with another, and each result is written and read back again.
    The key derivation runs at its cheapest: its cost changes no picture.

    Args:
        faces: to measure on.
        config: what to measure.
        results: where the figures go.
        command: what the person typed, kept with the run.
        report: told how far it is.

    Returns:
        The number of the run, for :meth:`engine.results.Results.mean_scores`.
    """
    chosen = choose(faces, config)
    weights = {name: find_method(name).model_hash().hex() for name in config.methods}
    inputs = {"data": faces.sha256(), "weights": weights}
    described = json.dumps(dataclasses.asdict(config) | inputs, sort_keys=True)
    run_id = results.find_run("benchmark", described)
    if run_id is None:
        run_id = results.start_run("benchmark", ",".join(config.methods), command, described)
    total = len(chosen) * len(config.methods) * len(config.masks)
    done = 0
    with tempfile.TemporaryDirectory() as folder:
        for method in config.methods:
            for mask in config.masks:
                known = results.scored_images(run_id, method, mask)
                for index in chosen:
                    if faces.records[index].file not in known:
                        scores = measure_face(faces, index, method, mask, config, Path(folder))
                        results.add_scores(run_id, scores)
                    done += 1
                    report(done, total, f"{method} {mask}")
    return run_id


def choose(faces: FaceSet, config: BenchmarkConfig) -> list[int]:
    """Choose the faces: ``limit`` of each source, with a fixed seed."""
    rng = np.random.default_rng(config.seed)
    chosen: list[int] = []
    for source in sorted({record.source for record in faces.records}):
        own = [i for i, record in enumerate(faces.records) if record.source == source]
        if config.limit is not None and config.limit < len(own):
            own = sorted(int(i) for i in rng.choice(own, config.limit, replace=False))
        chosen += own
    return chosen


def measure_face(
    faces: FaceSet, index: int, method: str, mask: str, config: BenchmarkConfig, folder: Path
) -> list[Score]:
    """Protect, write, read, recover and judge one picture; every figure between two named images.

    A photograph without any face gives no figures.
    """
    record = faces.records[index]
    original_u8 = faces.load(index)
    found = detect(original_u8) if config.photographs else [_whole(original_u8, record)]
    if not found:
        return []
    options = ProtectOptions(method, mask, config.preset, kdf=KdfParams.for_tests())
    secret, guess = (_passphrase(config.seed, record.file, word) for word in ("right", "wrong"))
    protected = protect(original_u8, found, secret, options)
    path = folder / "picture.png"
    path.write_bytes(protected.png)
    file = open_protected(path)
    pictures = {
        "original": original_u8,
        "mask": protected.masked_u8,
        "protected": file.photo_u8,
        "recovered": _through_png(recover(file, [secret]).photo_u8, folder),
        "wrong": _through_png(recover_wrongly(file, guess), folder),
    }
    aim = "original" if protected.header.wrong == "rand" else "mask"
    pairs = ("mask:protected", "original:recovered", f"{aim}:wrong")
    values = {pair: _measure_pair(pictures, pair, config.metrics) for pair in pairs}
    boxes = [face.box for face in protected.header.faces]
    source = record.source
    if config.photographs:
        in_faces = {name: _only(picture, boxes) for name, picture in pictures.items()}
        values["original:recovered faces"] = {
            "psnr_db": float(psnr_db(*map(from_u8, (in_faces["original"], in_faces["recovered"]))))
        }
        share = sum((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in boxes) / original_u8[..., 0].size
        source = "faces under a tenth" if share < 0.1 else "faces over a tenth"
    clipped = float(np.mean((pictures["wrong"] == 0) | (pictures["wrong"] == 255)))
    values["wrong"] = {"clipped": clipped}
    return [
        Score(record.file, source, method, mask, pair, metric, value)
        for pair, metrics in values.items()
        for metric, value in metrics.items()
    ]


def _whole(original_u8: npt.NDArray[np.uint8], record: FaceRecord) -> Face:
    height, width = original_u8.shape[:2]
    return Face((0, 0, width, height), (0, 0, width, height), record.landmarks, 1.0)


def _only(photo_u8: npt.NDArray[np.uint8], boxes: Sequence[Box]) -> npt.NDArray[np.uint8]:
    """The pixels inside the boxes, as one picture of a single row."""
    inside = np.zeros(photo_u8.shape[:2], bool)
    for x0, y0, x1, y1 in boxes:
        inside[y0:y1, x0:x1] = True
    return np.ascontiguousarray(photo_u8[inside][None])


def _measure_pair(
    pictures: dict[str, npt.NDArray[np.uint8]], pair: str, metrics: Sequence[str]
) -> dict[str, float]:
    first, second = (from_u8(pictures[name]) for name in pair.split(":"))
    with torch.inference_mode():
        return {name: float(value) for name, value in measure(metrics, first, second).items()}


def _through_png(photo_u8: npt.NDArray[np.uint8], folder: Path) -> npt.NDArray[np.uint8]:
    path = folder / "result.png"
    write_png(path, photo_u8, None)
    return open_photo(path)


def _passphrase(seed: int, file: str, word: str) -> str:
    return hashlib.sha256(f"{seed}/{file}/{word}".encode()).hexdigest()


def table(means: Sequence[MeanScore], metric: str = "psnr_db") -> str:
    """Write a metric's means as a Markdown table: a row for each method, pair and mask."""
    means = [mean for mean in means if mean.metric == metric]
    sources = sorted({mean.source for mean in means})
    lines = [f"| {metric} | mask | {' | '.join(sources)} |", f"|---|---|{'---|' * len(sources)}"]
    for method, pair, mask in dict.fromkeys((m.method, m.pair, m.mask) for m in means):
        cells = [
            _cell(next((m for m in means if (m.method, m.pair, m.mask, m.source)
                        == (method, pair, mask, source)), None))
            for source in sources
        ]  # fmt: skip
        lines.append(f"| {method} {pair} | {mask} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(mean: MeanScore | None) -> str:
    if mean is None:
        return "missing"
    exact = f" ({mean.exact} of {mean.images} exact)" if mean.exact else ""
    return ("exact" if mean.mean is None else f"{mean.mean:.2f}") + exact
