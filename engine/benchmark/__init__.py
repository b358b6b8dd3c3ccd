"""Measures methods and masks on a set of faces, from the PNG read back from disk.

The faces go through in units of a few, each unit's figures are stored together, and what is stored
is not measured again: a benchmark may be stopped or killed at any moment and gone on with.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from engine.benchmark.cost import check_costs, measure_costs
from engine.benchmark.plan import PARTS, BenchmarkConfig, Subject, choose
from engine.benchmark.units import Unit, cut, measure_units
from engine.data import FaceSet
from engine.provenance import provenance
from engine.results import Results

__all__ = [
    "PARTS",
    "BenchmarkConfig",
    "BenchmarkOptions",
    "Report",
    "benchmark",
    "choose",
]

Report = Callable[[int, int, str], None]
"""Takes faces done, faces in all, and what is being measured."""


@dataclass(frozen=True)
class BenchmarkOptions:
    """How to measure; none of it changes a figure, but for the device in its last digits.

    Attributes:
        command: what the person typed, kept with the run.
        device: torch's name of where networks run.
        batch: faces that are taken and stored together.
        jobs: processes.
        resume: go on with the newest run of this configuration even if the code has changed since;
            the run is then called dirty, since no commit gives all of its figures.
        thumbnails: so many faces of the set are kept as pictures.
        licence: why those may be shown; nothing is kept without it.
    """

    command: str = ""
    device: str = "cpu"
    batch: int = 16
    jobs: int = 1
    resume: bool = False
    thumbnails: int = 0
    licence: str = ""


def benchmark(
    faces: FaceSet,
    config: BenchmarkConfig,
    results: Results,
    options: BenchmarkOptions | None = None,
    report: Report = lambda done, total, what: None,
) -> int:
    """Measure every chosen face with every method and mask; interrupted, it goes on from there.

    Each face is protected whole under a passphrase of its own, written as PNG, read back, recovered
    with the right passphrase and with another, and each result is written and read back again.

    Args:
        faces: to measure on.
        config: what to measure.
        results: where the figures go.
        options: how to measure.
        report: told how far it is.

    Returns:
        The number of the run, for :meth:`engine.results.Results.mean_scores`.

    Raises:
        MethodError, MaskError, MetricError, ModelError: as :meth:`BenchmarkConfig.check`.
        ResultsError: the database cannot be written; what was stored before is whole.
    """
    options = options or BenchmarkOptions()
    config.check()
    run_id = _find_or_start(faces, config, results, options)
    chosen = choose(faces, config)
    kept = frozenset(chosen[: options.thumbnails]) if options.licence else frozenset()
    work = _todo(faces, chosen, config, results, run_id)
    units = [
        Unit(subject, mask, part, tuple(i for i in part if i in kept), options.licence)
        for subject, mask, indices in work
        for part in cut(indices, options.batch)
    ]
    # Method after method on the same faces: a process lays a mask once for all networks.
    units.sort(key=lambda unit: (config.masks.index(unit.mask), unit.indices[0]))
    total = len(chosen) * len(work)
    done = total - sum(len(indices) for _, _, indices in work)
    report(done, total, "")
    known = results.costed(run_id)
    costly = [(s, m) for s, m, _ in work if "cost" in config.parts and (s.name, m) not in known]
    if done == total and not costly and results.is_finished(run_id):
        return run_id
    for mask in dict.fromkeys(mask for _, mask in costly):
        check_costs(mask, config)
    results.went_on(run_id, provenance().versions)
    with results.running(run_id):
        for outcome in measure_units(faces, units, config, options.device, options.jobs):
            results.add_scores(run_id, outcome.scores, outcome.artifacts)
            done += len(outcome.unit.indices)
            report(done, total, f"{outcome.unit.subject.name} {outcome.unit.mask}")
        for subject, mask in costly:
            results.add_costs(run_id, measure_costs(subject, mask, config, options.device))
    return run_id


def _find_or_start(
    faces: FaceSet, config: BenchmarkConfig, results: Results, options: BenchmarkOptions
) -> int:
    described, source = config.described(faces), provenance()
    versions = None if options.resume else source.versions
    run_id = results.find_run("benchmark", described, versions)
    if run_id is not None:
        return run_id
    return results.start_run(
        "benchmark", ",".join(subject.name for subject in config.subjects()), options.command,
        described, provenance=source, data_hash=faces.sha256(), seed=config.seed,
        weights_hash=",".join(subject.weights_hash() for subject in config.subjects()),
        device=_named(options.device), threads=torch.get_num_threads() * options.jobs,
    )  # fmt: skip


def _todo(
    faces: FaceSet, chosen: list[int], config: BenchmarkConfig, results: Results, run_id: int
) -> list[tuple[Subject, str, list[int]]]:
    """Every method and mask, and the faces that have no figures under them yet."""
    work = []
    for subject in config.subjects():
        for mask in config.masks:
            known = results.scored_images(run_id, subject.name, mask)
            todo = [i for i in chosen if faces.records[i].file not in known]
            work.append((subject, mask, todo))
    return work


def _named(device: str) -> str:
    if device.startswith("cuda"):
        return f"{device} ({torch.cuda.get_device_name(device)})"
    return device
