"""The programs ``osscl`` and ``osscl-export``: which commands there are; each is loaded when it is run.

A command is a module of its name in this folder, with a function of its name, whose docstring is its help,
and ``EXAMPLES``; where it has commands of its own, with their ``app``.
"""

import ast
import functools
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer
import typer.core
import typer.main

from osscl.cli.everywhere import LOG_FILE, QUIET
from osscl.cli.help_pages import format_help
from osscl.cli.messages import emit
from osscl.cli.places import refuse_swapped, refuse_urls
from osscl.support.installed import version_of

COMMANDS = (
    "demo",
    "commission",
    "enroll",
    "calibrate",
    "sensitivity",
    "score",
    "watch",
    "journal",
    "decide",
    "explain",
    "monitor",
    "report",
    "evaluate",
    "compare",
    "embed",
    "serve",
    "triton",
    "bench",
    "train",
    "export",
    "inspect",
    "engine",
    "data",
    "synth",
    "doctor",
)
"""All commands, in the order in which they are listed."""

_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def command(name: str, program: str = "osscl") -> Any:
    """Load a command with everything that it needs.

    Parameters
    ----------
    name : str
        One of `COMMANDS`.
    program : str
        What stands before it in its examples.

    Returns
    -------
    typer.core.TyperCommand or TyperGroup
        The command.
    """
    module = import_module(_module_name(name))
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False, rich_markup_mode="rich", context_settings=_SETTINGS)
        app.command(name, epilog=_examples(module.EXAMPLES, name, program))(getattr(module, name))
    made = typer.main.get_command(app)
    _declare_everywhere(made)
    return made


def _declare_everywhere(made: Any) -> None:
    """Show a command, and all below it, with the options that are heeded before any is called."""
    for below in getattr(made, "commands", {}).values():
        _declare_everywhere(below)
    app = typer.Typer(add_completion=False)
    app.command()(_everywhere)
    options = typer.main.get_command(app).params
    for option in options:
        option.expose_value = False  # functions of commands do not take them
    made.params += options
    made.format_help = functools.partial(format_help, made)


class OnDemand(typer.core.TyperCommand):
    """Stands for a command of its name until that is run."""

    def load(self) -> Any:
        """Load the command itself."""
        assert self.name is not None
        return command(self.name)

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Begin to run the command: what goes on is the command's own."""
        words = list(args)  # parsing uses them up
        context = self.load().make_context(info_name, args, parent, **extra)
        refuse_urls(context, words)
        refuse_swapped(context)
        return context


class _Program(typer.core.TyperGroup):
    """The commands, with their helps as soon as somebody wants to show them."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Name the commands, for a list of them or for a shell's completion."""
        for each in self.commands.values():
            if isinstance(each, OnDemand):
                each.help = _help_of(each.name or "")
        return super().list_commands(ctx)


def osscl() -> Any:
    """Make the program ``osscl``.

    Returns
    -------
    typer.core.TyperGroup
        All commands, none of them loaded.
    """
    app = typer.Typer(
        cls=_Program,
        help="Scores machine sound for anomalies with OS-SCL models.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings=_SETTINGS,
    )
    app.callback()(_root)
    for name in COMMANDS:
        app.command(name, cls=OnDemand)(_never_called)
    made = typer.main.get_command(app)
    _declare_everywhere(made)
    return made


def osscl_export() -> Any:
    """Make the program ``osscl-export``, which is one command.

    Returns
    -------
    typer.core.TyperCommand
        The command.
    """
    return command("export", "osscl-export")


PROGRAMS: dict[str, Callable[[], Any]] = {"osscl": osscl, "osscl-export": osscl_export}
"""What makes each program."""


def _print_version(wanted: bool) -> None:
    if wanted:
        emit(f"osscl {version_of('osscl')}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Score machine sound for anomalies with OS-SCL models."""


def _everywhere(
    quiet: Annotated[
        bool,
        typer.Option(QUIET, help="Say nothing on stderr but errors and interruptions, and show no progress."),
    ] = False,
    log_file: Annotated[
        Path | None,
        typer.Option(
            LOG_FILE,
            help="File that all that is said and logged is added to, with the time and in more detail.",
            metavar="FILE",
            readable=False,
        ),
    ] = None,
) -> None:
    """Options of all commands."""


def _never_called() -> None:
    """The command that this stands for is called in its place."""


def _module_name(name: str) -> str:
    return f"osscl.cli.{name}"


def _examples(text: str, name: str, program: str) -> str:
    return text if program == "osscl" else text.replace(f"osscl {name}", program)


def _help_of(name: str) -> str:
    """Docstring of a command's function, read without loading what the command needs."""
    spec = find_spec(_module_name(name))
    assert spec is not None
    assert spec.origin is not None
    with open(spec.origin, "rb") as source:  # noqa: PTH123
        module = ast.parse(source.read())
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    return ast.get_docstring(functions[name]) or ""
