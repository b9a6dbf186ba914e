"""The one place where a program begins and ends: with which code, and what is said."""

import os
import sys
from typing import Any

from osscl.cli import signals, streams
from osscl.cli.as_options import named_as_options
from osscl.cli.everywhere import heed
from osscl.cli.messages import (
    EXIT_FAILED,
    EXIT_WRONG_USAGE,
    complain,
    log_failure,
    say_interrupted,
    warn_on_stderr,
)
from osscl.errors import ConfigError, OssclError
from osscl.storage.urls import hidden
from osscl.support.failed_import import failed_import
from osscl.support.paths import brief, printable


def run(name: str) -> None:
    """Run a program with the arguments of the process, and end the process.

    Parameters
    ----------
    name : str
        What its user calls it, one of `osscl.cli.program.PROGRAMS`.
    """
    streams.take_over()
    warn_on_stderr()
    try:
        code = _run(name)
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _interrupted()
    except OssclError as error:
        if isinstance(error, ImportError) and signals.is_asked():  # Ctrl-C while a package was loading
            code = _interrupted()
        else:
            complain(_in_place(str(error)))
            code = EXIT_FAILED
    except Exception as error:  # noqa: BLE001 - what is not told is raised again
        code = _failed(error)
    signals.end_silently()
    sys.exit(code)


def _run(name: str) -> int:
    is_completed = any(each.startswith("_OSSCL") and each.endswith("_COMPLETE") for each in os.environ)
    if not is_completed:
        heed()
    from osscl.cli.program import PROGRAMS

    program = PROGRAMS[name]()
    if is_completed:  # the shell asks, typer answers
        program(prog_name=name)
    signals.raise_interrupts()
    return _invoke(program, name)


def _invoke(program: Any, name: str) -> int:
    """Run a command; wrong usage is one sentence, as all that goes wrong."""
    import typer

    # what it stands on; typer has no name for it that all its versions know
    wrong_usage: Any = typer.BadParameter.__mro__[1]
    try:
        with program.make_context(name, sys.argv[1:]) as context:
            program.invoke(context)
    except typer.Exit as ended:
        return ended.exit_code
    except wrong_usage as error:
        message = error.format_message().removeprefix("Invalid value: ")
        if message:  # else it was called without arguments, and its help is shown
            called = name if error.ctx is None else error.ctx.command_path
            told = f"{message.rstrip('.')}{_value(message, getattr(error, 'param', None))}"
            complain(_in_place(f"{told} ({called} --help tells how it is used)"))
        return EXIT_WRONG_USAGE
    except ConfigError as error:
        complain(_in_place(named_as_options(str(error), program)))
        return EXIT_WRONG_USAGE
    return 0


def _value(message: str, option: Any) -> str:
    """What an option was given, as the end of a message that does not say it."""
    names = [] if option is None else option.opts
    for number, argument in enumerate(sys.argv[1:], 1):
        name, equals, value = argument.partition("=")
        if name in names and (equals or number + 1 < len(sys.argv)):
            given = brief(hidden(value if equals else sys.argv[number + 1]))
            return "" if given in message else f": it is '{given}'"
    return ""


def _in_place(message: str) -> str:
    """A message, which speaks of names that count from the working folder, where that is gone."""
    try:
        os.getcwd()  # noqa: PTH109 - Path does the same
    except OSError as error:
        return f"{message}; the working folder is gone ({error.strerror}): go into one that is there by cd"
    return message


def _failed(error: Exception) -> int:
    """Say in one sentence what the system or the installation lacks; all else stays an error."""
    if signals.is_asked():
        return _interrupted()
    broken = failed_import(error)
    if broken is not None:
        complain(str(broken))
    elif isinstance(error, OSError):
        named = isinstance(error.filename, str | bytes | os.PathLike)
        place = f"{printable(os.fsdecode(error.filename))}: " if named else ""
        complain(_in_place(f"{place}{error.strerror or error}"))
    else:
        log_failure(error)
        raise error
    return EXIT_FAILED


def _interrupted() -> int:
    say_interrupted("interrupted")
    return signals.exit_code()
