"""Attack it, the page: five ways to come at a protected face without its key."""

import gradio as gr

from demo import attack, exhibits, race
from demo.choices import method_choice
from demo.tabs.attack import AttackActions
from demo.tabs.table import LANE, OWN, PRIVATE, Table, lay, within
from demo.tabs.wrong_keys import WAITING

SAMPLE = "Sunshine1968"


def build(table: Table, tab: gr.Tab) -> None:
    """Lay the part out and wire it."""
    does = AttackActions(table.visits)
    gr.HTML(
        exhibits.heading(
            "What does somebody see who has no key?",
            "A neural network that was trained on other people's protected faces, under random "
            "keys, looks at this one. Beside it the control: the same network, trained as long, on "
            "masks alone. What the first has over the second, the method gives away.",
        )
    )
    method = gr.Radio(
        choices(), value=attack.ATTACKED[0], label="Method", elem_id="attack-method",
        elem_classes="fv-stack fv-results",
    )  # fmt: skip
    go = gr.Button("Attack this face", variant="primary", elem_id="attack-go", min_width=160)
    lay(table.pictures)
    gr.HTML(f'<p class="fv-small">{attack.HOW}</p>')
    table.ask([method.input], does.attack, method, [table.pictures], api_name="attack", **OWN)
    _enhance(table)
    times, quality = _residual(does, table), _resave(does, table)
    _race(does, method)
    inputs, shown = [method, times, quality], table.attacked
    table.ask([go.click], does.all_ways, inputs, shown, api_visibility="private")
    table.ask([tab.select], does.first_look, inputs, shown, api_visibility="private")


def choices() -> list[tuple[str, str]]:
    """What may be attacked, each with what was measured of it; and the engine's names."""
    return [(method_choice(name), name) for name in attack.ATTACKED]


def _enhance(table: Table) -> None:
    gr.HTML(
        exhibits.heading(
            "A masked face, restored",
            "Everybody has the enhancer that makes the faces of some masks clear. Here it is shown "
            "the mask alone, and where the eyes, nose and mouth are. Does it bring the person "
            "back?",
        )
    )
    lay(table.enhanced)


def _residual(does: AttackActions, table: Table) -> gr.Slider:
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
    lay(table.residual)
    table.ask(
        [times.change], does.residual, times, [table.residual], api_name="residual",
        js=within(1, 50), **OWN,
    )  # fmt: skip
    return times


def _resave(does: AttackActions, table: Table) -> gr.Slider:
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
    lay(table.resaved)
    table.ask(
        [quality.change], does.resave, quality, [table.resaved], api_name="resave",
        js=within(low, high), **OWN,
    )  # fmt: skip
    return quality


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
    begun = gr.on([go.click, passphrase.submit], lambda: "", None, said, **PRIVATE)
    running = begun.then(
        does.race, [passphrase, method], shown, api_name="race", show_progress="hidden", **OWN,
        **LANE,
    )  # fmt: skip
    stop.click(_stopped, None, said, cancels=[running], queue=False, **PRIVATE)


def _stopped() -> str:
    return '<p class="fv-said" aria-live="polite">Stopped.</p>'
