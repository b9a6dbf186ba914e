"""``osscl compare``: what changes for the clips of a folder if one model takes the place of another."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.cli.completion import models
from osscl.cli.console import BuildProgress, as_json, say_unusable, wide_console
from osscl.cli.evaluated import say_training
from osscl.cli.messages import EXIT_SOME_UNSCORED, emit, say
from osscl.cli.options import BY_DEFAULT, DecisionOptions, takes_shared_options
from osscl.cli.scored import scored_records
from osscl.cli.streams import refuse_closed_stdout
from osscl.detector import Detector
from osscl.errors import NoRecordingsError
from osscl.evaluation.compared import Scored, TruthOf
from osscl.evaluation.compared import compare as compare_scores
from osscl.evaluation.compared_tables import flips_of, grids_of, notes_of
from osscl.evaluation.ground_truth import GroundTruth
from osscl.evaluation.labelled import label_in_name
from osscl.evaluation.report import print_grids
from osscl.evaluation.testset import find_recordings_not_for_training
from osscl.machines.labels import BY_PATHS, MachineNames, machine_source
from osscl.model_file.bundle import read_bundle
from osscl.runs.passed_over import PassedOver
from osscl.support.links import missing
from osscl.support.paths import printable

EXAMPLES = """[bold]Examples[/bold]\n
  osscl compare released.onnx candidate.onnx dcase2020\n
  osscl compare enrolled.onnx enrolled_again.onnx recordings --machine press/id_09\n
  osscl compare model.onnx model_fp16.onnx recordings --false-alarm-rate 0.01 --json\n
\n
Exit code: 0 all compared, 1 failed, 2 wrong usage, 3 done but some clips were not scored by both;
interrupted: 130 by Ctrl-C, 143 by SIGTERM, 129 by SIGHUP.
"""


@takes_shared_options()
def compare(
    a: Annotated[
        Path,
        typer.Argument(help="Model file that is in use, or demo.", metavar="A", autocompletion=models),
    ],
    b: Annotated[
        Path, typer.Argument(help="Model file that shall take its place.", metavar="B", autocompletion=models)
    ],
    clips: Annotated[
        Path,
        typer.Argument(
            help="Folder, searched at any depth except in folders named train; or a file.", metavar="CLIPS"
        ),
    ],
    ground_truth: Annotated[
        Path | None,
        typer.Option(
            help="The challenge's list of labels, or a folder with ground_truth_<type>.csv; it may hold "
            "other clips too. Without it file names tell: normal_... or anomaly_...",
            metavar="FILE",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout instead of tables.")] = False,
    names: MachineNames = BY_PATHS,
    fit: Fit = AS_THEY_ARE,
    decide: DecisionOptions = BY_DEFAULT,
    compute: ComputeOptions = DEFAULT_OPTIONS,
) -> None:
    """Compare two models, or two calibrations, on the same clips: ranks, decisions that flip, AUC."""
    for path in filter(None, (clips, ground_truth)):
        if (problem := missing(path)) is not None:
            raise typer.BadParameter(problem)
    names = names.below(clips)
    truth_of = _truth(ground_truth)
    for model in (a, b):  # first: B may be what cannot be used, and A takes hours
        machine_source(read_bundle(model).manifest.machines, *names)
    refuse_closed_stdout()
    candidates = _candidates(clips)
    of_a, facts_a = _scored("A", a, candidates, names, fit, decide, compute)
    of_b, facts_b = _scored("B", b, candidates, names, fit, decide, compute)
    comparison = compare_scores(of_a, of_b, truth_of)
    say_unusable(
        "not scored by both", [(clip.path, f"A: {clip.a}; B: {clip.b}") for clip in comparison.apart]
    )
    if json:
        source = {"clips": printable(clips), "a": facts_a, "b": facts_b}
        emit(as_json({"source": source, **msgspec.to_builtins(comparison)}))
    else:
        print_grids(grids_of(comparison), notes_of(comparison), wide_console())
        for line in flips_of(comparison):
            emit(line)
    raise typer.Exit(EXIT_SOME_UNSCORED if comparison.apart else 0)


def _truth(ground_truth: Path | None) -> TruthOf:
    if ground_truth is None:
        return lambda record: label_in_name(record.path)
    return GroundTruth.read(ground_truth).truth_of


def _candidates(clips: Path) -> list[Candidate]:
    passed_over = PassedOver()
    candidates = list(find_recordings_not_for_training(clips, passed_over))
    if not candidates:
        raise NoRecordingsError(passed_over.refusal([clips], "outside folders named train,"))
    if passed_over.n_elsewhere:
        say(f"left out: {passed_over.n_elsewhere} in folders named train")
    for note in passed_over.notes():
        say(note)
    return candidates


def _scored(
    which: str,
    model: Path,
    candidates: list[Candidate],
    names: MachineNames,
    fit: Fit,
    decide: DecisionOptions,
    compute: ComputeOptions,
) -> tuple[Scored, dict[str, str]]:
    """Score the clips by one model, and say what it is and how it computes."""
    with BuildProgress() as building:
        detector = Detector(model, replace(compute, on_build=building.show_phase), **decide._asdict())
    with detector:
        say_training(detector.manifest, f"{which}: ")
        facts = {"model": printable(model), "sha256": detector.bundle.file_sha256, **detector.facts}
        records = scored_records(detector, candidates, names, fit, "nothing was compared")
    judges = detector.judges
    rates = {
        record.machine: rate
        for record in records
        if record.machine is not None and (rate := judges.rate_of(record)) is not None
    }
    for note in judges.notes():
        say(f"{which}: {note}")
    return Scored(records, rates, judges.fingerprints()), facts
