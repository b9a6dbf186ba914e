"""Sentences that name a setting twice, as Python has it and as the console has it: for a reader of one alone.

The library says ``pad='repeat' or 'zero' (--pad repeat|zero)``, whoever asks. Where it is known who does, the
other spelling goes.
"""

import re

WITH_VALUE = re.compile(r"(\b[a-z_]+=[^\s(]+(?: or [^\s(]+)*) \((--[^)]+)\)")
"""Words of Python with those of the console behind them: ``machine=... (--machine NAME)``."""
NAME_ALONE = re.compile(r"\b([a-z_]+(?: and [a-z_]+)?) \((--[a-z-]+(?: and --[a-z-]+)?)\)")
"""The same without a value: ``machine and labels (--machine and --labels)``."""
_SETTING = re.compile(r"\b([a-z_]+)=((?:'[a-z]+'|True|False)(?: or '[a-z]+')*)")


def is_one_name(setting: str, option: str) -> bool:
    """Whether an option is called like a setting."""
    return option.replace("--", "").replace("-", "_") == setting


def in_options(message: str) -> str:
    """Say a sentence to a user of the console alone: all that goes to stderr.

    Parameters
    ----------
    message : str
        What the library says to its callers.

    Returns
    -------
    str
        The same; where it names a setting in both ways, as the option alone.
    """
    return NAME_ALONE.sub(_option_alone, WITH_VALUE.sub(r"\2", message))


def _option_alone(found: re.Match[str]) -> str:
    """The option of a setting, where both are of one name."""
    setting, option = found.groups()
    return option if is_one_name(setting, option) else found[0]


def in_python(message: str | None) -> str | None:
    """Say a sentence to a caller in Python: without the options of the console.

    Parameters
    ----------
    message : str or None
        What the library says.

    Returns
    -------
    str or None
        The same; where it names a setting in both ways, as Python has it alone.
    """
    if message is None or "--" not in message:
        return message
    without_values = WITH_VALUE.sub(r"\1", message)
    return NAME_ALONE.sub(
        lambda found: found[1] if is_one_name(*found.groups()) else found[0], without_values
    )


def in_query(message: str) -> str:
    """Say a sentence to whoever asks by HTTP: settings as words of a query, ``pad=repeat or zero``.

    Parameters
    ----------
    message : str
        What the library says.

    Returns
    -------
    str
        The same, without options, quotes and capitals.
    """
    spelled = in_python(message) or ""
    return _SETTING.sub(lambda found: f"{found[1]}={found[2].replace(chr(39), '').lower()}", spelled)
