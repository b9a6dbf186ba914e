"""What is said at the end of a run that met many recordings which it could not use."""

import os
import shlex
from collections.abc import Mapping, Sequence

from osscl.cli.messages import say
from osscl.support.paths import printable
from osscl.support.urls import is_url

MANY = 5
_MENDED_BY_OPTIONS = ("unfit", "unknown_machine")


def advise(counts: Mapping[str, int], places: Sequence[str]) -> None:
    """Name what looks a folder over, where many recordings do not fit or are of no known machine.

    Parameters
    ----------
    counts : mapping of str to int
        Recordings by status, as in tables of scores.
    places : sequence of str
        What was named: files, folders and URLs.
    """
    n_unusable = sum(counts.get(status, 0) for status in _MENDED_BY_OPTIONS)
    folder = next(filter(_is_folder, places), None)
    if n_unusable >= MANY and folder is not None:
        say(
            f"{n_unusable:,} recordings do not fit or are of no known machine: osscl doctor --recordings "
            f"{shlex.quote(printable(folder))} sums up what they are and which options mend it"
        )


def _is_folder(place: str) -> bool:
    return not is_url(place) and os.path.isdir(place)  # noqa: PTH112 - Path raises where a folder is closed
