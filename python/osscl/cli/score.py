"""``osscl score``: recordings in, a table of anomaly scores out."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.audio.recorded_at import AS_RECORDED, RecordingTimes
from osscl.audio.windows import check_hop
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli.asked import Asked
from osscl.cli.console import BuildProgress, say_unusable
from osscl.cli.journaled import Journaling, score_with_journal
from osscl.cli.messages import EXIT_ANOMALY, EXIT_SOME_UNSCORED, result_stream, say
from osscl.cli.options import (
    BY_DEFAULT,
    DecisionOptions,
    FailOnAnomaly,
    HopSeconds,
    JsonLines,
    refuse_two_outputs,
    takes_shared_options,
)
from osscl.cli.places import ModelFile, ResultTable, check_urls, refuse_model_among
from osscl.cli.runner_options import HERE, RunnerOptions
from osscl.cli.score_by_ray import refuse_what_ray_has_not, score_by_ray
from osscl.cli.score_said import say_the_rest, say_why_unscored
from osscl.cli.surveyed import met_by, say_published_sets, survey_of
from osscl.cli.unjournaled import score_into_table
from osscl.detector import Detector
from osscl.errors import NoRecordingsError
from osscl.journal.journal import journal_of
from osscl.machines.label_table import unmet_rows
from osscl.machines.labels import BY_PATHS, MachineNames, machine_source
from osscl.runs.explaining import Explainer
from osscl.runs.folder import find_recordings, find_some_recordings
from osscl.runs.journaled import check_place, is_finished
from osscl.runs.label_tracks import Editor, check_label_folder, write_labels
from osscl.runs.passed_over import PassedOver
from osscl.runs.score_table import read_records
from osscl.runs.tables import OutputTable
from osscl.runs.tally import Tally
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import Record
from osscl.storage.urls import Place
from osscl.support.links import missing
from osscl.support.outputs import check_output
from osscl.support.paths import printable
from osscl.support.plurals import plural

EXAMPLES = """[bold]Examples[/bold]\n
  osscl score demo osscl-demo/recordings\n
  osscl score model.onnx dcase2020 --output scores.csv\n
  osscl score model.onnx pump_recordings --machine pump/id_02 --output scores.parquet\n
  osscl score model.onnx recordings --labels machines.csv --resample --channel 0 --json\n
  osscl score press.onnx tonight --machine-pattern '{machine}_{time}' --output scores.csv\n
  osscl score model.onnx recordings --device cuda:all --output scores.csv\n
  osscl score enrolled.onnx tonight --explain --output scores.csv\n
  osscl score enrolled.onnx shift.wav --machine press/id_09 --hop 10 --output windows.csv\n
  osscl score model.onnx shift --start-time 2026-11-03T06:00:00+01:00 --every 10\n
  osscl score enrolled.onnx fleet --runner ray --address 10.0.0.1:6379 --output scores.parquet\n
  osscl score enrolled.onnx tonight --false-alarm-rate 0.01 --only anomalies --fail-on-anomaly\n
\n
With --output, the same command again goes on where a run was interrupted, and scores what is new or changed.
\n\n
Exit code: 0 all scored, or nothing to do; 1 failed, 2 wrong usage, 3 done but some files could not be scored,
4 clips were flagged with --fail-on-anomaly; interrupted, with what is scored kept: 130 by Ctrl-C, 143 by
SIGTERM, 129 by SIGHUP.
"""


@takes_shared_options()
def score(
    model: ModelFile,
    paths: Annotated[
        list[str],
        typer.Argument(
            help="Folders, searched for .wav, .flac, .w64 and .rf64 files at any depth; or files; or URLs of "
            "either, such as s3://bucket/folder.",
            metavar="FOLDER",
        ),
    ],
    output: ResultTable = None,
    json: JsonLines = False,
    names: MachineNames = BY_PATHS,
    fit: Fit = AS_THEY_ARE,
    times: RecordingTimes = AS_RECORDED,
    hop: HopSeconds = None,
    decide: DecisionOptions = BY_DEFAULT,
    only: Annotated[
        str | None,
        typer.Option(help="Write lines of these clips alone: 'anomalies'.", metavar="anomalies"),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Say of each flagged clip what is heard beyond the normal ones (reads it again).",
        ),
    ] = False,
    audacity: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write flagged windows into as label tracks for Audacity, one file a recording.",
            metavar="FOLDER",
            readable=False,
        ),
    ] = None,
    raven: Annotated[
        Path | None,
        typer.Option(help="The same as selection tables for Raven.", metavar="FOLDER", readable=False),
    ] = None,
    run_record: Annotated[
        Path | None,
        typer.Option(
            help="File that tells how lines on stdout came about: model, options, versions, counts. A table "
            "has one beside it.",
            metavar="FILE.json",
            readable=False,
        ),
    ] = None,
    fail_on_anomaly: FailOnAnomaly = False,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    by: RunnerOptions = HERE,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Score files again that could not be scored before.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin anew: replace the output of an earlier run.")
    ] = False,
) -> None:
    """Score recordings for anomalies: one line a file, also for those that cannot be scored."""
    if by.runner is not None:
        given = {"--json": json, "--explain": explain, "--audacity": audacity, "--raven": raven}
        refuse_what_ray_has_not(output, {**given, "--retry-failed": retry_failed})
    refuse_two_outputs(output, json)
    _check_run_record(run_record, output, overwrite=overwrite, inputs=[model, names.labels, *paths])
    if hop is not None:
        check_hop(hop)
    labels = _label_folders(audacity, raven, output, hop, overwrite=overwrite)
    journaled = output if isinstance(output, Path) else None  # a journal needs a disk
    if retry_failed and journaled is None:
        raise typer.BadParameter(
            "--retry-failed needs --output, on this machine: what failed stands in the journal beside it"
        )
    if only not in (None, "anomalies"):
        raise typer.BadParameter(f"--only is '{only}'; expected anomalies")
    _check_roots(paths)
    refuse_model_among(paths)
    names = names.below(*paths)
    passed_over = PassedOver()
    try:
        candidates = find_some_recordings(paths, passed_over)  # first: an empty search leaves no table behind
    except NoRecordingsError as error:
        if journaled is None or overwrite or by.runner is not None or not is_finished(journaled):
            raise
        say(str(error))  # what was scored before stands in the table all the same
        candidates = iter(())
    if times.is_of_one_file:
        candidates = _the_only_one(candidates)
    asked = Asked(
        paths=paths,
        names=names,
        fit=fit,
        times=times,
        hop_s=hop,
        decide=decide,
        compute=compute,
        only=only,
        explain=explain,
    )
    if by.runner is not None and journaled is not None:
        exit_code, tally, scoring = score_by_ray(asked, model, journaled, by, candidates, overwrite=overwrite)
        say_the_rest(passed_over.notes(), scoring.left_out, scoring.judges, scoring.clip_s, decide, tally)
        say_why_unscored(tally, paths, names)
        raise typer.Exit(EXIT_ANOMALY if fail_on_anomaly and tally.anomalies else exit_code)
    table: OutputTable | None = None
    if journaled is not None:
        check_place(journaled, overwrite=overwrite, inputs=[model, names.labels, *paths])
    else:
        suffix = ".jsonl" if json else ".csv"
        table = OutputTable(output, overwrite=overwrite, suffix=suffix, stream=result_stream())
    with BuildProgress() as building:
        how = replace(compute, on_build=building.show_phase)
        detector = Detector(model, how, **decide._asdict())
    machine_of = machine_source(detector.machines, *names)
    candidates = met_by(machine_of, candidates)
    tally = Tally()
    explainer = Explainer(detector, fit) if explain else None
    left_out = LeftOut()

    def scores(some: Iterable[Candidate], when: RecordingTimes) -> Iterator[Record]:
        if names == BY_PATHS:
            say_published_sets(survey_of(find_recordings(paths)))
        return detector.score_candidates(some, machine_of, fit, when, hop_s=hop, left_out=left_out)

    if table is not None:
        records = scores(candidates, times)
        exit_code = score_into_table(
            detector, paths, records, table, asked.options(), tally, explainer, run_record
        )
    else:
        assert journaled is not None
        journaling = Journaling(
            journaled,
            asked.settings(detector),
            asked.wanted(detector),
            asked.options(),
            retry_failed=retry_failed,
            overwrite=overwrite,
        )
        exit_code, tally = score_with_journal(
            detector, paths, candidates, scores, times, journaling, explainer
        )
    if journaled is not None and exit_code in (0, EXIT_SOME_UNSCORED):
        for editor, folder in labels.items():
            n_files = write_labels(read_records(journaled), folder, editor, overwrite=overwrite)
            say(f"-> {printable(folder)}: labels of {n_files} {plural(n_files, 'recording')}")
    if explainer is not None:
        say_unusable("not explained", explainer.unexplained)
        if not tally.n_decided:
            say("nothing is explained: flagged clips are, and no clip was decided")
    # of a run that was interrupted nobody knows which recordings it would have met
    is_whole = exit_code in (0, EXIT_SOME_UNSCORED)
    notes = [*passed_over.notes(), *(unmet_rows(machine_of) if is_whole else ())]
    say_the_rest(notes, left_out, detector.judges, detector.clip_s, decide, tally)
    say_why_unscored(tally, paths, names)
    raise typer.Exit(EXIT_ANOMALY if fail_on_anomaly and tally.anomalies else exit_code)


def _label_folders(
    audacity: Path | None, raven: Path | None, output: Place | None, hop: float | None, *, overwrite: bool
) -> dict[Editor, Path]:
    """Where labels go, checked before anything is scored."""
    asked: dict[Editor, Path | None] = {"audacity": audacity, "raven": raven}
    labels = {editor: folder for editor, folder in asked.items() if folder is not None}
    if labels and (not isinstance(output, Path) or hop is None):
        raise typer.BadParameter(
            "labels are written of the windows in a table: --audacity and --raven need --output, on this "
            "machine, and --hop"
        )
    if len(set(labels.values())) < len(labels):
        raise typer.BadParameter("--audacity and --raven name the same folder; give each its own")
    is_resumed = isinstance(output, Path) and journal_of(output).exists()
    for folder in labels.values():
        check_label_folder(folder, may_hold=overwrite or is_resumed)
    return labels


def _check_run_record(
    path: Path | None,
    output: Place | None,
    *,
    overwrite: bool,
    inputs: Iterable[str | os.PathLike[str] | None],
) -> None:
    if path is None:
        return
    if output is not None:
        raise typer.BadParameter(
            f"--run-record is for lines on stdout: the record of {printable(output)} is written beside it"
        )
    check_output(path, overwrite=overwrite, inputs=inputs)


def _the_only_one(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    first = list(islice(candidates, 2))
    if len(first) > 1:
        raise typer.BadParameter(
            "--start-time tells when one file began, and there are several; add --every SECONDS, from the "
            "beginning of one to that of the next"
        )
    return iter(first)


def _check_roots(paths: list[str]) -> None:
    check_urls(paths)
    for path in paths:
        if (problem := missing(path)) is not None:
            raise typer.BadParameter(problem)
