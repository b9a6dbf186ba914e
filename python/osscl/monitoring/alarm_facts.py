"""How alarms of a machine are raised, and how often on one that is well."""

import msgspec


class AlarmFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How alarms of a machine are raised, and how often without a fault.

    Attributes
    ----------
    n, m : int
        Flagged clips, and clips that are looked back at.
    hold, cool_down : int
        Clips for which an alarm stands at least, and in which none is raised after it.
    false_alarm_rate : float
        Share of normal clips that are flagged, as the threshold in the table means it.
    smallest_rate : float
        Smallest such rate that the machine's normal recordings can speak of.
    n_recordings : int
        How many these are.
    chance : float
        That an alarm stands at any clip of a machine that is well, but for hold and cool-down.
    raised : float
        Alarms raised a clip, likewise.
    bound : float
        The chance is no larger than this, however the clips depend on one another.
    every_s : float or None
        Seconds from clip to clip; None where they are not known.
    raised_a_week : float or None
        Alarms raised in a week at that pace.
    asked : float or None
        Alarms a clip that were asked for; None where none were.
    """

    n: int
    m: int
    hold: int
    cool_down: int
    false_alarm_rate: float
    smallest_rate: float
    n_recordings: int
    chance: float
    raised: float
    bound: float
    every_s: float | None
    raised_a_week: float | None
    asked: float | None
