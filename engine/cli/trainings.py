"""How ``train`` trains what hides no faces itself: recogniser, swappers, agents, averages."""

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from engine.cli.terminal import emit, end_as_by_ctrl_c, named_errors, say

if TYPE_CHECKING:
    from engine.training.enhancing import EnhanceTrainer
    from engine.training.gallery import Fitted
    from engine.training.landmarks import LandmarkTrainer
    from engine.training.learner import TrainOptions
    from engine.training.loop import Trainer
    from engine.training.pupil import Pupil
    from engine.training.swapping import SwapTrainer


def distil_recognizer(
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


def train_swapper(
    recipe: str, data: Path, teachers: Path | None, options: "TrainOptions", as_json: bool
) -> None:
    """Train a network that gives a face another identity."""
    from engine.data import find_training_sets
    from engine.perceptual import perceptual_distance, perceptual_features
    from engine.training.swap import learn_to_swap
    from engine.training.swapping import SWAPPERS

    if teachers is None:
        raise typer.BadParameter("name the folder of recognisers", param_hint="--teachers")
    sets = find_training_sets(data)
    say(f"faces: {', '.join(f'{len(faces):,} of {faces.name}' for faces in sets)}")
    lpips = perceptual_distance("squeeze", options.device)
    features = perceptual_features("squeeze", options.device)
    options = replace(options, log_steps=150)  # the judges take the time of ten steps for a line
    try:
        trainer = learn_to_swap(SWAPPERS[recipe], sets, teachers, options, lpips, features, say)
    except KeyboardInterrupt:
        say("stopped and saved; the same command goes on from here")
        return
    emit(describe(trainer), as_json, f"{options.folder / 'model'}: {trainer.progress.step} steps")


def train_enhancer(
    data: Path, teachers: Path | None, options: "TrainOptions", as_json: bool
) -> None:
    """Train a network that makes poor portraits good, and swaps likelier."""
    from engine.data import find_training_sets
    from engine.perceptual import perceptual_distance, perceptual_features
    from engine.training.enhance import learn_to_enhance
    from engine.training.enhancing import ENHANCER

    if teachers is None:
        raise typer.BadParameter("name the folder of recognisers", param_hint="--teachers")
    sets = find_training_sets(data)
    lpips = perceptual_distance("squeeze", options.device)
    features = perceptual_features("squeeze", options.device)
    options = replace(options, log_steps=100)
    try:
        trainer = learn_to_enhance(ENHANCER, sets, teachers, options, lpips, features, say)
    except KeyboardInterrupt:
        say("stopped and saved; the same command goes on from here")
        return
    emit(describe(trainer), as_json, f"{options.folder / 'model'}: {trainer.progress.step} steps")


def train_landmarks(data: Path, options: "TrainOptions", as_json: bool) -> None:
    """Train the network that refines a detector's landmarks."""
    from engine.data import find_training_sets
    from engine.training.landmarks import LANDMARKS, learn_landmarks

    options = replace(options, log_steps=200)
    try:
        trainer = learn_landmarks(LANDMARKS, find_training_sets(data), options, say)
    except KeyboardInterrupt:
        say("stopped and saved; the same command goes on from here")
        return
    emit(describe(trainer), as_json, f"{options.folder / 'model'}: {trainer.progress.step} steps")


def draw_agents(recipe: str, data: Path, options: "TrainOptions", as_json: bool) -> None:
    """Draw identities that are nobody's."""
    from engine.data import find_training_sets
    from engine.training.gallery import GALLERIES, fit_gallery

    fitted = fit_gallery(GALLERIES[recipe], find_training_sets(data), options, say)
    emit(describe(fitted), as_json, f"{options.folder / 'model'}: {fitted.recipe.count} agents")


def average_faces(data: Path, folder: Path, seed: int, as_json: bool) -> None:
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


def describe(
    trainer: "Trainer | Pupil | LandmarkTrainer | SwapTrainer | EnhanceTrainer | Fitted",
) -> dict[str, Any]:
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
