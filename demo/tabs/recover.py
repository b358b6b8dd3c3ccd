"""Recover: a protected PNG and its passphrase in, the photograph out, or the reason why not."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo import actions, exhibits, words
from demo.inputs import PhotoInput
from demo.session import Visits
from demo.tabs.kept import count_attempt, hold_uploads, offer
from demo.tabs.passphrase import wire_passphrase
from demo.troubles import explained, in_plain_words, problem
from engine.errors import EngineError

Pair = tuple[str, str]

NOTHING_YET = '<div class="fv-empty"><p>The recovered photo will stand here.</p></div>'
_PROGRESS = gr.Progress()
_LANE: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": 1}


@dataclass(frozen=True, eq=False)
class RecoverActions:
    """The buttons of the tab.

    Attributes:
        visits: what each open page has here.
    """

    visits: Visits

    def why_not(self, request: gr.Request) -> str:
        """Leave on the page why the last picture was not opened, after the message has gone."""
        verdict = self.visits.of(request.session_hash).forget("verdict")
        return str(verdict or NOTHING_YET)

    @in_plain_words
    def take_last(self, request: gr.Request) -> str:
        """Put in what was protected on this page a moment ago."""
        path = self.visits.of(request.session_hash).things.get("shared")
        if path is None:
            raise problem(
                "Nothing protected here",
                "Protect a photo first, or drop a PNG here. What was protected is wiped after a "
                "minute without use.",
            )
        return str(path)

    @in_plain_words
    def recover(
        self, protected: str, passphrase: str, request: gr.Request,
        progress: gr.Progress = _PROGRESS,
    ) -> tuple[Pair, str, str, dict[str, Any]]:  # fmt: skip
        """Bring the faces of a protected PNG back with their passphrase.

        Args:
            protected: the PNG, exactly as it was downloaded.
            passphrase: is used once and not kept; nothing, where the method knows no key.
            request: of the page.
            progress: is told how far it is.

        Returns:
            The picture before and after, the recovered PNG, a card, and its figures.
        """
        if not protected:
            raise problem("No picture yet", "Drop a protected PNG first.")
        visit = self.visits.of(request.session_hash)
        visit.hold(protected)
        count_attempt(self.visits, request, actions.identity(protected))
        progress(0.2, desc="deriving the key and trying it")
        visit.forget("verdict")
        try:
            got = actions.recover(protected, passphrase)
        except EngineError as error:
            visit.put("verdict", refusal(error))
            raise
        path = visit.keep(got.png, "recovered.png")
        visit.put("recovered", path)
        figures = {
            "opened": list(got.opened),
            "still_hidden": list(got.closed),
            "bit_exact": got.exact and got.verified,
            "passphrase_verified": got.verified,
            "keyless": got.keyless,
            "method": got.method,
            "seconds": round(got.seconds, 3),
        }
        return (protected, path), path, recovered_card(got), figures


def refusal(error: EngineError) -> str:
    """Say on the page why a picture is not opened."""
    title, sentence = explained(error)
    return exhibits.card(title, [("Nothing was opened", sentence, "")], "bad")


def recovered_card(got: actions.Opened) -> str:
    """Say what came back, and no more of it than the file proves."""
    still = f"{len(got.closed)} still hidden: another passphrase" if got.closed else "all of them"
    rest = [
        ("Method", words.METHOD_TITLES.get(got.method, got.method), ""),
        ("Took", f"{got.seconds:.1f} s", ""),
        ("Kept here", "one minute", words.KEPT),
    ]
    if got.keyless:
        facts = [
            ("Faces back", str(len(got.opened)), "anyone gets them: this method knows no key"),
            ("Quality", "close, not exact", "whatever the passphrase is"),
            *rest,
        ]
        return exhibits.card("No passphrase was needed", facts)
    if not got.verified:
        unknown = (
            "The file was made without a check, so a wrong passphrase gives a picture, too. Look "
            "whether you see a face."
        )
        facts = [
            ("Is the passphrase right?", "nothing in the file tells", unknown),
            ("Faces tried", str(len(got.opened)), ""),
            *rest,
        ]
        return exhibits.card("This is what the passphrase gives", facts)
    faces = "the face" if len(got.opened) == 1 else "the faces"
    exact = f"every pixel of {faces} as it was; the rest of the photo as in the protected file"
    facts = [
        ("Faces back", str(len(got.opened)), still),
        (
            "Quality",
            "bit-exact" if got.exact else "close, not exact",
            exact if got.exact else f"small differences stay in {faces}",
        ),
        *rest,
    ]
    return exhibits.card("The passphrase fits", facts, "good")


def build(visits: Visits) -> None:
    """Lay the tab out and wire it."""
    gr.HTML(
        exhibits.heading(
            "Recover a photo",
            "Drop a protected PNG and type its passphrase. With any other passphrase, or if the "
            "file was changed on its way, you are told so instead of being shown something. Only a "
            "file that was made without a check cannot tell, and IMN opens for anybody; then that "
            "is said.",
        )
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            protected = PhotoInput(
                label="Protected PNG", type="filepath", format="png", sources=["upload"],
                height=300, elem_id="recover-photo", alt_text="the protected picture you chose",
                placeholder="Drop the protected PNG here\n- or -\nClick to choose it",
            )  # fmt: skip
            last = gr.Button("Take the one I just protected", size="sm", elem_id="recover-last")
            passphrase = gr.Textbox(
                label="Passphrase", type="password", elem_id="recover-passphrase", max_lines=1,
                html_attributes=gr.InputHTMLAttributes(
                    autocomplete="off", spellcheck=False, autocapitalize="off"
                ),
            )  # fmt: skip
            show = gr.Checkbox(label="Show", value=False, elem_id="recover-show")
            go = gr.Button("Recover", variant="primary", size="lg", elem_id="recover-go")
        with gr.Column(scale=6, min_width=320):
            empty = gr.HTML(NOTHING_YET, elem_id="recover-empty")
            with gr.Group(visible=False, elem_id="recover-result") as panel:
                slider = gr.ImageSlider(
                    label="Protected and recovered", format="png", interactive=False,
                    type="filepath", elem_id="recover-slider", buttons=["fullscreen"],
                    max_height=620,
                )  # fmt: skip
                download = gr.DownloadButton("Download recovered.png", elem_id="recover-download")
                card = gr.HTML(elem_id="recover-card")
            figures = gr.JSON(visible=False)
            offered = offer(visits, "recovered", "Download recovered.png", download)
    does = RecoverActions(visits)
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    last.click(does.take_last, None, protected, api_visibility="private")
    stage = [empty, panel]
    hold_uploads(visits, protected)
    protected.change(_before, None, stage, **private)
    tried = gr.on([go.click, passphrase.submit], _before, None, stage, **private).then(
        does.recover, [protected, passphrase], [slider, download, card, figures],
        api_name="recover", show_progress_on=[empty, slider], **_LANE,
    )  # fmt: skip
    tried.success(_after, None, stage, **private).then(
        offered.fresh, None, offered.shown, **private
    )
    tried.failure(does.why_not, None, empty, queue=False, **private)
    wire_passphrase(visits, passphrase, show)


def _before() -> tuple[Any, Any]:
    return gr.update(value=NOTHING_YET, visible=True), gr.update(visible=False)


def _after() -> tuple[Any, Any]:
    return gr.update(visible=False), gr.update(visible=True)
