"""``train``: train a released model again, or on; interrupt it when you like."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from engine.cli.terminal import emit, end_as_by_ctrl_c, find_device, named_errors, say
from engine.cli.trainings import (
    average_faces,
    describe,
    distil_recognizer,
    draw_agents,
    train_enhancer,
    train_landmarks,
    train_swapper,
)

if TYPE_CHECKING:
    from engine.training.learner import TrainOptions
    from engine.training.losses import Distance
    from engine.training.recipes import Recipe

_RECOGNIZER = "recognizer"
_AGENTS = ("agents", "agents-faceshifter")
_SWAPPERS = ("simswap", "faceshifter")
_ENHANCER = "enhancer"
_LANDMARKS = "landmarks"
_KSAME = "ksame"

_HIDING = ("--lpips", "--crop", "--blocks")
_TAUGHT = ("--teachers", "--ask-minutes")
_FITTED = (*_HIDING, *_TAUGHT, "--batch", "--start-from", "--steps")
_UNHEEDED = {
    _RECOGNIZER: _HIDING,
    _KSAME: _FITTED,
    _LANDMARKS: (*_HIDING, *_TAUGHT, "--batch", "--start-from"),
    **dict.fromkeys(_AGENTS, _FITTED),
    **{name: (*_HIDING, "--ask-minutes", "--batch") for name in (*_SWAPPERS, _ENHANCER)},
}
"""Options that a recipe would not heed; of all others they are those of what learns from others."""

_RECIPES = (
    "proface-s-rand, proface-s-obfs or proface-k; with -paper, the paper's own; imn; "
    "recognizer; ksame, averages that need no minutes; simswap or faceshifter, which swap "
    "faces; agents or agents-faceshifter, whom they show; enhancer, which clears "
    "portraits; landmarks, which refines where a detector found eyes, nose and mouth"
)

_Minutes = Annotated[float, typer.Option(min=0, help="length of the whole schedule")]
_Teachers = Annotated[
    Path | None,
    typer.Option(help="folder of recognizer_*.ts: recognizer, swappers and enhancer need it"),
]
_Lpips = Annotated[
    float | None, typer.Option(min=0, help="weight of LPIPS between mask and protected")
]
_Crop = Annotated[
    int | None, typer.Option(min=16, help="side of the training crops, even; the recipe's")
]
_AskMinutes = Annotated[
    float | None, typer.Option(min=0, help="to ask the teachers for at most, before it learns")
]


def train(
    recipe: Annotated[str, typer.Argument(help=_RECIPES)],
    data: Annotated[Path, typer.Option(help="folder with faces_train*.zip, or of pictures; a zip")],
    resume: Annotated[Path, typer.Option(help="folder of the run: made, or gone on with")],
    minutes: _Minutes = 60.0,
    steps: Annotated[
        int | None, typer.Option(min=1, help="end the schedule after so many steps, if not before")
    ] = None,
    start_from: Annotated[
        Path | None, typer.Option(help="model folder to start from; imn gets blocks it lacks")
    ] = None,
    teachers: _Teachers = None,
    ask_minutes: _AskMinutes = None,
    lpips: _Lpips = None,
    crop: _Crop = None,
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
    given = {
        "--lpips": lpips, "--crop": crop, "--blocks": blocks, "--teachers": teachers,
        "--ask-minutes": ask_minutes, "--batch": batch, "--start-from": start_from,
        "--steps": steps,
    }  # fmt: skip
    _refuse({name: given[name] for name in _UNHEEDED.get(recipe, _TAUGHT)})
    _check(crop, blocks, start_from)
    if recipe == _KSAME:
        return average_faces(data, resume, seed, as_json)
    from engine.training.learner import TrainOptions
    from engine.training.recipes import find_recipe

    end_as_by_ctrl_c()
    options = TrainOptions(
        resume, minutes, find_device(device), seed, steps=steps, start_from=start_from
    )
    with named_errors():
        if recipe == _RECOGNIZER:
            return distil_recognizer(data, teachers, ask_minutes, options, batch, as_json)
        if recipe == _LANDMARKS:
            return train_landmarks(data, options, as_json)
        if recipe in _AGENTS:
            return draw_agents(recipe, data, options, as_json)
        if recipe in _SWAPPERS:
            return train_swapper(recipe, data, teachers, options, as_json)
        if recipe == _ENHANCER:
            return train_enhancer(data, teachers, options, as_json)
        chosen = _adjusted(find_recipe(recipe), lpips, crop, batch, blocks)
        _embed(chosen, data, options, as_json)


def _check(crop: int | None, blocks: int | None, start_from: Path | None) -> None:
    if crop is not None and crop % 2:
        raise typer.BadParameter("expected an even number", param_hint="--crop")
    if blocks is not None and start_from is not None:
        raise typer.BadParameter(
            "the network to start from, or the recipe, says how many", param_hint="--blocks"
        )


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
