"""Small pieces of page: figures with captions, cards of figures, meters; pictures travel inside."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from demo.draw import Photo, inline
from demo.meter import Worth

TONES = ("good", "bad", "plain")


@dataclass(frozen=True, eq=False)
class Exhibit:
    """One picture with what is to be said about it.

    Attributes:
        picture_u8: ``(H, W, 3)``.
        title: two or three words.
        note: a figure, or half a sentence.
        alt: what the picture shows, for who does not see it.
        tone: of :data:`TONES`; colours the edge.
        details: figures for who opens it.
    """

    picture_u8: Photo = field(repr=False)
    title: str
    note: str = ""
    alt: str = ""
    tone: str = "plain"
    details: Mapping[str, str] = field(default_factory=dict)


def figure(exhibit: Exhibit) -> str:
    """Write one picture with its caption."""
    note = f"<span>{escape(exhibit.note)}</span>" if exhibit.note else ""
    return (
        f'<figure class="fv-figure fv-{exhibit.tone}">'
        f'<img src="{inline(exhibit.picture_u8)}" alt="{escape(exhibit.alt or exhibit.title)}">'
        f"<figcaption><b>{escape(exhibit.title)}</b>{note}</figcaption></figure>"
    )


def strip(exhibits: Iterable[Exhibit], kind: str = "") -> str:
    """Write pictures in a row that wraps on a narrow page."""
    return f'<div class="fv-strip {kind}">{"".join(map(figure, exhibits))}</div>'


def rows(*titled: tuple[str, Iterable[Exhibit]]) -> str:
    """Write rows of pictures, one for each method, under a title each."""
    return "".join(
        f'<section class="fv-row"><h4>{escape(title)}</h4>{strip(pictures, "fv-methods")}</section>'
        for title, pictures in titled
    )


def absent(title: str, why: str) -> str:
    """Write the place of a picture that there is none of, and why."""
    return (
        f'<figure class="fv-figure fv-none"><p>{escape(why)}</p>'
        f"<figcaption><b>{escape(title)}</b></figcaption></figure>"
    )


def opener(exhibit: Exhibit, name: str) -> str:
    """Write a picture that opens, larger and with its figures, when it is chosen; needs no script.

    Args:
        exhibit: the picture.
        name: of this cell, once on the page; letters, digits and hyphens.
    """
    rows = "".join(
        f"<dt>{escape(key)}</dt><dd>{escape(value)}</dd>" for key, value in exhibit.details.items()
    )
    title, alt = escape(exhibit.title), escape(exhibit.alt or exhibit.title)
    return (
        # One copy of the picture for both places.
        f'<div class="fv-cell" style="--picture:url({inline(exhibit.picture_u8)})">'
        f'<button type="button" class="fv-{exhibit.tone}" popovertarget="{name}" '
        f'aria-label="{alt}, {escape(exhibit.note)}"><i class="fv-shot"></i>'
        f"<span>{escape(exhibit.note)}</span></button>"
        f'<div popover id="{name}" class="fv-popover"><h3>{title}</h3>'
        f'<i class="fv-shot" role="img" aria-label="{alt}"></i><dl class="fv-facts">{rows}</dl>'
        f'<button type="button" popovertarget="{name}" popovertargetaction="hide">Close</button>'
        "</div></div>"
    )


def card(title: str, facts: Sequence[tuple[str, str, str]], tone: str = "plain") -> str:
    """Write figures as a small table.

    Args:
        title: one line.
        facts: name, value, and what it means.
        tone: of :data:`TONES`.
    """
    rows = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}"
        + (f"<small>{escape(meaning)}</small>" if meaning else "")
        + "</dd></div>"
        for name, value, meaning in facts
    )
    return (
        f'<section class="fv-card fv-{tone}" role="status"><h3>{escape(title)}</h3>'
        f"<dl>{rows}</dl></section>"
    )


def meter(worth: Worth) -> str:
    """Write what a passphrase is worth as a bar and a sentence."""
    if not worth.word:
        # It stays on the page, so that what comes into it is read aloud; empty it takes no room.
        return '<div class="fv-meter fv-silent" aria-live="polite"></div>'
    share = min(100, round(100 * worth.bits / 80))
    about = "" if worth.exact else "about "
    return (
        f'<div class="fv-meter fv-{worth.word}" aria-live="polite">'
        f'<i><i style="width:{share}%"></i></i><b>{worth.word}</b> '
        f"<span>{about}{math.floor(worth.bits)} bits. {escape(worth.note)}</span></div>"
    )


def aloud(sentence: str) -> str:
    """Write a sentence that is read aloud when it comes."""
    return f'<p class="fv-said" role="status">{escape(sentence)}</p>'


def heading(title: str, lead: str) -> str:
    """Write what a part of the page is for."""
    return f'<header class="fv-heading"><h2>{escape(title)}</h2><p>{escape(lead)}</p></header>'
