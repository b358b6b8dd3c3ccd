"""How it works: two diagrams, and the limits, told plainly."""

from html import escape

import gradio as gr

from demo import diagrams, standing, words
from demo.choices import method_label
from engine import usable_methods

_LIMITS = (
    ("Send it as a file.",
     "Messengers, screenshots, resizing and JPEG destroy what is hidden. You are told so then, or "
     "that nothing of ours is found; the face does not come back."),
    ("A mask can be seen through.",
     "Blurred and mosaic faces can be guessed at without any key. Who must not be recognised takes "
     "Cartoon or Grey box."),
    ("A listed passphrase is no secret.",
     "Whoever has the file can try passphrases at home, 64 MiB and a fraction of a second each. "
     "Six drawn words withstand that; a pet's name does not. The limit of ten tries a minute is "
     "for this page only."),
    ("A face that is not found stays clear.",
     "Look at the preview before you share. Where no face is found, nothing is made."),
    ("It hides faces, not people.",
     "Clothes, places, tattoos and the company somebody keeps stay visible."),
    ("Research weights.",
     "The networks were trained on CelebA and UTKFace, for research use. The code is Apache-2.0."),
)  # fmt: skip


def leaks() -> tuple[str, str]:
    """What a trained attacker gets, by what was measured."""
    titles = {name: words.METHOD_TITLES[name] for name in standing.leaking()}
    said = " ".join(
        f"{title}: {standing.result(name).rstrip('.')}." for name, title in titles.items()
    )
    head, told = "A network's key may not be enough.", "No method here was measured to leak so."
    if titles:
        head = f"{' and '.join(titles.values())} leak{'s' * (len(titles) == 1)}."
        told = f"Measured, {said}"
    return (
        head,
        "Another network, trained on pairs, may see the face without any key. "
        f"{told} ProFace-K scrambles the face first; whoever holds the very photograph can still "
        "tell that it is this one. To protect somebody, take Sealed.",
    )


_KEPT = (
    "Your photo and what is made of it are in a folder that only this program reads. They are "
    "wiped within a minute after you close the page, and within a minute of their last use: "
    "download your result before. An upload in a queue is kept until its turn. The passphrase is "
    "used and forgotten: it is in no file, log, address or database. Nothing is asked of any other "
    "server."
)


def build() -> None:
    """Lay the tab out."""
    methods = "".join(f"<li>{escape(method_label(name))}.</li>" for name in usable_methods())
    told = [*_LIMITS[:2], leaks(), *_LIMITS[2:]]
    limits = "".join(f"<li><b>{escape(head)}</b> {escape(text)}</li>" for head, text in told)
    gr.HTML(
        '<div class="fv-how"><h2>There and back</h2>'
        f"{_drawn(diagrams.pipeline())}"
        f"<p>The methods:</p><ul>{methods}</ul>"
        f"<h2>Inside the neural methods</h2>{_drawn(diagrams.network())}"
        "<p>After PRO-Face S (Yuan et al.). Sealed has no network: it encrypts the face "
        "(ChaCha20-Poly1305) and writes the bytes into the last bits of the picture.</p>"
        f"<h2>Limits, plainly</h2><ul>{limits}</ul>"
        f"<h2>What is kept</h2><p>{escape(_KEPT)}</p></div>",
        elem_id="how",
    )


def _drawn(diagram: str) -> str:
    return (
        '<p class="fv-swipe">Swipe the drawing sideways to see all of it.</p>'
        f'<div class="fv-scroll" tabindex="0" role="group" aria-label="diagram">{diagram}</div>'
    )
