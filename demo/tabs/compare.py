"""Compare: every mask by every method on one face; a cell opens with its figures."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

import gradio as gr

from demo import comparison, exhibits, lab, words
from demo.draw import fit, inline
from demo.inputs import PhotoInput
from demo.samples import sample
from demo.session import Visits
from demo.tabs.kept import hold_uploads
from demo.tabs.wrong_keys import OWN, SOURCES
from demo.troubles import in_plain_words, problem

_PROGRESS = gr.Progress()
_LANE: dict[str, Any] = {"concurrency_id": "compute", "concurrency_limit": 1}
_PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


_REFUSED = '<div class="fv-cell fv-none"><p>refuses this mask</p></div>'


@dataclass(frozen=True, eq=False)
class CompareActions:
    """The button of the tab.

    Attributes:
        visits: what each open page has here.
        samples: finished tables of the samples, which are public and the same for everybody.
    """

    visits: Visits
    samples: dict[str, str] = field(default_factory=dict)

    @in_plain_words
    def compare(
        self, source: str, photo: str, request: gr.Request, progress: gr.Progress = _PROGRESS
    ) -> Iterator[str]:
        """Protect one face under every mask by every method, and open each with a wrong key too.

        Args:
            source: "Astronaut", "Group, face 2" or "My photo".
            photo: whose largest face is taken, with "My photo".
            request: of the page.
            progress: is told how far it is.

        Returns:
            The table as HTML, growing row by row.
        """
        visit = self.visits.of(request.session_hash)
        if source == OWN:
            if not photo:
                raise problem("No photo yet", "Choose a photo of your own, or take a sample face.")
            visit.hold(photo)
            face_u8 = lab.face_of(photo)
        else:
            name, number = SOURCES[source]
            face_u8 = lab.face_of(sample(name), number)
        table = self.samples.get(source, _head(face_u8))
        yield table
        if source in self.samples:
            return
        for done, (mask, cells) in enumerate(comparison.rows(face_u8), 1):
            # Only ever appended to, so that each step sends its own row alone.
            table += _row(mask, cells)
            progress((done, len(words.MASK_TITLES)), desc="comparing")
            yield table
        if source != OWN:
            self.samples[source] = table


def _head(face_u8: Any) -> str:
    original = inline(fit(face_u8, comparison.SIDE))
    groups = "".join(f"<b>{words.METHOD_TITLES[name]}</b>" for name in lab.METHODS)
    columns = "".join(f"<i>{name}</i>" for _ in lab.METHODS for name in comparison.COLUMNS)
    return (
        '<div class="fv-compare" tabindex="0" role="group" aria-label="table of pictures">'
        f'<div class="fv-line fv-groups"><span><img src="{original}" alt="the original face">'
        f"original</span><i>mask</i>{groups}</div>"
        f'<div class="fv-line fv-columns"><span></span><i></i>{columns}</div>'
    )


def _row(mask: str, cells: list[exhibits.Exhibit | None]) -> str:
    opened = "".join(
        exhibits.opener(cell, f"cell-{mask}-{number}") if cell else _REFUSED
        for number, cell in enumerate(cells)
    )
    title = escape(words.MASK_TITLES.get(mask, mask))
    return f'<div class="fv-line"><span>{title}</span>{opened}</div>'


def build(visits: Visits) -> None:
    """Lay the tab out and wire it."""
    does = CompareActions(visits)
    gr.HTML(
        exhibits.heading(
            "Every mask, every method",
            "Rows are what others see instead of the face, columns what keys make of it. "
            "A method refuses where its result would not look like the mask. Choose a cell for its "
            "figures, all of them from the PNG read back; faces shrunk to at most 112 pixels, the "
            "size in the papers.",
        )
    )
    with gr.Row(elem_classes="fv-tight fv-low-row"):
        source = gr.Radio([*SOURCES, OWN], value="Astronaut", label="Face", min_width=260)
        go = gr.Button("Compare", variant="primary", elem_id="compare-go", min_width=120)
    photo = PhotoInput(
        label="Your photo: its largest face is taken", type="filepath", format="png", height=220,
        sources=["upload", "webcam", "clipboard"], visible=False, alt_text="the photo you chose",
    )  # fmt: skip
    table = gr.HTML(
        f'<div class="fv-empty fv-low"><p>{len(words.MASK_TITLES)} masks, '
        f"{len(lab.METHODS)} methods: it takes some seconds.</p></div>",
        elem_id="compare-table",
    )
    hold_uploads(visits, photo)
    source.input(lambda name: gr.update(visible=name == OWN), source, photo, **_PRIVATE)
    go.click(does.compare, [source, photo], table, api_name="compare", **_LANE)
