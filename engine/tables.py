"""Writes figures as tables for people: ours alone, and a paper's with ours beside it."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import Literal

from engine.results import TABLES, MeanScore, PaperCell

Style = Literal["markdown", "latex", "csv"]

_NAMES = {
    "1": "table_1_protect", "2": "table_2_recover", "3": "table_3_wrong", "4": "table_4_ablation",
    "5": "table_5_cost",
}  # fmt: skip
_LABELS = {
    "psnr_db": "PSNR", "psnr_y_db": "PSNR (Y)", "ssim": "SSIM", "ssim_y": "SSIM (Y)",
    "lpips": "LPIPS", "rmse": "RMSE", "mae": "MAE", "dssim": "DSSIM", "l1": "L1", "l2": "L2",
    "fid": "FID", "pieapp": "PieAPP", "drift_px": "drift (px)", "parameters": "parameters",
    "protect_batch_s": "s/batch",
}  # fmt: skip


def table_name(number: str) -> str:
    """The view of a table that a person names: ``1`` to ``5``, or any of the views."""
    return _NAMES.get(number, number)


def table(means: Sequence[MeanScore], metric: str = "psnr_db") -> str:
    """Write a metric's means as a Markdown table: a row for each method, pair and mask."""
    means = [mean for mean in means if mean.metric == metric]
    sources = sorted({mean.source for mean in means})
    lines = [f"| {metric} | mask | {' | '.join(sources)} |", f"|---|---|{'---|' * len(sources)}"]
    known = {(m.method, m.pair, m.mask, m.source): m for m in means}
    for method, pair, mask in dict.fromkeys((m.method, m.pair, m.mask) for m in means):
        cells = [_mean(known.get((method, pair, mask, source))) for source in sources]
        lines.append(f"| {method} {pair} | {mask} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _mean(mean: MeanScore | None) -> str:
    if mean is None:
        return "missing"
    exact = f" ({mean.exact} of {mean.images} exact)" if mean.exact else ""
    return ("exact" if mean.mean is None else _figure(mean.mean, mean.metric)) + exact


def paper_table(cells: Sequence[PaperCell], style: Style = "markdown") -> str:
    """Write a paper's table, ours beside it: a row for each method, mask and pair.

    Each cell is the paper's figure / ours; a missing one is said to be missing. Of a wrong key the
    worst face stands behind ours, since an average hides the one that failed. Averages over fewer
    masks than the paper's, and LPIPS of a named net, are marked.
    """
    columns = list(dict.fromkeys((c.source, c.metric) for c in cells))
    rows: dict[tuple[str, ...], dict[tuple[str, str], PaperCell]] = {}
    for cell in cells:
        key = (cell.method, cell.mask, cell.pair)
        rows.setdefault(key, {})[cell.source, cell.metric] = cell
    head = [
        "method",
        "mask",
        "pair",
        *(" ".join(filter(None, (s, _LABELS.get(m, m)))) for s, m in columns),
    ]
    body = [
        [*key, *(_cell(found.get(column)) for column in columns)] for key, found in rows.items()
    ]
    text = _STYLES[style](head, body)
    notes = _notes(cells)
    return text if style == "csv" or not notes else text + "\n\n" + "\n".join(notes)


def _cell(cell: PaperCell | None) -> str:
    if cell is None:
        return ""
    paper = "" if cell.paper_value is None else _figure(cell.paper_value, cell.metric)
    if cell.our_value is None and not cell.exact:
        return f"{paper} / missing" if cell.our_method else f"{paper} / -"
    ours = "exact" if cell.our_value is None else _figure(cell.our_value, cell.metric)
    if cell.exact and cell.our_value is not None:
        ours += f" ({cell.exact} exact)"
    if ":wrong" in cell.pair and cell.least is not None and cell.greatest is not None:
        worst, word = (cell.greatest, "max") if cell.better == "lower" else (cell.least, "min")
        ours += f" ({word} {_figure(worst, cell.metric)})"
    return f"{paper or '-'} / {ours}"


def _figure(value: float, metric: str) -> str:
    if metric == "parameters":
        return f"{value / 1e6:.2f}M"
    if metric.startswith("psnr") or metric in ("rmse", "mae", "fid", "drift_px"):
        return f"{value:.2f}"
    return f"{value:.4f}" if metric.startswith("lpips") or metric == "l2" else f"{value:.3f}"


def _notes(cells: Sequence[PaperCell]) -> list[str]:
    notes = ["Each cell: the paper / ours."]
    notes += dict.fromkeys(
        f"The paper's {_LABELS.get(c.metric, c.metric)}: {c.note}." for c in cells if c.note
    )
    nets = {c.our_metric for c in cells if c.metric == "lpips" and c.our_metric}
    notes += [f"Our LPIPS is {net}." for net in sorted(nets)]
    masks = {c.masks for c in cells if c.mask == "average" and c.masks}
    notes += [
        f"Our average is over {count} of the paper's 6 masks."
        for count in sorted(masks)
        if count < 6
    ]
    images = sorted(
        {c.images for c in cells if c.images and c.mask != "average" and c.pair != "cost"}
    )
    if images:
        notes.append(f"Faces in each of our cells: {images[0]} to {images[-1]}.")
    return notes


def _markdown(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _latex(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    def row(cells: Sequence[str]) -> str:
        return " & ".join(c.replace("_", r"\_").replace("%", r"\%") for c in cells) + r" \\"

    lines = [
        rf"\begin{{tabular}}{{lll{'c' * (len(head) - 3)}}}",
        r"\toprule",
        row(head),
        r"\midrule",
    ]
    return "\n".join([*lines, *map(row, body), r"\bottomrule", r"\end{tabular}"])


def _csv(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([head, *body])
    return text.getvalue().rstrip("\n")


_STYLES: dict[Style, Callable[[Sequence[str], Sequence[Sequence[str]]], str]] = {
    "markdown": _markdown,
    "latex": _latex,
    "csv": _csv,
}


def titles() -> str:
    """The tables there are, one on a line, for a person who asks."""
    return "\n".join(
        f"{name}: {paper}, {number}, {about}" for name, (paper, number, about) in TABLES.items()
    )
