"""Judges a method by what networks that were trained against it gained: one rule for every page.

``holds`` and ``leaks`` need figures that are sure, all else is ``open``. Margins are over the faces
that were attacked; whether another training of the same network would have found more, they cannot
say.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from engine.results.matching import LEAST_KNOWN

__all__ = [
    "EXACT_DB",
    "GATE_DB",
    "GATE_MATCH",
    "LEAST_FACES",
    "Judgement",
    "Matched",
    "Trial",
    "counts",
    "judge",
    "pooled",
]

GATE_DB: Final = 0.3
"""What a keyless network may gain over its control, in dB, for a method to hold."""

GATE_MATCH: Final = 0.01
"""What it may gain in identity match: one point under any mask, and over all masks together under
which somebody is known (:data:`engine.results.matching.LEAST_KNOWN`)."""

EXACT_DB: Final = 100.0
"""What a PSNR counts as at most in a gain: more than one wrong value in a face of 112 px leaves."""

LEAST_FACES: Final = 30
"""Fewer faces than these never show that a method holds."""

_APART: Final = {"same-key", "residual"}

Sense = Literal["holds", "leaks", "open"]


def counts(variant: str) -> bool:
    """Whether a keyless attack of this variant says what its method gives beyond the mask.

    Not ``same-key``: nobody who uses this program has one key for all faces. Nor ``residual``: its
    control sees what is left of the mask by itself, which is less than the mask shows everybody;
    light and contrast that both show then count as gained. Whatever a residual gives beside the
    mask, ``stacked`` sees, with the mask beside it.
    """
    return not _APART & {*variant.split("+")}


@dataclass(frozen=True)
class Trial:
    """What one run's network gained over its control on one method and mask.

    Attributes:
        run_id: of the run.
        method: that was attacked.
        mask: of the faces.
        gain: in dB.
        margin: 95 % lie within so much of it; None where it was not measured.
        match: the gain in identity match and its margin; None where it was not measured.
        faces: that were attacked.
        steps: that the network learned; None in rows of before they were stored.
        variant: of the attack; networks of two variants are not compared.
        together: the gain in identity match over all masks of the run, and its margin over faces,
            whose masks were taken together first, without those under which nobody is known; None
            where no rows of faces tell.
        known: the greater share of the faces that the network or its control knows again; None
            where it was not measured.
    """

    run_id: int
    method: str
    mask: str
    gain: float
    margin: float | None
    match: tuple[float, float] | None
    faces: int
    steps: int | None = None
    variant: str = ""
    together: tuple[float, float] | None = None
    known: float | None = None

    @property
    def leaks(self) -> bool:
        """Whether a gain is surely above its gate: in dB, or that in identity match of this mask.

        Where every face was gained alike, the margin is as in :func:`pooled`.
        """
        if self.match and self.faces:
            gain, margin = self.match
            if gain - (margin or 3 / self.faces) > GATE_MATCH:
                return True
        return self.margin is not None and self.gain - self.margin > GATE_DB

    @property
    def within(self) -> bool:
        """Whether the gain in dB is surely below its gate."""
        if not self.margin or self.faces < LEAST_FACES:
            return False
        return self.gain + self.margin <= GATE_DB


@dataclass(frozen=True)
class Matched:
    """The gain in identity match of one variant over all its masks together.

    Masks under which both the network and its control know fewer than
    :data:`engine.results.matching.LEAST_KNOWN` of the faces are left out, unless all are such.

    Attributes:
        gain: a share of the faces.
        margin: 95 % lie within so much of it; infinite where a mask's was not measured.
        faces: of the mask with the fewest.
    """

    gain: float
    margin: float
    faces: int


@dataclass(frozen=True)
class Judgement:
    """How a method stands.

    Attributes:
        sense: ``leaks`` where a gain of any trial, so of any one mask, is surely above
            :data:`GATE_DB` or :data:`GATE_MATCH`, or that in identity match over all masks of a
            variant is, see :class:`Matched`; ``holds``
            where the longest trial of every variant and mask is surely within :data:`GATE_DB` over
            :data:`LEAST_FACES` faces or more, every variant's masks together are within
            :data:`GATE_MATCH`, and each mask was attacked as another method was that leaked: in the
            same run, or in the same variant by a network that had learned no longer; else ``open``.
        worst: the trial of the greatest gain: of those that leak, or else of the longest.
        match: of the variant that may have gained most in it.
        proven: whether each mask was attacked so; an attacker that has learned nothing gains
            nothing either.
    """

    sense: Sense
    worst: Trial
    match: Matched
    proven: bool


def judge(method: str, trials: Sequence[Trial], before: Sequence[Trial] = ()) -> Judgement | None:
    """Judge a method.

    Args:
        method: name.
        trials: of every method, since the others prove the attackers; in any order.
        before: those of weights that are superseded: who broke them is an attacker too.

    Returns:
        None where no trial is of the method.
    """
    own = [one for one in trials if one.method == method]
    if not own:
        return None
    longest: dict[tuple[str, str], Trial] = {}
    for one in sorted(own, key=lambda one: (one.steps or 0, one.run_id)):
        longest[one.variant, one.mask] = one
    last, leaks = [*longest.values()], [one for one in own if one.leaks]
    matches = [
        _matched([one for one in last if one.variant == variant])
        for variant in dict.fromkeys(one.variant for one in last)
    ]
    broken = [one for one in (*trials, *before) if one.leaks and one.method != method]
    proven = all(_is_proven(one, broken) for one in last)
    sense: Sense = "open"
    if leaks or any(one.gain - one.margin > GATE_MATCH for one in matches):
        sense = "leaks"
    elif (
        proven
        and all(one.within for one in last)
        and all(one.gain + one.margin <= GATE_MATCH for one in matches)
    ):
        sense = "holds"
    worst = max(leaks or last, key=lambda one: one.gain)
    return Judgement(sense, worst, max(matches, key=lambda one: one.gain + one.margin), proven)


def _matched(own: Sequence[Trial]) -> Matched:
    faces, together = min(one.faces for one in own), own[0].together
    if together and faces and all(one.run_id == own[0].run_id for one in own):
        return Matched(together[0], together[1] or 3 / faces, faces)
    own = [one for one in own if one.known is None or one.known >= LEAST_KNOWN] or [*own]
    known = [(*one.match, one.faces) for one in own if one.match and one.faces]
    gain, margin = pooled(known) if known else (0.0, math.inf)
    every = len(known) == len(own)
    return Matched(gain, margin if every else math.inf, faces)


def _is_proven(one: Trial, broken: Iterable[Trial]) -> bool:
    return any(
        other.run_id == one.run_id
        or (other.variant == one.variant and 0 < (other.steps or 0) <= (one.steps or 0))
        for other in broken
        if other.mask == one.mask
    )


def pooled(parts: Iterable[tuple[float, float, int]]) -> tuple[float, float]:
    """Several means as one.

    Args:
        parts: of each its mean, its margin, 0 where no face differs, and its faces, 1 or more.

    Returns:
        Mean and margin over all of them, never too narrow: as if all were of the same faces, and
        what is gained on one went together wholly. Where none differs, 95 % lie below three in
        their number.
    """
    found = [(mean, margin or 3 / faces, faces) for mean, margin, faces in parts]
    total = sum(faces for *_, faces in found)
    mean = math.fsum(faces * mean for mean, _, faces in found) / total
    return mean, math.fsum(faces * margin for _, margin, faces in found) / total
