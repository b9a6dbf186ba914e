"""A machine's judge without one recording: as if that were new to it."""

from dataclasses import replace

from osscl.decisions import Memory
from osscl.decisions.staircase import MIN_RECORDINGS
from osscl.errors import DecisionError
from osscl.scoring.judge import Judge, NormalScores
from osscl.support.plurals import are


def judge_without(judge: Judge, recording: str) -> Judge:
    """Give the judge of a machine as it would be had a recording never been enrolled nor calibrated with.

    Parameters
    ----------
    judge : Judge
        Of the machine.
    recording : str
        What is left out.

    Returns
    -------
    Judge
        Its memory is fitted anew to all other recordings and its threshold set by them; the same judge where
        it knows nothing of the recording.

    Raises
    ------
    DecisionError
        Too few recordings remain to decide at the rate that was asked for.
    """
    memory = judge.memory
    is_remembered = memory is not None and recording in memory.recordings
    normal = judge.normal
    is_calibrating = normal is not None and recording in normal.recordings
    if not (is_remembered or is_calibrating):
        return judge
    if is_remembered:
        assert memory is not None
        memory = _memory_without(memory, recording)
    if judge.rule == "memory":
        assert memory is not None
        normal = NormalScores(memory.calibration_scores, memory.calibration_recordings)
    if normal is not None:
        normal = _scores_without(normal, recording)
    return replace(judge, memory=memory, normal=normal)


def _memory_without(memory: Memory, recording: str) -> Memory:
    kept = [number for number, name in enumerate(memory.recordings) if name != recording]
    names = [memory.recordings[number] for number in kept]
    if len(set(names)) < MIN_RECORDINGS:
        raise DecisionError(_too_few(len(set(memory.recordings))))
    smaller = Memory.fit(memory.features[kept], names, memory.background)
    if not memory.is_guaranteed:
        return smaller
    return replace(
        smaller, held_out_scores=memory.held_out_scores, held_out_recordings=memory.held_out_recordings
    )


def _scores_without(normal: NormalScores, recording: str) -> NormalScores:
    kept = [number for number, name in enumerate(normal.recordings) if name != recording]
    names = [normal.recordings[number] for number in kept]
    if len(set(names)) < MIN_RECORDINGS:
        raise DecisionError(_too_few(len(set(normal.recordings))))
    return NormalScores(normal.scores[kept], names)


def _too_few(n_recordings: int) -> str:
    return (
        f"{are(n_recordings, 'normal recording')} too few for detection limits: one is left out at a time, "
        f"and {MIN_RECORDINGS} must remain to decide; enroll {MIN_RECORDINGS + 1} or more, 60 for limits "
        "that hold with a confidence of 95 %"
    )
