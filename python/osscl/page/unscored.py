"""Files without a score, and why: what the page says of them at its top."""

from collections.abc import Iterable
from typing import NamedTuple

from osscl.scoring.record import SCORED_STATUSES, Record, place_of
from osscl.support.listing import first_of
from osscl.support.two_spellings import in_options

MAX_UNFOLDED, MAX_LISTED = 3, 500


class Unscored(NamedTuple):
    """Files, or windows of long ones, that have no score.

    Attributes
    ----------
    first, folded : list of (str, str)
        Where each is, and why it has none: those seen at once, and those that are unfolded.
    n_left : int
        Those that stand in the table alone.
    """

    first: list[tuple[str, str]]
    folded: list[tuple[str, str]]
    n_left: int

    @property
    def n(self) -> int:
        """How many they are."""
        return len(self.first) + len(self.folded) + self.n_left


def unscored_of(records: Iterable[Record]) -> Unscored:
    """Gather the lines that say of a file why it has no score.

    Parameters
    ----------
    records : iterable of Record
        Lines of a table.

    Returns
    -------
    Unscored
        In the order of the table.
    """
    found = [
        (place_of(record, record.path), in_options(record.reason or record.status.replace("_", " ")))
        for record in records
        if record.score is None and record.status and record.status not in SCORED_STATUSES
    ]
    listed, n_left = first_of(found, MAX_LISTED)
    first, _ = first_of(listed, MAX_UNFOLDED)
    return Unscored(first, listed[len(first) :], n_left)
