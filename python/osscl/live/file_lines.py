"""What the lines of one file come to: its status, and what was flagged of it."""

from dataclasses import dataclass, field

from osscl.scoring.record import FILE_SCOPES, SCORED_STATUSES, Record, ends_file, status_so_far
from osscl.support.plurals import counted


@dataclass(slots=True)
class FileLines:
    """The lines of one file, as they come.

    Attributes
    ----------
    path : str
        The file.
    n_parts : int
        Lines of clips: of the one, or of each window.
    flagged : list of Record
        Of those that were flagged the first one, and the one with the smallest p-value.
    n_flagged : int
        How many were flagged.
    unscored : Record or None
        The first that could not be scored.
    n_unscored : int
        How many could not.
    status : str
        Of the file, by the lines so far.
    is_ended : bool
        Whether no more lines come of it.
    """

    path: str
    n_parts: int = 0
    flagged: list[Record] = field(default_factory=list)
    n_flagged: int = 0
    unscored: Record | None = None
    n_unscored: int = 0
    status: str = ""
    is_ended: bool = False

    def take(self, record: Record) -> None:
        """Count a line of it."""
        self.status = status_so_far(self.status, record)
        self.is_ended = ends_file(record)
        if record.scope in FILE_SCOPES:
            return
        self.n_parts += 1
        if record.status not in SCORED_STATUSES:
            self.n_unscored += 1
            self.unscored = self.unscored or record
        if record.is_anomaly:
            self.n_flagged += 1
            self.flagged = (
                [self.flagged[0], min(self.flagged[-1], record, key=_p)] if self.flagged else [record]
            )

    def what_was_flagged(self) -> str | None:
        """Say in one line what was flagged, however many windows that are; None where nothing was."""
        if not self.flagged:
            return None
        least = self.flagged[-1]
        p = f", p {_p(least):.3g}" + ("" if self.n_flagged == 1 else " at least")
        more = f": {least.explanation}" if least.explanation else ""
        return f"{self._parts(self.flagged[0], self.n_flagged)}{p}{more}"

    def what_was_not_scored(self) -> str | None:
        """Say in one line what could not be scored, and why; None where all could."""
        if self.unscored is None:
            return None
        return f"{self._parts(self.unscored, self.n_unscored)}: {self.unscored.reason}"

    def _parts(self, first: Record, count: int) -> str:
        """Where the first of some windows is, and how many they are."""
        if first.scope is None:
            return ""
        of = "" if count == 1 else f" ({count} of {counted(self.n_parts, 'window')})"
        return f" from {first.start_s or 0.0:g} s{of}"


def _p(record: Record) -> float:
    return record.p_value or 0.0
