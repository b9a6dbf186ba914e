"""The reference of all commands as Markdown, from the definitions that the console itself runs."""

import re
from collections.abc import Iterator
from typing import Any

from osscl.cli.program import COMMANDS, command, osscl, osscl_export


def console_reference() -> str:
    """Write down every command.

    Returns
    -------
    str
        Markdown: a heading of the second level for each command, with its help, usage, arguments, options and
        examples.
    """
    program = osscl()
    program.commands = {name: command(name) for name in COMMANDS}
    programs = ((program, "osscl"), (osscl_export(), "osscl-export"))
    return "\n".join(line for each, name in programs for line in _command(each, name, parent=None))


def _command(command: Any, name: str, parent: Any) -> Iterator[str]:
    """Lines on a command and on those below it."""
    settings = command.context_settings
    context = command.context_class(command, info_name=name.rpartition(" ")[2], parent=parent, **settings)
    yield from (f"## {name}", "", _as_text(command.help or command.callback.__doc__), "")
    yield from ("```", command.get_usage(context).removeprefix("Usage: "), "```", "")
    rows = [_row(parameter, context) for parameter in command.get_params(context) if not parameter.hidden]
    for title in ("argument", "option"):
        chosen = [cells for kind, cells in rows if kind == title]
        if chosen:
            yield from (f"| {title} | default | |", "|---|---|---|", *chosen, "")
    yield from _epilogue(command.epilog or "")
    for each in getattr(command, "commands", {}).values():
        if not each.hidden:
            yield from _command(each, f"{name} {each.name}", context)


def _row(parameter: Any, context: Any) -> tuple[str, str]:
    """Whether it is an argument or an option, and its line of a table."""
    names, text = parameter.get_help_record(context)
    # typer ends the help with "[default: auto; x>=0; required]"
    text, _, notes = text.removesuffix("]").rpartition("  [") if text.endswith("]") else (text, "", "")
    default, limits = "", []
    for note in filter(None, notes.split("; ")):
        if note == "required":
            default = "required"
        elif note.startswith("default: "):
            default = f"`{note.removeprefix('default: ')}`"
        else:
            limits.append(f"(`{note}`)")
    cells = (f"`{names}`", default, " ".join([_as_text(text), *limits]))
    kind = parameter.param_type_name
    return kind, "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _epilogue(epilogue: str) -> Iterator[str]:
    """Examples as code, sentences as text."""
    lines = [line.rstrip() for line in epilogue.replace("[bold]Examples[/bold]", "").splitlines()]
    examples = [line[2:] for line in lines if line.startswith("  ")]
    sentences = [line for line in lines if line and not line.startswith("  ")]
    if examples:
        yield from ("```sh", *examples, "```", "")
    if sentences:
        yield from (_as_text(" ".join(sentences)), "")


def _as_text(text: str) -> str:
    """Help as Markdown that shows the very same characters."""
    return re.sub(r"([\\`*_<>\[\]{}])", r"\\\1", " ".join(text.split()))
