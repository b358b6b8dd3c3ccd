"""``benchmark``: measure methods and masks on a folder or zip of faces."""

import sys
from pathlib import Path
from typing import Annotated, cast

import typer
from tqdm import tqdm

from engine.cli.terminal import named_errors


def benchmark(
    data: Annotated[Path, typer.Option(help="folder of faces, or zip with a csv beside it")],
    methods: Annotated[str, typer.Option(help="names, separated by commas")] = "sealed",
    masks: Annotated[
        str, typer.Option(help="names, separated by commas")
    ] = "gaussian,pixelate,median,sticker",
    metrics: Annotated[str, typer.Option(help="names, separated by commas")] = "psnr_db,ssim",
    preset: Annotated[str, typer.Option(help="mask strength: paper, or scaled")] = "paper",
    limit: Annotated[int | None, typer.Option(help="faces of each set; all without")] = None,
    seed: Annotated[int, typer.Option(help="of the choice of faces")] = 0,
    photographs: Annotated[
        bool, typer.Option("--photographs", help="detect faces; else each picture is one")
    ] = False,
    db: Annotated[Path, typer.Option(help="results database, made or added to")] = Path(
        "results.db"
    ),
    threads: Annotated[int | None, typer.Option(help="torch threads")] = None,
) -> None:
    """Measure from the PNG on disk; interrupted, the same command goes on from there."""
    if preset not in ("paper", "scaled"):
        raise typer.BadParameter("expected paper or scaled", param_hint="--preset")
    import torch

    from engine.benchmark import BenchmarkConfig, table
    from engine.benchmark import benchmark as run
    from engine.data import FaceSet
    from engine.pipeline import Preset
    from engine.results import Results

    if threads:
        torch.set_num_threads(threads)
    names = metrics.split(",")
    with named_errors():
        config = BenchmarkConfig(
            tuple(methods.split(",")),
            tuple(masks.split(",")),
            tuple(names),
            cast(Preset, preset),
            limit,
            seed,
            photographs,
        )
        results = Results(db)
        with tqdm(unit="face", disable=not sys.stderr.isatty()) as bar:

            def report(done: int, total: int, what: str) -> None:
                bar.total = total
                bar.set_description(what, refresh=False)
                bar.update(done - bar.n)

            run_id = run(FaceSet(data), config, results, " ".join(sys.argv), report)
        means = results.mean_scores(run_id)
        results.close()
    for name in [*names, "clipped"]:
        typer.echo(table(means, name) + "\n")
