"""Sink: what brings events to one receiver. Each kind lies in a file of its own."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from osscl.errors import OssclError
from osscl.events.outbox import Receiver, Spooled

Note = Callable[[str], None]
"""Keeps what a sink wants to know again after a restart; it is on disk when this returns."""


class AwayError(OssclError):
    """A receiver takes nothing at present: its events are kept, and tried again later.

    Parameters
    ----------
    message : str
        Why.
    is_unreached : bool
        Whether nobody is heard there: how that shows may change from try to try, and is said once.
    """

    def __init__(self, message: str, *, is_unreached: bool = False) -> None:
        super().__init__(message)
        self.is_unreached = is_unreached


class Shortfall(NamedTuple):
    """What a receiver holds, where the event that it is noted to have got last is not among it.

    Attributes
    ----------
    cut : str or None
        The first event that it lost, where it knows that one.
    held : iterable of str
        The events that it holds, whose ever they are, the newest first.
    """

    cut: str | None
    held: Iterable[str]


class Sink(Protocol):
    """Brings events to one receiver. Used by one thread at a time.

    Attributes
    ----------
    name : str
        The receiver, without anything secret: it stands in logs and in the journal.
    batch : int
        Events it is given at most at once.
    """

    name: str
    batch: int

    def begin(self, receiver: Receiver) -> Shortfall | None:
        """Learn where to go on, before anything is sent; what can never work is said here.

        Parameters
        ----------
        receiver : Receiver
            How far the receiver is.

        Returns
        -------
        Shortfall or None
            What it has really got, where it can tell that it lost what is noted.

        Raises
        ------
        OssclError
            Nothing can ever be sent this way.
        """

    def deliver(self, events: Sequence[Spooled], note: Note) -> Iterator[str | None]:
        """Send events, in order.

        Parameters
        ----------
        events : sequence of Spooled
            Those that were not settled yet; after an `AwayError` the same come again.
        note : callable
            Keeps what shall be known after a restart.

        Yields
        ------
        str or None
            For each event None once the receiver has it for certain, or why it will never take it.

        Raises
        ------
        AwayError
            The receiver takes no more at present.
        """

    def rest(self) -> None:
        """Do what keeps a connection alive; called about once a second while there is nothing to send.

        Raises
        ------
        AwayError
            The receiver is away.
        """

    def close(self) -> None:
        """Let go of what is open."""
