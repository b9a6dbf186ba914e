"""The loop of a watch: what arrives is scored, and its lines, alarms and events are kept together."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.audio.recorded_at import RecordingTimes
from osscl.detector import Detector
from osscl.events.deliveries import Deliveries
from osscl.events.outbox import Outbox
from osscl.journal.journal import Journal
from osscl.live.alarms import Alarms, Change
from osscl.live.arrivals import Arrivals
from osscl.live.file_lines import FileLines
from osscl.live.progress import Progress
from osscl.live.telling import Telling
from osscl.live.unfinished import Arrival
from osscl.machines.labels import MachineOf
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import WINDOW, Record
from osscl.support.log import quiet_logger
from osscl.support.paths import printable

_log = quiet_logger(__name__)
_FILES_AT_ONCE = 64
_FILES_A_RUN = 1024  # then the pipeline is emptied, and all that came is kept
_LOOK_EVERY_S = 1.0
_COUNT_EVERY_S = 5.0
_COMMIT_EVERY_S, _PAUSE_S = 0.25, 0.005


@dataclass(frozen=True, slots=True)
class Scoring:
    """How what arrives is scored.

    Attributes
    ----------
    detector : Detector
        The model.
    machine_of : callable
        Names the machine of a path.
    fit : Fit
        How recordings that do not fit are made to fit.
    times : RecordingTimes
        When they began, where neither names nor headers tell.
    hop_s : float or None
        Seconds from window to window of long recordings; None for their first clip alone.
    left_out : LeftOut
        Counts what is not scored of long recordings.
    explains : callable or None
        Puts its explanation on the line of a flagged clip.
    """

    detector: Detector
    machine_of: MachineOf
    fit: Fit
    times: RecordingTimes
    hop_s: float | None = None
    left_out: LeftOut = field(default_factory=LeftOut)
    explains: Callable[[Record], Record] | None = None

    def records(self, candidates: Iterator[Candidate]) -> Iterator[Record]:
        """Score files, lazily and in order."""
        for record in self.detector.score_candidates(
            candidates, self.machine_of, self.fit, self.times, hop_s=self.hop_s, left_out=self.left_out
        ):
            yield record if self.explains is None else self.explains(record)


class Watching:
    """Scores what arrives until it is asked to stop.

    Parameters
    ----------
    arrivals : Arrivals
        What arrives.
    scoring : Scoring
        How it is scored.
    journal : Journal
        Where lines are kept, and the events and alarms that they make, together or not at all.
    alarms : Alarms
        The alarms of the machines.
    telling : Telling
        What events are made of lines.
    outbox : Outbox
        Keeps the events, in the journal.
    deliveries : Deliveries
        Bring them to others; opened and closed by the caller.
    progress : Progress
        Told how far it is.
    beat : callable
        Called every now and then while all is well, at least once a second but for the time that one
        recording takes.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        scoring: Scoring,
        journal: Journal,
        *,
        alarms: Alarms,
        telling: Telling,
        outbox: Outbox,
        deliveries: Deliveries,
        progress: Progress,
        beat: Callable[[], None],
    ) -> None:
        self._arrivals, self._scoring, self._journal = arrivals, scoring, journal
        self._alarms, self._telling, self._outbox = alarms, telling, outbox
        self._deliveries, self._progress, self._beat = deliveries, progress, beat
        self._at_hand: deque[Arrival] = deque()
        self._in_flight: dict[str, Arrival] = {}
        self._file: FileLines | None = None  # whose lines come
        self._voted: set[float | None] = set()  # starts of its parts that were scored before
        self._count_at = self._commit_at = 0.0

    def run(self, stop: Callable[[], bool]) -> None:
        """Watch until `stop` says so; what is being scored then is finished and kept.

        Parameters
        ----------
        stop : callable
            Whether to stop.

        Raises
        ------
        JournalError
            The journal cannot be written: what is not in it is scored again by the next watch.
        """
        while not stop():
            self._arrivals.look()
            self._note_progress()
            if self._arrivals.n_ready or self._at_hand:
                self._score(stop)
            else:
                self._arrivals.wait(_LOOK_EVERY_S)
        self._count_at = 0.0
        self._note_progress()

    @property
    def standing(self) -> list[str]:
        """Machines whose alarm stands."""
        return self._alarms.standing

    def unfinished(self) -> list[str]:
        """Paths of files that are not whole yet: the next watch takes them up."""
        return self._arrivals.unfinished()

    @property
    def has_met_all(self) -> bool:
        """Whether nothing waits that is known by now, once all of the folder was walked through."""
        return self._arrivals.has_met_all and not self._at_hand

    def _score(self, stop: Callable[[], bool]) -> None:
        """Score what is ready, and what becomes ready meanwhile."""
        candidates = self._journal.undone(self._feed(stop), as_they_come=True)
        for record in self._scoring.records(candidates):
            self._keep(record)
            self._note_progress()
        self._in_flight.clear()
        self._commit()

    def _commit(self) -> None:
        """Keep for good what came, and let the receivers' threads write what they have delivered.

        One alone can write a database: without a pause between transactions they might wait for ever.
        """
        self._journal.commit()
        self._commit_at = time.monotonic() + _COMMIT_EVERY_S
        if self._deliveries.names:
            self._deliveries.wake()
            time.sleep(_PAUSE_S)

    def _feed(self, stop: Callable[[], bool]) -> Iterator[Candidate]:
        """Give what is ready, each file once: one that changed since then waits for the next time."""
        for _ in range(_FILES_A_RUN):
            if not self._at_hand:
                self._arrivals.look()
                self._at_hand.extend(self._arrivals.take(_FILES_AT_ONCE))
            if not self._at_hand or stop() or self._at_hand[0].candidate.path in self._in_flight:
                return
            arrival = self._at_hand.popleft()
            self._in_flight[arrival.candidate.path] = arrival
            yield arrival.candidate

    def _keep(self, record: Record) -> None:
        """Keep a line, with what it means for others, in one transaction."""
        file = self._file
        if file is None or file.is_ended or file.path != record.path:
            self._file = file = FileLines(record.path)
            self._voted = self._journal.scored_parts(record.path)
        self._journal.add(record)
        file.take(record)
        arrival = self._in_flight[record.path]
        connection = self._journal.transaction
        is_again = record.start_s in self._voted
        change = self._alarms.see(record, connection, arrival.state, is_again=is_again)
        self._outbox.put(self._telling.events(record, arrival.state, change))
        self._tell(record, file, change)
        self._count(record, file, arrival, change)
        if time.monotonic() >= self._commit_at:
            self._commit()

    def _tell(self, record: Record, file: FileLines, change: Change | None) -> None:
        """Say what an operator wants to read in a log: of the windows of a file once, at its end."""
        where = f"{record.machine}, {printable(record.path)}"
        if file.is_ended:
            unscored, flagged = file.what_was_not_scored(), file.what_was_flagged()
            if unscored is not None:
                _log.warning("not scored: %s%s", printable(record.path), unscored)
            if flagged is not None:
                _log.info("flagged: %s%s", where, flagged)
        if change is not None:
            at = f" from {record.start_s:g} s" if record.scope == WINDOW else ""
            log = _log.warning if change == "alarm" else _log.info
            log("%s: %s%s: %s", change.replace("_", " "), where, at, self._telling.why(change))

    def _count(self, record: Record, file: FileLines, arrival: Arrival, change: Change | None) -> None:
        progress = self._progress
        if record.is_anomaly:
            progress.anomalies[record.machine or ""] += 1
        if change == "alarm":
            progress.alarms[record.machine or ""] += 1
        if not file.is_ended:
            return
        progress.files[file.status] += 1
        progress.n_timed += 1
        progress.seconds += time.monotonic() - arrival.whole_at
        progress.last_file_at = time.time()

    def _note_progress(self) -> None:
        progress = self._progress
        progress.n_ready, progress.n_unfinished = self._arrivals.n_ready, self._arrivals.n_unfinished
        progress.is_folder_there = self._arrivals.is_there
        now = time.monotonic()
        if now >= self._count_at:
            self._count_at = now + _COUNT_EVERY_S
            progress.standing = self._alarms.standing
            names = self._deliveries.names
            progress.events_waiting = {name: self._outbox.n_waiting(name) for name in names}
            progress.events_refused = {name: self._outbox.n_refused(name) for name in names}
        self._beat()
