"""One unit of the work, a few faces under one method and mask; here or in other processes."""

import contextlib
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch

from engine.benchmark import embedders, photographs
from engine.benchmark.judge import Exhibit, judge
from engine.benchmark.plan import BenchmarkConfig, Subject
from engine.data import FaceSet
from engine.images import to_u8, write_png
from engine.layouts import open_faces
from engine.results import Artifact, Score

_LARGEST_BATCHED = 512 * 512
"""Pixels of the faces that are taken in batches; larger ones go one at a time, in tiles."""

_KEPT = ("original", "mask", "protected", "recovered", "wrong")


@dataclass(frozen=True)
class Unit:
    """Faces to be measured together.

    Attributes:
        subject: what is measured.
        mask: name of the mask.
        indices: which faces of the set.
        kept: of those, the faces whose pictures are kept.
        licence: why they may be.
    """

    subject: Subject
    mask: str
    indices: tuple[int, ...]
    kept: tuple[int, ...] = ()
    licence: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a unit gave."""

    unit: Unit
    scores: list[Score]
    artifacts: list[Artifact]


def measure_unit(
    faces: FaceSet, unit: Unit, config: BenchmarkConfig, folder: Path, device: str
) -> Outcome:
    """Measure the faces of a unit."""
    exhibits: dict[int, Exhibit] = {}
    for group in _batches(faces, unit, config):
        shown = embedders.show(faces, group, unit.subject, unit.mask, config, folder, device)
        exhibits |= zip(group, shown, strict=True)
    for index in [index for index in unit.indices if index not in exhibits]:
        exhibits[index] = photographs.show(
            faces, index, unit.subject, unit.mask, config, folder, device
        )
    scores = judge(list(exhibits.values()), unit.subject.name, unit.mask, config.protocol, device)
    kept = [artifact for index in unit.kept for artifact in _pictures(exhibits[index], unit)]
    return Outcome(unit, scores, kept)


def _batches(faces: FaceSet, unit: Unit, config: BenchmarkConfig) -> list[list[int]]:
    """Those faces that the network can take at once, by their size."""
    if config.photographs or not unit.subject.is_embedder:
        return []
    # What is no method of the registry, or never a file, has no other way.
    only = unit.subject.folder is not None or config.protocol == "paper"
    groups: dict[tuple[int, ...], list[int]] = {}
    for index in unit.indices:
        shape = faces.load(index).shape
        if only or shape[0] * shape[1] <= _LARGEST_BATCHED:
            groups.setdefault(shape, []).append(index)
    return list(groups.values())


def _pictures(exhibit: Exhibit, unit: Unit) -> Iterator[Artifact]:
    for name in _KEPT:
        if name in exhibit.shown:
            png = write_png(None, to_u8(exhibit.shown[name]), None)
            file, method = exhibit.record.file, unit.subject.name
            yield Artifact(file, method, unit.mask, name, unit.licence, png)


# --- processes ------------------------------------------------------------------------------------

_state: tuple[FaceSet, BenchmarkConfig, str, Path]


def measure_units(
    faces: FaceSet, units: Iterable[Unit], config: BenchmarkConfig, device: str, jobs: int
) -> Iterator[Outcome]:
    """Measure units in so many processes, in order; ``jobs`` 1 is this one.

    The processes end with this one, however it ends.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if jobs == 1:
            for unit in units:
                yield measure_unit(faces, unit, config, folder, device)
            return
        pool = ProcessPoolExecutor(
            jobs,
            multiprocessing.get_context("spawn"),
            _begin,
            (os.getpid(), folder, faces.path, config, device, torch.get_num_threads()),
        )
        stack.callback(pool.shutdown, wait=True, cancel_futures=True)
        waiting: deque[Future[Outcome]] = deque()
        for unit in units:
            waiting.append(pool.submit(_do, unit))
            if len(waiting) > 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _begin(
    parent: int, folder: Path, path: Path, config: BenchmarkConfig, device: str, threads: int
) -> None:
    """Make a process ready: it leaves Ctrl-C to the first, and ends when that one is gone."""
    global _state
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    torch.set_num_threads(threads)
    _state = (open_faces(path), config, device, Path(tempfile.mkdtemp(dir=folder)))


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _do(unit: Unit) -> Outcome:
    faces, config, device, folder = _state
    return measure_unit(faces, unit, config, folder, device)


def cut(indices: Sequence[int], size: int) -> Iterator[tuple[int, ...]]:
    """Faces in groups of at most ``size``."""
    for start in range(0, len(indices), size):
        yield tuple(indices[start : start + size])
