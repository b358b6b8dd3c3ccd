"""Protect, the page: its parts side by side, and which action answers each."""

from typing import Any

import gradio as gr

from demo import advice, exhibits, seeds
from demo.actions import takes_seed
from demo.choices import another_label, mask_about, wrong_about, wrong_choices
from demo.session import Visits
from demo.strength import has_strength
from demo.tabs.kept import hold_uploads
from demo.tabs.passphrase import wire_passphrase
from demo.tabs.protect import NOTHING_YET, ProtectActions
from demo.tabs.protect_parts import Controls, Results, lay_controls, lay_results
from engine import MASKS

_LANE: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": 1}
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
_PRESSABLE = "{{__type__: 'update', interactive: {}}}"


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
            controls = lay_controls()
        with gr.Column(scale=6, min_width=320):
            results = lay_results(visits)
    _wire(ProtectActions(visits), controls, results)


def _wire(does: ProtectActions, c: Controls, r: Results) -> None:
    for button in c.samples.values():
        button.click(does.take_sample, button, c.photo, api_visibility="private")
    # Before all else that hears of the photo: gradio awaits one listener before it asks the next.
    c.photo.change(None, None, r.seed, js=seeds.DRAW, api_visibility="private")
    hold_uploads(does.visits, c.photo)
    look = [c.photo, c.search, c.mask, c.strength, c.source, r.seed]
    looked = gr.on(
        [c.photo.change, c.search.change], _before_result, c.photo, _stages(r), **_PRIVATE
    ).then(
        does.faces, look, [r.preview, c.faces, r.boxes, r.notes, r.seed], api_name="faces", **_LANE
    )
    looked.failure(
        does.why_not, c.search,
        [r.empty, r.preview, c.faces, r.boxes, r.ways_on, r.harder, r.notes], queue=False,
        **_PRIVATE,
    )  # fmt: skip
    r.harder.click(lambda: "harder", None, c.search, **_PRIVATE)
    r.whole.click(lambda: "whole", None, c.search, **_PRIVATE)
    _wire_mask(does, c, r)
    _wire_source(does, c, r)
    c.method.input(_before_result, c.photo, _stages(r), **_PRIVATE)
    c.method.input(_wrong_of, [c.method, c.wrong], c.wrong, queue=False, **_PRIVATE)
    c.wrong.input(_about_wrong, [c.method, c.wrong], c.wrong, queue=False, **_PRIVATE)
    c.wrong.input(_before_result, c.photo, _stages(r), **_PRIVATE)
    _wire_protect(does, c, r)
    c.draw.click(does.draw_passphrase, None, [c.passphrase, c.show], **_PRIVATE)
    wire_passphrase(does.visits, c.passphrase, c.show, c.meter)


def _wire_mask(does: ProtectActions, c: Controls, r: Results) -> None:
    """Show another preview whenever something of the mask is chosen anew."""
    about = [c.mask, c.strength, c.another, c.advice, c.whose, c.source]
    # The last of two quick choices is the one that counts.
    c.mask.input(_about_mask, [c.mask, c.source], about, trigger_mode="always_last", **_PRIVATE)
    c.source.change(
        _can_draw, [c.mask, c.source], c.another, trigger_mode="always_last", **_PRIVATE
    )
    c.strength.change(
        advice.shown, [c.mask, c.strength], c.advice, queue=False, trigger_mode="always_last",
        **_PRIVATE,
    )  # fmt: skip
    chosen = gr.on(
        [c.mask.input, c.strength.release, c.faces.input], _before_result, c.photo, _stages(r),
        **_PRIVATE,
    )  # fmt: skip
    _show(chosen, does.preview, c, r, api_name="preview", trigger_mode="always_last")
    resting = [c.go, c.another]  # both work on the seed of what is shown
    _rest(c.another.click, resting)
    chosen = c.another.click(_before_result, c.photo, _stages(r), **_PRIVATE)
    _wake(_show(chosen, does.another, c, r, api_visibility="private"), resting)
    chosen.failure(None, None, resting, js=_pressable(resting, True), api_visibility="private")


def _wire_source(does: ProtectActions, c: Controls, r: Results) -> None:
    """Look at the photograph of whose face is laid as soon as it comes; a bad one does not stay."""
    hold_uploads(does.visits, c.source)
    looked = c.source.change(does.whose, c.source, None, **_PRIVATE, **_LANE)
    looked.failure(lambda: None, None, c.source, queue=False, **_PRIVATE)
    chosen = looked.success(_before_source, [c.photo, c.mask], _stages(r), **_PRIVATE)
    _show(chosen, does.preview, c, r, trigger_mode="always_last", **_PRIVATE)


def _wire_protect(does: ProtectActions, c: Controls, r: Results) -> None:
    """Protect what is chosen, under the masks of the preview that is on the page."""
    secret = [
        c.photo, c.search, c.faces, c.mask, c.strength, c.method, c.passphrase, c.wrong, c.source,
        r.seed,
    ]  # fmt: skip
    begun = [c.go.click, c.passphrase.submit]
    for begin in begun:
        _rest(begin, [c.another])
    done = gr.on(
        begun, does.protect, secret, [r.slider, r.download, r.card, r.figures], api_name="protect",
        show_progress_on=[r.preview, r.slider], **_LANE,
    )  # fmt: skip
    done.success(_after_result, None, _stages(r), **_PRIVATE).then(
        r.offer.fresh, None, r.offer.shown, **_PRIVATE
    )
    _wake(done, [c.another])


def _show(chosen: Any, action: Any, c: Controls, r: Results, **options: Any) -> Any:
    """Show a preview after an event; where it fails, none, rather than that of another mask."""
    inputs = [c.photo, c.search, c.faces, c.mask, c.strength, c.source, r.seed]
    shown = chosen.then(action, inputs, [r.preview, r.notes, r.seed], **options, **_LANE)
    # The event before fails, too, and sets off no preview, where the photo has been wiped.
    for failed in (chosen, shown):
        failed.failure(lambda: (None, ""), None, [r.preview, r.notes], queue=False, **_PRIVATE)
    return shown


def _pressable(parts: list[Any], now: bool) -> str:
    """Script for the browser: a word to the server and back would leave time for another click."""
    each = [_PRESSABLE.format(str(now).lower())] * len(parts)
    return f"() => ({each[0]})" if len(each) == 1 else f"() => [{', '.join(each)}]"


def _rest(begin: Any, parts: list[Any]) -> None:
    """Let parts of the page rest from an event on; to be wired before what the event sets off."""
    begin(None, None, parts, js=_pressable(parts, False), api_visibility="private")


def _wake(done: Any, parts: list[Any]) -> None:
    # Whatever gradio says of it, "then" is not called after a failure.
    for after in (done.then, done.failure):
        after(None, None, parts, js=_pressable(parts, True), api_visibility="private")


def _can_draw(mask: str, source: str | None) -> Any:
    return gr.update(value=another_label(mask), visible=takes_seed(mask, source))


def _about_mask(mask: str, source: str | None) -> tuple[Any, ...]:
    """Describe another mask; the photograph of a person whom it cannot lay goes.

    Where it draws something, another drawing is offered in the place of a strength it has not.
    """
    return (
        gr.update(info=mask_about(mask)),
        gr.update(interactive=has_strength(mask), value=1, visible=not takes_seed(mask)),
        _can_draw(mask, source),
        advice.shown(mask, 1),
        gr.update(visible=MASKS[mask].takes_source),
        gr.skip() if MASKS[mask].takes_source else None,
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


def _before_source(photo: str | None, mask: str) -> tuple[Any, ...]:
    """A result stays where a source merely went with its mask: it may be the next one's already."""
    return _before_result(photo) if MASKS[mask].takes_source else (gr.skip(),) * 5


def _after_result() -> tuple[Any, ...]:
    return *_hidden(3), gr.update(visible=True), *_hidden(1)


def _hidden(count: int) -> list[Any]:
    return [gr.update(visible=False)] * count
