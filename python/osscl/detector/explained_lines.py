"""Lines of files that are scored, flagged ones explained as they come."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.detector.explains import ExplainsClips
from osscl.errors import AudioError, InputError
from osscl.explanation.explained import Explanation
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
        return explained_line(
            record,
            lambda machine: self._detector.explain_recording(
                candidate.source, machine, self._fit, window_start(record), record.path
            ),
            lambda why: _log.warning("%s: flagged and not explained: %s", printable(record.path), why),
        )


def explained_line(
    record: Record, explain: Callable[[str], Explanation], on_failure: Callable[[str], object]
) -> Record:
    """Put its explanation on the line of a flagged clip.

    Parameters
    ----------
    record : Record
        Any line.
    explain : callable
        Takes the machine of the line, and explains its clip.
    on_failure : callable
        Takes why it cannot be explained: it is gone since it was scored, or there is no sound in it.

    Returns
    -------
    Record
        The same line where the clip is not flagged, or cannot be explained.
    """
    if record.is_anomaly is not True or record.machine is None:
        return record
    try:
        found = explain(record.machine)
    except (AudioError, InputError) as error:
        on_failure(str(error))
        return record
    return replace(record, explanation=found.sentence)
