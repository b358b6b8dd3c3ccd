"""Attack it, the page: four ways to come at a protected face without its key."""

from typing import Any

import gradio as gr

from demo import attack, exhibits, lab, race, words
from demo.session import Visits
from demo.tabs.attack import AttackActions

_LANE: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": 1}
_OWN: dict[str, Any] = {"api_visibility": "undocumented"}
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
SAMPLE = "Sunshine1968"
WAITING = '<div class="fv-empty fv-low"><p>What you try stands here.</p></div>'


def build(visits: Visits, tab: gr.Tab) -> list[gr.HTML]:
    """Lay the part out and wire it.

    Returns:
        What shows the face on the table, to be emptied when another one takes its place.
    """
    does = AttackActions(visits)
    gr.HTML(
        exhibits.heading(
            "What does somebody see who has no key?",
            "A neural network that was trained on other people's protected faces, under random "
            "keys, looks at this one. Beside it the control: the same network, trained as long, on "
            "masks alone. What the first has over the second, the method gives away.",
        )
    )
    with gr.Row(elem_classes="fv-tight fv-low-row"):
        method = gr.Radio(
            [(words.METHOD_TITLES[name], name) for name in lab.METHODS],
            value=lab.METHODS[0], label="Method", elem_id="attack-method", min_width=260,
        )  # fmt: skip
        go = gr.Button("Attack this face", variant="primary", elem_id="attack-go", min_width=160)
    pictures = gr.HTML(WAITING, elem_id="attack-pictures")
    gr.HTML(f'<p class="fv-small">{attack.HOW}</p>')
    method.input(
        does.attack, method, pictures, api_name="attack", **_OWN, trigger_mode="always_last",
        **_LANE,
    )  # fmt: skip
    times, residual = _residual(does)
    quality, resaved = _resave(does)
    _race(does, method)
    inputs, outputs = [method, times, quality], [pictures, residual, resaved]
    go.click(does.all_ways, inputs, outputs, api_visibility="private", **_LANE)
    tab.select(does.first_look, inputs, outputs, api_visibility="private", **_LANE)
    return outputs


def _residual(does: AttackActions) -> tuple[gr.Slider, gr.HTML]:
    gr.HTML(
        exhibits.heading(
            "Under the microscope",
            "What the picture has more than its mask, amplified around grey. An onlooker has no "
            "mask and can but estimate it from the picture, which leaves edges of the mask itself; "
            "below, what the true mask would show. If you see a face that the mask does not, the "
            "method gives something away without any key.",
        )
    )
    times = gr.Slider(1, 50, 10, step=1, label="Amplified, times", elem_id="lab-times")
    shown = gr.HTML(WAITING, elem_id="lab-residual")
    times.release(
        does.residual, times, shown, api_name="residual", **_OWN, trigger_mode="always_last",
        **_LANE,
    )  # fmt: skip
    return times, shown


def _resave(does: AttackActions) -> tuple[gr.Slider, gr.HTML]:
    gr.HTML(
        exhibits.heading(
            "Sent as a JPEG",
            "A messenger saves the picture anew. What does the right key still bring back, and "
            "what does this app say of such a file? The pictures are what the key gives when every "
            "check is left out; the app itself shows nothing then.",
        )
    )
    low, high = attack.QUALITIES
    quality = gr.Slider(low, high, 90, step=5, label="Quality of the JPEG", elem_id="lab-jpeg")
    shown = gr.HTML(WAITING, elem_id="lab-jpeg-pictures")
    quality.release(
        does.resave, quality, shown, api_name="resave", **_OWN, trigger_mode="always_last", **_LANE
    )
    return quality, shown


def _race(does: AttackActions, method: gr.Radio) -> None:
    gr.HTML(
        exhibits.heading(
            "A race through common passphrases",
            "No network helps whoever knows which passphrases people take. This runs through a "
            f"list of them, {race.SECONDS:.0f} seconds for each of two ways to make a key: the "
            "papers', and ours, which is slow on purpose. Slow is not safe: draw six words.",
        )
    )
    with gr.Row(elem_classes="fv-tight fv-low-row"):
        passphrase = gr.Textbox(
            SAMPLE, label="A passphrase to find (invent one: it stands in the open)", max_lines=1,
            elem_id="race-passphrase", scale=4, min_width=240,
        )  # fmt: skip
        go = gr.Button("Race", variant="primary", elem_id="race-go", min_width=110)
        stop = gr.Button("Stop", elem_id="race-stop", min_width=110)
    shown = gr.HTML(WAITING, elem_id="race-shown")
    said = gr.HTML(elem_id="race-said")
    gr.HTML(f'<p class="fv-small">{race.CARD}</p>')
    begun = gr.on([go.click, passphrase.submit], lambda: "", None, said, **_PRIVATE)
    running = begun.then(
        does.race, [passphrase, method], shown, api_name="race", show_progress="hidden", **_OWN,
        **_LANE,
    )  # fmt: skip
    stop.click(_stopped, None, said, cancels=[running], queue=False, **_PRIVATE)


def _stopped() -> str:
    return '<p class="fv-said" aria-live="polite">Stopped.</p>'
