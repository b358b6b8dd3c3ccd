"""``verify``: how well recognisers tell the people of a set apart, beside each other."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from engine.cli.terminal import emit, find_device, named_errors, say
from engine.zoo import RECOGNIZER

_FIGURES = ("accuracy", "accuracy_deviation", "auc", "tar", "threshold")


def verify(
    data: Annotated[Path, typer.Option(help="zip of faces, with a csv that knows who they are")],
    pairs: Annotated[Path, typer.Option(help="csv of pairs; drawn and written if it is not there")],
    recognizer: Annotated[
        list[str],
        typer.Option(help="a released one, insightface:PACK, a trained folder, a .ts; repeatable"),
    ] = [RECOGNIZER],  # noqa: B006  (typer copies it)
    guess: Annotated[
        bool, typer.Option("--guess", help="align as if no landmarks were known")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="of the pairs that are drawn")] = 0,
    device: Annotated[str, typer.Option(help="torch device; cuda where there is one")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False,
) -> None:
    """Measure recognisers: accuracy over ten folds, AUC, and who is recognised at FAR 1e-3."""
    from engine.layouts import open_faces
    from engine.recognition import find_recognizer
    from engine.verification import draw_pairs, embed_set, read_pairs, write_pairs
    from engine.verification import verify as measure

    device = find_device(device)
    with named_errors():
        judges = [find_recognizer(name, device) for name in recognizer]
        if len({judge.name for judge in judges}) < len(judges):
            raise typer.BadParameter("two of one name", param_hint="--recognizer")
        faces = open_faces(data)
        if not pairs.is_file():
            write_pairs(pairs, draw_pairs(faces.records, seed))
        known = read_pairs(pairs)
        rows: dict[str, Any] = {}
        for judge in judges:
            vectors = embed_set(faces, judge, device, guess)
            rows[judge.name] = asdict(measure(faces.records, vectors, known, judge.threshold))
            if not as_json:
                figures = "  ".join(f"{name} {rows[judge.name][name]:.4f}" for name in _FIGURES)
                typer.echo(f"{judge.name:<24} {figures}")
        emit(rows, as_json, f"{len(known)} pairs of {faces.name}, from {pairs.name}")
    if not as_json and guess:
        say("aligned without landmarks")
