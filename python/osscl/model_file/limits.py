"""Detection limits as a model file holds them: the size of a change that is found 90 times of 100."""

from typing import Literal, TypeAlias

from osscl.config import Settings
from osscl.model_file.named import Name, Rule

ChangeKind: TypeAlias = Literal["tone", "band", "modulation", "burst", "missing_beat", "shifted_line"]


class DetectionLimit(Settings, frozen=True, kw_only=True):
    """From which size on one kind of change is found.

    Attributes
    ----------
    change : str
        What was laid into normal recordings.
    text : str
        The limit in words, such as "a 0.2 s burst of +5 dB in 1 to 2 kHz".
    low_hz, high_hz : float
        Band of the change.
    rate_hz : float or None
        Rate of a modulation or of beats.
    duration_s : float or None
        Length of a burst.
    unit : {"dB", "%", "Hz"}
        Unit of the sizes.
    a50, a90 : float or None
        Sizes that are found 50 and 90 times of 100; None where no size that was tried is.
    a90_95 : float or None
        The same as `a90`, with a confidence of 95 %.
    largest : float
        Largest size that was tried.
    """

    change: ChangeKind
    text: str
    low_hz: float
    high_hz: float
    rate_hz: float | None
    duration_s: float | None
    unit: Literal["dB", "%", "Hz"]
    a50: float | None
    a90: float | None
    a90_95: float | None
    largest: float


class MachineLimits(Settings, frozen=True, kw_only=True):
    """What the score of one machine finds.

    Attributes
    ----------
    machine : str
        Its ID.
    rule : {"network", "memory", "both"}
        Which score.
    false_alarm_rate : float
        At which clips were decided.
    n_recordings : int
        Normal recordings that changes were laid into.
    limits : tuple of DetectionLimit
        One a change.
    """

    machine: Name
    rule: Rule
    false_alarm_rate: float
    n_recordings: int
    limits: tuple[DetectionLimit, ...]
