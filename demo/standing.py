"""Says of each method what the released benchmark measured, and nothing that is not in its rows."""

import logging
from functools import cache

import engine
from demo.draw import in_db
from engine import Attacked, Standing
from engine.errors import ResultsError

_LOG = logging.getLogger("demo")
_SETS = {"lfw": "LFW", "celeba": "CelebA", "ffhq": "FFHQ"}
_SENSES = {"holds": "holds", "leaks": "leaks", "open": "open: not settled"}

ANYONE = "No attacker is needed: anyone who has this program recovers the face."
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
    return UNKNOWN if standing is None else in_words(standing)


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
    spread = "" if attacked.margin_db is None else f" ± {attacked.margin_db:.1f}"
    told = f"{attacked.gain_db:+.1f}".replace("-", "−")
    gain = f"{told}{spread} dB"
    after = f" after {attacked.steps:,} steps" if attacked.steps else ""
    return (
        f"Trained attacker: {gain} over the mask alone at worst{after} ({_SENSES[attacked.sense]})."
    )
