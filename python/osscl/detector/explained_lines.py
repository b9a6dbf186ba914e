"""Lines of files that are scored, flagged ones explained as they come."""

from collections import deque
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.detector.explains import ExplainsClips
from osscl.errors import AudioError, InputError
from osscl.scoring.record import Record, ends_file, window_start
from osscl.support.log import quiet_logger
from osscl.support.paths import printable

_log = quiet_logger("osscl.detector.detector")


class Explaining:
    """Explains the flagged lines of recordings, which come in the order of the recordings.

    Parameters
    ----------
    detector : ExplainsClips
        What scores them.
    fit : Fit
        How they are made to fit.
    """

    def __init__(self, detector: ExplainsClips, fit: Fit) -> None:
        self._detector, self._fit = detector, fit
        self._ahead: deque[Candidate] = deque()  # taken to be read, and not all of their lines are there

    def noted(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Hand recordings on, and keep them until their lines come."""
        for candidate in candidates:
            self._ahead.append(candidate)
            yield candidate

    def explained(self, record: Record) -> Record:
        """Put its explanation on the line of a flagged clip; one that cannot be had is logged."""
        candidate = self._ahead[0]
        if ends_file(record):
            self._ahead.popleft()
        if record.is_anomaly is not True or record.machine is None:
            return record
        try:
            found = self._detector.explain_recording(
                candidate.source, record.machine, self._fit, window_start(record), record.path
            )
        except (AudioError, InputError) as error:
            _log.warning("%s: flagged and not explained: %s", printable(record.path), error)
            return record
        return replace(record, explanation=found.sentence)
