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

    def smallest(self) -> tuple[DetectionLimit, ...]:
        """Choose one limit of each kind: the change that is found at the smallest size.

        Returns
        -------
        tuple of DetectionLimit
            In the order of `limits`, louder and fainter bands each for itself; without kinds that are not
            found.
        """
        chosen: dict[tuple[str, bool, float | None], DetectionLimit] = {}
        for each in self.limits:
            if each.a90_95 is None:
                continue
            kind = (each.change, each.largest > 0, each.duration_s if each.change == "burst" else None)
            best = chosen.get(kind)
            if best is None or best.a90_95 is None or _is_smaller(each.a90_95, best.a90_95, each.largest):
                chosen[kind] = each
        return tuple(chosen.values())


def _is_smaller(size: float, other: float, largest: float) -> bool:
    return size < other if largest > 0 else size > other
