"""``osscl evaluate``: how well a model, or scores of any origin, tell anomalous from normal clips."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli.completion import models
from osscl.cli.console import wide_console
from osscl.cli.evaluated import (
    say_training,
    score_test_recordings,
    tell_known_clips,
    tell_unused,
    tell_without_domains,
    with_scores,
    without_training,
)
from osscl.cli.folders import check_listable
from osscl.cli.messages import EXIT_SOME_UNSCORED, emit, say
from osscl.cli.options import DecisionOptions, DomainOfAll, FalseAlarmRate, takes_shared_options
from osscl.cli.places import path_here
from osscl.evaluation.by_table import TableTruth
from osscl.evaluation.challenge import read_score_folder
from osscl.evaluation.challenge_rules import YEARS, told_rules
from osscl.evaluation.challenge_written import (
    check_score_folder,
    counted_files,
    refuse_among_scores,
    write_score_folder,
)
from osscl.evaluation.ground_truth import GroundTruth
from osscl.evaluation.labelled import label_by_names
from osscl.evaluation.options import DEFAULT_RESAMPLES, MAX_RESAMPLES
from osscl.evaluation.published_figures import PAPER
from osscl.evaluation.report import check_report, print_report, to_json, write_report
from osscl.evaluation.report_tables import Report
from osscl.evaluation.reporting import Counting, report_on
from osscl.evaluation.rules import own_lines, rules_of
from osscl.machines.label_table import LabelTable
from osscl.machines.labels import BY_PATHS, MachineNames
from osscl.metrics import MAX_FPR
from osscl.model_file.bundle import read_bundle
from osscl.runs.scopes import OF_FILES, of_scope
from osscl.runs.score_table import TABLE_SUFFIXES, read_records
from osscl.scoring.judge_making import AUTO
from osscl.scoring.record import FILE_SCOPES, Record
from osscl.support.links import missing
from osscl.support.outputs import refuse_inputs
from osscl.support.paths import printable

EXAMPLES = """[bold]Examples[/bold]\n
  osscl evaluate model.onnx dcase2020 --compare paper\n
  osscl evaluate model.onnx recordings --resample --channel 0 --pad repeat\n
  osscl evaluate enrolled.onnx recordings --rule all\n
  osscl evaluate scores.csv --output report.md\n
  osscl evaluate --scores submission --ground-truth eval_data_list.csv --json\n
  osscl evaluate scores.csv --challenge 2023 --ground-truth ground_truth_data --domains ground_truth_domain\n
  osscl evaluate model.onnx dcase2023 --write-scores submission\n
\n
Exit code: 0 all evaluated, 1 failed, 2 wrong usage, 3 done but some clips have no score; interrupted:
130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""
ALL = "all"


def _check_sources(given: dict[str, Any], computes: bool) -> None:
    """Refuse sources that do not go together, before an option is looked at that none of them needs."""
    model, data, scores = given["model"], given["data"], given["scores"]
    if (model is None) == (scores is None):
        raise typer.BadParameter("give MODEL and DATA, or a TABLE of scores, or --scores: one of the three")
    if data is not None:
        if model.lower().endswith(tuple(TABLE_SUFFIXES)):
            raise typer.BadParameter(f"a table of scores takes no DATA: osscl evaluate {printable(model)}")
        return
    decides = given["rule"] is not None or given["false_alarm_rate"] is not None or given["domain"] != AUTO
    if computes or decides:
        raise typer.BadParameter(
            "--device, --resample, --machine, --rule, --domain and the like go with MODEL and DATA: here "
            "nothing is computed"
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
            autocompletion=models,
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
        typer.Option(
            help="Folder with the challenge's anomaly_score_<type>_id_<ID>.csv or "
            "anomaly_score_<type>_section_<NN>_test.csv, and decision_result_... beside them.",
            metavar="FOLDER",
        ),
    ] = None,
    ground_truth: Annotated[
        Path | None,
        typer.Option(
            help="The challenge's list of labels, or a folder with ground_truth_<type>.csv or "
            "ground_truth_<type>_section_<NN>_test.csv. Without it file names tell: normal_... or "
            "anomaly_..., also after section_<NN>_source_test_.",
            metavar="FILE",
        ),
    ] = None,
    domains: Annotated[
        Path | None,
        typer.Option(
            help="The challenge's second folder, from 2022 on: files named as those of --ground-truth, with "
            "0 for source and 1 for target. Without it names tell domains, where they do.",
            metavar="FOLDER",
        ),
    ] = None,
    challenge: Annotated[
        int | None,
        typer.Option(
            help="Count as DCASE Task 2 of this year does, and write its score files. Without it names tell: "
            "IDs are counted as in 2020, files in source_test and target_test as in 2021, other domains as "
            "from 2022 on.",
            metavar="YEAR",
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
            help="Folder to write the challenge's files of scores and decisions into, named as in its year.",
            metavar="FOLDER",
            readable=False,
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
    domain: DomainOfAll = AUTO,
    names: MachineNames = BY_PATHS,
    fit: Fit = AS_THEY_ARE,
    compute: ComputeOptions = DEFAULT_OPTIONS,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the outputs of an earlier run.")
    ] = False,
) -> None:
    """AUC and pAUC per machine ID, type, domain and in total, of a model or of scores; and false alarms."""
    _check_options(compare, max_fpr, challenge)
    if scope is not None:
        if scope not in FILE_SCOPES:
            raise typer.BadParameter(f"--scope is '{scope}'; expected one of: {', '.join(FILE_SCOPES)}")
        if model is None or data is not None:
            raise typer.BadParameter("--scope goes with a TABLE that osscl score --hop wrote")
    table = None if model is None or data is not None else path_here(model)
    if domains is not None and ground_truth is None:
        raise typer.BadParameter(
            "--domains says which domain a clip is of, and not its label; give the labels with --ground-truth"
        )
    _check_places([table, ground_truth, domains], [data, scores], output, write_scores, overwrite)
    if output is not None and model is not None:
        refuse_inputs(output, [model])
    truth = None if ground_truth is None else GroundTruth.read(ground_truth, domains)
    source = {"scores": printable(scores or model or ""), "labels": printable(ground_truth or "file names")}
    if domains is not None:
        source["domains"] = printable(domains)
    labels = None if truth is not None or names.labels is None else LabelTable.read(names.labels)
    labels = labels if labels is not None and labels.has_labels else None
    if labels is not None:
        source["labels"] = printable(names.labels or "")
    label = label_by_names if truth is None else truth.label
    label = label if labels is None else TableTruth(labels).label
    records: Iterable[Record]
    by_rule: dict[str, list[Record]] = {}
    if model is not None and data is not None:
        source["recordings"] = printable(data)
        names = names.below(data)
        if fit.stated():
            source["made to fit"] = str(fit)
        manifest = read_bundle(model).manifest
        say_training(manifest)

        def check(lines: list[Record]) -> None:
            told_rules(label(lines).scores, [line.path for line in lines], challenge)

        for each in rules_of(manifest) if rule == ALL else [rule]:
            asked = DecisionOptions(each, false_alarm_rate, domain)  # type: ignore[arg-type]  # the detector checks
            found = score_test_recordings(
                model,
                data,
                asked,
                compute,
                names,
                fit,
                source,
                check,
                truth=truth,
                table=labels,
                is_first=not by_rule,
                which=f"by rule {each}: " if rule == ALL else "",
            )
            by_rule[each or ""] = found
        tell_known_clips(by_rule, manifest, fit, compute)
        records = own_lines(by_rule, manifest) if rule == ALL else by_rule[rule or ""]
    elif table is not None:
        records = without_training(of_scope(read_records(table), scope or OF_FILES))
    else:
        assert scores is not None
        records = read_score_folder(scores)
    lines = list(records)
    labelled = label(lines)
    tell_unused(labelled)
    told = told_rules(labelled.scores, [line.path for line in lines], challenge)
    tell_without_domains(labelled, listed=truth is not None)
    report = report_on(
        labelled,
        with_scores({name: label(found) for name, found in by_rule.items() if rule == ALL}),
        Counting(told, max_fpr, bootstrap, seed),
        source,
        None if compare is None else PAPER,
    )
    _show(report, json)
    if output is not None:
        write_report(report, output)
        say(f"-> {printable(output)}")
    if write_scores is not None:
        of_year = None if told is None else told.rules
        files = write_score_folder(write_scores, labelled.scores, of_year, overwrite=overwrite)
        say(f"-> {printable(write_scores)}: {counted_files(files)}")
    raise typer.Exit(EXIT_SOME_UNSCORED if report.unscored else 0)


def _check_options(compare: str | None, max_fpr: float, challenge: int | None) -> None:
    if compare not in (None, "paper"):
        raise typer.BadParameter(f"--compare is '{compare}'; expected paper")
    if not 0 < max_fpr <= 1:
        raise typer.BadParameter(f"--max-fpr is {max_fpr:g}; it must be above 0 and at most 1")
    if challenge is not None and challenge not in YEARS:
        raise typer.BadParameter(
            f"--challenge is {challenge}; expected a year from {YEARS[0]} to {YEARS[-1]}"
        )
    if challenge is not None and max_fpr != MAX_FPR:
        raise typer.BadParameter(
            f"--max-fpr is {max_fpr:g}, and pAUC of the challenge ends at {MAX_FPR:g}: leave out one of "
            "--challenge and --max-fpr"
        )


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


def _show(report: Report, json: bool) -> None:
    if json:
        emit(to_json(report).removesuffix("\n"))
    else:
        print_report(report, wide_console())
