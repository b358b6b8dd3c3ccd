"""Protect, the parts of the page: each control and each result, where it stands."""

from dataclasses import dataclass

import gradio as gr

from demo import advice, words
from demo.choices import another_label, mask_about, method_choice, wrong_about, wrong_choices
from demo.inputs import FaceNumbers, PhotoInput, WrongModes
from demo.samples import SAMPLES
from demo.session import Visits
from demo.strength import STRONGEST, WEAKEST
from demo.tabs.kept import Offer, offer
from demo.tabs.passphrase import passphrase_field
from demo.tabs.protect import NOTHING_YET
from engine import DEFAULT_METHOD, usable_methods


@dataclass(frozen=True, eq=False)
class Controls:
    """What stands on the left."""

    photo: gr.Image
    search: gr.Radio
    faces: gr.CheckboxGroup
    mask: gr.Dropdown
    strength: gr.Slider
    another: gr.Button
    advice: gr.HTML
    whose: gr.Column
    source: gr.Image
    method: gr.Radio
    wrong: gr.Radio
    passphrase: gr.Textbox
    show: gr.Checkbox
    draw: gr.Button
    meter: gr.HTML
    go: gr.Button
    samples: dict[str, gr.Button]


@dataclass(frozen=True, eq=False)
class Results:
    """What stands on the right."""

    empty: gr.HTML
    ways_on: gr.Row
    harder: gr.Button
    whole: gr.Button
    preview: gr.Image
    notes: gr.HTML
    panel: gr.Group
    slider: gr.ImageSlider
    download: gr.DownloadButton
    offer: Offer
    card: gr.HTML
    figures: gr.JSON
    boxes: gr.JSON
    seed: gr.Textbox


def lay_controls() -> Controls:
    """Lay out what stands on the left."""
    photo = PhotoInput(
        label="Photo", type="filepath", format="png", sources=["upload", "webcam", "clipboard"],
        height=260, elem_id="protect-photo", alt_text="the photo you chose",
        placeholder="Drop a photo here\n- or -\nClick to choose one (JPEG, PNG, WebP, to 10 MB)",
    )  # fmt: skip
    with gr.Row(elem_classes="fv-tight fv-samples"):
        gr.HTML("<span>No photo at hand? Try one of these.</span>")
        samples = {
            name: gr.Button(name, size="sm", elem_id=f"sample-{i}", min_width=120)
            for i, name in enumerate(SAMPLES)
        }
    faces = FaceNumbers(
        label="Faces to protect", choices=[], visible=False, elem_id="protect-faces"
    )
    with gr.Row(elem_classes="fv-tight"):
        mask = gr.Dropdown(
            [(title, name) for name, title in words.MASK_TITLES.items()],
            value="gaussian", label="Mask", info=mask_about("gaussian"),
            elem_id="protect-mask", min_width=150,
        )  # fmt: skip
        strength = gr.Slider(
            WEAKEST, STRONGEST, 1, step=0.1, label="Strength", info="1 is what the papers use.",
            elem_id="protect-strength", min_width=150,
        )  # fmt: skip
        another = gr.Button(
            another_label("gaussian"), size="sm", visible=False, elem_id="protect-another",
            min_width=120,
        )  # fmt: skip
    advised = gr.HTML(advice.shown("gaussian", 1), elem_id="protect-advice")
    method = gr.Radio(
        [(method_choice(name), name) for name in usable_methods()],
        value=DEFAULT_METHOD, label="Method", elem_id="protect-method",
        elem_classes="fv-stack fv-results",
    )  # fmt: skip
    gr.HTML(f'<p class="fv-small">{words.SCOPE}</p>', elem_id="protect-scope")
    passphrase, show, draw, worth = passphrase_field("protect", "new-password")
    with gr.Accordion("More options", open=False):
        search = gr.Radio(
            [("As usual", "usual"), ("Look harder", "harder"), ("Whole picture", "whole")],
            value="usual", label="Where are the faces?", elem_id="protect-search",
        )  # fmt: skip
        wrong = WrongModes(
            wrong_choices(DEFAULT_METHOD), value="", label="Under a wrong key, show",
            info=wrong_about(DEFAULT_METHOD, ""), elem_id="protect-wrong",
        )  # fmt: skip
        with gr.Column(visible=False, elem_id="protect-whose") as whose:
            gr.HTML(f'<div class="fv-heading"><p>{words.SOURCE}</p></div>')
            source = PhotoInput(
                label="Whose face (photograph)", type="filepath", format="png", height=200,
                sources=["upload", "webcam", "clipboard"], elem_id="protect-source",
                alt_text="the photograph of whose face is laid",
                placeholder="Drop a photograph here\n- or -\nClick to choose one",
            )  # fmt: skip
    go = gr.Button("Protect", variant="primary", size="lg", elem_id="protect-go")
    return Controls(
        photo, search, faces, mask, strength, another, advised, whose, source, method, wrong,
        passphrase, show, draw, worth, go, samples,
    )  # fmt: skip


def lay_results(visits: Visits) -> Results:
    """Lay out what stands on the right."""
    empty = gr.HTML(NOTHING_YET, elem_id="protect-empty")
    with gr.Row(visible=False, elem_classes="fv-tight") as ways_on:
        harder = gr.Button("Look harder", size="sm", elem_id="protect-harder", min_width=120)
        whole = gr.Button(
            "Protect the whole picture", size="sm", elem_id="protect-whole", min_width=120
        )
    preview = gr.Image(
        label="Preview: what others will see", format="png", interactive=False, visible=False,
        elem_id="protect-preview", buttons=["fullscreen"], type="filepath",
        alt_text="preview of the masked photo with its faces numbered",
    )  # fmt: skip
    notes = gr.HTML(visible=False, elem_id="protect-notes")
    with gr.Group(visible=False, elem_id="protect-result") as panel:
        slider = gr.ImageSlider(
            label="Before and after", format="png", interactive=False, type="filepath",
            elem_id="protect-slider", buttons=["fullscreen"], max_height=620,
        )  # fmt: skip
        download = gr.DownloadButton(
            "Download protected.png", variant="primary", elem_id="protect-download"
        )
        card = gr.HTML(elem_id="protect-card")
    offered = offer(visits, "shared", "Download protected.png", download)
    figures, boxes = gr.JSON(visible=False), gr.JSON(visible=False)
    seed = gr.Textbox(label="seed of the preview", visible=False)
    return Results(
        empty, ways_on, harder, whole, preview, notes, panel, slider, download, offered, card,
        figures, boxes, seed,
    )  # fmt: skip
