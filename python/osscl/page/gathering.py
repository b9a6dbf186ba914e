"""A table of scores, its model file and its recordings, gathered into what a page says."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from osscl.evaluation.labelled import label_by_names
from osscl.monitoring import Watching
from osscl.page.charts import SPARK_FRAME, histogram, timeline
from osscl.page.contents import Contents, MachinePart
from osscl.page.headline import headline_of, trust_of, why_of
from osscl.page.history import History, Span, history_of, watched_machines
from osscl.page.introduction import Introduction
from osscl.page.origin import Origin, origin_of
from osscl.page.rows import packed_rows
from osscl.page.scored import NO_MACHINE, MachineScores, Scored, by_machine
from osscl.page.shown import Shown
from osscl.page.since import Since, local_time
from osscl.page.standing import standing_of, standing_without_clips
from osscl.page.truth import Label, Truth, truth_of
from osscl.page.unscored import unscored_of
from osscl.page.worst import worst_clips
from osscl.runs.scopes import OF_FILES, of_scope
from osscl.runs.score_table import read_records
from osscl.scoring.record import WINDOW, Record
from osscl.support.listing import first_of
from osscl.support.paths import printable
from osscl.support.plurals import counted, verb

N_WORST = 20
_MAX_NOTES = 5


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
    since : Since or None
        Recordings made from then on decide what machines need, and are shown; the others are history.
    """

    model: Path | None = None
    audio_root: str | os.PathLike[str] | None = None
    label: Label = label_by_names
    n_worst: int = N_WORST
    introduction: Introduction | None = None
    since: Since | None = None


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
    notes += [] if watching is None else _some(watching.notes)
    counting = np.ones(len(scored.records), bool)
    span = None
    if options.since is not None:
        counting = options.since.counting(scored.records, (origin.run or {}).get("ended"))
        within = watched_machines(_lines_of(scored, counting), origin, options.audio_root)
        span = Span(options.since, within if isinstance(within, Watching) else None)
        notes.append(_what_counts(options.since, scored, counting))
    counted_of = scored.among(counting)
    machines = _machine_parts(scored, counted_of, counting, files, origin, options, watching, span)
    chosen = worst_clips(scored, options.n_worst, counting)
    on_total(len(chosen))
    shown = Shown(scored, origin, machines, page_folder, options.audio_root)
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
        machines.values(), key=lambda part: (part.standing.urgency, -_share(part.counted), part.scores.name)
    )
    since = None if options.since is None else str(options.since)
    return Contents(
        title=printable(table.name),
        headline=options.introduction.headline
        if options.introduction
        else headline_of(parts, counted_of, since),
        introduction=options.introduction,
        why=why_of(parts),
        level=parts[0].standing.state if parts else "unknown",
        trust=_trust(parts, options.introduction),
        notes=notes,
        machines=parts,
        clips=clips,
        rows=packed_rows(scored, {each.line: number for number, each in enumerate(chosen, 1)}),
        n_files=len(scored.records) - len(windows) + len(set(windows)),
        n_clips=int(counting.sum()),
        n_windows=len(windows),
        n_decided=counted_of.n_decided,
        n_flagged=counted_of.n_flagged,
        unscored=unscored_of(_lines_of(scored, counting).records),
        since=since,
        scored=local_time(started) if isinstance(started := (origin.run or {}).get("started"), str) else None,
        counts=_counts(scored),
        facts=origin.facts(),
        recorded=" to ".join(dict.fromkeys(local_time(time) for time in (times[0], times[-1])))
        if times
        else None,
    )


def _trust(parts: list[MachinePart], introduction: Introduction | None) -> str:
    """Whether to believe the decisions; what is doubted at the top of the page counts too."""
    if introduction is not None and introduction.doubts and all(not each.standing.doubts for each in parts):
        return "Trust it with care: the reasons stand below."
    return trust_of(parts)


def _some(notes: Sequence[str]) -> list[str]:
    first, n_left = first_of(notes, _MAX_NOTES)
    return [*first, *([f"{counted(n_left, 'more note')}: osscl monitor tells all."] if n_left else [])]


def _lines_of(scored: Scored, counting: npt.NDArray[np.bool_]) -> Scored:
    """The lines that count, as a table of their own."""
    return by_machine(scored.records[line] for line in np.flatnonzero(counting))


def _what_counts(since: Since, scored: Scored, counting: npt.NDArray[np.bool_]) -> str:
    """Say which lines the answer is of."""
    untimed = sum(not record.recorded_at for record in scored.records)
    told = f"Only what was recorded since {since} decides here, {int(counting.sum()):,} of "
    told += f"{counted(len(scored.records), 'line')}; histories and charts hold all."
    if not untimed:
        return told
    return f"{told} Of {counted(untimed, 'line')} the time is not known: these count by when the run ended."


def _machine_parts(
    scored: Scored,
    counted_of: Scored,
    counting: npt.NDArray[np.bool_],
    files: Scored,
    origin: Origin,
    options: PageOptions,
    watching: Watching | None,
    span: Span | None,
) -> dict[str, MachinePart]:
    lines_of: dict[str, list[Record]] = {}
    for line in np.flatnonzero(counting):
        record = scored.records[line]
        lines_of.setdefault(record.machine or NO_MACHINE, []).append(record)
    whole = {each.name: each for each in files.machines}
    return {
        each.name: _machine_part(
            f"machine-{number}",
            each,
            kept,
            lines_of.get(each.machine, []),
            origin,
            history_of(each, scored, watching, span),
            span,
            truth_of(whole[each.name], files.records, options.label),
        )
        for number, (each, kept) in enumerate(zip(scored.machines, counted_of.machines, strict=True), 1)
    }


def _machine_part(
    anchor: str,
    scores: MachineScores,
    kept: MachineScores,
    records: list[Record],
    origin: Origin,
    history: History,
    span: Span | None,
    truth: Truth | str | None,
) -> MachinePart:
    return MachinePart(
        anchor=anchor,
        scores=scores,
        counted=kept,
        standing=standing_of(
            kept,
            records,
            origin.judge_of(scores),
            history.warned,
            history.over,
            history.since,
            is_of_themselves=origin.is_of_themselves,
        )
        if len(kept.lines) or span is None
        else standing_without_clips(span.since, history.warned, history.over, history.since),
        spark=timeline(scores, history.order, history.times, history.marks, SPARK_FRAME),
        timeline=timeline(scores, history.order, history.times, history.marks),
        histogram=histogram(scores),
        truth=truth,
        limits=origin.limits_of(scores),
        told=history.told,
    )


def _counts(scored: Scored) -> dict[str, int]:
    counts: dict[str, int] = {}
    for record in scored.records:
        counts[record.status or "without a status"] = counts.get(record.status or "without a status", 0) + 1
    return counts


def _share(scores: MachineScores) -> float:
    return scores.n_flagged / max(1, scores.n_decided)
