"""Protect, the page: where each control stands, and which action answers it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo import advice, exhibits, words
from demo.actions import takes_seed
from demo.choices import mask_about, method_choice, wrong_about, wrong_choices
from demo.inputs import FaceNumbers, PhotoInput, WrongModes
from demo.samples import SAMPLES
from demo.session import Visits
from demo.strength import STRONGEST, WEAKEST, has_strength
from demo.tabs.kept import Offer, hold_uploads, offer
from demo.tabs.passphrase import passphrase_field, wire_passphrase
from demo.tabs.protect import NOTHING_YET, ProtectActions
from engine import DEFAULT_METHOD, MASKS, usable_methods

_LANE: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": 1}


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


def build(visits: Visits) -> None:
    """Lay the tab out and wire it."""
    gr.HTML(
        exhibits.heading(
            "Protect a photo",
            "Choose a photo and a passphrase. You get an ordinary PNG that shows masks in place of "
            "the faces. The faces themselves are hidden inside that same file, and whoever has the "
            "passphrase can bring them back.",
        )
    )
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            controls = _controls()
        with gr.Column(scale=6, min_width=320):
            results = _results(visits)
    _wire(ProtectActions(visits), controls, results)


def _controls() -> Controls:
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
            "Draw another", size="sm", visible=False, elem_id="protect-another", min_width=120
        )
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


def _results(visits: Visits) -> Results:
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
    return Results(
        empty, ways_on, harder, whole, preview, notes, panel, slider, download, offered, card,
        figures, boxes,
    )  # fmt: skip


def _wire(does: ProtectActions, c: Controls, r: Results) -> None:
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    for button in c.samples.values():
        button.click(does.take_sample, button, c.photo, api_visibility="private")
    hold_uploads(does.visits, c.photo)
    look = [c.photo, c.search, c.mask, c.strength, c.source]
    looked = gr.on(
        [c.photo.change, c.search.change], _before_result, c.photo, _stages(r), **private
    ).then(does.faces, look, [r.preview, c.faces, r.boxes, r.notes], api_name="faces", **_LANE)
    looked.failure(
        does.why_not, c.search,
        [r.empty, r.preview, c.faces, r.boxes, r.ways_on, r.harder, r.notes], queue=False,
        **private,
    )  # fmt: skip
    r.harder.click(lambda: "harder", None, c.search, **private)
    r.whole.click(lambda: "whole", None, c.search, **private)
    chosen = [c.photo, c.search, c.faces, c.mask, c.strength]
    about = [c.mask, c.strength, c.advice, c.whose, c.source]
    c.mask.input(_about_mask, c.mask, about, **private)
    c.strength.change(
        advice.shown, [c.mask, c.strength], c.advice, queue=False, trigger_mode="always_last",
        **private,
    )  # fmt: skip
    gr.on(
        [c.mask.input, c.strength.release, c.faces.input], _before_result, c.photo, _stages(r),
        **private,
    ).then(
        does.preview, [*chosen, c.source], [r.preview, r.notes], api_name="preview",
        trigger_mode="always_last", **_LANE,
    )  # fmt: skip
    _wire_another(does, c, r, [*chosen, c.source])
    _wire_source(does, c, r, [*chosen, c.source])
    c.method.input(_before_result, c.photo, _stages(r), **private)
    c.method.input(_wrong_of, [c.method, c.wrong], c.wrong, queue=False, **private)
    c.wrong.input(_about_wrong, [c.method, c.wrong], c.wrong, queue=False, **private)
    c.wrong.input(_before_result, c.photo, _stages(r), **private)
    secret = [*chosen, c.method, c.passphrase, c.wrong, c.source]
    gr.on(
        [c.go.click, c.passphrase.submit], does.protect, secret,
        [r.slider, r.download, r.card, r.figures], api_name="protect",
        show_progress_on=[r.preview, r.slider], **_LANE,
    ).success(_after_result, None, _stages(r), **private).then(
        r.offer.fresh, None, r.offer.shown, **private
    )  # fmt: skip
    c.draw.click(does.draw_passphrase, None, [c.passphrase, c.show], **private)
    wire_passphrase(does.visits, c.passphrase, c.show, c.meter)


def _wire_source(does: ProtectActions, c: Controls, r: Results, chosen: list[Any]) -> None:
    """Look at the photograph of whose face is laid as soon as it comes; a bad one does not stay."""
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    hold_uploads(does.visits, c.source)
    looked = c.source.change(does.whose, c.source, None, **private, **_LANE)
    looked.failure(lambda: None, None, c.source, queue=False, **private)
    looked.success(_before_result, c.photo, _stages(r), **private).then(
        does.preview, chosen, [r.preview, r.notes], trigger_mode="always_last", **private, **_LANE
    )


def _wire_another(does: ProtectActions, c: Controls, r: Results, chosen: list[Any]) -> None:
    """Offer another drawing where a mask draws one, in the place of a strength it has not."""
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    gr.on(
        [c.mask.input, c.source.change], _can_draw, [c.mask, c.source], c.another, queue=False,
        **private,
    )  # fmt: skip
    c.another.click(_before_result, c.photo, _stages(r), **private).then(
        does.another, chosen, [r.preview, r.notes], api_visibility="private", **_LANE
    )


def _can_draw(mask: str, source: str | None) -> Any:
    return gr.update(visible=takes_seed(mask, source))


def _about_mask(mask: str) -> tuple[Any, ...]:
    """Describe another mask; the photograph of a person whom it cannot lay goes."""
    source = gr.skip() if MASKS[mask].takes_source else None
    return (
        gr.update(info=mask_about(mask)),
        gr.update(interactive=has_strength(mask), value=1, visible=not takes_seed(mask)),
        advice.shown(mask, 1),
        gr.update(visible=MASKS[mask].takes_source),
        source,
    )


def _wrong_of(method: str, mode: str) -> Any:
    """Offer what another method may show; what was chosen stays where it can."""
    choices = wrong_choices(method)
    kept = mode if mode in [name for _, name in choices] else ""
    return gr.update(choices=choices, value=kept, info=wrong_about(method, kept))


def _about_wrong(method: str, mode: str) -> Any:
    return gr.update(info=wrong_about(method, mode))


def _stages(r: Results) -> list[Any]:
    return [r.empty, r.preview, r.notes, r.panel, r.ways_on]


def _before_result(photo: str | None) -> tuple[Any, ...]:
    empty = gr.update(value=NOTHING_YET, visible=not photo)
    return empty, *[gr.update(visible=bool(photo))] * 2, *_hidden(2)


def _after_result() -> tuple[Any, ...]:
    return *_hidden(3), gr.update(visible=True), *_hidden(1)


def _hidden(count: int) -> list[Any]:
    return [gr.update(visible=False)] * count
