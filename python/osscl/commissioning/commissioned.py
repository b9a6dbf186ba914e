"""What came of commissioning a site."""

from dataclasses import dataclass

from osscl.enrolment import Enrolment
from osscl.sensitivity.report import SensitivityReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Commissioned:
    """What came of commissioning a site.

    Attributes
    ----------
    headline : str
        Whether its machines can be watched, in a sentence.
    points : tuple of (str, str)
        Recordings, false alarms, what is found, and speed: names and sentences.
    doubts : tuple of str
        Why to take care, a sentence each.
    trust : str
        Whether to believe their decisions, in a sentence.
    enrolment : Enrolment
        What became of each machine.
    sensitivity : SensitivityReport or None
        What is found; None where no machine's limits can be measured.
    no_limits : str or None
        Why they cannot.
    n_clips : int
        Normal clips that were judged by all others.
    n_flagged : int
        How many of them would have been flagged.
    recordings_per_s : float
        How many recordings are scored a second on this machine.
    next_commands : tuple of str
        What to run next.
    """

    headline: str
    points: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]
    trust: str
    enrolment: Enrolment
    sensitivity: SensitivityReport | None
    no_limits: str | None
    n_clips: int
    n_flagged: int
    recordings_per_s: float
    next_commands: tuple[str, ...]
