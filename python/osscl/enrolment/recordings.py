"""Which clips are parts of one recording, as their paths say."""

import os
import re
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import TypeAlias

from osscl.enrolment.options import MAX_NAME
from osscl.errors import ConfigError
from osscl.support.links import as_walked
from osscl.support.paths import printable

RecordingOf: TypeAlias = Callable[[str], str | None]
"""Names the recording of a path; None where each clip is a recording of its own."""

FOLDER = "folder"


def recording_source(rule: str | None, root: str | os.PathLike[str]) -> RecordingOf:
    """Choose how recordings are named.

    Parameters
    ----------
    rule : str or None
        A regular expression with one group, searched for in the path; the word "folder" for the folder that
        a clip lies in; or None.
    root : path-like
        Where the walk began: names of folders begin with that of this one.

    Returns
    -------
    callable
        Takes a path, gives the name; raises `ConfigError` where the expression finds nothing in it.

    Raises
    ------
    ConfigError
        The expression is none, or has not one group.
    """
    if rule is None:
        return lambda _: None
    if rule == FOLDER:
        above = Path(as_walked(root)).parent
        return lambda path: printable(
            PurePath(os.path.relpath(Path(as_walked(path)).parent, above)).as_posix()
        )
    try:
        pattern = re.compile(rule)
    except re.error as error:
        raise ConfigError(f"{_stated(rule)}, which is no regular expression: {error}") from None
    if pattern.groups != 1:
        raise ConfigError(
            f"{_stated(rule)}, which has {pattern.groups} groups; expected one, which finds the name of the "
            r"recording: '(session_\d+)'"
        )
    return lambda path: _found(pattern, path)


def _found(pattern: re.Pattern[str], path: str) -> str:
    spelled = printable(path)
    found = pattern.search(spelled)
    name = found[1] if found else None
    if not name:
        raise ConfigError(
            f"{_stated(pattern.pattern)}, which finds no recording in {spelled}; change it so that it finds "
            "one in every path"
        )
    return name[:MAX_NAME]


def _stated(rule: str) -> str:
    return f"recording (--recording) is {rule!r}"
