"""The command line: ``python -m engine VERB``; one file for each verb or two."""

import typer

from engine.cli.attack import attack
from engine.cli.benchmark import benchmark
from engine.cli.inspect import faces, models
from engine.cli.masks import masks
from engine.cli.protect import protect
from engine.cli.recover import recover
from engine.cli.train import train
from engine.cli.verify import verify

app = typer.Typer(
    name="faceveil",
    help="Hide the faces of a photograph so that only a key brings them back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for verb in (protect, recover, faces, models, train, verify, masks, benchmark, attack):
    app.command()(verb)


def main() -> None:
    """Run the command line: exit code 0, 1 for a named error, 2 for wrong usage."""
    app(prog_name="python -m engine")
