"""A table of scores, its model file and its recordings, gathered into what a page says."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from osscl.evaluation.labelled import label_by_names
from osscl.explanation.by_memory import explain_by_memory
from osscl.explanation.explained import Explanation
from osscl.features import memory_features
from osscl.monitoring import Watching
from osscl.page.charts import SPARK_FRAME, histogram, timeline
from osscl.page.contents import ClipPart, Contents, MachinePart
from osscl.page.evidence import Heard, evidence_of, hear
from osscl.page.headline import headline_of, trust_of, why_of
from osscl.page.history import History, history_of, watched_machines
from osscl.page.introduction import Introduction
from osscl.page.origin import Origin, origin_of
from osscl.page.rows import packed_rows
from osscl.page.scored import NO_MACHINE, MachineScores, Scored, by_machine
from osscl.page.standing import standing_of
from osscl.page.truth import Label, Truth, truth_of
from osscl.page.whereabouts import Whereabouts
from osscl.page.worst import Chosen, normal_candidates, worst_clips
from osscl.runs.scopes import OF_FILES, of_scope
from osscl.runs.score_table import read_records
from osscl.scoring.judge import Judge
from osscl.scoring.record import WINDOW, Record, place_of, window_start
from osscl.support.paths import printable
from osscl.support.plurals import counted, verb

N_WORST = 20
_TRIED_NORMALS = 5
_MAX_NOTES = 5
_BLOCKS = ("level", "modulation", "flutter", "event")


@dataclass(frozen=True)
class PageOptions:
    """What a page is made from, beside the table.

    Attributes
    ----------
    model : Path or None
        Model file that gave the scores; None takes the one that the record of the run names.
    audio_root : path-like or None
        Where the recordings lie, see `Whereabouts`.
    label : callable
        Tells which clips are anomalous; by default file names do.
    n_worst : int
        Clips that are shown with picture and sound.
    introduction : Introduction or None
        What stands at the top, where the page is about more than the table.
    """

    model: Path | None = None
    audio_root: str | os.PathLike[str] | None = None
    label: Label = label_by_names
    n_worst: int = N_WORST
    introduction: Introduction | None = None


BY_DEFAULT = PageOptions()


def gather(
    table: Path,
    page_folder: Path,
    options: PageOptions,
    on_total: Callable[[int], object] = lambda _: None,
    on_clip: Callable[[], object] = lambda: None,
) -> Contents:
    """Gather what a page says.

    Parameters
    ----------
    table : Path
        Scores.
    page_folder : Path
        Where the page shall be: links to recordings count from there.
    options : PageOptions
        What else is at hand.
    on_total : callable
        Takes how many clips are shown with picture and sound.
    on_clip : callable
        Called after each of them.

    Returns
    -------
    Contents
        All of it.

    Raises
    ------
    EvaluationError
        The table cannot be read, or the model file did not give its scores.
    """
    lines = list(read_records(table))
    scored = by_machine(of_scope(lines, WINDOW))
    files = by_machine(of_scope(lines, OF_FILES)) if any(each.scope for each in lines) else scored
    origin = origin_of(table, scored, options.model)
    watching = watched_machines(scored, origin, options.audio_root)
    notes = list(origin.notes)
    if isinstance(watching, str):
        notes.append(watching)
        watching = None
    notes += [] if watching is None else watching.notes[:_MAX_NOTES]
    machines = _machine_parts(scored, files, origin, options, watching)
    chosen = worst_clips(scored, options.n_worst)
    on_total(len(chosen))
    shown = _Shown(scored, origin, machines, page_folder, options)
    clips = []
    for number, each in enumerate(chosen, 1):
        clips.append(shown.clip(number, each))
        on_clip()
    gone = sum(clip.evidence is None for clip in clips)
    if gone:
        notes.append(
            f"{gone} of the {counted(len(clips), 'recording')} to show {verb(gone, 'is', 'are')} not where "
            f"the table says, or cannot be read: "
            "tell where they are by --audio-root."
        )
    times = sorted(record.recorded_at for record in scored.records if record.recorded_at)
    windows = [each.path for each in scored.records if each.scope == WINDOW]
    parts = sorted(
        machines.values(), key=lambda part: (part.standing.urgency, -_share(part.scores), part.scores.name)
    )
    return Contents(
        title=printable(table.name),
        headline=options.introduction.headline if options.introduction else headline_of(parts, scored),
        introduction=options.introduction,
        why=why_of(parts),
        level=parts[0].standing.state if parts else "unknown",
        trust=_trust(parts, options.introduction),
        notes=notes,
        machines=parts,
        clips=clips,
        rows=packed_rows(scored, {each.line: number for number, each in enumerate(chosen, 1)}),
        n_files=len(scored.records) - len(windows) + len(set(windows)),
        n_clips=len(scored.records),
        n_windows=len(windows),
        n_decided=scored.n_decided,
        n_flagged=scored.n_flagged,
        counts=_counts(scored),
        facts=origin.facts(),
        recorded=" to ".join(dict.fromkeys(_brief(time) for time in (times[0], times[-1])))
        if times
        else None,
    )


def _trust(parts: list[MachinePart], introduction: Introduction | None) -> str:
    """Whether to believe the decisions; what is doubted at the top of the page counts too."""
    if introduction is not None and introduction.doubts and all(not each.standing.doubts for each in parts):
        return "Trust it with care: the reasons stand below."
    return trust_of(parts)


def _machine_parts(
    scored: Scored, files: Scored, origin: Origin, options: PageOptions, watching: Watching | None
) -> dict[str, MachinePart]:
    lines_of: dict[str, list[Record]] = {}
    for record in scored.records:
        lines_of.setdefault(record.machine or NO_MACHINE, []).append(record)
    whole = {each.name: each for each in files.machines}
    return {
        each.name: _machine_part(
            f"machine-{number}",
            each,
            lines_of[each.machine],
            origin,
            history_of(each, scored, watching),
            truth_of(whole[each.name], files.records, options.label),
        )
        for number, each in enumerate(scored.machines, 1)
    }


def _machine_part(
    anchor: str,
    scores: MachineScores,
    records: list[Record],
    origin: Origin,
    history: History,
    truth: Truth | str | None,
) -> MachinePart:
    return MachinePart(
        anchor=anchor,
        scores=scores,
        standing=standing_of(scores, records, origin.judge_of(scores), history.warned),
        spark=timeline(scores, history.order, history.times, history.marks, SPARK_FRAME),
        timeline=timeline(scores, history.order, history.times, history.marks),
        histogram=histogram(scores),
        truth=truth,
        limits=origin.limits_of(scores),
        told=history.told,
    )


class _Shown:
    """Makes what is shown of clips; the normal clip of each machine is read once."""

    def __init__(
        self,
        scored: Scored,
        origin: Origin,
        machines: dict[str, MachinePart],
        page_folder: Path,
        options: PageOptions,
    ) -> None:
        self._scored, self._origin, self._machines = scored, origin, machines
        self._folder = page_folder
        self._whereabouts = Whereabouts([record.path for record in scored.records], options.audio_root)
        self._normals: dict[int, Heard | str] = {}

    def clip(self, number: int, chosen: Chosen) -> ClipPart:
        record = self._scored.records[chosen.line]
        heard = self._hear(chosen.line)
        normal = None if isinstance(heard, str) else self._normal(chosen)
        found = None if isinstance(heard, str) or record.status == "silent" else self._explain(heard, chosen)
        told = record.explanation if found is None else found.sentence
        return ClipPart(
            number=number,
            record=record,
            place=_place(record),
            part=self._machines[chosen.scores.name],
            excess=chosen.excess,
            is_flagged=chosen.is_flagged,
            evidence=None
            if isinstance(heard, str)
            else evidence_of(heard, normal and normal[1], found, self._folder),
            problem=heard if isinstance(heard, str) else None,
            normal_place=normal and _place(self._scored.records[normal[0]]),
            sentence=told,
            rarity=_rarity(record, self._machines[chosen.scores.name].standing.n_normal),
            blocks=[(block, z) for block in _BLOCKS if (z := getattr(record, f"z_{block}")) is not None],
        )

    def _hear(self, line: int) -> Heard | str:
        record = self._scored.records[line]
        return hear(self._whereabouts.of(record.path), self._origin.fit, window_start(record))

    def _explain(self, heard: Heard, chosen: Chosen) -> Explanation | None:
        """Why the memory that decided scored a clip so; None where none did."""
        judge = self._origin.judge_of(chosen.scores, self._scored.records[chosen.line].path)
        if not isinstance(judge, Judge) or not judge.needs_memory:
            return None
        [nearest] = judge.nearest(memory_features(heard.samples[np.newaxis]))
        assert nearest.memory is not None
        return explain_by_memory(heard.samples, chosen.scores.machine, nearest.memory)

    def _normal(self, chosen: Chosen) -> tuple[int, Heard] | None:
        """A usual clip of the machine that is not the chosen one itself."""
        candidates = normal_candidates(self._scored, chosen.scores)[: _TRIED_NORMALS + 1]
        for line in candidates:
            if line == chosen.line:
                continue
            if line not in self._normals:
                self._normals[line] = self._hear(line)
            heard = self._normals[line]
            if isinstance(heard, Heard):
                return line, heard
        return None


def _counts(scored: Scored) -> dict[str, int]:
    counts: dict[str, int] = {}
    for record in scored.records:
        counts[record.status or "without a status"] = counts.get(record.status or "without a status", 0) + 1
    return counts


def _place(record: Record) -> str:
    return place_of(record, record.path)


def _brief(time: str) -> str:
    return time[:16].replace("T", " ")


def _rarity(record: Record, n_normal: int) -> str | None:
    """Say what a p-value means; None where there is none."""
    if record.p_value is None:
        return None
    if n_normal and record.p_value < 1.5 / (n_normal + 1):
        return f"none of {counted(n_normal, 'normal recording')} scores as high"
    return f"{100 * record.p_value:.2g} % of normal recordings score as high"


def _share(scores: MachineScores) -> float:
    return scores.n_flagged / max(1, scores.n_decided)
