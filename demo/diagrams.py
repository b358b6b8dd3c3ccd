"""The two diagrams of How it works, drawn here: they follow the page's colours, light and dark."""

from html import escape

_HEAD = (
    '<svg viewBox="0 0 {width} {height}" role="img" aria-label="{label}" class="fv-diagram">'
    '<defs><marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
    'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="currentColor"/></marker></defs>'
)


def _box(x: int, y: int, w: int, title: str, about: str = "", kind: str = "") -> str:
    lines = [f'<text x="{x + w / 2}" y="{y + (24 if about else 31)}">{escape(title)}</text>']
    if about:
        lines.append(f'<text x="{x + w / 2}" y="{y + 42}" class="s">{escape(about)}</text>')
    return f'<g class="b {kind}"><rect x="{x}" y="{y}" width="{w}" height="54" rx="9"/></g>' + (
        "".join(lines)
    )


def _arrow(path: str, head: str, kind: str = "") -> str:
    return f'<path d="{path}" class="a {kind}" marker-end="url(#{head})"/>'


def _said(x: int, y: int, text: str, kind: str = "s") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(text)}</text>'


def pipeline() -> str:
    """Draw the way of a photograph, there and back."""
    head = _HEAD.format(
        width=960, height=318, name="fv-p",
        label="Photo, faces, mask, method, protected PNG; the passphrase makes the key that the "
        "method uses; with the same passphrase the way back gives the photo again.",
    )  # fmt: skip
    parts = [
        _box(10, 30, 130, "Photo"),
        _box(190, 30, 150, "Faces", "found and cut out"),
        _box(390, 30, 150, "Mask", "what others see"),
        _box(590, 30, 160, "Method", "hides face in mask", "k"),
        _box(800, 30, 150, "Protected PNG", "to share", "k"),
        _arrow("M140 57H184", "fv-p"), _arrow("M340 57H384", "fv-p"),
        _arrow("M540 57H584", "fv-p"), _arrow("M750 57H794", "fv-p"),
        _arrow("M265 84V112Q265 122 275 122H640Q650 122 650 112V90", "fv-p", "d"),
        _said(458, 116, "the original goes inside"),
        _box(190, 150, 150, "Passphrase", "you type it"),
        _box(390, 150, 150, "Argon2id", "slow on purpose"),
        _box(590, 150, 160, "Key", "for this picture"),
        _arrow("M340 177H384", "fv-p"), _arrow("M540 177H584", "fv-p"),
        _arrow("M690 150V90", "fv-p"),
        _arrow("M690 204V240", "fv-p"),
        _box(570, 246, 200, "Method, backwards", "refuses wrong keys", "k"),
        _box(390, 246, 150, "Photo again"),
        _arrow("M875 84V273H776", "fv-p"), _arrow("M564 273H546", "fv-p"),
    ]  # fmt: skip
    return head + "".join(parts) + "</svg>"


def network() -> str:
    """Draw the invertible network, and where the key goes in."""
    head = _HEAD.format(
        width=960, height=318, name="fv-n",
        label="Face and mask go through Haar transforms and three coupling blocks that take the "
        "key map; one output is the protected face, the other one is thrown away.",
    )  # fmt: skip
    blocks = "".join(
        _box(x, 60, 130, f"Coupling {n}", "under the key", "k")
        for n, x in enumerate((330, 500, 670), 1)
    )
    parts = [
        _box(10, 20, 120, "Face"), _box(10, 104, 120, "Mask"),
        _box(170, 20, 120, "Haar", "sub-bands"), _box(170, 104, 120, "Haar", "sub-bands"),
        _arrow("M130 47H164", "fv-n"), _arrow("M130 131H164", "fv-n"),
        _arrow("M290 47Q312 47 312 72Q312 78 324 78", "fv-n"),
        _arrow("M290 131Q312 131 312 104Q312 98 324 98", "fv-n"),
        blocks,
        _arrow("M460 87H494", "fv-n"), _arrow("M630 87H664", "fv-n"),
        _arrow("M800 78Q816 78 816 60Q816 47 824 47", "fv-n"),
        _arrow("M800 98Q816 98 816 116Q816 131 824 131", "fv-n", "d"),
        _box(830, 20, 120, "Protected", "looks like mask", "k"),
        _box(830, 104, 120, "Byproduct", "thrown away"),
        _box(170, 240, 120, "Key", "32 bytes"),
        _box(330, 240, 130, "SHAKE-256", "stretches it"),
        _box(500, 240, 130, "Key map", "a + or - per pixel"),
        _arrow("M290 267H324", "fv-n"), _arrow("M460 267H494", "fv-n"),
        _arrow("M565 240V195Q565 185 555 185H405Q395 185 395 175V120", "fv-n"),
        _arrow("M565 240V120", "fv-n"),
        _arrow("M565 240V195Q565 185 575 185H725Q735 185 735 175V120", "fv-n"),
        _said(820, 236, "Backwards: the same blocks in reverse"),
        _said(820, 256, "order bring the face back. Another"),
        _said(820, 276, "key map leads somewhere else."),
    ]  # fmt: skip
    return head + "".join(parts) + "</svg>"
