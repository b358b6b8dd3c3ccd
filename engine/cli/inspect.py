"""``faces`` and ``models``: what is in a photograph, and what is released."""

import json
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.terminal import named_errors, progress_bar
from engine.faces import MIN_SCORE, detect
from engine.images import open_photo
from engine.zoo import ModelCard, find_card, list_models


def faces(
    photo: Annotated[Path, typer.Argument(help="JPEG, PNG or WebP, up to 25 megapixels")],
    detector: Annotated[str, typer.Option(help="centerface, or insightface:PACK")] = "centerface",
    min_score: Annotated[float, typer.Option(help="lower finds more faces")] = MIN_SCORE,
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False,
) -> None:
    """Number the faces of a photograph, left to right, with the boxes that would be protected."""
    with named_errors(), progress_bar() as report:
        report("looking for faces", 0.0)
        found = detect(open_photo(photo), detector=detector, min_score=min_score)
    if as_json:
        rows = [
            {"number": number, "box": list(face.box), "score": round(face.score, 3)}
            for number, face in enumerate(found, 1)
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    for number, face in enumerate(found, 1):
        typer.echo(f"{number}  box {','.join(map(str, face.box))}  score {face.score:.3f}")
    if not found:
        typer.echo("no face found; protect takes --box X0,Y0,X1,Y1 or --whole")


def models(
    names: Annotated[
        list[str] | None, typer.Argument(help="whose figures too; all in one line each without")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False,
) -> None:
    """List the released models; named ones with all that they were trained on and reached."""
    with named_errors():
        cards = list_models()
        chosen = [find_card(name) for name in names] if names else cards
    if as_json:
        typer.echo(json.dumps([card.__dict__ for card in chosen], indent=2))
        return
    latest = {card.name.rpartition(".")[0]: card.name for card in cards}
    for card in chosen:
        newer = latest[card.name.rpartition(".")[0]]
        aside = "" if newer == card.name else f"  (superseded by {newer})"
        if names:
            _tell(card, aside)
        else:
            counts = f"{card.parameters:>10,} parameters {card.minutes:>6.0f} min"
            typer.echo(f"{card.name:<25} {counts}  {card.paper}{aside}")
    if not names and chosen:
        typer.echo(f"\nTheir figures: python -m engine models {chosen[-1].name}")


def _tell(card: ModelCard, aside: str) -> None:
    typer.echo(f"{card.name}{aside}  {card.parameters:,} parameters  {card.network}  {card.paper}")
    typer.echo(f"  licence     {card.licence}")
    typer.echo(f"  trained on  {card.trained_on}, {card.minutes:.0f} min on {card.device}")
    for name, value in card.figures.items():
        typer.echo(f"  {name:<40} {value}")
    typer.echo(f"  figures by  {card.figures_command}")
