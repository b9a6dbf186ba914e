"""Options that every command has, before or after its name: heeded before anything is loaded that may fail.

They are taken out of the command line here, so that a package that is broken, or an option that is not
known, is written to the log file too. Commands declare them as well, for their help and for completion.
"""

import sys
from collections.abc import Sequence
from typing import NamedTuple

from osscl.cli.log_file import open_log
from osscl.cli.messages import be_quiet

QUIET, LOG_FILE = "--quiet", "--log-file"


class Everywhere(NamedTuple):
    """What a command line asks of every command, and the words that are left of it."""

    quiet: bool
    log_file: str | None
    words: list[str]


def heed() -> None:
    """Do what the arguments of this process ask of every command, and leave the others to the command.

    Raises
    ------
    OutputError
        The log file cannot be written.
    """
    asked = taken_from(sys.argv[1:])
    sys.argv[1:] = asked.words
    if asked.quiet:
        be_quiet()
    if asked.log_file is not None:
        open_log(asked.log_file)


def taken_from(words: Sequence[str]) -> Everywhere:
    """Take the options out of a command line.

    Parameters
    ----------
    words : sequence of str
        The command line.

    Returns
    -------
    Everywhere
        What was asked; one that lacks its value is left where it is, for the command to complain of.
    """
    quiet, log_file, left = False, None, []
    coming = iter(words)
    for word in coming:
        name, equals, value = word.partition("=")
        if word == "--":
            left += [word, *coming]
        elif word == QUIET:
            quiet = True
        elif name == LOG_FILE and equals:
            log_file = value
        elif word == LOG_FILE and (following := next(coming, None)) is not None:
            log_file = following
        else:
            left.append(word)
    return Everywhere(quiet, log_file, left)
