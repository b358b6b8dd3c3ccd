"""The passphrase field: typed or drawn, hidden or shown, and what it is worth."""

from typing import Any, Literal

import gradio as gr

from demo import exhibits, meter
from demo.session import Visits


def passphrase_field(
    place: str, autocomplete: Literal["new-password", "off"]
) -> tuple[gr.Textbox, gr.Checkbox, gr.Button, gr.HTML]:
    """Lay out a passphrase with Show, Generate and what it is worth."""
    passphrase = gr.Textbox(
        label="Passphrase", type="password", elem_id=f"{place}-passphrase", max_lines=1,
        placeholder="known to you and who may see the faces",
        html_attributes=gr.InputHTMLAttributes(
            autocomplete=autocomplete, spellcheck=False, autocapitalize="off"
        ),
    )  # fmt: skip
    worth = gr.HTML(exhibits.meter(meter.worth_of("")), elem_id=f"{place}-meter")
    with gr.Row(elem_classes="fv-tight"):
        draw = gr.Button("Generate", size="sm", elem_id=f"{place}-generate")
        show = gr.Checkbox(label="Show", value=False, elem_id=f"{place}-show", min_width=90)
    return passphrase, show, draw, worth


def wire_passphrase(
    visits: Visits, passphrase: gr.Textbox, show: gr.Checkbox, worth: gr.HTML | None = None
) -> None:
    """Let Show show, and the meter, where there is one, follow what is typed."""

    def measure(typed: str, request: gr.Request) -> str:
        visits.of(request.session_hash)  # who types is still at it: nothing is wiped
        return exhibits.meter(meter.worth_of(typed))

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    show.input(_shown, show, passphrase, queue=False, **private)
    if worth is not None:
        # Not input, which a paste does not cause.
        passphrase.change(
            measure, passphrase, worth, trigger_mode="always_last", queue=False, **private
        )


def _shown(show: bool) -> Any:
    return gr.update(type="text" if show else "password")
