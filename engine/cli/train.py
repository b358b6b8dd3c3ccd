"""``train``: train a released model again, or on; interrupt it when you like."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.terminal import emit, end_as_by_ctrl_c, named_errors, say

if TYPE_CHECKING:
    from engine.training.loop import Trainer
    from engine.training.recipes import Recipe


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            help="proface-s-rand, proface-s-obfs or proface-k; with -paper, the paper's own"
        ),
    ],
    data: Annotated[Path, typer.Option(help="folder with faces_train*.zip, or of pictures; a zip")],
    resume: Annotated[Path, typer.Option(help="folder of the run: made, or gone on with")],
    minutes: Annotated[float, typer.Option(min=0, help="length of the whole schedule")] = 60.0,
    start_from: Annotated[Path | None, typer.Option(help="model folder to start from")] = None,
    lpips: Annotated[
        float | None, typer.Option(min=0, help="weight of LPIPS between mask and protected")
    ] = None,
    crop: Annotated[
        int | None, typer.Option(min=8, help="side of the training crops, even; the recipe's")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help="faces in a batch; the recipe's without")
    ] = None,
    blocks: Annotated[
        int | None, typer.Option(min=1, help="coupling blocks of a fresh network; the recipe's")
    ] = None,
    device: Annotated[str, typer.Option(help="torch device; cuda where there is one")] = "",
    seed: Annotated[int, typer.Option(min=0, help="of the run")] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="print what was reached as JSON, when it ends")
    ] = False,
) -> None:
    """Train a model; weights, checkpoint and the log of every loss go to the run's folder."""
    if crop is not None and crop % 2:
        raise typer.BadParameter("expected an even number", param_hint="--crop")
    if blocks is not None and start_from is not None:
        raise typer.BadParameter("the network to start from has its own", param_hint="--blocks")
    import torch

    from engine.data import find_training_sets
    from engine.training.loop import TrainOptions
    from engine.training.loop import train as run
    from engine.training.recipes import find_recipe

    end_as_by_ctrl_c()
    with named_errors():
        chosen = _adjusted(find_recipe(recipe), lpips, crop, batch, blocks)
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        options = TrainOptions(resume, minutes, device=device, seed=seed, start_from=start_from)
        perceptual = None
        if chosen.weights.perceptual:
            from engine.perceptual import perceptual_distance

            perceptual = perceptual_distance("squeeze", device)
        sets = find_training_sets(data)
        say(f"faces: {', '.join(f'{len(faces):,} of {faces.name}' for faces in sets)}")
        try:
            trainer = run(chosen, sets, options, perceptual, say)
        except KeyboardInterrupt:
            say("stopped and saved; the same command goes on from here")
            return
        emit(describe(trainer), as_json, f"{resume / 'model'}: {trainer.progress.step} steps")


def _adjusted(
    recipe: "Recipe",
    lpips: float | None,
    crop: int | None,
    batch: int | None,
    blocks: int | None,
) -> "Recipe":
    """The recipe with what the person asked for in place of its own."""
    batches, weights = recipe.batches, recipe.weights
    return replace(
        recipe,
        batches=replace(
            batches,
            crop=batches.crop if crop is None else crop,
            batch=batches.batch if batch is None else batch,
        ),
        weights=weights if lpips is None else replace(weights, protect_lpips=lpips),
        blocks=recipe.blocks if blocks is None else blocks,
    )


def describe(trainer: "Trainer") -> dict[str, Any]:
    """Tell how far a run came and what it logged last, ready for JSON."""
    progress = trainer.progress
    return {
        "recipe": trainer.recipe.name,
        "model": str(trainer.options.folder / "model"),
        "run": progress.run_id,
        "steps": progress.step,
        "faces_seen": progress.faces_seen,
        "minutes": round(progress.seconds / 60, 2),
        "figures": {name: round(value, 4) for name, value in trainer.figures.items()},
    }
