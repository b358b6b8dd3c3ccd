"""A dictionary race in words and bars: how far two derivations came, and what lists would take."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

import engine
from engine import Lap

SECONDS: Final = 4.0
"""For each of the two runners."""

TITLES: Final = {
    "pbkdf2-10": ("As in PRO-Face S", "PBKDF2, 10 iterations, one salt for everybody"),
    "argon2id": ("FaceVeil", "Argon2id, 64 MiB, 3 passes, a salt for each picture"),
}
COUNTED: Final = {
    "pbkdf2-10": "the key alone, without a look at the picture",
    "argon2id": "the key, and the tag that tells the right one",
}
"""What is timed for one guess."""

SIX_WORDS: Final = 7776.0**6
CARD: Final = (
    "Here: by the clock, beside whatever else this machine does. The graphics card is modelled, "
    "not measured. In the papers' system nothing says which key is right: whoever guesses must "
    "look at the picture too, which is not counted here."
)

_SPACE: Final = "\u00a0"  # no break: a unit alone on a line reads badly
_RAISED: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Course:
    """What is run through.

    Attributes:
        words: on the list.
        place: of the right one, from 1.
        listed: it stood there already.
    """

    words: int
    place: int
    listed: bool


def page(course: Course, laps: Mapping[str, Lap]) -> str:
    """Write the race as it stands, a card for each derivation.

    Args:
        course: what is run through.
        laps: the last one of each that has started.
    """
    total, place = f"{course.words:,}", f"{course.place:,}"
    lead = (
        f"The passphrase stands at place {place} of a list of {total} common ones by itself: "
        "whoever runs through such lists finds it."
        if course.listed
        else f"The passphrase is not on the list of common ones: it was planted there for this "
        f"race, at place {place} of {total}. When it is found says how fast keys are tried, and "
        "nothing of how good it is."
    )
    cards = "".join(_card(name, course, laps.get(name)) for name in TITLES)
    return f'<p class="fv-said">{lead}</p><div class="fv-race">{cards}</div>'


def _card(name: str, course: Course, lap: Lap | None) -> str:
    title, about = TITLES[name]
    tried = (lap.place or lap.tried) if lap else 0
    bar = (
        f'<progress value="{tried}" max="{course.words}" '
        f'aria-label="{escape(title)}: tried {tried} of {course.words}"></progress>'
    )
    facts = _facts(name, course, lap) if lap else [("Waits for its turn", "", "")]
    tone = "found" if lap and lap.place else "plain"
    rows = "".join(
        f"<div><dt>{escape(key)}</dt><dd>{escape(value)}"
        f"{f'<small>{escape(note)}</small>' if note else ''}</dd></div>"
        for key, value, note in facts
    )
    return (
        f'<section class="fv-card fv-{tone}"><h3>{escape(title)}<small>{escape(about)}</small></h3>'
        f"{bar}<dl>{rows}</dl></section>"
    )


def _facts(name: str, course: Course, lap: Lap) -> list[tuple[str, str, str]]:
    here, card = lap.rate, engine.gpu_rates()[name]
    facts = [
        ("Found" if lap.place else "Tried", *_came(course, lap)),
        ("Keys a second, here", f"{here:,.0f}" if here >= 10 else f"{here:.1f}", COUNTED[name]),
        ("On a graphics card", rounded(card), "keys a second, modelled"),
    ]
    if not lap.done:
        return facts
    lists = (
        ("This whole list", float(course.words)),
        ("A million passphrases", 1e6),
        ("Six random words", SIX_WORDS),
    )
    return facts + [
        (what, duration(count / here), f"on the card: {duration(count / card)}")
        for what, count in lists
    ]


def _came(course: Course, lap: Lap) -> tuple[str, str]:
    """How far a runner came; one that has found goes on for a moment, to be timed."""
    if lap.place is not None and lap.found_s is not None:
        where = f"at place {lap.place:,} of {course.words:,}"
        return where, f"after {duration(lap.found_s)}; so many tries were needed"
    tried = f"{lap.tried:,} of {course.words:,}"
    if not lap.done:
        return tried, ""
    left = duration(course.place / lap.rate)
    return tried, f"not yet found; place {course.place:,} takes {left}"


def duration(seconds: float) -> str:
    """Write a time in its largest fitting unit, ages as powers of ten; the space does not break."""
    if seconds < 1:
        return f"under 1{_SPACE}ms" if seconds < 1e-3 else f"{1000 * seconds:.0f}{_SPACE}ms"
    for limit, size, unit in (
        (120, 1, "s"), (7200, 60, "min"), (172_800, 3600, "h"), (6.3e7, 86_400, "days"),
    ):  # fmt: skip
        if seconds < limit:
            return f"{seconds / size:.0f}{_SPACE}{unit}"
    years = seconds / 31_557_600
    return f"{years:,.0f}{_SPACE}years" if years < 1e5 else f"{_power(years)}{_SPACE}years"


def rounded(value: float) -> str:
    """Write a large count as people say it."""
    for size, unit in ((1e9, "thousand million"), (1e6, "million")):
        if value >= size:
            return f"{value / size:.0f} {unit}"
    return f"{value:,.0f}"


def _power(value: float) -> str:
    return f"10{str(math.floor(math.log10(value))).translate(_RAISED)}"
