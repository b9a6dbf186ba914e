"""Recordings explained: one, or the flagged ones of a run, each read again."""

from dataclasses import dataclass, field

from osscl.audio.reading import Fit, name_file
from osscl.detector import Detector
from osscl.detector.explained_lines import explained_line
from osscl.errors import AudioError
from osscl.explanation.explained import Explanation
from osscl.scoring.record import Record, window_start


def explain_file(
    detector: Detector, path: str, machine: str, fit: Fit, start_s: float | None = None
) -> Explanation:
    """Explain a recording; its path also tells its domain, where the machine's memories are by domain.

    Parameters
    ----------
    detector : Detector
        The model.
    path : str
        The recording.
    machine : str
        Machine ID that it claims to be.
    fit : Fit
        How it is made to fit.
    start_s : float, optional
        Where the window begins that is explained, seconds; by default it is the beginning of the recording.

    Returns
    -------
    Explanation
        Of these ten seconds.

    Raises
    ------
    AudioError
        It cannot be read, or does not fit.
    InputError
        There is no sound in it.
    MachineError
        The model does not know the machine, or cannot score it.
    """
    try:
        return detector.explain_recording(path, machine, fit, start_s, path)
    except AudioError as error:
        name_file(error, path)
        raise


@dataclass(slots=True)
class Explainer:
    """Explains the flagged clips of a run.

    Attributes
    ----------
    detector : Detector
        The model.
    fit : Fit
        How recordings were made to fit when they were scored.
    unexplained : list of (str, str)
        Flagged files without an explanation, and the reason: no sound, or gone since they were scored.
    """

    detector: Detector
    fit: Fit
    unexplained: list[tuple[str, str]] = field(default_factory=list)

    def explained(self, record: Record) -> Record:
        """Put its explanation on the line of a flagged clip.

        Parameters
        ----------
        record : Record
            Any line.

        Returns
        -------
        Record
            The same line where the clip is not flagged, or cannot be explained.
        """
        return explained_line(
            record,
            lambda machine: explain_file(self.detector, record.path, machine, self.fit, window_start(record)),
            lambda why: self.unexplained.append((record.path, why)),
        )
