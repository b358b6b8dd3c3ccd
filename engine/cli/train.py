"""``train``: train a released model again, or on; interrupt it when you like."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from engine.cli.terminal import emit, end_as_by_ctrl_c, find_device, named_errors, say

if TYPE_CHECKING:
    from engine.training.identities import Fitted
    from engine.training.loop import Trainer, TrainOptions
    from engine.training.losses import Distance
    from engine.training.pupil import Pupil
    from engine.training.recipes import Recipe
    from engine.training.swapping import SwapTrainer

_RECOGNIZER = "recognizer"
_AGENTS = "agents"
_SWAPPERS = ("simswap", "faceshifter")
_KSAME = "ksame"


def train(
    recipe: Annotated[
        str,
        typer.Argument(
            help="proface-s-rand, proface-s-obfs or proface-k; with -paper, the paper's own; "
            "imn; recognizer; ksame, averages that need no minutes; simswap or faceshifter, which "
            "swap faces; agents, whom they show"
        ),
    ],
    data: Annotated[Path, typer.Option(help="folder with faces_train*.zip, or of pictures; a zip")],
    resume: Annotated[Path, typer.Option(help="folder of the run: made, or gone on with")],
    minutes: Annotated[float, typer.Option(min=0, help="length of the whole schedule")] = 60.0,
    steps: Annotated[
        int | None, typer.Option(min=1, help="end the schedule after so many steps, if not before")
    ] = None,
    start_from: Annotated[Path | None, typer.Option(help="model folder to start from")] = None,
    teachers: Annotated[
        Path | None, typer.Option(help="folder of recognizer_*.ts: recognizer and swappers learn")
    ] = None,
    ask_minutes: Annotated[
        float | None, typer.Option(min=0, help="to ask the teachers for at most, before it learns")
    ] = None,
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
    embedders = {"--lpips": lpips, "--crop": crop, "--blocks": blocks}
    taught = {"--teachers": teachers, "--ask-minutes": ask_minutes}
    fitted = {**embedders, **taught, "--start-from": start_from, "--batch": batch}
    if recipe == _KSAME:
        _refuse({**fitted, "--steps": steps})
        return _average(data, resume, seed, as_json)
    if recipe == _AGENTS:
        _refuse({**fitted, "--steps": steps})
    elif recipe in _SWAPPERS:
        _refuse({**embedders, "--ask-minutes": ask_minutes, "--batch": batch})
    else:
        _refuse(embedders if recipe == _RECOGNIZER else taught)
    _check(crop, blocks, start_from)
    from engine.training.loop import TrainOptions
    from engine.training.recipes import find_recipe

    end_as_by_ctrl_c()
    options = TrainOptions(
        resume, minutes, find_device(device), seed, steps=steps, start_from=start_from
    )
    with named_errors():
        if recipe == _RECOGNIZER:
            return _distil(data, teachers, ask_minutes, options, batch, as_json)
        if recipe == _AGENTS:
            return _gallery(data, options, as_json)
        if recipe in _SWAPPERS:
            return _swap(recipe, data, teachers, options, as_json)
        chosen = _adjusted(find_recipe(recipe), lpips, crop, batch, blocks)
        _embed(chosen, data, options, as_json)


def _check(crop: int | None, blocks: int | None, start_from: Path | None) -> None:
    if crop is not None and crop % 2:
        raise typer.BadParameter("expected an even number", param_hint="--crop")
    if blocks is not None and start_from is not None:
        raise typer.BadParameter("the network to start from has its own", param_hint="--blocks")


def _refuse(unheeded: Mapping[str, object]) -> None:
    """Refuse options that the recipe would not heed."""
    for name, value in unheeded.items():
        if value is not None:
            raise typer.BadParameter("this recipe has no use for it", param_hint=name)


def _embed(recipe: "Recipe", data: Path, options: "TrainOptions", as_json: bool) -> None:
    """Train a network that hides and recovers faces."""
    from engine.data import find_training_sets
    from engine.training.loop import train as run

    sets = find_training_sets(data)
    say(f"faces: {', '.join(f'{len(faces):,} of {faces.name}' for faces in sets)}")
    try:
        trainer = run(recipe, sets, options, _perceptual(recipe, options.device), say)
    except KeyboardInterrupt:
        say("stopped and saved; the same command goes on from here")
        return
    emit(describe(trainer), as_json, f"{options.folder / 'model'}: {trainer.progress.step} steps")


def _perceptual(recipe: "Recipe", device: str) -> "Distance | None":
    if not recipe.weights.perceptual:
        return None
    from engine.perceptual import perceptual_distance

    return perceptual_distance("squeeze", device)


def _distil(
    data: Path,
    teachers: Path | None,
    ask_minutes: float | None,
    options: "TrainOptions",
    batch: int | None,
    as_json: bool,
) -> None:
    """Train the recogniser, which learns from networks instead of from losses on pictures."""
    from engine.data import find_training_sets
    from engine.training.distil import distil
    from engine.training.pupil import RECOGNIZER

    if teachers is None:
        raise typer.BadParameter("name the folder to learn from", param_hint="--teachers")
    recipe = RECOGNIZER if batch is None else replace(RECOGNIZER, batch=batch)
    options = replace(options, log_steps=200)
    try:
        sets = find_training_sets(data)
        limit = math.inf if ask_minutes is None else ask_minutes
        trainer = distil(recipe, sets, teachers, options, limit, say)
    except KeyboardInterrupt:
        say("stopped and saved; the same command goes on from here")
        return
    emit(describe(trainer), as_json, f"{options.folder / 'model'}: {trainer.progress.step} steps")


def _swap(
    recipe: str, data: Path, teachers: Path | None, options: "TrainOptions", as_json: bool
) -> None:
    """Train a network that gives a face another identity."""
    from engine.data import find_training_sets
    from engine.perceptual import perceptual_distance
    from engine.training.swap import learn_to_swap
    from engine.training.swapping import SWAPPERS

    if teachers is None:
        raise typer.BadParameter("name the folder of recognisers", param_hint="--teachers")
    sets = find_training_sets(data)
    say(f"faces: {', '.join(f'{len(faces):,} of {faces.name}' for faces in sets)}")
    lpips = perceptual_distance("squeeze", options.device)
    options = replace(options, log_steps=50)
    try:
        trainer = learn_to_swap(SWAPPERS[recipe], sets, teachers, options, lpips, say)
    except KeyboardInterrupt:
        say("stopped and saved; the same command goes on from here")
        return
    emit(describe(trainer), as_json, f"{options.folder / 'model'}: {trainer.progress.step} steps")


def _gallery(data: Path, options: "TrainOptions", as_json: bool) -> None:
    """Draw identities that are nobody's."""
    from engine.data import find_training_sets
    from engine.training.identities import GalleryRecipe, fit_gallery

    fitted = fit_gallery(GalleryRecipe(), find_training_sets(data), options)
    emit(describe(fitted), as_json, f"{options.folder / 'model'}: {fitted.recipe.count} agents")


def _average(data: Path, folder: Path, seed: int, as_json: bool) -> None:
    """Make the averages of k-Same, which are not learned; a run that is there already is kept."""
    from engine.training.averages import fit_averages, reached
    from engine.training.crowd import AveragesRecipe

    end_as_by_ctrl_c()
    recipe = AveragesRecipe()
    with named_errors():
        if reached(folder, recipe, seed) is None:
            from engine.data import find_training_sets

            fit_averages(find_training_sets(data), folder, recipe, seed, say)
        told = reached(folder, recipe, seed) or {}
    emit(told, as_json, f"{folder / 'model'}: {told['groups']} averages")


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


def describe(trainer: "Trainer | Pupil | SwapTrainer | Fitted") -> dict[str, Any]:
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
