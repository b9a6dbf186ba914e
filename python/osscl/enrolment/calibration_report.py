"""What became of a calibration."""

from dataclasses import dataclass

from osscl.enrolment.calibrate_options import CalibratedRule
from osscl.enrolment.left_out import LeftOut
from osscl.enrolment.report import UnusableRecording
from osscl.model_file.decisions import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibratedMachine:
    """A machine whose rule is calibrated.

    Attributes
    ----------
    machine : str
        Its ID.
    decides : {"network", "memory", "both", "embedding"}
        Rule that decides of it from now on.
    n_clips, n_recordings : int
        What it is calibrated on.
    n_equal : int
        Clips that equal another one, and do not count.
    n_training_clips : int or None
        Clips that the network was trained on; None where that cannot be told.
    smallest_rate : float
        Smallest false-alarm rate that can be asked for.
    rate : float
        Rate that is decided at unless another is asked for.
    threshold : float
        Smallest score that is called anomalous at this rate.
    is_guaranteed : bool
        Whether the rate is guaranteed if recordings are exchangeable. For the rule both it is measured.
    left_out_rate : float or None
        Mean over the recordings of their rates in `left_out`; None with fewer than 4 recordings.
    left_out : tuple of LeftOut
        False-alarm rate of each recording by a threshold from all others, highest first.
    """

    machine: str
    decides: Rule
    n_clips: int
    n_recordings: int
    n_equal: int
    n_training_clips: int | None
    smallest_rate: float
    rate: float
    threshold: float
    is_guaranteed: bool
    left_out_rate: float | None
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationReport:
    """What became of a calibration.

    Attributes
    ----------
    rule : {"network", "both"}
        What was calibrated.
    precision : str
        Arithmetic of the network.
    machines : tuple of CalibratedMachine
        What is calibrated now.
    refused : dict of str to str
        Machines that are not, and why.
    left_out : tuple of str
        Paths of recordings whose names begin with ``anomaly_``.
    unusable : tuple of UnusableRecording
        Recordings that gave no clip.
    warnings : tuple of str
        What somebody should look at, a sentence each.
    """

    rule: CalibratedRule
    precision: str
    machines: tuple[CalibratedMachine, ...]
    refused: dict[str, str]
    left_out: tuple[str, ...]
    unusable: tuple[UnusableRecording, ...]
    warnings: tuple[str, ...]
