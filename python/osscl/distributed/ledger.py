"""Which batches were begun and not ended: how a run tells a recording that ends every worker it meets."""

from collections import Counter
from typing import Protocol

MAX_ENDS_IN_A_ROW = 12


class Ledger:
    """Kept by one process, asked by all workers before and after each batch.

    An engine gives a batch whose worker ended to another one, for ever. The worker learns here how often
    that happened before.

    Attributes
    ----------
    n_ended : int
        Workers that ended in the middle of a batch.
    """

    def __init__(self) -> None:
        self._begun: Counter[int] = Counter()
        self._tried: Counter[int] = Counter()
        self._in_a_row = 0
        self.n_ended = 0

    def begin(self, first: int) -> tuple[int, bool]:
        """Note that a worker begins with a batch.

        Parameters
        ----------
        first : int
            Number of its first recording.

        Returns
        -------
        int
            How many workers began with it before, and ended in the middle of it.
        bool
            Whether workers may go on: False where many ended, and nothing was done in between.
        """
        before = self._begun[first]
        self._begun[first] += 1
        if before:
            self.n_ended += 1
            self._in_a_row += 1
        return before, self._in_a_row < MAX_ENDS_IN_A_ROW

    def end(self, first: int) -> None:
        """Note that a worker is through with a batch."""
        del self._begun[first]
        self._in_a_row = 0

    def try_one(self, number: int) -> int:
        """Note that a worker begins with one recording of a batch that ended others.

        Parameters
        ----------
        number : int
            That of the recording.

        Returns
        -------
        int
            How many workers began with this one alone before, and ended in the middle of it.
        """
        before = self._tried[number]
        self._tried[number] += 1
        return before

    def done_one(self, number: int) -> None:
        """Note that a worker is through with one recording."""
        del self._tried[number]
        self._in_a_row = 0

    def ended(self) -> int:
        """Give `n_ended`, to those who hold no more than a handle."""
        return self.n_ended


class AskedLedger(Protocol):
    """The ledger as workers ask it, wherever it is kept."""

    def begin(self, first: int) -> tuple[int, bool]:
        """As `Ledger.begin`."""

    def end(self, first: int) -> None:
        """As `Ledger.end`."""

    def try_one(self, number: int) -> int:
        """As `Ledger.try_one`."""

    def done_one(self, number: int) -> None:
        """As `Ledger.done_one`."""
