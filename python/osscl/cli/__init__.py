"""The console: ``osscl COMMAND`` and ``osscl-export``, one short module a command."""

import logging
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from osscl.cli import bench, demo, doctor, engine, evaluate, export, inspect, score, synth, train
from osscl.cli.console import EXIT_FAILED, WarningsToStderr, complain
from osscl.errors import OssclError
from osscl.support.ending import interrupt_by_default

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

app = typer.Typer(
    help="Scores machine sound for anomalies with OS-SCL models.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings=SETTINGS,
)
app.command("demo", epilog=demo.EXAMPLES)(demo.demo)
app.command("score", epilog=score.EXAMPLES)(score.score)
app.command("evaluate", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("bench", epilog=bench.EXAMPLES)(bench.bench)
app.command("train", epilog=train.EXAMPLES)(train.train)
app.command("export", epilog=export.EXAMPLES)(export.export)
app.command("inspect", epilog=inspect.EXAMPLES)(inspect.inspect)
app.add_typer(engine.app, name="engine")
app.command("synth", epilog=synth.EXAMPLES)(synth.synth)
app.command("doctor", epilog=doctor.EXAMPLES)(doctor.doctor)

export_app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich", context_settings=SETTINGS
)
export_app.command(epilog=export.EXAMPLES.replace("osscl export", "osscl-export"))(export.export)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"osscl {version('osscl')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Score machine sound for anomalies with OS-SCL models."""


def main() -> None:
    """Run ``osscl`` with the arguments of the process."""
    _run(app, "osscl")


def export_main() -> None:
    """Run ``osscl-export`` with the arguments of the process."""
    _run(export_app, "osscl-export")


def _run(program: typer.Typer, name: str) -> None:
    """Exit with 1 and one sentence for every error that the library raises on purpose."""
    logging.getLogger("osscl").addHandler(WarningsToStderr())
    try:
        program(prog_name=name)
    except OssclError as error:
        complain(str(error))
        sys.exit(EXIT_FAILED)
    finally:
        interrupt_by_default()  # all is kept and said; what threads still compute, nobody waits for
