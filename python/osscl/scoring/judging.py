"""Clips of a batch to scores and decisions: what needs no network at once, the rest when it has answered."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from osscl.audio.reading import Clip
from osscl.audio.samples import Samples, stack_clips
from osscl.backends import Ticket
from osscl.features import memory_features
from osscl.scoring.judge import Judge, Judged
from osscl.scoring.quality import doubts
from osscl.scoring.record import WINDOW, Record, short_float
from osscl.scoring.task import Task
from osscl.scoring.whole_files import FileEnd

Features = npt.NDArray[np.float32]
_Z_COLUMNS = ("z_level", "z_modulation", "z_flutter", "z_event")


class Entry(NamedTuple):
    """One line of a batch to be.

    Attributes
    ----------
    record : Record
        What is known of it, without its score.
    judge : Judge or None
        What scores the clip; None where there is nothing to score.
    clip : Clip or None
        The clip; None where it could not be read.
    row : int or None
        Which row of the batch's memory its samples lie in, or would, were they of its type.
    end : FileEnd or None
        Of the recording that was cut into windows and whose last line this is.
    """

    record: Record
    judge: Judge | None = None
    clip: Clip | None = None
    row: int | None = None
    end: FileEnd | None = None


class _Asked(NamedTuple):
    """What judges a clip, why nothing can be decided of it all the same, and how much of it was recorded."""

    judge: Judge
    misfit: str | None
    n_recorded: int


class Waiting(NamedTuple):
    """A clip that waits for the network: what judges it then, and its features where those are needed too."""

    judge: Judge
    misfit: str | None
    features: Features | None  # [360]


class Batch(NamedTuple):
    """A batch as it was read.

    Records some of which lack their scores, and the samples that the network needs.
    """

    records: list[Record]
    waiting: dict[int, Waiting]  # by the place of the record
    samples: Samples  # [len(waiting), n_samples]
    ends: dict[int, FileEnd]  # of recordings cut into windows, by the place of their last record
    unheard_s: list[float]  # seconds behind the clips of recordings of which the beginning alone is scored


class Submitted(NamedTuple):
    """What is left of a batch while it is computed: its samples belong to the backend alone."""

    records: list[Record]
    waiting: dict[int, Waiting]
    ticket: Ticket | None
    ends: dict[int, FileEnd]
    unheard_s: list[float]


def batch_of(entries: list[Entry], rows: Samples, task: Task, sample_rate_hz: int) -> Batch:
    """Make a batch of clips, and score those that need no network.

    Parameters
    ----------
    entries : list of Entry
        Its lines.
    rows : ndarray of int16, [at least as many as clips, n_samples]
        Its memory; what lies in it is moved.
    task : Task
        How it was read.
    sample_rate_hz : int
        Of the samples.

    Returns
    -------
    Batch
        What is left to be scored are the clips that need the network.
    """
    asked: dict[int, _Asked] = {}  # place of each record to be scored -> what judges it
    kept: dict[int, Samples] = {}  # row -> samples [n_samples] to score
    unheard_s: list[float] = []
    for place, (record, judge, clip, row, _) in enumerate(entries):
        if judge is not None and clip is not None and row is not None:
            padding = task.fit.pad if clip.is_padded(sample_rate_hz) else None
            asked[place] = _Asked(judge, judge.misfit(padding), clip.n_recorded(sample_rate_hz))
            kept[row] = clip.samples
            if record.scope != WINDOW:
                unheard_s.append(clip.unheard_s)
    records = [entry.record for entry in entries]
    ends = {place: entry.end for place, entry in enumerate(entries) if entry.end is not None}
    samples, waiting = _judged_without_network(
        records, asked, _without_gaps(kept, rows), task, sample_rate_hz
    )
    return Batch(records, waiting, samples, ends, unheard_s)


def _judged_without_network(
    records: list[Record], asked: dict[int, _Asked], samples: Samples, task: Task, sample_rate_hz: int
) -> tuple[Samples, dict[int, Waiting]]:
    """Score the clips that need no network.

    What is left are the samples [B, n_samples] of those that do, and what waits for their outputs.
    """
    in_order = [each.judge for each in asked.values()]
    remembered = [at for at, judge in enumerate(in_order) if judge.needs_memory]
    threads = max(1, task.threads // max(1, task.readers))
    features: dict[int, Features] = {}
    if remembered:
        clips = samples if len(remembered) == len(samples) else samples[remembered]
        features = dict(zip(remembered, memory_features(clips, threads=threads), strict=True))
    n_recorded = {
        at: each.n_recorded for at, each in enumerate(asked.values()) if each.n_recorded < samples.shape[1]
    }
    doubters = [judge.doubter for judge in in_order]
    said = doubts(samples, doubters, features, n_recorded, sample_rate_hz, threads=threads)
    for place, quality in zip(asked, said, strict=True):
        if quality is not None and records[place].status != "silent":
            records[place] = replace(records[place], quality=quality)
    every = {
        place: Waiting(each.judge, each.misfit, features.get(at))
        for at, (place, each) in enumerate(asked.items())
    }
    waiting = {place: each for place, each in every.items() if each.judge.needs_network}
    score(records, {place: each for place, each in every.items() if place not in waiting}, {})
    for_network = {at: samples[at] for at, judge in enumerate(in_order) if judge.needs_network}
    return _without_gaps(for_network, samples), waiting


def score(records: list[Record], waiting: dict[int, Waiting], network_scores: dict[int, np.float64]) -> None:
    """Put scores and decisions into records, those of one judge at once."""
    places_of: dict[Judge, list[int]] = {}
    for place, each in waiting.items():
        places_of.setdefault(each.judge, []).append(place)
    for decides, places in places_of.items():
        by_network = np.array([network_scores[place] for place in places]) if decides.needs_network else None
        features = [each for each in (waiting[place].features for place in places) if each is not None]
        judged = decides.judge(by_network, np.stack(features) if features else None)
        for at, place in enumerate(places):
            record = _scored(records[place], decides, judged, at)
            records[place] = _undecided(record, waiting[place].misfit)


def _without_gaps(kept: dict[int, Samples], rows: Samples) -> Samples:
    """Samples of the clips to score, moved up in `rows` [B, n_samples], or float32 where one of them is."""
    if any(samples.dtype != rows.dtype for samples in kept.values()):
        return stack_clips(list(kept.values()))
    for to, row in enumerate(kept):
        if to != row:
            rows[to] = rows[row]
    return rows[: len(kept)]


def _scored(record: Record, judge: Judge, judged: Judged, at: int) -> Record:
    score = np.float32(judged.score[at])
    if not np.isfinite(score):
        return replace(record, status="no_score", reason=f"the model gives {score} for this clip")
    z = {} if judged.z is None else dict(zip(_Z_COLUMNS, map(short_float, judged.z[at]), strict=True))
    return replace(judged.on(record, at), score=short_float(score), rule=judge.rule, **z)


def _undecided(record: Record, misfit: str | None) -> Record:
    """Take back what was decided of a clip that nothing can be decided of."""
    if misfit is None or record.score is None:
        return record
    reason = misfit if record.reason is None else f"{record.reason}; {misfit}"
    return replace(record, reason=reason, p_value=None, threshold=None, is_anomaly=None)
