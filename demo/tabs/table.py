"""What chooses the face of the tab Wrong keys, and the rule that all that is asked for is of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from demo.session import Visits
from demo.tabs.wrong_keys import ATTACKED, WAITING, WrongKeyActions

LANE: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": 1}
# MCP runs the calls of everybody as one session, so what reads a session's face is no tool of it.
OWN: dict[str, Any] = {"api_visibility": "undocumented"}
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
EMPTY = '<div class="fv-empty fv-low"><p>{}</p></div>'


def _waiting(name: str) -> gr.HTML:
    return gr.HTML(WAITING, elem_id=name, render=False)


@dataclass(frozen=True, eq=False)
class Table:
    """The face on the table: what chooses it, and everything that shows it, not yet laid out.

    Attributes:
        does: the actions of the tab.
        inputs: face, photo, mask and passphrase.
        left: the protected face.
        rows: what three keys make of it.
        guessed: what a typed key makes of it.
        note: that something else is chosen than stands there.
        pictures: what an attacker sees.
        enhanced: what an enhancer makes of the mask.
        residual: what a microscope shows.
        resaved: what a JPEG leaves.
    """

    does: WrongKeyActions
    inputs: list[Any]
    left: gr.HTML = field(
        default_factory=lambda: gr.HTML(
            EMPTY.format("The protected face"), elem_id="lab-left", render=False
        )
    )
    rows: gr.HTML = field(
        default_factory=lambda: gr.HTML(
            EMPTY.format("What the keys give"), elem_id="lab-rows", render=False
        )
    )
    guessed: gr.HTML = field(default_factory=lambda: gr.HTML(elem_id="lab-guessed", render=False))
    note: gr.HTML = field(default_factory=lambda: gr.HTML(elem_id="lab-note", render=False))
    pictures: gr.HTML = field(default_factory=lambda: _waiting("attack-pictures"))
    enhanced: gr.HTML = field(default_factory=lambda: _waiting("attack-enhanced"))
    residual: gr.HTML = field(default_factory=lambda: _waiting("lab-residual"))
    resaved: gr.HTML = field(default_factory=lambda: _waiting("lab-jpeg-pictures"))

    @property
    def visits(self) -> Visits:
        """What each open page has here."""
        return self.does.visits

    @property
    def attacked(self) -> list[gr.HTML]:
        """What shows the face to who has no key, from top to bottom."""
        return [self.pictures, self.enhanced, self.residual, self.resaved]

    @property
    def stale(self) -> list[gr.HTML]:
        """What :func:`demo.tabs.wrong_keys.cleared` gives anew."""
        assert len(self.attacked) == ATTACKED
        return [self.guessed, self.note, *self.attacked]

    def ask(
        self, triggers: list[Any], action: Callable[..., Any], inputs: Any, shown: list[Any],
        **options: Any,
    ) -> None:  # fmt: skip
        """Let events do something with the face that is chosen, protected first where need be.

        Args:
            triggers: events; of several in a row, the first and the last count.
            action: what is done.
            inputs: what it takes.
            shown: what it fills.
            options: of gradio's event.
        """
        gr.on(
            triggers, self.does.renew, self.inputs, [self.left, self.rows, *self.stale],
            api_visibility="private", show_progress_on=shown, trigger_mode="always_last", **LANE,
        ).success(action, inputs, shown, trigger_mode="always_last", **options, **LANE)  # fmt: skip


def lay(shown: gr.HTML) -> None:
    """Give one of a table's parts its place on the page: here."""
    shown.render()  # type: ignore[no-untyped-call]


def within(low: float, high: float) -> str:
    """Write what holds a slider's value inside its range: a number half typed may lie outside."""
    return f"(value) => Math.min({high}, Math.max({low}, value))"
