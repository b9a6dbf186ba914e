"""What the page of a commissioning says first: whether to begin, and what to expect."""

import math
from collections.abc import Iterator, Sequence

from osscl.commissioning.table import NormalTable
from osscl.decisions.how_many import HOW_MANY
from osscl.enrolment import EnrolledMachine, Enrolment
from osscl.model_file.limits import DetectionLimit, MachineLimits
from osscl.page.introduction import Introduction
from osscl.sensitivity.report import SensitivityReport
from osscl.support.listing import first_of, listed
from osscl.support.plurals import counted, plural, verb

_MAX_NAMED = 3
_CLIPS_A_DAY = 8640
"""Clips of 10 s that one microphone makes in a day."""
_TELLING = ("band", "tone", "modulation", "burst")
FEW_DAYS = 2
LARGEST_RATE = 0.1
"""A machine of which more normal clips are flagged is not ready to be watched."""


def introduction_of(
    enrolment: Enrolment,
    table: NormalTable,
    sensitivity: SensitivityReport | None,
    no_limits: str | None,
    commands: Sequence[str],
) -> Introduction:
    """Put what came of a commissioning into words.

    Parameters
    ----------
    enrolment : Enrolment
        What became of each machine.
    table : NormalTable
        The normal recordings, each judged by all others.
    sensitivity : SensitivityReport or None
        What is found.
    no_limits : str or None
        Why that cannot be said.
    commands : sequence of str
        What to run next.

    Returns
    -------
    Introduction
        For the top of the page.
    """
    points = [
        ("Recordings", _recordings(enrolment, table)),
        ("False alarms", _false_alarms(table)),
        ("Finds", _finds(sensitivity, no_limits)),
        ("Speed", _speed(table.recordings_per_s)),
    ]
    warned = () if sensitivity is None else sensitivity.warnings
    doubts = (*enrolment.warnings, *warned, *_doubts(table))
    return Introduction(_headline(enrolment), tuple(points), doubts, tuple(commands))


def _headline(enrolment: Enrolment) -> str:
    ready = [each for each in enrolment.machines if each.rate is not None and each.rate <= LARGEST_RATE]
    few = [each for each in enrolment.machines if each not in ready]
    wanting = f"{listed(_names(few), _MAX_NAMED)}: too few normal recordings; {HOW_MANY}"
    if not ready:
        return f"Not ready to watch {wanting}."
    begin = f"Ready to watch {listed(_names(ready), _MAX_NAMED)}"
    return f"{begin}; not {wanting}." if few else f"{begin}."


def _names(machines: Sequence[EnrolledMachine]) -> list[str]:
    return [each.machine for each in machines]


def _recordings(enrolment: Enrolment, table: NormalTable) -> str:
    n = sum(each.n_recordings for each in enrolment.machines)
    text = f"{counted(n, 'normal recording')} of {counted(len(enrolment.machines), 'machine')}"
    days = _days(table)
    if days:
        text += f", made on {counted(len(days), 'day')} ({' to '.join(dict.fromkeys((days[0], days[-1])))})"
    doubtful = sum(record.quality is not None for record in table.records)
    text += "; none is of doubtful quality" if not doubtful else f"; {doubtful} of doubtful quality"
    if enrolment.unusable:
        text += f"; {len(enrolment.unusable)} cannot be used"
    return f"{text}."


def _false_alarms(table: NormalTable) -> str:
    tally = table.tally
    if not tally.n_decided:
        return "Nothing is decided: 4 recordings of a machine are the fewest that can judge one another."
    return (
        f"{tally.anomalies.total()} of {tally.n_decided} normal {plural(tally.n_decided, 'clip')} "
        f"{verb(tally.anomalies.total(), 'is', 'are')} flagged when each is judged by the "
        f"others, at {100 * max(tally.rates):.3g} %. That is no sign of bad recordings: at this rate the "
        "highest recordings of each machine are always flagged, whatever they sound like."
    )


def _finds(sensitivity: SensitivityReport | None, no_limits: str | None) -> str:
    if sensitivity is None or not sensitivity.machines:
        return f"Not known: {no_limits or 'no limits could be measured'}."
    machines, n_left = first_of(sensitivity.machines, _MAX_NAMED)
    parts = [f"{each.machine} {'; '.join(_typical(each))}" for each in machines]
    others = f"; {counted(n_left, 'more machine')} below" if n_left else ""
    return f"Of each kind of change that was tried, the limit in the middle: {'. '.join(parts)}{others}."


def _typical(limits: MachineLimits) -> Iterator[str]:
    """Of each kind of change the one in the middle: half of those that were tried are found from less on."""
    for kind in _TELLING:
        of_kind = [each for each in limits.limits if each.change == kind]
        if of_kind:
            yield sorted(of_kind, key=_size)[len(of_kind) // 2].text


def _size(limit: DetectionLimit) -> float:
    return math.inf if limit.a90_95 is None else abs(limit.a90_95)


def _speed(per_s: float) -> str:
    return (
        f"{counted(round(per_s), 'recording')} a second here: a day of one microphone "
        f"({_CLIPS_A_DAY:,} clips) takes {_CLIPS_A_DAY / per_s:.0f} s."
    )


def _doubts(table: NormalTable) -> Iterator[str]:
    days = _days(table)
    if 0 < len(days) < FEW_DAYS:
        yield (
            "All recordings were made on one day. Tomorrow is another one: add recordings of other days "
            "(osscl enroll --add) before you trust the false-alarm rate."
        )
    elif not days:
        yield (
            "When the recordings were made is not known (osscl reads it from names such as "
            "20261103_142000.wav): recordings of one session are alike, and give too low a threshold."
        )


def _days(table: NormalTable) -> list[str]:
    return sorted({record.recorded_at[:10] for record in table.records if record.recorded_at})
