"""Protect, the actions: photo, faces, mask, method and passphrase in; one PNG to share out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import gradio as gr

from demo import actions, exhibits, meter, words
from demo.cards import figures_of, preview_card, protected_card
from demo.draw import fit, png
from demo.samples import sample
from demo.seeds import next_seed, seed_of
from demo.session import Visit, Visits
from demo.troubles import explained, in_plain_words, problem
from engine import (
    MASKS,
    Source,
    find_method,
    find_source,
    generate_passphrase,
    open_photo,
    write_png,
)
from engine.errors import EngineError, NoFaceError

Pair = tuple[str, str]

PREVIEW_SIDE = 1400
TRIES = 3
"""Seeds that are tried for another picture: few averages may be in like pose."""

NO_FACES: dict[str, Any] = gr.update(choices=[], value=[], visible=False)
NOTHING_YET = (
    '<div class="fv-empty"><p>Your protected photo will stand here.</p>'
    "<p>Nothing you choose is kept: it is wiped when you close this page, or a minute after its "
    "last use.</p></div>"
)
_PROGRESS = gr.Progress()


@dataclass(frozen=True, eq=False)
class ProtectActions:
    """The buttons of the tab.

    Attributes:
        visits: what each open page has here.
    """

    visits: Visits

    @in_plain_words
    def take_sample(self, name: str, request: gr.Request) -> str:
        """Put one of the sample photos in place of an upload."""
        visit = self.visits.of(request.session_hash)
        return visit.keep(write_png(None, sample(name), None), "sample.png")

    @in_plain_words
    def faces(
        self, photo: str, search: str, mask: str, strength: float, request: gr.Request,
        source: str | None = None, seed: str | None = None,
    ) -> tuple[str | None, Any, dict[str, Any], str, str]:  # fmt: skip
        """Find the faces of a photo, numbered left to right.

        Args:
            photo: a JPEG, PNG or WebP.
            search: "usual", "harder" for doubtful faces too, "whole" for the whole picture.
            mask: name of the mask to preview.
            strength: of the mask, 0.5 to 2.
            request: of the page.
            source: as for preview.
            seed: as for preview.

        Returns:
            A preview with the faces framed, their numbers, their boxes in pixels, what is to be
            said of the preview, as HTML, and its seed.
        """
        visit = self.visits.of(request.session_hash)
        visit.forget("shared")
        if not photo:
            return None, NO_FACES, {}, "", ""
        try:
            found = self._found(visit, photo, search)
        except EngineError as error:
            visit.put("trouble", error)
            raise
        numbers = list(range(1, len(found.faces) + 1))
        drawn = seed_of(seed)
        shown, said = self._preview(visit, found, numbers, mask, strength, source, drawn)
        labels = [str(number) for number in numbers]
        choice = gr.update(choices=labels, value=labels, visible=len(labels) > 1)
        boxes = {"faces": [face.box for face in found.faces]}
        return shown, choice, boxes, said, str(drawn)

    def why_not(self, search: str, request: gr.Request) -> tuple[Any, ...]:
        """Leave on the page why a photo cannot be protected, after the message has gone.

        Returns:
            What the panel says, no preview, no faces to tick, which ways on are offered, and
            nothing to be said of a preview.
        """
        error = self.visits.of(request.session_hash).forget("trouble")
        said = trouble_panel(error) if isinstance(error, EngineError) else NOTHING_YET
        panel, preview = gr.update(value=said, visible=True), gr.update(value=None, visible=False)
        faceless = gr.update(visible=isinstance(error, NoFaceError))
        return panel, preview, NO_FACES, {}, faceless, gr.update(visible=search == "usual"), ""

    @in_plain_words
    def preview(
        self, photo: str, search: str, faces: list[str], mask: str, strength: float,
        request: gr.Request, source: str | None = None, seed: str | None = None,
    ) -> tuple[str | None, str, str]:  # fmt: skip
        """Show what others will see, before anything is hidden.

        Args:
            photo: a JPEG, PNG or WebP.
            search: as for faces.
            faces: numbers of the faces to protect, or "all".
            mask: name of the mask.
            strength: of the mask, 0.5 to 2.
            request: of the page.
            source: as for protect; not looked at where the mask takes none.
            seed: chooses among the masks that one name can make: digits, as returned before;
                nothing to have one drawn.

        Returns:
            The preview, what is to be said of it, as HTML, and its seed: whoever gives that to
            protect gets the very masks of the preview.
        """
        if not photo:
            return None, "", ""
        drawn, visit = seed_of(seed), self.visits.of(request.session_hash)
        found = self._found(visit, photo, search)
        numbers = _numbers(faces, found)
        shown, said = self._preview(visit, found, numbers, mask, strength, source, drawn)
        return shown, said, str(drawn)

    @in_plain_words
    def another(
        self, photo: str, search: str, faces: list[str], mask: str, strength: float,
        request: gr.Request, source: str | None = None, seed: str | None = None,
    ) -> tuple[str | None, str, str]:  # fmt: skip
        """Draw other faces or characters, for the preview and for what is protected after it.

        Args, Returns: as :meth:`preview`; the seed is the one to go on from.
        """
        if not photo:
            return None, "", ""
        drawn, visit = seed_of(seed), self.visits.of(request.session_hash)
        found = self._found(visit, photo, search)
        numbers, before = _numbers(faces, found), visit.things.get("preview", set())
        for _ in range(TRIES):
            drawn = next_seed(drawn, found.faces)
            shown, said = self._preview(visit, found, numbers, mask, strength, source, drawn)
            if Path(shown) not in before:  # files are named by what is in them
                return shown, exhibits.aloud(words.ANOTHER) + said, str(drawn)
        return shown, (exhibits.aloud(words.NO_OTHER) if numbers else "") + said, str(drawn)

    @in_plain_words
    def whose(self, source: str | None, request: gr.Request) -> None:
        """Find whose face shall be laid as soon as the photograph is there, or say why not."""
        self._source(self.visits.of(request.session_hash), source)

    @in_plain_words
    def protect(
        self, photo: str, search: str, faces: list[str], mask: str, strength: float, method: str,
        passphrase: str, wrong: str, request: gr.Request, source: str | None = None,
        seed: str | None = None, progress: gr.Progress = _PROGRESS,
    ) -> tuple[Pair, str, str, dict[str, Any]]:  # fmt: skip
        """Hide the faces of a photo so that only the passphrase brings them back.

        Args:
            photo: a JPEG, PNG or WebP.
            search: "usual", "harder" or "whole".
            faces: numbers of the faces to protect, or "all".
            mask: gaussian, pixelate, median, sticker, superpixel, edge, extreme_blur, noise, box,
                ksame, simswap, faceshifter.
            strength: of the mask, 0.5 to 2, 1 is usual.
            method: sealed, proface-k, proface-s-rand or proface-s-obfs; imn, where it is offered,
                protects from nobody.
            passphrase: is used once and not kept.
            wrong: what a wrong key shows to who ignores the check: rand, obfs or decoy, where the
                method has it; nothing for the method's own.
            request: of the page.
            source: with simswap and faceshifter, a photograph of the person whose face they lay
                instead of nobody's, whom the picture then looks like; nothing for nobody's.
            seed: what preview or faces returned, to lay the masks that they showed; nothing to
                have others drawn. Masks that draw nothing, and noise, do not look at it.
            progress: is told how far it is.

        Returns:
            The photo before and after, the PNG to share, a card, and its figures; still_known and
            identity_cosine are of the chosen faces alone.
        """
        if not photo:
            raise problem("No photo yet", "Choose a photo first, or try a sample.")
        mode, drawn = wrong_mode(method, wrong), seed_of(seed)
        visit = self.visits.of(request.session_hash)
        found = self._found(visit, photo, search)
        numbers = _numbers(faces, found)
        if not numbers:
            raise problem("No face is ticked", "Tick at least one face to protect.")
        if source and mask in MASKS and not MASKS[mask].takes_source:
            raise problem(*words.NO_SOURCE_TAKEN)
        whose = self._source(visit, source)
        progress(0.2, desc="deriving the key and hiding the faces")
        shared = actions.protect(
            found, numbers, mask, method, passphrase, strength, mode, whose, drawn
        )
        path = visit.keep(shared.png, "protected.png")
        visit.put("shared", path)
        for note in shared.notes:
            gr.Warning(f"{note[:1].upper()}{note[1:]}.", title=words.NOTED[0])
        for remark in shared.remarks:
            gr.Warning(f"{remark[:1].upper()}{remark[1:]}.", title=words.REMARKED[0])
        card = protected_card(shared, len(found.faces) - len(numbers))
        return (photo, path), path, card, figures_of(shared, method)

    def draw_passphrase(self) -> tuple[Any, bool]:
        """Draw six random words, and show them so that they can be written down."""
        words_drawn = generate_passphrase(meter.GENERATED_WORDS)
        return gr.update(value=words_drawn, type="text"), True

    def _found(self, visit: Visit, photo: str, search: str) -> actions.Found:
        known = visit.things.get("found")
        if known is None or known[0] != (photo, search):
            visit.hold(photo)
            visit.forget("found")
            found = actions.look(photo, cast(actions.Search, search))
            known = ((photo, search), found)
            visit.put("found", known)
        return cast(actions.Found, known[1])

    def _source(self, visit: Visit, photo: str | None) -> Source | None:
        if not photo:
            visit.forget("source")
            return None
        known = visit.things.get("source")
        if known is None or known[0] != photo:
            visit.hold(photo)
            visit.forget("source")
            try:
                known = (photo, find_source(open_photo(photo)))
            except NoFaceError:
                raise problem(*words.NO_SOURCE_FACE) from None
            visit.put("source", known)
        return cast(Source, known[1])

    def _preview(
        self, visit: Visit, found: actions.Found, numbers: list[int], mask: str, factor: float,
        source: str | None, seed: int,
    ) -> tuple[str, str]:  # fmt: skip
        chosen = self._source(visit, source if mask in MASKS and MASKS[mask].takes_source else None)
        seen = actions.preview(found, numbers, mask, factor, chosen, seed)
        path = visit.keep(png(fit(seen.photo_u8, PREVIEW_SIDE)), "preview.png")
        visit.replace("preview", [path])
        return path, preview_card(seen)


def trouble_panel(error: EngineError) -> str:
    """Say in the place of the result why there is none."""
    title, sentence = explained(error)
    if isinstance(error, NoFaceError):
        title, sentence = words.NO_FACE
        return f'<div class="fv-empty fv-low"><h3>{title}</h3><p>{sentence}</p></div>'
    return exhibits.card(title, [("Nothing was protected", sentence, "")], "bad")


def wrong_mode(method: str, wrong: str) -> actions.WrongMode:
    """Refuse what a method does not show under a wrong key; another method is never taken."""
    modes = find_method(method).wrong_modes
    for mode in ("", *modes):
        if mode == wrong:
            return mode
    title = words.METHOD_TITLES.get(method, method)
    allowed = " or ".join(words.WRONG_OWN[mode] for mode in modes)
    raise problem("This method cannot show that", f"Under a wrong key {title} can show {allowed}.")


def _numbers(faces: list[str], found: actions.Found) -> list[int]:
    if "all" in faces:
        return list(range(1, len(found.faces) + 1))
    return [int(face) for face in faces if face.isdecimal()]
