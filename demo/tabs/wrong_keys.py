"""Wrong keys, the actions: one face under every method, and what each wrong key gives."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, cast

import gradio as gr

from demo import curve, exhibits, lab, words
from demo.draw import in_db, png
from demo.exhibits import Exhibit
from demo.samples import sample
from demo.session import Visits
from demo.tabs.kept import count_attempt
from demo.troubles import in_plain_words, problem

_PROGRESS = gr.Progress()
MOST_KEYS = 36
SOURCES = {"Astronaut": ("Astronaut", None), "Group, face 2": ("Group of six", 2)}
OWN = "My photo"
ATTACKED = 4
"""What the part that attacks shows of the face on the table."""

WAITING = '<div class="fv-empty fv-low"><p>What you try stands here.</p></div>'
_CHOSEN = "lab chosen"


def chosen(source: str, photo: str | None, mask: str) -> tuple[str, str, str]:
    """What tells one face on the table from another, less its passphrase, which nobody keeps."""
    return source, (photo or "") if source == OWN else "", mask


def cleared() -> list[str]:
    """What a new face takes away: the guess, the note, and what was attacked."""
    return ["", "", *[WAITING] * ATTACKED]


def row(title: str, about: str, pictures: list[Exhibit]) -> str:
    """Write one row of the table of keys."""
    cells = "".join(map(exhibits.figure, pictures))
    return (
        f'<section class="fv-row"><h4>{escape(title)} <code>{escape(about)}</code></h4>'
        f'<div class="fv-methods">{cells}</div></section>'
    )


@dataclass(frozen=True, eq=False)
class WrongKeyActions:
    """The buttons of the tab.

    Attributes:
        visits: what each open page has here.
    """

    visits: Visits

    @in_plain_words
    def start(
        self, source: str, photo: str, mask: str, passphrase: str, request: gr.Request,
        progress: gr.Progress = _PROGRESS,
    ) -> tuple[str, str]:  # fmt: skip
        """Protect one face by every method, and try the right key and two nearly right ones.

        Args:
            source: "Astronaut", "Group, face 2" or "My photo".
            photo: whose largest face is taken, with "My photo".
            mask: name of the mask.
            passphrase: the right one; it stands on the page, so invent one.
            request: of the page.
            progress: is told how far it is.

        Returns:
            The protected face, and the rows of keys, each as HTML.
        """
        visit = self.visits.of(request.session_hash)
        if source == OWN and not photo:
            raise problem("No photo yet", "Choose a photo of your own, or take a sample face.")
        progress(0, desc="finding the face")
        if source == OWN:
            visit.hold(photo)
            face_u8 = lab.face_of(photo)
        else:
            name, number = SOURCES[source]
            face_u8 = lab.face_of(sample(name), number)
        made, typo = lab.prepare(
            face_u8, mask, passphrase, lambda at, s: progress(0.9 * at, desc=s)
        )
        visit.put("lab", made, public=source != OWN)
        visit.put(_CHOSEN, chosen(source, photo, mask), public=source != OWN)
        progress(0.95, desc="trying keys")
        rows = [
            row("The right key", passphrase, lab.under(made, lab.right_keys(made))),
            row("A typing slip", typo, lab.under(made, made.wrong_keys)),
            row("One bit off", "1 of 256 flipped", lab.under(made, lab.one_bit_off(made))),
        ]
        return table_left(made), "".join(rows)

    def first_look(
        self, source: str, photo: str, mask: str, passphrase: str, request: gr.Request,
        progress: gr.Progress = _PROGRESS,
    ) -> tuple[Any, Any]:  # fmt: skip
        """Do :meth:`start` unless it was done on this page."""
        if "lab" in self.visits.of(request.session_hash).things:
            return gr.skip(), gr.skip()
        return self.start(source, photo, mask, passphrase, request, progress)

    def renew(
        self, source: str, photo: str, mask: str, passphrase: str, request: gr.Request,
        progress: gr.Progress = _PROGRESS,
    ) -> tuple[Any, ...]:  # fmt: skip
        """Do :meth:`start` unless the face and mask that are chosen stand on the table already.

        Whatever is asked for comes after this, so that nothing is shown under another's name.

        Returns:
            What :meth:`start` gives; then nothing for the guess and the note, and for each of
            :data:`ATTACKED` that it waits; all left as they are where nothing has changed.
        """
        things = self.visits.of(request.session_hash).things
        if "lab" in things and things.get(_CHOSEN) == chosen(source, photo, mask):
            return (gr.skip(),) * (4 + ATTACKED)
        made = self.start(source, photo, mask, passphrase, request, progress)
        return (*made, *cleared())

    def outdated(self, source: str, photo: str, mask: str, request: gr.Request) -> str:
        """Say so, as HTML, where what is chosen is not what stands on the table."""
        things = self.visits.of(request.session_hash).things
        if "lab" not in things or things.get(_CHOSEN) == chosen(source, photo, mask):
            return ""
        made = cast(lab.Lab, things["lab"])
        return (
            '<p class="fv-said" role="status">Below stands the face that was protected before, '
            f"under {escape(words.MASK_TITLES[made.mask])}. Protect it anew; whatever else you ask "
            "for does so by itself.</p>"
        )

    @in_plain_words
    def try_key(self, guess: str, request: gr.Request) -> str:
        """Try a typed passphrase on the protected face.

        Args:
            guess: any passphrase.
            request: of the page.

        Returns:
            A row of pictures, one for each method, as HTML.
        """
        made = lab_of(self.visits, request)
        count_attempt(self.visits, request)
        pictures = lab.under(made, lab.derived(made, guess))
        opens = any(picture.tone == "good" for picture in pictures)
        return row("Your guess", "fits" if opens else "does not fit", pictures)

    @in_plain_words
    def random_keys(
        self, method: str, count: float, request: gr.Request, progress: gr.Progress = _PROGRESS
    ) -> Iterator[tuple[list[tuple[str, str]], str]]:
        """Try many random keys and show what each gives.

        Args:
            method: proface-s-rand, proface-s-obfs or sealed.
            count: how many, to 36.
            request: of the page.
            progress: is told how far it is.

        Returns:
            The pictures so far with their captions, and a sentence.
        """
        made, visit = lab_of(self.visits, request), self.visits.of(request.session_hash)
        count_attempt(self.visits, request)
        visit.replace("gallery", [])
        shown: list[tuple[str, str]] = []
        nearest, opened, total = 0.0, 0, int(min(max(count, 1), MOST_KEYS))
        for picture_u8, near, opens in lab.random_tries(made, method, total):
            nearest, opened = max(nearest, near), opened + opens
            path = visit.keep(png(picture_u8), f"random key {len(shown) + 1}.png")
            shown.append((path, in_db(near)))
            visit.replace("gallery", [path for path, _ in shown])
            progress((len(shown), total), desc="trying random keys")
            said = (
                f"{len(shown)} of {total} keys tried, {opened} opened. "
                f"The nearest came to {in_db(nearest)} of the face."
            )
            yield shown, f'<p class="fv-said" aria-live="polite">{said}</p>'

    @in_plain_words
    def wrong_share(
        self, percent: float, request: gr.Request, progress: gr.Progress = _PROGRESS
    ) -> Iterator[tuple[str, Any]]:
        """Show the face with a share of the right key map's bits wrong.

        Args:
            percent: of wrong bits, 0 to 50.
            request: of the page.
            progress: is told how far it is.

        Returns:
            The pictures of both networks as HTML, and the curve.
        """
        made, share = lab_of(self.visits, request), min(max(percent, 0.0), 50.0) / 100
        pictures = exhibits.strip(lab.with_share(made, share), "fv-two")
        # The pictures come first: the curve is measured once for each face, and takes longer.
        yield pictures, curve.figure(made.curves, share) if made.curves else gr.skip()
        curves = lab.measure_curves(made, lambda at, s: progress(at, desc=s))
        yield pictures, curve.figure(curves, share)

    @in_plain_words
    def spoof(self, request: gr.Request) -> str:
        """Hand in the mask instead of the protected picture, with the right key; gives HTML."""
        return exhibits.strip(lab.spoofed(lab_of(self.visits, request)), "fv-methods")


def lab_of(visits: Visits, request: gr.Request) -> lab.Lab:
    """Give the face that a page has on its table, or say that there is none."""
    made = visits.of(request.session_hash).things.get("lab")
    if made is None:
        raise problem(
            "No face on the table",
            "Press Protect this face every way. Your own is wiped after a minute without use.",
        )
    return cast(lab.Lab, made)


def table_left(made: lab.Lab) -> str:
    """Show what everybody sees, and below it what is inside."""
    specimen = made.specimens["proface-s-rand"]
    title = words.MASK_TITLES[made.mask]
    seen = Exhibit(specimen.protected_u8, "What everybody sees", title, "the protected face")
    inside = Exhibit(made.original_u8, "What is inside", "", "the original face")
    return (
        f'<div class="fv-left">{exhibits.figure(seen)}{exhibits.figure(inside)}'
        "<p>A protected picture like the upper one for each method. "
        "On the right: what different keys make of them.</p></div>"
    )
