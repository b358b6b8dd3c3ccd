"""``benchmark``: measure methods and masks on a set of faces, and print what papers print."""

import contextlib
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from engine.cli.attack import attack_and_tell, leave_unfit
from engine.cli.mask_choice import DiffusionModel
from engine.cli.terminal import face_bar, fail, find_device, named_errors, names, say

if TYPE_CHECKING:
    from engine.attacks.attack import AttackConfig
    from engine.benchmark import BenchmarkConfig, BenchmarkOptions

_Methods = Annotated[
    str, typer.Option(help="names, or NAME=FOLDER of a trained model, separated by commas")
]
_Attacks = Annotated[
    str, typer.Option(help="afterwards on the same faces: names of the verb attack, by commas")
]
_Training = Annotated[Path | None, typer.Option(help="folder with faces, for attacks that learn")]
_Photographs = Annotated[
    bool, typer.Option("--photographs", help="detect faces; else each picture is one")
]
_Resume = Annotated[bool, typer.Option("--resume", help="go on even if the code has changed since")]
_Snapshot = Annotated[
    Path | None, typer.Option(help="write a compact copy of the finished runs, to be released")
]
_Trainings = Annotated[
    str, typer.Option(help="databases of trainings to copy into this one, separated by commas")
]
_Table = Annotated[
    str, typer.Option(help="print a paper's table from the database: 1 to 5, or its name")
]


def benchmark(
    data: Annotated[
        Path | None, typer.Option(help="folder of faces, or zip with a csv beside it")
    ] = None,
    methods: _Methods = "sealed",
    masks: Annotated[
        str, typer.Option(help="names, separated by commas")
    ] = "gaussian,pixelate,median,sticker",
    diffusion_model: DiffusionModel = "",
    metrics: Annotated[
        str, typer.Option(help="names, separated by commas; all for those that can be had here")
    ] = "psnr_db,ssim",
    parts: Annotated[
        str, typer.Option(help="besides: keys, spoof, sweep, byproducts, cost, or all")
    ] = "",
    attacks: _Attacks = "",
    training: _Training = None,
    protocol: Annotated[
        str, typer.Option(help="png: the file read back; paper: floats, as papers do")
    ] = "png",
    preset: Annotated[str, typer.Option(help="mask strength: paper, or scaled")] = "paper",
    limit: Annotated[int | None, typer.Option(min=1, help="faces of each set; all without")] = None,
    seed: Annotated[int, typer.Option(help="of the choice of faces, keys and masks")] = 0,
    photographs: _Photographs = False,
    db: Annotated[Path, typer.Option(help="results database, made or added to")] = Path(
        "results.db"
    ),
    batch: Annotated[int, typer.Option(min=1, help="faces taken and stored together")] = 16,
    jobs: Annotated[int, typer.Option(min=1, help="processes")] = 1,
    threads: Annotated[int | None, typer.Option(min=1, help="torch threads of each")] = None,
    device: Annotated[str, typer.Option(help="torch device; cuda where there is one")] = "",
    resume: _Resume = False,
    thumbnails: Annotated[int, typer.Option(min=0, help="faces kept as pictures")] = 0,
    licence: Annotated[str, typer.Option(help="why those faces may be shown")] = "",
    snapshot: _Snapshot = None,
    trainings: _Trainings = "",
    table: _Table = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="table in Markdown")] = False,
    latex: Annotated[bool, typer.Option("--latex", help="table in LaTeX")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="table as csv")] = False,
) -> None:
    """Measure from the PNG on disk; interrupted, the same command goes on from there."""
    other, styles = table or trainings or snapshot, (markdown, latex, csv)
    _check(data, other, protocol, preset, styles, thumbnails, licence)
    with named_errors():
        if table:
            _print_table(db, table, protocol, "latex" if latex else "csv" if csv else "markdown")
        if trainings:
            _add_trainings(db, trainings)
        if snapshot:
            _write_snapshot(db, snapshot)
        if data is None:
            return
        config = _config(methods, masks, metrics, parts, protocol, preset, limit, seed, photographs)
        config = dataclasses.replace(config, model=diffusion_model)
        options = _options(device, threads, batch, jobs, resume, thumbnails, licence)
        lab = _attacks(attacks, training, config, options)
        _run(data, db, config, options)
        for name, asked in lab:
            attack_and_tell(name, data, db, asked)


def _attacks(
    chosen: str, training: Path | None, config: "BenchmarkConfig", options: "BenchmarkOptions"
) -> "list[tuple[str, AttackConfig]]":
    """The attacks and their settings; refuses what cannot be made before hours of measuring."""
    from engine.attacks import find_attack
    from engine.attacks.attack import AttackConfig

    lab = AttackConfig(
        config.methods, config.masks, config.preset, config.limit, config.seed,
        training=training, device=options.device,
    )  # fmt: skip
    found = []
    for name in names(chosen):
        attack = find_attack(name)
        found.append((name, leave_unfit(attack, lab)))
        attack.check(found[-1][1])
    return found


def _config(
    methods: str,
    masks: str,
    metrics: str,
    parts: str,
    protocol: str,
    preset: str,
    limit: int | None,
    seed: int,
    photographs: bool,
) -> "BenchmarkConfig":
    from engine.benchmark import PARTS, BenchmarkConfig
    from engine.pipeline import Preset

    return BenchmarkConfig(
        methods=names(methods),
        masks=names(masks),
        metrics=_metrics(metrics),
        preset=cast(Preset, preset),
        limit=limit,
        seed=seed,
        photographs=photographs,
        parts=PARTS if parts == "all" else names(parts),
        protocol="paper" if protocol == "paper" else "png",
    )


def _options(
    device: str,
    threads: int | None,
    batch: int,
    jobs: int,
    resume: bool,
    thumbnails: int,
    licence: str,
) -> "BenchmarkOptions":
    import torch

    from engine.benchmark import BenchmarkOptions
    from engine.provenance import command_line

    torch.set_num_threads(threads or max(1, torch.get_num_threads() // jobs))
    return BenchmarkOptions(
        command=command_line(sys.argv[1:]),
        device=find_device(device),
        batch=batch,
        jobs=jobs,
        resume=resume,
        thumbnails=thumbnails,
        licence=licence,
    )


def _run(data: Path, db: Path, config: "BenchmarkConfig", options: "BenchmarkOptions") -> None:
    from engine.benchmark import benchmark as run
    from engine.layouts import open_faces
    from engine.metrics import label
    from engine.results import Results
    from engine.tables import table

    faces = open_faces(data)
    config.check()  # what cannot be measured leaves no database behind
    results = Results(db)
    with contextlib.closing(results), face_bar() as report:
        try:
            run_id = run(faces, config, results, options, report)
        except KeyboardInterrupt:
            raise fail("stopped", "the same command goes on from here") from None
        means = results.mean_scores(run_id)
    for name in [*map(label, config.metrics), "clipped"]:
        typer.echo(table(means, name) + "\n")
    for mean in means:
        if mean.metric == "mask_noted":
            where = f"{mean.images} of {mean.source or 'the set'} under {mean.method}"
            say(f"{mean.mask}: could not be laid, blurred instead: {where}")


def _check(
    data: Path | None,
    other: str | Path | None,
    protocol: str,
    preset: str,
    styles: tuple[bool, ...],
    thumbnails: int,
    licence: str,
) -> None:
    wrong = {
        "--data": "expected a folder or zip, or --table" if data is None and not other else "",
        "--protocol": "" if protocol in ("png", "paper") else "expected png or paper",
        "--preset": "" if preset in ("paper", "scaled") else "expected paper or scaled",
        "--table": "one of --markdown, --latex and --csv" if sum(styles) > 1 else "",
        "--licence": "say why the faces may be shown" if thumbnails and not licence else "",
    }
    for option, message in wrong.items():
        if message:
            raise typer.BadParameter(message, param_hint=option)


def _metrics(text: str) -> tuple[str, ...]:
    """The metrics asked for; of ``all``, those that can be had, and why the others cannot."""
    if text != "all":
        return names(text)
    from engine.metrics import METRICS, available

    reasons = {name: available(name) for name in METRICS}
    for name, reason in reasons.items():
        if reason is not None:
            say(f"left out: {name}, {reason}")
    return tuple(name for name, reason in reasons.items() if reason is None)


def _add_trainings(db: Path, names: str) -> None:
    from engine.results import Results

    with contextlib.closing(Results(db)) as results:
        for name in names.split(","):
            count = results.add_trainings(name)
            say(f"{name}: copied {count} training{'s' * (count != 1)}")


def _write_snapshot(db: Path, target: Path) -> None:
    from engine.results import Results, ResultsError

    if not db.is_file():
        raise ResultsError(f"no results database is at {db.name}", hint="name it with --db")
    with contextlib.closing(Results(db)) as results:
        results.snapshot(target)
    say(f"wrote {target.name}, {target.stat().st_size / 1e6:.1f} MB")


def _print_table(db: Path, number: str, protocol: str, style: str) -> None:
    from engine.results import Reader
    from engine.tables import Style, paper_table, table_name

    with Reader(db) as reader:
        cells = reader.paper_table(table_name(number), protocol)
    typer.echo(paper_table(cells, cast(Style, style)))
