"""Holds what a page has on the server while it is in use, and says on the page when it went."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo import words
from demo.session import SWEEP_SECONDS, Visits
from demo.troubles import in_plain_words, problem

PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden", "queue": False}


def hold_uploads(visits: Visits, photo: gr.Image) -> None:
    """Hold what is uploaded from its first moment, so that closing the page wipes it."""

    @in_plain_words
    def hold(path: str | None, request: gr.Request) -> None:
        if path:
            visits.of(request.session_hash).hold(path)

    photo.change(hold, photo, None, **PRIVATE)


def count_attempt(visits: Visits, request: gr.Request, picture: str | None = None) -> None:
    """Count an attempt at a passphrase by session, host and picture, or refuse it politely."""
    host = request.client.host if request.client else None
    wait = visits.throttle.wait(session=request.session_hash, host=host, picture=picture)
    if wait:
        raise problem("Not so fast", words.BUSY.format(wait))


@dataclass(frozen=True, eq=False)
class Offer:
    """A result to download, as long as it is there.

    Attributes:
        visits: where it is kept.
        name: of the thing that goes when the result goes.
        title: of the button.
        button: downloads it.
        watch: looks whether it is still there.
    """

    visits: Visits
    name: str
    title: str
    button: gr.DownloadButton
    watch: gr.Timer

    @property
    def shown(self) -> list[Any]:
        """What :meth:`fresh` and :meth:`look` change."""
        return [self.button, self.watch]

    def fresh(self) -> tuple[Any, Any]:
        """Offer a new result, and begin to watch it."""
        return gr.update(label=self.title, interactive=True), gr.Timer(active=True)

    def look(self, request: gr.Request) -> tuple[Any, Any]:
        """Say so, once the result is wiped."""
        if self.visits.has(request.session_hash, self.name):
            return gr.skip(), gr.skip()
        gone = gr.update(label=words.WIPED_RESULT, value=None, interactive=False)
        return gone, gr.Timer(active=False)

    def wire(self) -> None:
        """Look every few seconds while there is something to look for."""
        self.watch.tick(self.look, None, self.shown, **PRIVATE)


def offer(visits: Visits, name: str, title: str, button: gr.DownloadButton) -> Offer:
    """Watch over a result that can be downloaded."""
    made = Offer(visits, name, title, button, gr.Timer(SWEEP_SECONDS, active=False))
    made.wire()
    return made
