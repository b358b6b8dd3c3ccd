"""Looks for the face in what a network gives besides its picture, which never leaves the program.

The attacker has somehow come by the second output of a network, of protection or of recovery, and
wants to see the face in it: the brightness and contrast are sought that bring it
closest to the original. What the mask alone tells, fitted alike, is the control. In the released
models such a fit finds nothing beyond the mask; it says nothing of somebody who inverts the network
or learns from pairs, and these outputs do not leave the functions that make them anyway.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from engine.attacks.attack import Attack, AttackConfig, Outcome, Scene
from engine.benchmark import embedders
from engine.benchmark.plan import Subject
from engine.results.records import Score

__all__ = ["ATTACK"]

_METRIC = "fitted_psnr_db"


def _run(scene: Scene) -> Iterator[Outcome]:
    """Who has come by a network's second output, and has no key, wants to see the face in it."""
    work = scene.combinations()
    total, done = len(work) * len(scene.chosen), 0
    for method, mask in work:
        for index in scene.chosen:
            scene.report(done, total, f"{method} {mask}")
            yield Outcome(tuple(_look(scene, index, method, mask)))
            done += 1
    scene.report(done, total, "")


def _look(scene: Scene, index: int, method: str, mask: str) -> Iterator[Score]:
    config, device = scene.config.benchmark("byproducts"), scene.config.device
    with tempfile.TemporaryDirectory() as folder:
        (exhibit,) = embedders.show(
            scene.faces, [index], Subject(method), mask, config, Path(folder), device
        )
    file, source = exhibit.record.file, exhibit.record.source
    for (pair, metric), value in exhibit.values.items():
        if metric in (_METRIC, "refused"):
            yield Score(file, source, method, mask, pair, metric, value)


def _budget(config: AttackConfig) -> str:
    del config
    return "four passes of the network for each face"


ATTACK = Attack(
    name="byproducts",
    title="Byproducts",
    knowledge="the network's second output, which never leaves the function that made it",
    goal="to see the face in it",
    budget=_budget,
    run=_run,
    suits=lambda name: Subject(name).is_embedder,
    needs="a network that gives byproducts",
)
