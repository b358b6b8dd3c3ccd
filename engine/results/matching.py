"""The gain in identity match over all masks of a run, from its faces: one rule for every reader.

A network that works on the masks alone knows nobody under a sticker, and neither does one that saw
what is protected by a method that holds: such a mask adds noughts, and would make any leak look
smaller. So masks under which both know fewer than :data:`LEAST_KNOWN` of the faces are left out;
under them a leak would have to show in that mask's own gain. Where nobody is known under any mask,
all of them count.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Final

from scipy.special import stdtrit

from engine.results.reader import Reader
from engine.results.records import MeanScore

__all__ = ["LEAST_KNOWN", "known_shares", "matches", "together"]

LEAST_KNOWN: Final = 0.02
"""Share of faces that attacker or control must know for a mask to count with the others."""

_METRIC: Final = "identity_match"
_ATTACKER: Final = "original:revealed"
_CONTROL: Final = "original:control"
_ALL: Final = 10**9

Known = Mapping[str, tuple[float, float]]
"""By face whether the attacker knows it, and the control: 0 or 1."""


def together(masks: Mapping[str, Known]) -> tuple[float, float] | None:
    """The mean over faces of what each gained, over the masks that count; a face's masks first.

    Args:
        masks: of each mask its faces.

    Returns:
        Gain and margin: it lies so close with 95 % confidence, by Student's t over faces, which are
        no strangers under two masks; 0 where all differ alike. None for fewer than two faces.
    """
    counting = {mask: faces for mask, faces in masks.items() if _known(faces) >= LEAST_KNOWN}
    gained: dict[str, list[float]] = defaultdict(list)
    for faces in (counting or masks).values():
        for face, (attacker, control) in faces.items():
            if math.isfinite(attacker - control):
                gained[face].append(attacker - control)
    means = [math.fsum(own) / len(own) for own in gained.values()]
    count = len(means)
    if count < 2:
        return None
    mean = math.fsum(means) / count
    variance = math.fsum((one - mean) ** 2 for one in means) / (count - 1)
    return mean, float(stdtrit(count - 1, 0.975)) * math.sqrt(variance / count)


def _known(faces: Known) -> float:
    """The greater of both shares."""
    finite = [both for both in faces.values() if math.isfinite(sum(both))]
    both = (math.fsum(one[i] for one in finite) for i in range(2))
    return max(both) / max(1, len(finite))


def known_shares(reader: Reader, run_ids: Collection[int]) -> dict[tuple[int, str, str], float]:
    """The greater share of faces that attacker or control knew, by run, method and mask.

    Args:
        reader: open on the database.
        run_ids: of keyless attacks.

    Raises:
        ResultsError: the database cannot be read.
    """
    sums: dict[tuple[int, str, str, str], list[tuple[float, int]]] = defaultdict(list)
    for m in _rows(reader, run_ids):
        if m.mean is not None:
            sums[m.run_id, m.method, m.mask, m.pair].append((m.mean, m.images))
    found: dict[tuple[int, str, str], float] = {}
    for (run_id, method, mask, _), own in sums.items():
        share = math.fsum(mean * n for mean, n in own) / max(1, sum(n for _, n in own))
        found[run_id, method, mask] = max(share, found.get((run_id, method, mask), 0.0))
    return found


def matches(reader: Reader, run_ids: Collection[int]) -> dict[tuple[int, str], tuple[float, float]]:
    """What networks gained over all masks, by run and method, from the rows of every face.

    What a run itself has stored of it may be of an older rule, and is not read here.

    Args:
        reader: open on the database.
        run_ids: of keyless attacks.

    Returns:
        Gain and margin, see :func:`together`; none where a run has no rows of faces.

    Raises:
        ResultsError: the database cannot be read.
    """
    series: dict[tuple[int, str, str, str], dict[str, int]] = defaultdict(dict)
    for m in _rows(reader, run_ids):
        series[m.run_id, m.method, m.mask, m.source][m.pair] = m.series_id
    masks: dict[tuple[int, str], dict[str, dict[str, tuple[float, float]]]] = defaultdict(dict)
    for (run_id, method, mask, source), own in series.items():
        if len(own) == 2:
            rows = reader.scatter(own[_ATTACKER], own[_CONTROL], most=_ALL)
            faces = {f"{source}/{image}": (more, less) for image, more, less in rows}
            masks[run_id, method].setdefault(mask, {}).update(faces)
    found = {place: together(own) for place, own in masks.items()}
    return {place: one for place, one in found.items() if one is not None}


def _rows(reader: Reader, run_ids: Collection[int]) -> list[MeanScore]:
    pairs = [_ATTACKER, _CONTROL]
    return reader.means(run_ids, metric=_METRIC, pair=pairs, protocol="png") if run_ids else []
