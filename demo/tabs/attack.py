"""Attack it, the actions: eyes without a key, an enhancer, a microscope, a JPEG, a list."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

import engine
from demo import attack, exhibits, lab, race, standing, words
from demo.race import Course
from demo.session import Visits
from demo.tabs.kept import count_attempt
from demo.tabs.wrong_keys import ATTACKED, lab_of
from demo.troubles import in_plain_words
from engine import Lap, open_protected, whole_face

_PROGRESS = gr.Progress()


@dataclass(frozen=True, eq=False)
class AttackActions:
    """The buttons of the part.

    Attributes:
        visits: what each open page has here.
    """

    visits: Visits

    @in_plain_words
    def attack(self, method: str, request: gr.Request, progress: gr.Progress = _PROGRESS) -> str:
        """Let a network that never saw a key look at the protected face, and its control.

        Args:
            method: proface-s-rand, proface-s-obfs, proface-k, sealed or imn.
            request: of the page.
            progress: is told how far it is.

        Returns:
            Four pictures with their figures, as HTML.
        """
        made = lab_of(self.visits, request)
        progress(0.1, desc="protecting the face as attackers learned to see it")
        exposed = attack.expose(made, method)
        progress(0.6, desc="looking without a key")
        return attack.shown(exposed, attack.guesses(exposed, method), method)

    @in_plain_words
    def all_ways(
        self, method: str, times: float, quality: float, request: gr.Request,
        progress: gr.Progress = _PROGRESS,
    ) -> Iterator[tuple[Any, ...]]:  # fmt: skip
        """Do :meth:`attack`, :meth:`enhance`, :meth:`residual` and :meth:`resave`, one by one."""
        skip = gr.skip()
        yield self.attack(method, request, progress), skip, skip, skip
        yield skip, self.enhance(method, request), skip, skip
        yield skip, skip, self.residual(times, request), skip
        yield skip, skip, skip, self.resave(quality, request)

    def first_look(
        self, method: str, times: float, quality: float, request: gr.Request,
        progress: gr.Progress = _PROGRESS,
    ) -> Iterator[tuple[Any, ...]]:  # fmt: skip
        """Do :meth:`all_ways` where there is a face on the table that was not attacked yet."""
        made = self.visits.of(request.session_hash).things.get("lab")
        if made is None or made.exposed:
            yield (gr.skip(),) * ATTACKED
        else:
            yield from self.all_ways(method, times, quality, request, progress)

    @in_plain_words
    def enhance(self, method: str, request: gr.Request) -> str:
        """Restore the face from the mask, with the enhancer that everybody has.

        Args:
            method: whose picture of the face is at hand; the mask is the same under each.
            request: of the page.

        Returns:
            Three pictures, and whose face that is, as HTML.
        """
        return attack.enhanced(attack.expose(lab_of(self.visits, request), method))

    @in_plain_words
    def residual(self, times: float, request: gr.Request) -> str:
        """Amplify around grey what is more than the mask: an estimate of it, then the true one.

        Args:
            times: 1 to 50.
            request: of the page.
        """
        made, times = lab_of(self.visits, request), min(max(times, 1.0), 50.0)
        mask = words.MASK_TITLES[made.mask]
        return exhibits.rows(
            (f"What an onlooker has: the picture minus an estimate of {mask}, made from it alone",
             lab.guessed_residuals(made, times)),
            (f"What an onlooker lacks: the picture minus the true {mask}, the most there is to see",
             lab.residuals(made, times)),
        )  # fmt: skip

    @in_plain_words
    def resave(self, quality: float, request: gr.Request) -> str:
        """Save the protected pictures as JPEG, and recover from that with the right key.

        Args:
            quality: 30 to 95.
            request: of the page.

        Returns:
            The pictures, and what the app says of such files, as HTML.
        """
        return attack.resaved(lab_of(self.visits, request), quality)

    @in_plain_words
    def race(self, passphrase: str, method: str, request: gr.Request) -> Iterator[str]:
        """Run a list of common passphrases against the face, protected under one of them.

        Args:
            passphrase: the one to find; it stands on the page, so invent one.
            method: that protects.
            request: of the page.

        Returns:
            The race as HTML, some four times a second, for eight seconds at most.
        """
        made = lab_of(self.visits, request)
        if engine.find_method(method).keyless:
            yield f'<p class="fv-said">There is no key to race for. {standing.ANYONE}</p>'
            return
        listing, place, listed = engine.planted(passphrase)
        count_attempt(self.visits, request)
        course = Course(len(listing), place, listed)
        yield race.page(course, {})
        original_u8 = made.original_u8
        file = engine.protect(
            original_u8, [whole_face(original_u8)], passphrase, engine.ProtectOptions(method)
        )
        trial = engine.Trial(open_protected(file.png))
        laps: dict[str, Lap] = {}
        for lap in engine.race(trial, passphrase, listing, race.SECONDS):
            laps[lap.derivation] = lap
            yield race.page(course, laps)
