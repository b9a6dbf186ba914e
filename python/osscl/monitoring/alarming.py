"""Alarms of one machine from the decisions of a table."""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from osscl.decisions import smallest_rate
from osscl.decisions.alarm_rates import LONGEST_WINDOW, false_alarms, fewest_false_alarms, smallest_window
from osscl.decisions.alarms import AlarmRule, Raised, alarms_of
from osscl.decisions.conformal import rounded_up
from osscl.decisions.staircase import Staircase
from osscl.errors import DecisionError
from osscl.monitoring.alarm_facts import AlarmFacts
from osscl.monitoring.options import SECONDS, WatchOptions
from osscl.monitoring.streams import Stream
from osscl.scoring.judge import NormalScores


def alarm_facts(
    stream: Stream, normal: NormalScores, options: WatchOptions, step_s: float | None
) -> AlarmFacts:
    """Choose n of m for a machine, and tell how often it raises false alarms.

    Parameters
    ----------
    stream : Stream
        Clips of the machine.
    normal : NormalScores
        What its threshold was made from.
    options : WatchOptions
        What was asked for.
    step_s : float or None
        Seconds from clip to clip by their times.

    Returns
    -------
    AlarmFacts
        For the rule that is used.

    Raises
    ------
    DecisionError
        The table holds no decisions of it; it is not known how often clips come; or false alarms cannot be so
        rare.
    """
    if not stream.is_decided.any():
        raise DecisionError("no alarms: the table holds no decisions of it; osscl decide makes them")
    n_recordings = len(set(normal.recordings))
    rate = _rate(stream, normal, n_recordings)
    every_s = options.every_s or step_s
    n, m, asked = options.alarm.n, options.alarm.m, None
    if options.false_alarms is not None:
        if every_s is None:
            raise DecisionError(
                f"no alarms: {options.false_alarms} means nothing where times are not known; say how often a "
                "clip comes, such as osscl monitor --every 10s"
            )
        asked = options.false_alarms.per_second * every_s
        n, m = _window(options, asked, rate, n_recordings, every_s)
    expected = false_alarms(n, m, rate, n_recordings)
    return AlarmFacts(
        n=n,
        m=m,
        hold=options.alarm.hold,
        cool_down=options.alarm.cool_down,
        false_alarm_rate=rate,
        smallest_rate=smallest_rate(n_recordings),
        n_recordings=n_recordings,
        chance=expected.chance,
        raised=expected.raised,
        bound=expected.bound,
        every_s=every_s,
        raised_a_week=None if every_s is None else expected.raised * SECONDS["week"] / every_s,
        asked=asked,
    )


def raised_alarms(
    stream: Stream, order: npt.NDArray[np.intp], rule: AlarmRule, facts: AlarmFacts
) -> list[Raised]:
    """Alarms over the clips of a machine in the given order [N]; numbers count all its clips."""
    decided = np.flatnonzero(stream.is_decided[order])
    flagged = stream.is_anomaly[order][decided]
    found = alarms_of(flagged.tolist(), replace(rule, n=facts.n, m=facts.m))
    return [
        Raised(
            int(decided[each.raised_at]), None if each.released_at is None else int(decided[each.released_at])
        )
        for each in found
    ]


def _rate(stream: Stream, normal: NormalScores, n_recordings: int) -> float:
    """Rate of the lowest threshold that the table decides by, in whole recordings, rounded up."""
    lowest = float(np.nanmin(stream.thresholds[stream.is_decided]))
    if math.isnan(lowest):
        raise DecisionError(
            "no alarms: the table holds decisions without thresholds; osscl decide makes both"
        )
    lowest = max(lowest, _float32_of_digits(lowest))
    steps = Staircase.of(normal.scores, normal.recordings)
    p = float(steps.p[np.searchsorted(steps.edges, lowest, side="left")])
    return math.ceil(p * (n_recordings + 1) - 1e-9) / (n_recordings + 1)


def _float32_of_digits(threshold: float) -> float:
    """The float32 whose digits a threshold is: they may lie below it, and below a normal score that it does
    not flag.
    """
    meant = np.float32(threshold)
    return float(meant) if float(str(meant)) == threshold else threshold


def _window(
    options: WatchOptions, asked: float, rate: float, n_recordings: int, every_s: float
) -> tuple[int, int]:
    chosen = smallest_window(asked, rate, n_recordings)
    if chosen is not None:
        return chosen
    fewest = fewest_false_alarms(rate, n_recordings)
    a_year = fewest * SECONDS["year"] / every_s
    raise DecisionError(
        f"no alarms: {options.false_alarms} cannot be had by up to {LONGEST_WINDOW} clips, of which "
        f"{rate:.3g} are flagged on a machine that is well; {a_year:.2g}/year can; or decide the table "
        f"at a lower rate, {rounded_up(smallest_rate(n_recordings)):.4g} or more, by osscl decide "
        "--false-alarm-rate"
    )
