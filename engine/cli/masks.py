"""``masks``: what masks leave of the faces of a set: whether the person, whether a face at all."""

import functools
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from engine.cli.mask_choice import DiffusionModel, MaskStrength, parse_strength
from engine.cli.terminal import check_output, emit, face_bar, find_device, named_errors, names, say
from engine.zoo import RECOGNIZER

if TYPE_CHECKING:
    from engine.masks import Preset

_SHOWN = (
    "match", "seeds_match", "seeds_margin", "agent_nearer", "found", "landmarks_error", "frechet",
    "outside_lpips", "noted",
)  # fmt: skip


def masks(
    data: Annotated[Path, typer.Option(help="zip of faces, with a csv that knows landmarks")],
    masks: Annotated[str, typer.Option(help="names, separated by commas")] = "ksame",
    recognizer: Annotated[
        str, typer.Option(help="the judge: a released one, insightface:PACK, a folder, a .ts")
    ] = RECOGNIZER,
    threshold: Annotated[
        float | None, typer.Option(help="of the judge; without, at FAR 1e-3 on the whole set")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="faces of each source; all without")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the choice of faces")] = 0,
    preset: Annotated[str, typer.Option(help="mask strength: scaled, or paper")] = "scaled",
    mask_strength: MaskStrength = "",
    diffusion_model: DiffusionModel = "",
    sheet: Annotated[
        Path | None,
        typer.Option(help="write up to 64 faces beside their masks here, and measure nothing"),
    ] = None,
    device: Annotated[str, typer.Option(help="torch device; cuda where there is one")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="print as JSON")] = False,
) -> None:
    """Measure masks: who is still known, whether faces are found, and whether in place."""
    if preset not in ("scaled", "paper"):
        raise typer.BadParameter("expected scaled or paper", param_hint="--preset")
    from engine.benchmark import BenchmarkConfig, choose
    from engine.layouts import open_faces
    from engine.likeness import calibrate, measure_likeness
    from engine.masks import models_of
    from engine.recognition import find_recognizer

    device = find_device(device)
    with named_errors():
        strength = parse_strength(mask_strength)
        models = models_of(names(masks), diffusion_model)
        faces = open_faces(data)
        indices = choose(faces, BenchmarkConfig((), (), limit=limit, seed=seed))
        if sheet is not None:
            settings = {"preset": preset, "strength": strength, "model": diffusion_model}
            told = _write_sheet(sheet, data, indices, list(models), settings)
            return emit(told, as_json, "{sheet}: {faces} faces beside their masks".format(**told))
        judge = find_recognizer(recognizer, device)
        least = calibrate(faces, judge, device) if threshold is None else threshold
        rows: dict[str, Any] = {}
        for mask, model in models.items():
            with face_bar() as report:
                found = measure_likeness(
                    faces, indices, mask, judge, least, preset=cast("Preset", preset),
                    strength=strength, device=device, model=model,
                    report=functools.partial(_tell, report, mask),
                )  # fmt: skip
            rows[mask] = asdict(found)
            if not as_json:
                typer.echo(_line(mask, rows[mask]))
        emit(rows, as_json, f"{len(indices)} faces of {faces.name}, judged by {judge.name}")


def _write_sheet(
    file: Path, data: Path, indices: list[int], masks: list[str], settings: dict[str, Any]
) -> dict[str, Any]:
    from engine.contact_sheet import contact_sheet
    from engine.images import write_png
    from engine.layouts import open_faces

    check_output(file, {"the faces": [data]}, "sheet")
    with face_bar() as report:
        told = functools.partial(_tell, report, "sheet")
        made = contact_sheet(open_faces(data), indices, masks, report=told, **settings)
    write_png(file, made.picture_u8, None)
    if made.hidden:
        say(f"{made.hidden} masks could not lie as they should: what hides the face is shown")
    return {"sheet": str(file), "faces": made.faces, "hidden_otherwise": made.hidden}


def _tell(report: Callable[[int, int, str], None], mask: str, done: int, total: int) -> None:
    report(done, total, mask)


def _line(mask: str, figures: dict[str, Any]) -> str:
    told = (f"{name} {figures[name]:.3g}" for name in _SHOWN if figures[name] is not None)
    return f"{mask:<14} {'  '.join(told)}"
