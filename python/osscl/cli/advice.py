"""What is said at the end of a run that met many recordings which it could not use."""

import os
import shlex
from collections.abc import Mapping, Sequence

from osscl.cli.messages import say
from osscl.machines.labels import MachineNames
from osscl.support.paths import printable
from osscl.support.urls import is_url

MANY = 5
_MENDED_BY_OPTIONS = ("unfit", "unknown_machine")


def advise(counts: Mapping[str, int], places: Sequence[str], names: MachineNames) -> None:
    """Name what looks a folder over, where many recordings do not fit or are of no known machine.

    Parameters
    ----------
    counts : mapping of str to int
        Recordings by status, as in tables of scores.
    places : sequence of str
        What was named: files, folders and URLs.
    names : MachineNames
        How the machines of recordings are named, as the other command must be told too.
    """
    n_unusable = sum(counts.get(status, 0) for status in _MENDED_BY_OPTIONS)
    folder = next(filter(_is_folder, places), None)
    if n_unusable >= MANY and folder is not None:
        looking = shlex.join([printable(folder), *_naming(names)])
        say(
            f"{n_unusable:,} recordings do not fit or are of no known machine: osscl doctor --recordings "
            f"{looking} sums up what they are and which options mend it"
        )


def _naming(names: MachineNames) -> list[str]:
    """Options that name machines as it was asked for."""
    given = {
        "--machine": names.machine,
        "--labels": names.labels,
        "--machine-pattern": names.machine_pattern,
    }
    return [word for option, way in given.items() if way is not None for word in (option, printable(way))]


def _is_folder(place: str) -> bool:
    return not is_url(place) and os.path.isdir(place)  # noqa: PTH112 - Path raises where a folder is closed
