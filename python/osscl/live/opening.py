"""A watch, put together: receivers of events and notices of the folder, opened and closed in order."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from osscl.decisions.alarms import AlarmRule
from osscl.errors import ConfigError
from osscl.events.deliveries import Deliveries
from osscl.events.outbox import Outbox
from osscl.events.sink import Sink
from osscl.journal.contents import connect
from osscl.journal.journal import Journal
from osscl.live.alarms import Alarms
from osscl.live.arrivals import Arrivals
from osscl.live.progress import Progress
from osscl.live.telling import Telling, Which, checked_which
from osscl.live.watching import Scoring, Watching


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """How a folder is watched.

    Attributes
    ----------
    settle_s : float
        Seconds without a change after which a file is taken to be closed by its writer.
    give_up_s : float
        Seconds after which a file that is not whole gets a line that says so.
    poll_s : float or None
        Look through the folder so often, and listen to no notices of the system.
    which : {"anomalies", "all", "alarms"}
        Which events are told.
    rule : AlarmRule
        When alarms are raised and released.

    Raises
    ------
    ConfigError
        A time is not above 0, or there are no such events.
    """

    settle_s: float = 2.0
    give_up_s: float = 3600.0
    poll_s: float | None = None
    which: Which = "anomalies"
    rule: AlarmRule = field(default_factory=AlarmRule)

    def __post_init__(self) -> None:
        checked_which(self.which)
        for name, value in (("settle", self.settle_s), ("give-up", self.give_up_s), ("poll", self.poll_s)):
            if value is not None and not 0 < value < 1e9:
                raise ConfigError(f"--{name} is {value:g}; expected seconds above 0")


@contextmanager
def opened_watch(
    folder: str,
    journal: Journal,
    scoring: Scoring,
    options: WatchOptions,
    *,
    sinks: Sequence[Sink] = (),
    progress: Progress,
    beat: Callable[[], None],
) -> Iterator[Watching]:
    """Open what a watch needs beside its journal.

    Parameters
    ----------
    folder : str
        The folder.
    journal : Journal
        Open, of this thread.
    scoring : Scoring
        How what arrives is scored.
    options : WatchOptions
        How the folder is watched.
    sinks : sequence of Sink
        Who brings events to others.
    progress : Progress
        Told how far it is.
    beat : callable
        Called every now and then while all is well.

    Yields
    ------
    Watching
        To be run; what it has put together is let go afterwards, the receivers after some seconds at most.
    """
    outbox, alarms = Outbox(journal.transaction), Alarms(options.rule, journal.transaction)
    journal.commit()
    detector = scoring.detector
    telling = Telling(
        options.which, detector.manifest.graph_sha256, detector.judges.fingerprint, options.rule
    )
    with Deliveries(sinks, partial(connect, Path(journal.path), "rw")) as deliveries:
        arrivals = Arrivals(
            folder,
            journal.is_done,
            settle_s=options.settle_s,
            give_up_s=options.give_up_s,
            poll_s=options.poll_s,
        )
        with closing(arrivals):
            yield Watching(
                arrivals,
                scoring,
                journal,
                alarms=alarms,
                telling=telling,
                outbox=outbox,
                deliveries=deliveries,
                progress=progress,
                beat=beat,
            )
