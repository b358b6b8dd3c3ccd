"""Wrong keys, the page: where each experiment stands, and which action answers it."""

import gradio as gr

from demo import exhibits, lab, words
from demo.inputs import PhotoInput
from demo.session import Visits
from demo.tabs import attack_page
from demo.tabs.kept import hold_uploads
from demo.tabs.table import EMPTY, LANE, OWN, PRIVATE, Table, lay, within
from demo.tabs.wrong_keys import MOST_KEYS, SOURCES, WrongKeyActions, cleared
from demo.tabs.wrong_keys import OWN as OWN_PHOTO


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
    table = _table(does, tab)
    with gr.Tabs():
        with gr.Tab("Try keys", id="try-keys"):
            _keys(table)
            gr.HTML(
                exhibits.heading(
                    "Many random keys",
                    "Nobody opens a face by trying keys at random. See for yourself.",
                )
            )
            _gallery(table)
            gr.HTML(
                exhibits.heading(
                    "How wrong must a key be?",
                    "A key becomes a map of plus and minus ones as large as the face. Make a share "
                    "of its bits wrong, on purpose: what is left of the face?",
                )
            )
            _share(table)
            _spoof(table)
        with gr.Tab("Attack it", id="attack-it") as inner:
            attack_page.build(table, inner)


def _table(does: WrongKeyActions, tab: gr.Tab) -> Table:
    """Lay out what chooses the face, and wire what protects it."""
    with gr.Row(equal_height=True, elem_classes="fv-tight"):
        source = gr.Radio([*SOURCES, OWN_PHOTO], value="Astronaut", label="Face", min_width=260)
        mask = gr.Dropdown(
            [(title, name) for name, title in words.MASK_TITLES.items()],
            value="gaussian", label="Mask", elem_id="lab-mask", min_width=120,
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
    table = Table(does, [source, photo, mask, right])
    lay(table.note)
    source.input(lambda name: gr.update(visible=name == OWN_PHOTO), source, photo, **PRIVATE)
    gr.on(
        [source.input, mask.input, photo.change], does.outdated, [source, photo, mask], table.note,
        queue=False, trigger_mode="always_last", **PRIVATE,
    )  # fmt: skip
    outputs = [table.left, table.rows]
    gr.on(
        [start.click, right.submit], does.start, table.inputs, outputs,
        api_name="start_lab", **OWN, **LANE,
    ).success(cleared, None, table.stale, **PRIVATE)  # fmt: skip
    # Who first looks finds the experiment done, not a button to find first.
    tab.select(does.first_look, table.inputs, outputs, api_visibility="private", **LANE)
    return table


def _keys(table: Table) -> None:
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=200):
            lay(table.left)
        with gr.Column(scale=5, min_width=320):
            lay(table.rows)
            lay(table.guessed)
            with gr.Row(elem_classes="fv-tight fv-low-row"):
                guess = gr.Textbox(
                    label="Your guess", placeholder="type any passphrase", max_lines=1,
                    elem_id="lab-guess", scale=4,
                )  # fmt: skip
                go = gr.Button("Try this key", elem_id="lab-try", scale=1, min_width=120)
    table.ask(
        [go.click, guess.submit], table.does.try_key, guess, [table.guessed], api_name="try_key",
        **OWN,
    )  # fmt: skip


def _gallery(table: Table) -> None:
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
    table.ask(
        [go.click], table.does.random_keys, [method, count], [pictures, said],
        api_name="random_keys", **OWN,
    )  # fmt: skip


def _share(table: Table) -> None:
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300):
            share = gr.Slider(
                0, 50, 2, step=0.5, label="Wrong bits of the key map, %", elem_id="lab-share"
            )
            pictures = gr.HTML(EMPTY.format("Move the slider"), elem_id="lab-share-pictures")
        with gr.Column(scale=5, min_width=320):
            plot = gr.Plot(format="png", elem_id="lab-curve", show_label=False, container=False)
    table.ask(
        [share.change], table.does.wrong_share, share, [pictures, plot], api_name="wrong_share",
        js=within(0, 50), **OWN,
    )  # fmt: skip


def _spoof(table: Table) -> None:
    gr.HTML(
        exhibits.heading(
            "The mask instead of the picture",
            "Someone hands you the mask alone and says that it is your protected picture. With the "
            "right key, does a face appear where none is hidden?",
        )
    )
    go = gr.Button("Open the mask with the right key", elem_id="lab-spoof")
    shown = gr.HTML(elem_id="lab-spoofed")
    table.ask([go.click], table.does.spoof, None, [shown], api_name="spoof", **OWN)
