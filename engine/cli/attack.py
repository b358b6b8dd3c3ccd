"""``attack``: what someone without the key gets from protected faces, by one attack of the lab."""

import contextlib
import dataclasses
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.table import Table

from engine.cli.terminal import (
    end_as_by_ctrl_c,
    face_bar,
    fail,
    find_device,
    named_errors,
    names,
    say,
)
from engine.errors import MethodError

if TYPE_CHECKING:
    from engine.attacks.attack import Attack, AttackConfig
    from engine.results import Cost, MeanScore

_METHODS = "sealed,proface-k,proface-s-rand,proface-s-obfs"
_MASKS = "gaussian,pixelate,median,sticker"


def attack(
    name: Annotated[str, typer.Argument(help="which attack; without one, what there is")] = "",
    data: Annotated[
        Path | None, typer.Option(help="folder of faces, or zip with a csv beside it")
    ] = None,
    methods: Annotated[
        str, typer.Option(help=f"names, separated by commas; what suits of {_METHODS} without")
    ] = "",
    masks: Annotated[str, typer.Option(help="names, separated by commas")] = _MASKS,
    preset: Annotated[str, typer.Option(help="mask strength: paper, or scaled")] = "paper",
    limit: Annotated[int, typer.Option(min=1, help="faces of each set")] = 2,
    seed: Annotated[int, typer.Option(help="of the choice of faces and of the passphrases")] = 0,
    tries: Annotated[
        int | None, typer.Option(min=1, help="keys, edits or steps; the attack's own without")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="of training, for an attack that trains; 2 without")
    ] = None,
    training: Annotated[
        Path | None, typer.Option(help="folder with faces to train the attacker on")
    ] = None,
    variant: Annotated[
        str, typer.Option(help="changes of the attack, joined by +, such as large+stacked")
    ] = "",
    keep: Annotated[
        Path | None, typer.Option(help="folder for what is trained, to go on from")
    ] = None,
    db: Annotated[Path, typer.Option(help="results database, made or added to")] = Path(
        "results.db"
    ),
    device: Annotated[str, typer.Option(help="torch device; cuda where there is one")] = "",
    listed: Annotated[bool, typer.Option("--list", help="list the attacks and end")] = False,
) -> None:
    """Attack protected faces without their key, and store what it gives."""
    if preset not in ("paper", "scaled"):
        raise typer.BadParameter("expected paper or scaled", param_hint="--preset")
    with named_errors():
        if listed or not name:
            _print_attacks(_config(_METHODS, masks, preset, limit, seed, tries, minutes, None, ""))
            return
        from engine.attacks import find_attack

        given = {"minutes": minutes, "training": training, "keep": keep}
        chosen = find_attack(name)
        _refuse_idle(chosen, [one for one, value in given.items() if value is not None])
        if data is None:
            raise typer.BadParameter("expected a folder or zip of faces", param_hint="--data")
        told = methods or _METHODS
        config = _config(told, masks, preset, limit, seed, tries, minutes, training, device)
        config = dataclasses.replace(config, variant=variant, keep=keep)
        attack_and_tell(name, data, db, config if methods else leave_unfit(chosen, config))


def _refuse_idle(attack: "Attack", given: Sequence[str]) -> None:
    """Refuse options that an attack does not read: who gave one takes the figures for its work.

    Raises:
        MethodError: one of them was given.
    """
    for option in given:
        if option not in attack.options:
            taken = ", ".join(f"--{one}" for one in attack.options) or "none of these"
            raise MethodError(
                f"--{option} changes nothing in {attack.name}",
                hint=f"leave it out; of what training asks for, {attack.name} takes {taken}",
            )


def _config(
    methods: str,
    masks: str,
    preset: str,
    limit: int,
    seed: int,
    tries: int | None,
    minutes: float | None,
    training: Path | None,
    device: str,
) -> "AttackConfig":

    from engine.attacks.attack import AttackConfig
    from engine.pipeline import Preset

    return AttackConfig(
        methods=names(methods),
        masks=names(masks),
        preset=cast(Preset, preset),
        limit=limit,
        seed=seed,
        tries=tries,
        minutes=AttackConfig.minutes if minutes is None else minutes,
        training=training,
        device=find_device(device),
    )


def leave_unfit(attack: "Attack", config: "AttackConfig") -> "AttackConfig":
    """Leave out methods that nobody named for an attack and that it cannot be made on; says which.

    Args:
        attack: to be made.
        config: of methods that are a default, or were named for something else.

    Returns:
        The same for what is left; all of it where nothing would be, for the attack to refuse.
    """
    fit, unfit = attack.part(config.methods)
    if not fit or not unfit:
        return config
    say(f"left out, because {attack.name} needs {attack.needs}: {', '.join(unfit)}")
    return dataclasses.replace(config, methods=tuple(fit))


def _print_attacks(config: "AttackConfig") -> None:
    """Each attack's name, what the attacker has and wants, and what it spends by default."""
    from engine.attacks import ATTACKS

    table = Table("attack", "the attacker has", "and wants", "budget", show_lines=True)
    for one in ATTACKS.values():
        variants = f"\nvariants: {', '.join(one.variants)}" if one.variants else ""
        table.add_row(one.name, one.knowledge, one.goal, f"{one.budget(config)}{variants}")
    Console().print(table)


def attack_and_tell(name: str, data: Path, db: Path, config: "AttackConfig") -> None:
    """Run an attack, store what it gives, and print it.

    Raises:
        EngineError: as :func:`engine.attacks.run_attack`.
    """
    from engine.attacks import ATTACKS, run_attack
    from engine.layouts import open_faces
    from engine.provenance import command_line
    from engine.results import Reader, Results

    end_as_by_ctrl_c()
    chosen = ATTACKS[name]
    chosen.check(config)
    say(f"{chosen.title}: the attacker has {chosen.knowledge}, and wants {chosen.goal}")
    say(f"budget: {chosen.budget(config)}")
    faces = open_faces(data)  # what cannot be opened leaves no database behind
    with contextlib.closing(Results(db)) as results, face_bar() as report:
        try:
            command = command_line(sys.argv[1:])
            run_id = run_attack(name, faces, config, results, command, report)
        except KeyboardInterrupt:
            raise fail("stopped", f"what came before is kept in {db.name}") from None
        means = results.mean_scores(run_id)
    with Reader(db) as reader:
        costs = [cost for _, cost in reader.costs([run_id])]
    _print_means(means)
    if costs:
        _print_costs(costs)


def _print_means(means: "Sequence[MeanScore]") -> None:
    """Means over all sets, a column for each mask; least and greatest behind them.

    An average hides the one face that fell.
    """
    masks = list(dict.fromkeys(one.mask for one in means))
    cells: dict[tuple[str, str, str], dict[str, list[MeanScore]]] = {}
    for one in means:
        row = cells.setdefault((one.method, one.pair, one.metric), {})
        row.setdefault(one.mask, []).append(one)
    lines = [
        [f"{method} {pair}", metric, *(_cell(row.get(mask, [])) for mask in masks)]
        for (method, pair, metric), row in sorted(cells.items(), key=lambda item: item[0][0])
    ]
    _echo(["method and pair", "metric", *masks], lines)


def _cell(group: "Sequence[MeanScore]") -> str:
    if not group:
        return "missing"
    finite = sum(one.images - one.exact for one in group)
    total = math.fsum((one.mean or 0.0) * (one.images - one.exact) for one in group)
    least, greatest = min(one.least for one in group), max(one.greatest for one in group)
    mean = _figure(total / finite if finite else math.inf)
    return mean if least == greatest else f"{mean} ({_figure(least)} to {_figure(greatest)})"


def _print_costs(costs: "Sequence[Cost]") -> None:
    lines = [[c.method, c.mask, c.name, _figure(c.median), c.unit] for c in costs]
    _echo(["method", "mask", "cost", "median", "unit"], lines)


def _figure(value: float) -> str:
    return "exact" if math.isinf(value) else f"{value:.4g}"


def _echo(head: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """A table in Markdown, as ``benchmark`` prints them."""
    for line in (head, ["---"] * len(head), *lines):
        typer.echo(f"| {' | '.join(line)} |")
    typer.echo("")
