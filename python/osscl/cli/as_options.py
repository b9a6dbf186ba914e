"""What the library says of settings, as the console has them: ``batch_size`` is ``--batch-size`` there."""

import re
import sys
from typing import Any

_FIRST_WORD = re.compile(r"([a-z_]+)(?=(?:, [a-z_]+)* (?:is\b|are\b|has\b|have\b|'))")
_MARKED = re.compile(r"`([a-z_]+)`")
_NAMES = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


def named_as_options(message: str, program: Any) -> str:
    """Say what is wrong with a setting to somebody who gave it as an option.

    Parameters
    ----------
    message : str
        Of a `ConfigError`: it begins with the setting, or has it in backticks.
    program : typer.core.TyperCommand or TyperGroup
        What was called, with the arguments of this process.

    Returns
    -------
    str
        The same with the options of the command for its settings; of a file's settings, as they stand there.
    """
    options: dict[str, str] = {
        parameter.name: max(parameter.opts, key=len)
        for parameter in _called(program).params
        if parameter.opts[0].startswith("-")
    }

    def option(found: re.Match[str]) -> str:
        """The option for the last group of a match, or all of it; where there is none, what stood there."""
        return options.get(found[found.re.groups], found[0])

    message = _MARKED.sub(option, message)
    said = _FIRST_WORD.match(message)
    if said is None:
        return message
    return _NAMES.sub(option, option(said) + message[said.end() :])


def _called(program: Any) -> Any:
    """The command that the arguments of the process name."""
    command = program
    for word in sys.argv[1:]:
        below = getattr(command, "commands", {}).get(word)
        if below is None:
            break
        command = below.load() if hasattr(below, "load") else below
    return command
