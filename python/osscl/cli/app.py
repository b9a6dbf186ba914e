"""All commands in one program, and the one place where it ends: with which code, and what is said."""

import logging
import os
import sys
from importlib.metadata import version
from typing import Annotated, Any

import typer

from osscl.cli import (
    bench,
    demo,
    doctor,
    engine,
    evaluate,
    export,
    inspect,
    score,
    signals,
    streams,
    synth,
    train,
)
from osscl.cli.console import EXIT_FAILED, EXIT_WRONG_USAGE, WarningsToStderr, complain, emit, say
from osscl.errors import OssclError
from osscl.support.paths import printable

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
# what it stands on; typer has no name for it that all its versions know
_WRONG_USAGE: Any = typer.BadParameter.__mro__[1]

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
        emit(f"osscl {version('osscl')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Score machine sound for anomalies with OS-SCL models."""


def run(program: typer.Typer, name: str) -> None:
    """Run a program with the arguments of the process, and end the process.

    Parameters
    ----------
    program : typer.Typer
        The program.
    name : str
        What its user calls it.
    """
    streams.take_over()
    logging.getLogger("osscl").addHandler(WarningsToStderr())
    if f"_{name.upper().replace('-', '_')}_COMPLETE" in os.environ:  # the shell asks, typer answers
        program(prog_name=name)
    signals.raise_interrupts()
    try:
        code = _invoke(program, name)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _interrupted()
    except OssclError as error:
        if isinstance(error, ImportError) and signals.is_asked():  # Ctrl-C while a package was loading
            code = _interrupted()
        else:
            complain(str(error))
            code = EXIT_FAILED
    except OSError as error:
        named = isinstance(error.filename, str | bytes | os.PathLike)
        place = f"{printable(os.fsdecode(error.filename))}: " if named else ""
        complain(f"{place}{error.strerror or error}")
        code = EXIT_FAILED
    except Exception:
        if not signals.is_asked():
            raise
        code = _interrupted()
    signals.end_silently()
    sys.exit(code)


def _invoke(program: typer.Typer, name: str) -> int:
    """Run a command; wrong usage is one sentence, as all that goes wrong."""
    command = typer.main.get_command(program)
    try:
        with command.make_context(name, sys.argv[1:]) as context:
            command.invoke(context)
    except typer.Exit as ended:
        return ended.exit_code
    except _WRONG_USAGE as error:
        message = error.format_message().removeprefix("Invalid value: ")
        if message:  # else it was called without arguments, and its help is shown
            called = name if error.ctx is None else error.ctx.command_path
            complain(f"{message.rstrip('.')} ({called} --help tells how it is used)")
        return EXIT_WRONG_USAGE
    return 0


def _interrupted() -> int:
    say("interrupted")
    return signals.exit_code()
