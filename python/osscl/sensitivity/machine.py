"""The limits of one machine: all its chosen recordings tried, side by side."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt

from osscl.audio.reading import Fit, read_clip
from osscl.audio.samples import Samples
from osscl.enrolment.normals import Normal
from osscl.errors import AudioError, DecisionError
from osscl.features import memory_features
from osscl.model_file.limits import MachineLimits
from osscl.scoring.judge import Judge
from osscl.sensitivity.changes import Change
from osscl.sensitivity.left_out import judge_without
from osscl.sensitivity.limits import Tried, limits_of
from osscl.sensitivity.trials import N_OFFSETS, IsFound, first_found
from osscl.support.paths import printable

NetworkScores = Callable[[Samples], npt.NDArray[np.float64]]
"""Scores of waveforms [B, 160000] of the machine by the network, nats, [B]."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """How the recordings of a machine are tried.

    Attributes
    ----------
    judge : Judge
        The machine's.
    changes : tuple of Change
        What is laid in.
    fit : Fit
        How recordings are made to fit.
    network_scores : callable or None
        Where the judge needs the network.
    threads : int
        Recordings tried side by side.
    """

    judge: Judge
    changes: tuple[Change, ...]
    fit: Fit
    network_scores: NetworkScores | None
    threads: int


def machine_limits(
    trial: Trial, clips: Sequence[Normal], on_clip: Callable[[], object] = lambda: None
) -> MachineLimits:
    """Measure the limits of a machine.

    Parameters
    ----------
    trial : Trial
        How.
    clips : sequence of Normal
        Clips that changes are laid into.
    on_clip : callable
        Called after each.

    Returns
    -------
    MachineLimits
        One limit a change.

    Raises
    ------
    DecisionError
        There are too few recordings, or one that was read before cannot be read now.
    """
    numbered = sorted(enumerate(clips), key=lambda each: each[1].recording)
    groups = [list(group) for _, group in groupby(numbered, key=lambda each: each[1].recording)]
    lock = threading.Lock()

    def done() -> None:
        with lock:
            on_clip()

    pool = ThreadPoolExecutor(trial.threads, "osscl-trials")
    try:
        tried = [each for some in pool.map(lambda group: [*_of_recording(trial, group, done)], groups) for each in some]
    finally:
        pool.shutdown(cancel_futures=True)
    return limits_of(trial.judge.machine, trial.judge.rule, trial.changes, tried)


def _of_recording(
    trial: Trial, clips: Sequence[tuple[int, Normal]], done: Callable[[], object]
) -> Iterator[Tried]:
    """Try the clips of one recording, numbered, by a judge that does not know it."""
    recording = clips[0][1].recording
    judge = judge_without(trial.judge, recording)
    if judge.undecided is not None:
        raise DecisionError(f"{judge.undecided}; one recording is left out at a time")
    is_found = _decision(judge, trial.network_scores)
    for number, clip in clips:
        samples, seed, offset = _read(clip, trial.fit), int(clip.clip.sha256, 16), number % N_OFFSETS
        first = first_found(samples, trial.changes, is_found, offset, seed)
        done()
        yield Tried(recording, offset, first, judge.rate)


def _decision(judge: Judge, network_scores: NetworkScores | None) -> IsFound:
    def is_found(waveforms: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        by_network = None if network_scores is None else network_scores(waveforms)
        features = memory_features(waveforms, threads=1) if judge.needs_memory else None
        found = judge.judge(by_network, features).is_anomaly
        if found is None:
            raise DecisionError("a changed clip has a score that is no finite number; nothing can be decided")
        return found

    return is_found


def _read(clip: Normal, fit: Fit) -> Samples:
    try:
        return read_clip(clip.clip.path, fit).samples
    except AudioError as error:
        raise DecisionError(
            f"{printable(clip.clip.path)} was read and cannot be read now: {error}; were recordings changed "
            "meanwhile? Measure again"
        ) from error
