"""``train``: train a released model again, or on; interrupt it when you like."""

import signal
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.terminal import named_errors, say


def train(
    recipe: Annotated[str, typer.Argument(help="proface-s-rand or proface-s-obfs")],
    data: Annotated[Path, typer.Option(help="folder with faces_train*.zip, or of pictures")],
    resume: Annotated[Path, typer.Option(help="folder of the run: made, or gone on with")],
    minutes: Annotated[float, typer.Option(help="length of the whole schedule")] = 60.0,
    start_from: Annotated[Path | None, typer.Option(help="model folder to start from")] = None,
    lpips: Annotated[float, typer.Option(help="weight of LPIPS between mask and protected")] = 0.0,
    crop: Annotated[int, typer.Option(help="side of the training crops, even")] = 64,
    batch: Annotated[int, typer.Option(help="faces in a batch")] = 6,
    device: Annotated[str, typer.Option(help="torch device; cuda where there is one")] = "",
    seed: Annotated[int, typer.Option(help="of the run")] = 0,
) -> None:
    """Train a model; weights, checkpoint and the log of every loss go to the run's folder."""
    from dataclasses import replace

    import torch

    from engine.data import find_training_sets
    from engine.training.loop import TrainOptions
    from engine.training.loop import train as run
    from engine.training.recipes import find_recipe

    # Stopped by a batch system or a closing session: save as after Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with named_errors():
        chosen = find_recipe(recipe)
        chosen = replace(
            chosen,
            batches=replace(chosen.batches, crop=crop, batch=batch),
            weights=replace(chosen.weights, protect_lpips=lpips),
        )
        device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        options = TrainOptions(resume, minutes, device=device, seed=seed, start_from=start_from)
        perceptual = None
        if lpips:
            from engine.metrics import perceptual_distance

            perceptual = perceptual_distance("squeeze", device)
        try:
            run(chosen, find_training_sets(data), options, perceptual, say)
        except KeyboardInterrupt:
            say("stopped and saved; the same command goes on from here")
