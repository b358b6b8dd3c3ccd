"""Wrong keys sorted for their page: how much of the map is wrong, and one character off."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboard import attacks, series
from dashboard.attacks import Attempt
from dashboard.series import Summary
from engine.results import MeanScore

WAYS: Final = ("flipped", "tile")
"""Where the wrong bits of a key map are: scattered over it, or all in one place."""

Sweep = dict[tuple[str, str], list[tuple[float, Summary]]]
"""Points by method and way: the share of wrong bits, and what is left."""


def alike(means: Sequence[MeanScore]) -> list[MeanScore]:
    """Figures of the sweep, of the masks and sets on which both ways of a method were tried.

    All of them, where none has both. Masks differ by more than ways do: curves over different ones
    would not compare.
    """
    found = [m for m in means if series.second(m.pair) in WAYS]
    chosen = []
    for own in series.split(found, "method").values():
        places = [{(m.mask, m.source) for m in own if series.second(m.pair) == way} for way in WAYS]
        both = places[0] & places[1]
        chosen += [m for m in own if not both or (m.mask, m.source) in both]
    return chosen


def sweep(means: Sequence[MeanScore]) -> Sweep:
    """Curves over the share of wrong bits, scattered ones before tiles."""
    return {
        (method, way): sorted(
            (series.amount(pair) or 0.0, series.together(mine))
            for pair, mine in series.split(of_way, "pair").items()
        )
        for method, own in series.split(means, "method").items()
        for way in WAYS
        if (of_way := [m for m in own if series.second(m.pair) == way])
    }


@dataclass(frozen=True)
class KeyTest:
    """Whether one character off shows other pictures than any key, by Kolmogorov and Smirnov.

    Attributes:
        distance: of the two distribution functions at the most, 0 to 1; None where not stored.
        p_value: of the test alone; None where it is not stored.
        corrected: for all tests of the run; None where it is not stored.
        faces: whose pictures were compared.
    """

    run_id: int
    method: str
    mask: str
    distance: float | None
    p_value: float | None
    corrected: float | None
    faces: int


def key_tests(means: Sequence[MeanScore], known: Mapping[int, Attempt]) -> list[KeyTest]:
    """Each method's and mask's test of the newest run that has it, of the newest weights.

    Args:
        means: figures of attacks.
        known: their runs.
    """
    means = attacks.of_newest_weights(means, known)
    faces = attacks.faces(means)
    own = [m for m in means if m.pair == "random:one_char"]
    newest: dict[tuple[str, str], int] = {}
    for m in own:
        newest[m.method, m.mask] = max(m.run_id, newest.get((m.method, m.mask), m.run_id))
    values = {(m.run_id, m.method, m.mask, m.metric): m.mean for m in own}
    tests = []
    for method in series.options(own, "method"):
        for mask in series.options([m for m in own if m.method == method], "mask"):
            place = (newest[method, mask], method, mask)
            distance, p_value, corrected = (
                values.get((*place, name)) for name in ("ks", "ks_p", "ks_p_corrected")
            )
            tests.append(KeyTest(*place, distance, p_value, corrected, faces.get(place, 0)))
    return tests


def lines(found: Sequence[KeyTest]) -> list[dict[str, object]]:
    """The tests for the export, under the database's own names."""
    return [
        {"method": one.method, "mask": one.mask, "ks": one.distance, "ks_p": one.p_value,
         "ks_p_corrected": one.corrected, "faces": one.faces, "run": one.run_id}
        for one in found
    ]  # fmt: skip
