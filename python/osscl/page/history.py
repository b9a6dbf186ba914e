"""What became of a machine over time: the order of its clips, drift and alarms."""

import os
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.errors import DecisionError, EvaluationError
from osscl.monitoring import Alarm, Watched, Watching, WatchOptions, watch
from osscl.monitoring.time_order import time_order
from osscl.page.charts import Marks
from osscl.page.origin import Origin
from osscl.page.scored import MachineScores, Scored
from osscl.page.since import Since
from osscl.support.plurals import counted


class Span(NamedTuple):
    """The recordings that count.

    Attributes
    ----------
    since : Since
        From when on they were made.
    watching : Watching or None
        What watching them alone found; None where they could not be watched.
    """

    since: Since
    watching: Watching | None

    def has_drift(self, found: Watched) -> bool:
        """Whether a drift of all recordings was found within the span, or is found in it again."""
        assert found.drift is not None
        if found.drift.began is None:
            return True  # without times all recordings count
        time = found.times[found.drift.alarmed_at]
        within = _watched(found.machine, self.watching)
        return (time is not None and self.since.is_before(time)) or (
            within is not None and within.drift is not None
        )


class History(NamedTuple):
    """One machine over time.

    Attributes
    ----------
    order : ndarray of int, [n]
        Its clips in the order of time.
    times : tuple of (str or None), [n]
        When they were recorded, in that order.
    marks : Marks
        What a timeline shows besides.
    warned : tuple of str
        Why it needs attention, a clause each.
    over : tuple of str
        What is over by now, a clause each.
    since : str or None
        Since when, for the headline: "alarm since ..." or "alarm over since ...".
    told : tuple of str
        The same in sentences.
    """

    order: npt.NDArray[np.intp]
    times: tuple[str | None, ...]
    marks: Marks
    warned: tuple[str, ...]
    over: tuple[str, ...]
    since: str | None
    told: tuple[str, ...]


def watched_machines(
    scored: Scored, origin: Origin, audio_root: str | os.PathLike[str] | None
) -> Watching | str | None:
    """Watch all machines of a table over time.

    Parameters
    ----------
    scored : Scored
        The table.
    origin : Origin
        Where it comes from.
    audio_root : path-like or None
        Where its recordings lie.

    Returns
    -------
    Watching, str or None
        What was found, or a sentence on why nothing could be; None where no model file is at hand.
    """
    if origin.bundle is None or not scored.machines:
        return None
    try:
        return watch(scored.records, origin.bundle, WatchOptions(audio_root=audio_root), origin.run)
    except (DecisionError, EvaluationError) as error:
        return f"Drift and alarms are not known: {error}."


def history_of(
    scores: MachineScores, scored: Scored, watching: Watching | None, span: Span | None = None
) -> History:
    """Tell what became of a machine.

    Parameters
    ----------
    scores : MachineScores
        Its clips.
    scored : Scored
        The table.
    watching : Watching or None
        What watching all machines found.
    span : Span or None
        The recordings that count; all where it is None.

    Returns
    -------
    History
        Without marks where it could not be watched.
    """
    times = [scored.records[line].recorded_at for line in scores.lines]
    order = time_order(times).order
    found = _watched(scores.machine, watching)
    in_order = tuple(times[clip] for clip in order)
    if watching is None or found is None:
        return History(order, in_order, Marks(), (), (), None, ())
    place_of = {int(line): place for place, line in enumerate(scores.lines[order])}

    def place(clip: int) -> int:
        return place_of[found.lines[clip]]

    warned, over, since, told = list[str](), list[str](), list[str](), list[str]()
    if found.drift is not None:
        began = _to_the_minute(found.drift.began or f"clip {found.drift.began_at + 1}")
        if span is None or span.has_drift(found):
            warned.append(f"unlike its calibration since about {began}")
            since.append(f"drift since about {began}")
        else:
            over.append(f"unlike its calibration from about {began} on, not shown again since {span.since}")
        told.append(found.drift.sentence)
    for each in found.alarms[-1:]:
        if each.released_at is None:
            warned.append(f"an alarm stands since {_raised(each)}")
            since.insert(0, f"alarm since {_raised(each)}")
        elif span is None or each.released is None or span.since.is_before(each.released):
            over.append(f"alarm over since {_released(each)}")
            since.append(over[-1])
    if found.alarms:
        facts = watching.alarm_facts[scores.machine]
        told.append(_of_alarms(found.alarms, f"{facts.n} of {counted(facts.m, 'clip')} flagged"))
    marks = Marks(
        None if found.drift is None else place(found.drift.began_at),
        [
            (place(each.raised_at), None if each.released_at is None else place(each.released_at))
            for each in found.alarms
        ],
    )
    return History(
        order, in_order, marks, tuple(warned), tuple(over), since[0] if since else None, tuple(told)
    )


def _watched(machine: str, watching: Watching | None) -> Watched | None:
    """What watching a machine found; None where it could not be watched."""
    machines = () if watching is None else watching.machines
    return next((each for each in machines if each.machine == machine and each.note is None), None)


def _of_alarms(alarms: tuple[Alarm, ...], rule: str) -> str:
    """Say how many alarms there were, and of the last whether it stands."""
    last = alarms[-1]
    state = "still stands" if last.released_at is None else f"was released at {_released(last)}"
    if len(alarms) == 1:
        return f"An alarm ({rule}) was raised at {_raised(last)} and {state}."
    return f"{counted(len(alarms), 'alarm')} ({rule}) were raised; the last, at {_raised(last)}, {state}."


def _raised(alarm: Alarm) -> str:
    return _to_the_minute(alarm.raised or f"clip {alarm.raised_at + 1}")


def _released(alarm: Alarm) -> str:
    assert alarm.released_at is not None
    return _to_the_minute(alarm.released or f"clip {alarm.released_at + 1}")


def _to_the_minute(time: str) -> str:
    return time[:16].replace("T", " ")
