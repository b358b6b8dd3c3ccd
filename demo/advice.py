"""Says under the strength of a mask how much of it a trained network undoes, as far as measured."""

import logging
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from typing import Final

import engine
from demo import words
from engine import MASKS, Advice, Restored
from engine.errors import ResultsError

_LOG = logging.getLogger("demo")

UNKNOWN: Final = "How much a trained network undoes of this mask is not measured."
_HOW: Final = "By our small recogniser, on faces of 112 px; × 1 is the papers' strength."
_MOST_OTHERS = 2
_CLEARLY = 0.5

Measured = Mapping[str, Sequence[Restored]]


@cache
def _measured() -> Measured:
    try:
        return engine.restorations()
    except ResultsError as error:  # the page works without it
        _LOG.error("%s; %s", error, error.hint)
        return {}


def shown(mask: str, factor: float) -> str:
    """Write what is measured of a mask at a strength; empty where there are no such rows at all.

    Args:
        mask: name in :data:`engine.MASKS`.
        factor: of the slider, 1 for the papers' strength.
    """
    said = about(_measured(), mask, factor)
    return f'<p class="fv-small fv-advice" aria-live="polite">{escape(said)}</p>' if said else ""


def about(measured: Measured, mask: str, factor: float) -> str:
    """Put it in sentences; see :func:`shown`.

    Args:
        measured: from :func:`engine.restorations`.
        mask: name in :data:`engine.MASKS`.
        factor: times the papers' strength.
    """
    if not measured:
        return ""
    if not _as_the_papers(mask) or mask not in measured:
        return UNKNOWN
    found = engine.advise(measured[mask], factor)
    near = [one for one in (found.weaker, found.stronger) if one is not None]
    worst = max(one.known for one in near)
    steps = _rungs(measured[mask], near[0].strength)
    lead = "" if found.exact else f"Not measured at × {factor:g}. "
    told = _told(steps, found) + _at_least(steps[0], measured[mask])
    return f"{lead}{told} {_more(measured, mask, worst, found)}{_HOW}"


def _as_the_papers(mask: str) -> bool:
    """Whether what this page lays at 1 is what the papers lay, which is what was measured."""
    return dict(MASKS[mask].defaults) == dict(MASKS[mask].paper)


def _rungs(ones: Sequence[Restored], weakest: float) -> list[Restored]:
    return sorted((o for o in ones if o.strength >= weakest), key=lambda one: one.strength)


def _told(steps: Sequence[Restored], found: Advice) -> str:
    """The first measurement with its faces, those of stronger masks behind it."""
    first, *others = steps
    at = "At this strength" if found.exact else f"At × {first.strength:g}"
    share = f"{_percent(first.known)} of {first.faces} faces"
    # That a network which is too weak knows nobody says nothing.
    telling = [one for one in others if one.known or not one.least]
    rest = ", ".join(f"× {one.strength:g}: {_bound(one)}" for one in telling)
    whence = "a trained network that has no key makes known again"
    if first.least:
        learned = f" for {first.steps:,} steps" if first.steps else ""
        whence = f"a network trained{learned} that has no key{' already' * bool(first.known)} makes"
        whence += " known again"
    if first.known > first.restored:
        whence = "the mask as it is leaves known"
    return f"{at} {whence} {share}{f' ({rest})' if rest else ''}."


def _bound(one: Restored) -> str:
    return f"at least {_percent(one.known)}" if one.least else _percent(one.known)


def _at_least(first: Restored, ones: Sequence[Restored]) -> str:
    """What a stronger network does where there is a figure of one, beside one that is too weak."""
    if not first.least:
        return ""
    usual = engine.advise(ones, 1.0).exact
    if usual is None or usual.least:
        return " That is the least: behind other masks, stronger networks make more known."
    if usual.run_id == first.run_id:
        return " That is the least: as many are known at × 1."
    share = _percent(usual.known)
    return f" That is the least: a stronger network makes known {share} at × 1."


def _more(measured: Measured, mask: str, worst: float, found: Advice) -> str:
    """What hides more, where too many are known: stronger, or another mask at its usual strength.

    Between two measurements the worse one counts.
    """
    near = (found.weaker, found.stronger)
    if worst <= engine.GATE_KNOWN and not any(one.least for one in near if one):
        return ""
    ways = []
    if found.enough is not None and found.enough.strength > found.strength:
        ways.append(f"× {found.enough.strength:g} ({_percent(found.enough.known)})")
    usual = {
        name: engine.advise(ones, 1.0).exact
        for name, ones in measured.items()
        if name != mask and name in words.MASK_TITLES and _as_the_papers(name)
    }
    better = [(one.known, name) for name, one in usual.items() if one and not one.least]
    ways += [
        f"{words.MASK_TITLES[name]} ({_percent(known)})"
        for known, name in sorted(better)[:_MOST_OTHERS]
        if known < _CLEARLY * worst
    ]
    return f"Hides more: {' or '.join(ways)}. " if ways else ""


def _percent(share: float) -> str:
    return "none" if share == 0 else f"{100 * share:.0f} %" if share >= 0.01 else "under 1 %"
