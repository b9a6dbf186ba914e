"""``osscl evaluate``: how well a model, or scores of any origin, tell anomalous from normal clips."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli.console import BuildProgress, wide_console
from osscl.cli.folders import check_listable
from osscl.cli.messages import EXIT_SOME_UNSCORED, emit, say
from osscl.cli.options import DecisionOptions, FalseAlarmRate, takes_shared_options
from osscl.cli.scored import scored_records
from osscl.detector import Detector
from osscl.errors import EvaluationError, NoRecordingsError
from osscl.evaluation.challenge import (
    check_score_folder,
    read_score_folder,
    refuse_among_scores,
    write_score_folder,
)
from osscl.evaluation.evaluating import DEFAULT_RESAMPLES, MAX_RESAMPLES
from osscl.evaluation.evaluating import evaluate as evaluate_scores
from osscl.evaluation.ground_truth import GroundTruth
from osscl.evaluation.labelled import Labelled, few, label_by_names, label_in_name
from osscl.evaluation.published_figures import PAPER
from osscl.evaluation.report import check_report, print_report, to_json, write_report
from osscl.evaluation.report_tables import Report, Unscored
from osscl.evaluation.rules import own_lines, rules_of
from osscl.evaluation.testset import find_test_recordings, is_for_training
from osscl.machines.dcase import TRAIN_FOLDER
from osscl.machines.labels import BY_PATHS, MachineNames
from osscl.metrics import MAX_FPR
from osscl.model_file.bundle import read_bundle
from osscl.runs.passed_over import PassedOver
from osscl.runs.scopes import OF_FILES, of_scope
from osscl.runs.score_table import TABLE_SUFFIXES, read_records
from osscl.scoring.record import FILE_SCOPES, Record
from osscl.support.links import missing
from osscl.support.outputs import refuse_inputs
from osscl.support.paths import printable
from osscl.support.plurals import plural

EXAMPLES = """[bold]Examples[/bold]\n
  osscl evaluate model.onnx dcase2020 --compare paper\n
  osscl evaluate model.onnx recordings --resample --channel 0 --pad repeat\n
  osscl evaluate enrolled.onnx recordings --rule all\n
  osscl evaluate scores.csv --output report.md\n
  osscl evaluate --scores submission --ground-truth eval_data_list.csv --json\n
\n
Exit code: 0 all evaluated, 1 failed, 2 wrong usage, 3 done but some clips have no score; interrupted:
130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""
ALL = "all"
_PLACE = "named test, such as fan/test/normal_id_00_00000000.wav"


def _check_sources(given: dict[str, Any], computes: bool) -> None:
    """Refuse sources that do not go together, before an option is looked at that none of them needs."""
    model, data, scores = given["model"], given["data"], given["scores"]
    if (model is None) == (scores is None):
        raise typer.BadParameter("give MODEL and DATA, or a TABLE of scores, or --scores: one of the three")
    if data is not None:
        if model.lower().endswith(tuple(TABLE_SUFFIXES)):
            raise typer.BadParameter(f"a table of scores takes no DATA: osscl evaluate {printable(model)}")
        return
    if computes or given["rule"] is not None or given["false_alarm_rate"] is not None:
        raise typer.BadParameter(
            "--device, --resample, --machine, --rule and the like go with MODEL and DATA: here nothing "
            "is computed"
        )
    if model is not None and (model == "demo" or model.lower().endswith(".onnx")):
        raise typer.BadParameter(f"a model needs recordings to score: osscl evaluate {printable(model)} DATA")


@takes_shared_options(_check_sources)
def evaluate(
    model: Annotated[
        str | None,
        typer.Argument(
            help="Model file that osscl-export wrote, or demo, followed by DATA; or alone, a table that "
            "osscl score wrote (.csv, .jsonl or .parquet).",
            metavar="MODEL|TABLE",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Argument(
            help="Folder of a data set; the recordings in its test folders are scored.", metavar="DATA"
        ),
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(help="Folder with the challenge's anomaly_score_<type>_id_<ID>.csv.", metavar="FOLDER"),
    ] = None,
    ground_truth: Annotated[
        Path | None,
        typer.Option(
            help="The challenge's list of labels, or a folder with ground_truth_<type>.csv. Without it "
            "file names tell: normal_... or anomaly_...",
            metavar="FILE",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Report to write as well: .md, .csv or .json.", readable=False),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout instead of tables.")] = False,
    write_scores: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write anomaly_score_<type>_id_<ID>.csv into.", metavar="FOLDER", readable=False
        ),
    ] = None,
    compare: Annotated[
        str | None, typer.Option(help="Show published figures beside these.", metavar="paper")
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            help="Which lines of a table of long recordings count, one a recording: file_max, the default, "
            "file_mean or file_q95.",
            metavar="SCOPE",
        ),
    ] = None,
    max_fpr: Annotated[float, typer.Option(help="False-positive rate where pAUC ends.")] = MAX_FPR,
    bootstrap: Annotated[
        int,
        typer.Option(
            min=0, max=MAX_RESAMPLES, help="Resamples behind the 95 % intervals; 0 for no intervals."
        ),
    ] = DEFAULT_RESAMPLES,
    seed: Annotated[int, typer.Option(min=0, help="Of the resamples.")] = 0,
    rule: Annotated[
        str | None,
        typer.Option(
            help="Which score counts: network, memory, both (the larger of two), embedding, or all, side by "
            "side; by default what the model file says of each machine.",
            metavar="RULE",
        ),
    ] = None,
    false_alarm_rate: FalseAlarmRate = None,
    names: MachineNames = BY_PATHS,
    fit: Fit = AS_THEY_ARE,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the outputs of an earlier run.")
    ] = False,
) -> None:
    """AUC and pAUC per machine ID, per type and in total, from a model or from scores; and false alarms."""
    _check_options(compare, max_fpr)
    if scope is not None:
        if scope not in FILE_SCOPES:
            raise typer.BadParameter(f"--scope is '{scope}'; expected one of: {', '.join(FILE_SCOPES)}")
        if model is None or data is not None:
            raise typer.BadParameter("--scope goes with a TABLE that osscl score --hop wrote")
    table = None if model is None or data is not None else Path(model)
    _check_places([table, ground_truth], [data, scores], output, write_scores, overwrite)
    if output is not None and model is not None:
        refuse_inputs(output, [model])
    truth = None if ground_truth is None else GroundTruth.read(ground_truth)
    source = {"scores": printable(scores or model or ""), "labels": printable(ground_truth or "file names")}
    records: Iterable[Record]
    by_rule: dict[str, list[Record]] = {}
    if model is not None and data is not None:
        source["recordings"] = printable(data)
        if fit.stated():
            source["made to fit"] = str(fit)
        manifest = read_bundle(model).manifest
        for each in rules_of(manifest) if rule == ALL else [rule]:
            asked = DecisionOptions(each, false_alarm_rate)  # type: ignore[arg-type]  # the detector checks it
            found = _score(model, data, asked, compute, names, fit, source, named=truth is None)
            by_rule[each or ""] = found
        records = own_lines(by_rule, manifest) if rule == ALL else by_rule[rule or ""]
    elif table is not None:
        records = _without_training(of_scope(read_records(table), scope or OF_FILES))
    else:
        assert scores is not None
        records = read_score_folder(scores)
    label = label_by_names if truth is None else truth.label
    figures = partial(evaluate_scores, max_fpr=max_fpr, n_resamples=bootstrap, seed=seed)
    labelled = label(records)
    _tell_unused(labelled)
    report = Report(
        source=source,
        evaluation=figures(labelled.scores),
        by_rule={name: figures(label(lines).scores) for name, lines in by_rule.items() if rule == ALL},
        unscored=[Unscored(printable(r.path), r.status, r.reason) for r in labelled.unscored],
        published=None if compare is None else PAPER,
    )
    _show(report, json)
    if output is not None:
        write_report(report, output)
        say(f"-> {printable(output)}")
    if write_scores is not None:
        files = write_score_folder(write_scores, labelled.scores, overwrite=overwrite)
        say(f"-> {printable(write_scores)}: {len(files)} {plural(len(files), 'file')} of scores")
    raise typer.Exit(EXIT_SOME_UNSCORED if report.unscored else 0)


def _check_options(compare: str | None, max_fpr: float) -> None:
    if compare not in (None, "paper"):
        raise typer.BadParameter(f"--compare is '{compare}'; expected paper")
    if not 0 < max_fpr <= 1:
        raise typer.BadParameter(f"--max-fpr is {max_fpr:g}; it must be above 0 and at most 1")


def _check_places(
    files: list[Path | None],
    folders: list[Path | None],
    output: Path | None,
    write_scores: Path | None,
    overwrite: bool,
) -> None:
    """Refuse what is not there, or must not be overwritten, before hours of scoring."""
    for path in filter(None, files):
        if (problem := missing(path)) is not None:
            raise typer.BadParameter(problem)
    for folder in filter(None, folders):
        check_listable(folder)
    inputs = [*files, *folders]
    if output is not None:
        check_report(output, overwrite=overwrite, inputs=inputs)
    if write_scores is not None:
        refuse_inputs(write_scores, inputs)
        check_score_folder(write_scores, overwrite=overwrite)
        if output is not None:
            refuse_among_scores(output, write_scores)


def _score(
    model: str,
    data: Path,
    decide: DecisionOptions,
    compute: ComputeOptions,
    names: MachineNames,
    fit: Fit,
    source: dict[str, str],
    *,
    named: bool,
) -> list[Record]:
    """Score the test recordings; where their names must tell the label, only those whose do."""
    with BuildProgress() as building:
        detector = Detector(model, replace(compute, on_build=building.show_phase), **decide._asdict())
    with detector:
        source |= {"graph sha256": detector.bundle.graph_sha256} | detector.facts
        records = scored_records(detector, _test_recordings(data, named), names, fit, "nothing was evaluated")
    if detector.manifest.decisions is not None:
        for note in detector.judges.notes():
            say(note)
    return records


def _test_recordings(data: Path, named: bool) -> list[Candidate]:
    passed_over = PassedOver()
    candidates = list(find_test_recordings(data, passed_over))
    if not candidates:
        raise NoRecordingsError(passed_over.refusal([data], f"in a folder {_PLACE},"))
    usable: list[Candidate] = []
    others: list[str] = []
    for candidate in candidates:
        if named and candidate.problem is None and label_in_name(candidate.path) is None:
            others.append(printable(candidate.path))
        else:
            usable.append(candidate)
    if not usable:
        raise EvaluationError(
            f"no name of {few(others, 'recording')} begins with normal_ or anomaly_; give their labels with "
            "--ground-truth"
        )
    _tell_unlabelled(others)
    for note in passed_over.notes():
        say(note)
    return usable


def _without_training(records: Iterable[Record]) -> Iterator[Record]:
    n_training = 0
    for record in records:
        if is_for_training(record.path):
            n_training += 1
        else:
            yield record
    if n_training:
        say(f"left out: {n_training} in folders named {TRAIN_FOLDER}")


def _tell_unused(labelled: Labelled) -> None:
    _tell_unlabelled(labelled.unlabelled)
    for record in labelled.unscored:
        reason = "" if record.reason is None else f": {record.reason}"
        say(f"not scored: {printable(record.path)}: {record.status}{reason}")


def _tell_unlabelled(paths: list[str]) -> None:
    if paths:
        say(f"left out, named neither normal_ nor anomaly_: {few(paths, 'clip')}")


def _show(report: Report, json: bool) -> None:
    if json:
        emit(to_json(report).removesuffix("\n"))
    else:
        print_report(report, wide_console())
