"""What the console takes: each command with its arguments and options, but for what helps say."""

import inspect
import signal
from collections.abc import Iterator
from typing import Any

from osscl.cli import messages
from osscl.cli.program import osscl_export
from snapshots.spelling import spelled_type, spelled_value
from support.console_parameters import console

_TYPERS_OWN = ("install_completion", "show_completion")


def console_options() -> list[str]:
    """Spell every command, a fact a line: its arguments in their order, then its options by name."""
    programs = {"osscl": console(), "osscl-export": osscl_export()}
    return [line for name, program in programs.items() for line in command_facts(name, program)]


def command_facts(name: str, command: Any) -> Iterator[str]:
    """Lines on a command and on those below it."""
    yield f"{name}{' (hidden)' if command.hidden else ''}"
    declared = inspect.signature(command.callback).parameters if command.callback else {}
    kinds: dict[str, list[Any]] = {"argument": [], "option": []}
    for each in command.params:
        if each.name in _TYPERS_OWN:
            continue
        kinds[each.param_type_name].append(each)
    kinds["option"].sort(key=lambda each: each.opts[0])
    for each in (*kinds["argument"], *kinds["option"]):
        yield f"{name} {_spelled(each, declared.get(each.name))}"
    for word, below in sorted(getattr(command, "commands", {}).items()):
        yield from command_facts(f"{name} {word}", below)


def _spelled(parameter: Any, declared: inspect.Parameter | None) -> str:
    """Names, type, limits and default; the type as the code declares it, for each typer has its own."""
    is_argument = parameter.param_type_name == "argument"
    names = [parameter.metavar or parameter.name]
    if not is_argument:
        names = [*parameter.opts, *parameter.secondary_opts]
    facts = [] if declared is None else list(_type_and_limits(declared.annotation))
    facts += ["required"] if parameter.required else [f"default {spelled_value(parameter.default)}"]
    facts += [f"written {parameter.metavar}"] if parameter.metavar and not is_argument else []
    facts += [f"variable {parameter.envvar}"] if parameter.envvar else []
    facts += ["hidden"] if parameter.hidden else []
    return f"{' '.join(names)}: {', '.join(facts)}"


def _type_and_limits(annotation: Any) -> Iterator[str]:
    yield spelled_type(annotation)
    for told in getattr(annotation, "__metadata__", ()):
        for limit in ("min", "max"):
            if getattr(told, limit, None) is not None:
                yield f"{limit} {getattr(told, limit)}"


def exit_codes() -> list[str]:
    """Spell what a program says by its exit code, as the code names it."""
    found = {name: value for name, value in vars(messages).items() if name.startswith("EXIT_")}
    asked = {f"signal {number.name}": 128 + number for number in (signal.SIGINT, signal.SIGTERM)}
    return [f"{code} {name}" for name, code in sorted((found | asked).items(), key=lambda each: each[1])]
