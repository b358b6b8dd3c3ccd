"""Guided tour: five steps with Next, for an audience; nothing has to be typed."""

from typing import Any

import gradio as gr

from demo import tour
from demo.troubles import in_plain_words


def build(tab: gr.Tab) -> None:
    """Lay the tab out and wire it."""
    at = gr.State(1)
    stage = gr.HTML('<div class="fv-empty"></div>', elem_id="tour-stage")
    with gr.Row(elem_classes="fv-tight fv-next"):
        back = gr.Button("Back", elem_id="tour-back", interactive=False)
        onward = gr.Button("Next", variant="primary", elem_id="tour-next")
    shown = [at, stage, back, onward]
    quiet: dict[str, Any] = {"api_visibility": "private", "concurrency_id": "tour"}
    tab.select(_here, at, shown, **quiet)
    onward.click(_onward, at, shown, **quiet)
    back.click(_back, at, shown, **quiet)


@in_plain_words
def _here(at: int) -> tuple[int, str, Any, Any]:
    last = at == tour.STEPS
    return (
        at,
        tour.step(at),
        gr.update(interactive=at > 1),
        gr.update(value="Start again" if last else "Next"),
    )


def _onward(at: int) -> tuple[int, str, Any, Any]:
    return _here(at % tour.STEPS + 1)


def _back(at: int) -> tuple[int, str, Any, Any]:
    return _here(max(1, at - 1))
