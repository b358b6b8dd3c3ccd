"""Wrong keys, the page: where each experiment stands, and which action answers it."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from demo import exhibits, lab, words
from demo.inputs import PhotoInput
from demo.session import Visits
from demo.tabs import attack_page
from demo.tabs.kept import hold_uploads
from demo.tabs.wrong_keys import MOST_KEYS, OWN, SOURCES, WrongKeyActions

_LANE: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": 1}
# MCP runs the calls of everybody as one session, so what reads a session's face is no tool of it.
_OWN: dict[str, Any] = {"api_visibility": "undocumented"}
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_WAITING = '<div class="fv-empty fv-low"><p>{}</p></div>'


def build(visits: Visits, tab: gr.Tab) -> None:
    """Lay the tab out and wire it."""
    does = WrongKeyActions(visits)
    gr.HTML(
        exhibits.heading(
            "What does a wrong key show?",
            "One face, hidden by three neural networks and by encryption. Under a wrong key RandWR "
            "is trained to turn to noise and ObfsWR to stay masked, ProFace-K stays scrambled, "
            "Sealed refuses. The pictures are what someone sees who ignores the check of the key; "
            "the app itself shows nothing then. Figures are the nearness to the face, where no "
            "mask is named.",
        )
    )
    table = _table(does)
    with gr.Tabs():
        with gr.Tab("Try keys", id="try-keys"):
            shown = _keys(does)
            gr.HTML(
                exhibits.heading(
                    "Many random keys",
                    "Nobody opens a face by trying keys at random. See for yourself.",
                )
            )
            _gallery(does)
            gr.HTML(
                exhibits.heading(
                    "How wrong must a key be?",
                    "A key becomes a map of plus and minus ones as large as the face. Make a share "
                    "of its bits wrong, on purpose: what is left of the face?",
                )
            )
            _share(does)
            _spoof(does)
        with gr.Tab("Attack it", id="attack-it") as inner:
            attacked = attack_page.build(visits, inner)
    _start(does, tab, table, shown, attacked)


@dataclass(frozen=True, eq=False)
class Table:
    """What chooses the face."""

    inputs: list[Any]
    start: gr.Button
    right: gr.Textbox


@dataclass(frozen=True, eq=False)
class Shown:
    """What the keys give."""

    left: gr.HTML
    rows: gr.HTML
    guessed: gr.HTML


def _table(does: WrongKeyActions) -> Table:
    with gr.Row(equal_height=True, elem_classes="fv-tight"):
        source = gr.Radio([*SOURCES, OWN], value="Astronaut", label="Face", min_width=260)
        mask = gr.Dropdown(
            [(title, name) for name, title in words.MASK_TITLES.items()],
            value="gaussian", label="Mask", min_width=120,
        )  # fmt: skip
        right = gr.Textbox(
            "a quiet river 7", label="The right passphrase (an example, in the open)",
            max_lines=1, elem_id="lab-right", min_width=240,
        )  # fmt: skip
    photo = PhotoInput(
        label="Your photo: its largest face is taken", type="filepath", format="png", height=220,
        sources=["upload", "webcam", "clipboard"], visible=False, elem_id="lab-photo",
        alt_text="the photo you chose",
    )  # fmt: skip
    start = gr.Button("Protect this face every way", variant="primary", elem_id="lab-start")
    hold_uploads(does.visits, photo)
    source.input(lambda name: gr.update(visible=name == OWN), source, photo, **_PRIVATE)
    return Table([source, photo, mask, right], start, right)


def _keys(does: WrongKeyActions) -> Shown:
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=200):
            left = gr.HTML(_WAITING.format("The protected face"), elem_id="lab-left")
        with gr.Column(scale=5, min_width=320):
            rows = gr.HTML(_WAITING.format("What the keys give"), elem_id="lab-rows")
            guessed = gr.HTML(elem_id="lab-guessed")
            with gr.Row(elem_classes="fv-tight fv-low-row"):
                guess = gr.Textbox(
                    label="Your guess", placeholder="type any passphrase", max_lines=1,
                    elem_id="lab-guess", scale=4,
                )  # fmt: skip
                go = gr.Button("Try this key", elem_id="lab-try", scale=1, min_width=120)
    gr.on(
        [go.click, guess.submit], does.try_key, guess, guessed, api_name="try_key", **_OWN, **_LANE
    )
    return Shown(left, rows, guessed)


def _start(
    does: WrongKeyActions, tab: gr.Tab, table: Table, shown: Shown, attacked: list[gr.HTML]
) -> None:
    """Protect the face; what was made of the one before goes."""
    outputs = [shown.left, shown.rows]
    gr.on(
        [table.start.click, table.right.submit], does.start, table.inputs, outputs,
        api_name="start_lab", **_OWN, **_LANE,
    ).then(
        lambda: ["", *[attack_page.WAITING] * len(attacked)], None, [shown.guessed, *attacked],
        **_PRIVATE,
    )  # fmt: skip
    # Who first looks finds the experiment done, not a button to find first.
    tab.select(does.first_look, table.inputs, outputs, api_visibility="private", **_LANE)


def _gallery(does: WrongKeyActions) -> None:
    with gr.Row(elem_classes="fv-tight fv-low-row"):
        method = gr.Radio(
            [(words.METHOD_TITLES[name], name) for name in lab.METHODS],
            value="proface-s-rand", label="Method", min_width=260,
        )  # fmt: skip
        count = gr.Slider(6, MOST_KEYS, 12, step=6, label="Random keys", min_width=160)
        go = gr.Button("Try them", elem_id="lab-many", min_width=120)
    said = gr.HTML(elem_id="lab-said")
    pictures = gr.Gallery(
        label="What each random key shows", show_label=False, format="png", columns=6,
        height="auto",
        object_fit="cover", elem_id="lab-gallery", interactive=False, buttons=["fullscreen"],
        type="filepath",
    )  # fmt: skip
    go.click(
        does.random_keys, [method, count], [pictures, said], api_name="random_keys", **_OWN, **_LANE
    )


def _share(does: WrongKeyActions) -> None:
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300):
            share = gr.Slider(
                0, 50, 2, step=0.5, label="Wrong bits of the key map, %", elem_id="lab-share"
            )
            pictures = gr.HTML(_WAITING.format("Move the slider"), elem_id="lab-share-pictures")
        with gr.Column(scale=5, min_width=320):
            plot = gr.Plot(format="png", elem_id="lab-curve", show_label=False, container=False)
    share.release(
        does.wrong_share, share, [pictures, plot], api_name="wrong_share", **_OWN,
        trigger_mode="always_last", **_LANE,
    )  # fmt: skip


def _spoof(does: WrongKeyActions) -> None:
    gr.HTML(
        exhibits.heading(
            "The mask instead of the picture",
            "Someone hands you the mask alone and says that it is your protected picture. With the "
            "right key, does a face appear where none is hidden?",
        )
    )
    go = gr.Button("Open the mask with the right key", elem_id="lab-spoof")
    shown = gr.HTML(elem_id="lab-spoofed")
    go.click(does.spoof, None, shown, api_name="spoof", **_OWN, **_LANE)
