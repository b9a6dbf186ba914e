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
from osscl.support.plurals import counted


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
    told : tuple of str
        The same in sentences, and what is over.
    """

    order: npt.NDArray[np.intp]
    times: tuple[str | None, ...]
    marks: Marks
    warned: tuple[str, ...]
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


def history_of(scores: MachineScores, scored: Scored, watching: Watching | None) -> History:
    """Tell what became of a machine.

    Parameters
    ----------
    scores : MachineScores
        Its clips.
    scored : Scored
        The table.
    watching : Watching or None
        What watching all machines found.

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
        return History(order, in_order, Marks(), (), ())
    place_of = {int(line): place for place, line in enumerate(scores.lines[order])}

    def place(clip: int) -> int:
        return place_of[found.lines[clip]]

    warned, told = [], []
    if found.drift is not None:
        since = found.drift.began or f"clip {found.drift.began_at + 1}"
        warned.append(f"unlike its calibration since about {_to_the_minute(since)}")
        told.append(found.drift.sentence)
    for each in found.alarms[-1:]:
        warned += [] if each.released_at is not None else [f"an alarm stands since {_raised(each)}"]
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
    return History(order, in_order, marks, tuple(warned), tuple(told))


def _watched(machine: str, watching: Watching | None) -> Watched | None:
    """What watching a machine found; None where it could not be watched."""
    machines = () if watching is None else watching.machines
    return next((each for each in machines if each.machine == machine and each.note is None), None)


def _of_alarms(alarms: tuple[Alarm, ...], rule: str) -> str:
    """Say how many alarms there were, and of the last whether it stands."""
    last = alarms[-1]
    if last.released_at is None:
        state = "still stands"
    else:
        state = f"was released at {_to_the_minute(last.released or f'clip {last.released_at + 1}')}"
    if len(alarms) == 1:
        return f"An alarm ({rule}) was raised at {_raised(last)} and {state}."
    return f"{counted(len(alarms), 'alarm')} ({rule}) were raised; the last, at {_raised(last)}, {state}."


def _raised(alarm: Alarm) -> str:
    return _to_the_minute(alarm.raised or f"clip {alarm.raised_at + 1}")


def _to_the_minute(time: str) -> str:
    return time[:16].replace("T", " ")
