"""Which lines of a table are meant, where recordings were cut into windows: those of windows, or of files."""

from collections.abc import Iterable, Iterator

from osscl.scoring.record import FILE_SCOPES, Record

OF_FILES = FILE_SCOPES[0]
"""What stands for a whole recording where nobody says otherwise: its largest score."""


def of_scope(records: Iterable[Record], scope: str) -> Iterator[Record]:
    """Keep the lines of one scope.

    Parameters
    ----------
    records : iterable of Record
        Lines of a table.
    scope : {"window", "file_max", "file_mean", "file_q95"}
        What is meant.

    Yields
    ------
    Record
        Its lines, and those of recordings that were not cut, or could not be: these stand for themselves.
    """
    return (record for record in records if record.scope in (None, scope))
