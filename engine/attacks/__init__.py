"""What someone without the key does to a protected picture, and what it gives; judges the rest.

:data:`ATTACKS` is the lab: ``python -m engine attack NAME``. Its modules are loaded when one of
them is asked for, so that looking at keys or residuals alone needs no torch.
"""

import difflib
import importlib
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from engine.errors import MethodError

if TYPE_CHECKING:
    from engine.attacks.attack import Attack, AttackConfig, Report, Scene
    from engine.data import FaceSet
    from engine.results import Results

__all__ = ["ATTACKS", "find_attack", "run_attack"]

_HOMES: Final = {
    "microscope": "microscope",
    "wrong-keys": "wrong_keys",
    "dictionary": "dictionary",
    "tamper": "tamper",
    "byproducts": "byproducts",
    "keyless": "keyless",
    "deblur": "deblur",
    "restore": "restore",
    "known-plaintext": "known_plaintext",
    "map-search": "map_search",
    "world": "world",
    "multiset": "multiset",
}
"""Name of each attack to its module here, which calls it ``ATTACK``."""

_BEAT_SECONDS: Final = 20.0


class _Attacks(Mapping[str, "Attack"]):
    """The table of attacks, each loaded when it is looked up."""

    def __getitem__(self, name: str) -> "Attack":
        found: Attack = importlib.import_module(f"engine.attacks.{_HOMES[name]}").ATTACK
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


ATTACKS: Mapping[str, "Attack"] = _Attacks()
"""Every attack of the lab, by name."""


def find_attack(name: str) -> "Attack":
    """Return an attack by name.

    Raises:
        MethodError: there is none of this name.
    """
    if name in _HOMES:
        return ATTACKS[name]
    close = difflib.get_close_matches(name, _HOMES, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(_HOMES)}"
    raise MethodError(f"unknown attack {name!r}", hint=hint)


def run_attack(
    name: str,
    faces: "FaceSet",
    config: "AttackConfig",
    results: "Results",
    command: str = "",
    report: "Report | None" = None,
) -> int:
    """Run one attack and store what it finds as it comes.

    Ctrl-C leaves a run that is called stopped, with what came before.

    Args:
        name: in :data:`ATTACKS`.
        faces: the set to attack.
        config: what to attack, and how hard.
        results: where the figures go.
        command: what the person typed, kept with the run.
        report: told how far it is.

    Returns:
        The number of the run.

    Raises:
        MethodError, MaskError, ModelError, DataError: as :func:`find_attack`, :meth:`Attack.check`
            (no run is stored then), or the attack cannot be made on these faces or masks.
        ResultsError: the database cannot be written; what was stored before is whole.
    """
    import torch

    from engine.attacks.attack import Scene, no_report
    from engine.methods import find_method
    from engine.provenance import provenance

    attack = find_attack(name)
    attack.check(config)
    described = attack.described(config, faces)
    weights = ",".join(find_method(method).model_hash().hex() for method in config.methods)
    run_id = results.start_run(
        "attack", ",".join(config.methods), command, described, provenance=provenance(),
        data_hash=faces.sha256(), seed=config.seed, weights_hash=weights, device=config.device,
        threads=torch.get_num_threads(),
    )  # fmt: skip
    beaten = time.monotonic()

    def beat(done: int, total: int, what: str) -> None:
        nonlocal beaten
        if time.monotonic() - beaten > _BEAT_SECONDS:
            results.beat(run_id)
            beaten = time.monotonic()
        (report or no_report)(done, total, what)

    with results.running(run_id):
        scene = Scene(faces, config, beat)
        _store(attack, scene, results, run_id)
    return run_id


def _store(attack: "Attack", scene: "Scene", results: "Results", run_id: int) -> None:
    """Run the attack, and store what it finds and whom it refuses as both come."""
    try:
        for outcome in attack.run(scene):
            results.add_scores(run_id, outcome.scores, outcome.artifacts)
            results.add_costs(run_id, outcome.costs)
            results.add_scores(run_id, scene.take_refused())
    finally:  # a face that was refused before a stop was refused all the same
        results.add_scores(run_id, scene.take_refused())
