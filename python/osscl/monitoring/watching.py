"""Machines watched over a table of scores."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.config import Channel, Padding
from osscl.decisions.staircase import MIN_RECORDINGS
from osscl.errors import DecisionError, EvaluationError, MissingExtraError
from osscl.features import BLOCKS
from osscl.model_file.bundle import Bundle
from osscl.monitoring.alarm_facts import AlarmFacts
from osscl.monitoring.alarming import alarm_facts, raised_alarms
from osscl.monitoring.bands import changed_bands, level_db
from osscl.monitoring.drifting import Evidence, evidence_of
from osscl.monitoring.options import WatchOptions
from osscl.monitoring.sentences import drift_sentence, spacing_sentence
from osscl.monitoring.streams import Stream, streams_of
from osscl.monitoring.time_order import TimeOrder, time_order
from osscl.monitoring.watched import Alarm, Drift, Watched
from osscl.runs.deciding import ANOTHER_SCORER, Decider, scoring_options
from osscl.scoring.either_domain import EitherDomain
from osscl.scoring.judge import Judge
from osscl.scoring.record import Record
from osscl.support.paths import path_of
from osscl.support.plurals import counted, verb
from osscl.support.unasked import NOBODY_LISTENS

AS_BY_DEFAULT = WatchOptions()


@dataclass(frozen=True, slots=True, eq=False)
class Watching:
    """What became of all machines of a table.

    Attributes
    ----------
    machines : tuple of Watched
        In the order in which they come in the table.
    alarm_facts : dict of str to AlarmFacts
        How alarms of each were raised, where any could be.
    notes : tuple of str
        What is to be said of single machines.
    n_lines : int
        Lines of the table.
    """

    machines: tuple[Watched, ...]
    alarm_facts: dict[str, AlarmFacts]
    notes: tuple[str, ...]
    n_lines: int


def watch(
    records: Iterable[Record],
    bundle: Bundle,
    options: WatchOptions = AS_BY_DEFAULT,
    scored: Mapping[str, Any] | None = None,
    *,
    on_lines: Callable[[int], object] = NOBODY_LISTENS,
) -> Watching:
    """Tell of each machine whether it still sounds like its calibration, and when it raised alarms.

    Parameters
    ----------
    records : iterable of Record
        Lines of a table of scores; read once.
    bundle : Bundle
        The model file with the calibrations.
    options : WatchOptions
        How machines are watched.
    scored : mapping, optional
        The record of the run that gave the scores, see `osscl.runs.deciding.run_beside`. Without it they are
        taken to be of this model file.
    on_lines : callable
        Called now and then with the number of lines that were read.

    Returns
    -------
    Watching
        One `Watched` a machine.

    Raises
    ------
    DecisionError
        Every machine was scored by another network or memory than the file holds now.
    EvaluationError
        The table holds no score, or flagged clips alone.
    """
    if scoring_options(scored).get("only") == "anomalies":
        raise EvaluationError(
            "the table holds flagged clips alone, which tell nothing of drift: run osscl score without --only"
        )
    streams, n_lines = streams_of(records, on_lines)
    if not streams:
        raise EvaluationError(
            f"the table holds no score: {counted(n_lines, 'line')}, none of them scored; expected what "
            f"osscl score wrote"
        )
    work = _Work(bundle, options, scored)
    machines = tuple(work.watched(stream) for stream in streams)
    if all(each.note == ANOTHER_SCORER for each in machines):
        raise DecisionError(f"{', '.join(each.machine for each in machines[:3])}: {ANOTHER_SCORER}")
    return Watching(machines, work.alarm_facts, tuple(work.notes), n_lines)


class _Work:
    """One watching, machine after machine."""

    def __init__(self, bundle: Bundle, options: WatchOptions, scored: Mapping[str, Any] | None) -> None:
        self._options = options
        self._decider = Decider(bundle, None, scored)
        self.alarm_facts: dict[str, AlarmFacts] = {}
        self.notes: list[str] = []
        try:
            self._fit: Fit | None = _fit_of(scored)
        except MissingExtraError as error:
            self._fit = None
            self.notes.append(f"in which bands clips have changed is not told: {error}")

    def watched(self, stream: Stream) -> Watched:
        """Watch one machine."""
        judge = self._judge(stream)
        clips = np.arange(len(stream.scores))
        if isinstance(judge, Judge):
            clips = self._comparable(stream, judge)
            if not clips.size:
                judge = "no clip of it is as its calibration was"
        clips = self._timed(stream, clips)
        times = time_order([stream.times[clip] for clip in clips])
        if times.note is not None:
            self._say(stream, times.note)
        order = clips[times.order]
        if isinstance(judge, str):
            return self._unwatched(stream, order, judge)
        return self._of_judged(stream, order, times, judge)

    def _comparable(self, stream: Stream, judge: Judge) -> npt.NDArray[np.intp]:
        """Clips that were filled up as those of the calibration were, or are whole as those."""
        lengths, length_of = np.unique(stream.durations, return_inverse=True)
        is_misfit = np.array([self._decider.is_misfit(length, judge) for length in lengths.tolist()])
        n_misfits = int(np.count_nonzero(is_misfit[length_of]))
        if n_misfits:
            self._say(
                stream,
                f"{n_misfits} of {counted(len(stream.scores), 'clip')} {verb(n_misfits, 'is', 'are')} left "
                f"out: filled up, or not, unlike "
                "those of its calibration",
            )
        return np.flatnonzero(~is_misfit[length_of])

    def _timed(self, stream: Stream, clips: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Clips but the windows without a time, where others have one: these have their order by it."""
        is_lost = np.array([stream.starts[clip] is not None and stream.times[clip] is None for clip in clips])
        if not is_lost.any() or all(stream.times[clip] is None for clip in clips):
            return clips
        n_recordings = len({stream.paths[clip] for clip in clips[is_lost]})
        n_lost = int(np.count_nonzero(is_lost))
        self._say(
            stream,
            f"{n_lost} of {counted(len(clips), 'window')} {verb(n_lost, 'is', 'are')} left out: "
            f"{n_recordings} {'recording has' if n_recordings == 1 else 'recordings have'} no time; names or "
            "headers tell it, or osscl score --start-time",
        )
        timed: npt.NDArray[np.intp] = clips[~is_lost]
        return timed

    def _of_judged(
        self, stream: Stream, order: npt.NDArray[np.intp], times: TimeOrder, judge: Judge
    ) -> Watched:
        assert judge.normal is not None
        limit = -math.log10(self._options.drift_rate)
        evidence = evidence_of(judge.normal, stream.scores[order], limit, self._options.distance)
        if evidence.spacing.distance > 1 and self._options.distance is None:
            self._say(stream, spacing_sentence(evidence.spacing))
        named = tuple(stream.times[clip] for clip in order)
        return Watched(
            machine=stream.machine,
            n_clips=len(order),
            times=named,
            lines=tuple(stream.lines[order].tolist()),
            n_calibration=evidence.n_calibration,
            distance=evidence.spacing.distance,
            used=evidence.used,
            log10_martingale=evidence.log10_martingale,
            log10_limit=limit,
            drift=self._drift(stream, order, evidence, judge, times.seconds is not None),
            alarms=self._alarms(stream, order, times, judge),
            note=None,
        )

    def _judge(self, stream: Stream) -> Judge | str:
        """What the clips of a machine are compared with, or why with nothing."""
        if not stream.machine:
            return "the table does not say of which machine these clips are"
        if len(stream.rules) > 1:
            return f"it was scored by the rules {' and '.join(sorted(stream.rules))}: score it by one"
        judge = self._decider.judge_of(stream.machine, *stream.rules)
        if isinstance(judge, str):
            return judge
        if isinstance(judge, EitherDomain):
            return (
                "its memories are by domain, and drift is told of clips of one: score those of each domain "
                "into a table of their own, by osscl score --domain source and --domain target"
            )
        if judge.normal is None:
            return judge.uncalibrated or "it is not calibrated"
        n_recordings = judge.n_recordings
        if n_recordings < MIN_RECORDINGS:
            return (
                f"its calibration is of {counted(n_recordings, 'recording')}: {MIN_RECORDINGS} are the "
                f"least, and 20 or "
                "more tell something"
            )
        if judge.caveat is not None:
            self._say(stream, f"drift may be false: {judge.caveat}")
        return judge

    def _drift(
        self,
        stream: Stream,
        order: npt.NDArray[np.intp],
        evidence: Evidence,
        judge: Judge,
        has_times: bool,
    ) -> Drift | None:
        began, alarmed = evidence.began_at, evidence.alarmed_at
        if began is None or alarmed is None:
            return None
        assert judge.normal is not None
        since = order[began:]
        z = stream.z[since]
        known = ~np.isnan(z).any(axis=1)
        block_z = dict(zip(BLOCKS, z[known].mean(axis=0).tolist(), strict=True)) if known.any() else {}
        bands = self._bands(stream, order, began, judge)
        time = stream.times[order[began]] if has_times else None
        is_higher = float(stream.scores[since].mean()) >= float(np.mean(judge.normal.scores))
        sentence = drift_sentence(
            stream.machine, began, len(order), time, is_higher, block_z, bands, judge.needs_memory
        )
        return Drift(
            sentence=sentence,
            alarmed_at=alarmed,
            began_at=began,
            began=time,
            block_z=block_z,
            bands=bands,
        )

    def _bands(
        self, stream: Stream, order: npt.NDArray[np.intp], began: int, judge: Judge
    ) -> tuple[str, ...]:
        """Where in frequency the clips since then differ, from those that are at hand."""
        if self._fit is None:
            return ()
        files = [(self._options.file_of(path_of(stream.paths[clip])), stream.starts[clip]) for clip in order]
        after = level_db(files[began:], self._fit)
        if not len(after):
            return ()
        if judge.memory is not None:
            return changed_bands(judge.memory.features[:, BLOCKS["level"]], after)
        return changed_bands(level_db(files[:began], self._fit), after)

    def _alarms(
        self, stream: Stream, order: npt.NDArray[np.intp], times: TimeOrder, judge: Judge
    ) -> tuple[Alarm, ...]:
        assert judge.normal is not None
        try:
            facts = alarm_facts(stream, judge.normal, self._options, times.step_s)
        except DecisionError as error:
            self._say(stream, str(error))
            return ()
        self.alarm_facts[stream.machine] = facts
        raised = raised_alarms(stream, order, self._options.alarm, facts)

        def time(clip: int | None) -> str | None:
            return None if clip is None or times.seconds is None else stream.times[order[clip]]

        return tuple(
            Alarm(
                raised_at=each.raised_at,
                raised=time(each.raised_at),
                released_at=each.released_at,
                released=time(each.released_at),
            )
            for each in raised
        )

    def _unwatched(self, stream: Stream, order: npt.NDArray[np.intp], note: str) -> Watched:
        return Watched(
            machine=stream.machine,
            n_clips=len(order),
            times=tuple(stream.times[clip] for clip in order),
            lines=tuple(stream.lines[order].tolist()),
            n_calibration=0,
            distance=1,
            used=np.zeros(0, np.intp),
            log10_martingale=np.zeros(0),
            log10_limit=-math.log10(self._options.drift_rate),
            drift=None,
            alarms=(),
            note=note,
        )

    def _say(self, stream: Stream, what: str) -> None:
        self.notes.append(f"{stream.machine or 'clips without a machine'}: {what}")


class _ScoredFit(msgspec.Struct):
    resample: bool = False
    channel: Channel | None = None
    pad: Padding | None = None


def _fit_of(scored: Mapping[str, Any] | None) -> Fit:
    """How the recordings were made to fit when they were scored, as far as that is known."""
    try:
        said = msgspec.convert(scoring_options(scored), _ScoredFit)
        return Fit(said.resample, said.channel, said.pad)
    except msgspec.ValidationError:
        return AS_THEY_ARE
