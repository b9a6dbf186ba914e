"""What was measured of the machines of a model file."""

from dataclasses import dataclass

from osscl.enrolment import UnusableRecording
from osscl.model_file.limits import MachineLimits

WHAT_IT_IS = (
    "These are limits for these changes, laid into normal recordings; not for every fault. A fault that "
    "sounds like one of them is found from about the same size on."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityReport:
    """Detection limits of machines.

    Attributes
    ----------
    machines : tuple of MachineLimits
        Those that could be measured.
    refused : dict of str to str
        Why others could not, by machine.
    left_out : tuple of str
        Paths of recordings whose names begin with ``anomaly_``.
    unusable : tuple of UnusableRecording
        Recordings that gave no clip.
    warnings : tuple of str
        What somebody should know of how it was done, a sentence each.
    """

    machines: tuple[MachineLimits, ...]
    refused: dict[str, str]
    left_out: tuple[str, ...]
    unusable: tuple[UnusableRecording, ...]
    warnings: tuple[str, ...]
