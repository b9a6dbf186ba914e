"""The normal recordings scored into a table, each judged by all others."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from osscl.audio.reading import Fit, read_clip
from osscl.audio.samples import clip_sha256
from osscl.commissioning.judged_normals import LeftOutClips
from osscl.detector import Detector
from osscl.enrolment.plan import Plan
from osscl.errors import AudioError
from osscl.model_file.decisions import StoredDecisions
from osscl.page.origin import JUDGED_BY
from osscl.runs.featured import SHORT_HASH_DIGITS
from osscl.runs.run import describe_run, write_run_record
from osscl.runs.tables import OutputTable
from osscl.runs.tally import Tally
from osscl.scoring.record import Record
from osscl.support.utc import utc_now


@dataclass(frozen=True, slots=True)
class NormalTable:
    """What became of the normal recordings.

    Attributes
    ----------
    records : list of Record
        Their lines.
    recordings_per_s : float
        How many were scored a second, reading included.
    tally : Tally
        What is in the table.
    """

    records: list[Record]
    recordings_per_s: float
    tally: Tally


def write_normal_table(
    detector: Detector,
    plan: Plan,
    fit: Fit,
    output: Path,
    told: dict[str, Any],
    on_clip: Callable[[], object] = lambda: None,
) -> NormalTable:
    """Score normal recordings, and judge each by the others.

    Parameters
    ----------
    detector : Detector
        Of the model file that holds their memories.
    plan : Plan
        The recordings.
    fit : Fit
        How they are made to fit.
    output : Path
        Table to write, with the record of the run beside it.
    told : dict
        What that record shall say of the model and of what was asked for.
    on_clip : callable
        Called after each recording.

    Returns
    -------
    NormalTable
        What became of them.

    Raises
    ------
    OutputError
        The table cannot be written.
    """
    started = utc_now()
    began = time.perf_counter()
    scored = list(_scored(detector, plan, fit, on_clip))
    per_s = len(scored) / max(time.perf_counter() - began, 1e-9)
    left_out = _left_out_clips(detector)
    records = [_judged(record, left_out, fit) for record in scored]
    table, tally = OutputTable(output), Tally()
    for record in records:
        table.write(record)
        tally.add(record, detector.judges.rate_of(record))
    run = {
        **describe_run(detector, {}, started, tally, completed=True),
        **told,
        JUDGED_BY: "all other recordings: no clip is scored by a memory that holds its recording",
        "recordings_per_s": round(per_s, 1),
    }
    table.finish(run)
    write_run_record(output, run)
    return NormalTable(records, per_s, tally)


def _scored(detector: Detector, plan: Plan, fit: Fit, on_clip: Callable[[], object]) -> Iterator[Record]:
    machine_by_path = {os.fsdecode(each.candidate.path): each.machine for each in plan.planned}

    def machine_of(path: str | os.PathLike[str]) -> str:
        return machine_by_path[os.fsdecode(path)]

    once = {
        os.fsdecode(each.candidate.path): each.candidate for each in plan.planned
    }  # two roots may hold it
    candidates = iter(once.values())
    for record in detector.score_candidates(candidates, machine_of, fit):
        yield record
        on_clip()


def _left_out_clips(detector: Detector) -> dict[str, LeftOutClips]:
    """Of each machine that decides by a memory."""
    stored = detector.manifest.decisions or StoredDecisions()
    found = {}
    for rule, memories in (("memory", stored.memories), ("embedding", stored.embeddings)):
        for memory in memories:
            if detector.judges.rule_of(memory.machine) == rule and memory.domain is None:
                row_of = {clip.sha256: row for row, clip in enumerate(memory.clips)}
                found[memory.machine] = LeftOutClips(detector.judges.of(memory.machine), row_of)
    return found


def _judged(record: Record, left_out: dict[str, LeftOutClips], fit: Fit) -> Record:
    of_machine = left_out.get(record.machine or "")
    if of_machine is None or record.score is None:
        return record
    if record.status != "ok":  # a dead channel was not enrolled: it is no normal clip
        return replace(record, p_value=None, threshold=None, is_anomaly=None)
    try:
        sha256 = clip_sha256(read_clip(record.path, fit).samples)[:SHORT_HASH_DIGITS]
    except AudioError:  # gone since it was scored
        return record
    return of_machine.judged(record, sha256)
