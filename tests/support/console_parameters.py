"""What the console's commands take, read from their own definitions."""

import inspect
import types
import typing
from collections.abc import Iterator
from typing import Any

from osscl.cli.program import COMMANDS, command, osscl


def console() -> Any:
    """The program ``osscl`` with all its commands loaded."""
    program = osscl()
    program.commands = {name: command(name) for name in COMMANDS}
    return program


def commands() -> dict[str, Any]:
    """Each command by its name, such as ``engine list``, with the function behind it."""
    return {name: each.callback for name, each in _walk("", console())}


def parameters_of_type(kind: type) -> set[tuple[str, str]]:
    """Command and parameter, for all parameters that are of a type, or optional, or lists of it."""
    return {
        (name, parameter.name)
        for name, function in commands().items()
        for parameter in inspect.signature(function).parameters.values()
        if kind in _types_in(parameter.annotation)
    }


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for word, each in command.commands.items():
        yield from _walk(f"{name} {word}".strip(), each)


def _types_in(annotation: Any) -> set[Any]:
    if typing.get_origin(annotation) is typing.Annotated:
        return _types_in(typing.get_args(annotation)[0])
    if typing.get_origin(annotation) in (types.UnionType, typing.Union, list):
        return {kind for part in typing.get_args(annotation) for kind in _types_in(part)}
    return {annotation}
