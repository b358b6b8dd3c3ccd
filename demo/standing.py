"""Says of each method what the released benchmark measured, and nothing that is not in its rows."""

import logging
import math
from functools import cache

import engine
from demo.draw import in_db
from engine import Attacked, Standing
from engine.errors import ResultsError

_LOG = logging.getLogger("demo")
_SETS = {"lfw": "LFW", "celeba": "CelebA", "ffhq": "FFHQ"}
_SENSES = {"holds": "holds", "leaks": "leaks", "open": "open: not settled"}

ANYONE = "No attacker is needed: anyone who has this program recovers the face."
LEAKS = "a trained attacker sees more than the mask without any key"
UNKNOWN = "Not measured in this installation."


@cache
def _measured() -> dict[str, Standing]:
    try:
        return engine.standings()
    except ResultsError as error:  # the page works without it, and says so
        _LOG.error("%s; %s", error, error.hint)
        return {}


def result(method: str) -> str:
    """Give a method's result in a sentence or two.

    Args:
        method: name in :data:`engine.METHODS`.
    """
    standing = _measured().get(method)
    if engine.find_method(method).keyless:
        return f"{_closeness(standing)}. {ANYONE}" if standing and _closeness(standing) else ANYONE
    if standing is None:
        return UNKNOWN
    return f"{in_words(standing)}{_older(standing.attacked, method)}"


def leaks(method: str) -> bool:
    """Whether a trained attacker of the benchmark saw more than the mask shows, without any key.

    Args:
        method: name in :data:`engine.METHODS`; one without a key has nothing to leak.
    """
    standing = _measured().get(method)
    attacked = standing.attacked if standing else None
    return (
        attacked is not None
        and attacked.sense == "leaks"
        and not engine.find_method(method).keyless
    )


def leaking() -> tuple[str, ...]:
    """Names of the methods that leak, in the registry's order."""
    return tuple(name for name in engine.METHODS if leaks(name))


def promise(method: str) -> str:
    """Give what a method does by construction, and that it leaks where the benchmark found so."""
    told = engine.find_method(method).promise
    return f"{told}; {LEAKS}" if leaks(method) else told


def _older(attacked: Attacked | None, method: str) -> str:
    """What to think of an attack on another model than the one that would protect here."""
    if attacked is None or attacked.weights == engine.find_method(method).model_hash().hex():
        return ""
    return " That was an older model of it."


def in_words(standing: Standing) -> str:
    """Give closeness and the trained attacker's gain, as far as they were measured."""
    parts = [f"{_closeness(standing)}." if _closeness(standing) else "", against(standing.attacked)]
    return " ".join(filter(None, parts))


def _closeness(standing: Standing) -> str:
    named = (("mask:protected", standing.protected_db), ("recovered", standing.recovered_db))
    figures = ", ".join(f"{name} {in_db(value)}" for name, value in named if value is not None)
    return f"{figures} ({_SETS.get(standing.source, standing.source)})" if figures else ""


def against(attacked: Attacked | None) -> str:
    """Say what a trained attacker gained."""
    if attacked is None:
        return "Trained attacker: not measured yet."
    spread = "" if attacked.margin_db is None else f" ± {attacked.margin_db:.2f}"
    # The nought that a small loss is rounded to would keep its minus.
    told = f"{round(attacked.gain_db, 2) or 0.0:+.2f}".replace("-", "−")
    gain = f"{told}{spread} dB"
    after = f" after {attacked.steps:,} steps" if attacked.steps else ""
    known = ""
    if math.isfinite(attacked.match_margin):
        points = f"{round(100 * attacked.match, 1) or 0.0:+.1f}".replace("-", "−")
        known = f", and {points} ± {100 * attacked.match_margin:.1f} points of faces known again"
    return (
        f"Trained attacker: {gain} over the mask alone at worst{known}{after} "
        f"({_SENSES[attacked.sense]})."
    )
