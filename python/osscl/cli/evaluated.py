"""Lines that ``osscl evaluate`` counts, and what it says of those that it does not."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.backends import ComputeOptions
from osscl.cli.console import BuildProgress, say_unusable
from osscl.cli.messages import say
from osscl.cli.options import DecisionOptions
from osscl.cli.scored import scored_records
from osscl.cli.surveyed import say_survey, survey_of
from osscl.detector import Detector
from osscl.errors import EvaluationError, MachineError, NoRecordingsError
from osscl.evaluation.ground_truth import GroundTruth
from osscl.evaluation.known_clips import warnings_of_known_clips
from osscl.evaluation.labelled import Labelled, few, label_in_name
from osscl.evaluation.testset import (
    find_recordings_not_for_training,
    find_test_recordings,
    is_for_training,
)
from osscl.machines.dcase import TRAIN_FOLDER
from osscl.machines.label_table import LabelTable
from osscl.machines.labels import MachineNames, machine_source
from osscl.model_file.manifest import Manifest
from osscl.runs.folder import find_recordings
from osscl.runs.passed_over import PassedOver
from osscl.scoring.record import Record
from osscl.support.paths import printable

_LABELLED = "normal_id_00_..., section_00_source_test_anomaly_... or a folder normal or abnormal"
_PLACE = "named test, such as fan/test/normal_id_00_00000000.wav"


def score_test_recordings(
    model: str,
    data: Path,
    decide: DecisionOptions,
    compute: ComputeOptions,
    names: MachineNames,
    fit: Fit,
    source: dict[str, str],
    check: Callable[[list[Record]], object],
    *,
    truth: GroundTruth | None,
    table: LabelTable | None = None,
    is_first: bool = True,
    which: str = "",
) -> list[Record]:
    """Score the test recordings of which names, a table or a list of labels tell the label.

    What they are is said the first time, where they are scored by several rules; `which` of those then begins
    what is said of the decisions.
    `check` takes their lines as they will be but for the scores, and raises before hours go into those.
    """
    with BuildProgress() as building:
        detector = Detector(model, replace(compute, on_build=building.show_phase), **decide._asdict())
    with detector:
        source |= {"graph sha256": detector.bundle.graph_sha256} | detector.facts
        if table is None:
            candidates = _test_recordings(data, named=truth is None)
        else:
            candidates = _labelled_recordings(data, table)
        if is_first:
            say_survey(survey_of(find_recordings([data])))
        lines = list(_lines_to_be(candidates, detector, names))
        if truth is not None:
            candidates, lines = _listed(candidates, lines, truth, tell=is_first)
        check(lines)
        records = scored_records(detector, candidates, names, fit, "nothing was evaluated")
    if detector.manifest.decisions is not None:
        for note in detector.judges.notes():
            say(f"{which}{note}")
    return records


def tell_known_clips(
    by_rule: dict[str, list[Record]], manifest: Manifest, fit: Fit, compute: ComputeOptions
) -> None:
    """Warn of test clips that the model knows."""
    records = [record for of_rule in by_rule.values() for record in of_rule]
    for warning in warnings_of_known_clips(records, manifest, fit, compute.shared_out().n_threads):
        say(f"warning: {warning}")


def say_training(manifest: Manifest, which: str = "") -> None:
    """Say what the training of a model's network came to, where the model file tells."""
    if manifest.has_network and manifest.verdict is not None:
        doubt = "" if manifest.verdict.word == "learned" else "warning: "
        say(f"{which}{doubt}by its training, {manifest.verdict}")


def with_scores(by_rule: dict[str, Labelled]) -> dict[str, Labelled]:
    """The rules that score at least one of the labelled clips; of the others it is said."""
    for name, labelled in by_rule.items():
        if not labelled.scores:
            say(f"left out, the rule {name}: it scores none of these clips")
    return {name: labelled for name, labelled in by_rule.items() if labelled.scores}


def _lines_to_be(candidates: list[Candidate], detector: Detector, names: MachineNames) -> Iterator[Record]:
    machine_of = machine_source(detector.machines, *names)
    for candidate in candidates:
        try:
            yield Record(path=candidate.path, machine=machine_of(candidate.path), score=0.0)
        except MachineError:
            yield Record(path=candidate.path)


def _listed(
    candidates: list[Candidate], lines: list[Record], truth: GroundTruth, *, tell: bool
) -> tuple[list[Candidate], list[Record]]:
    """Recordings that the list of labels holds, with their lines; all of them where it holds none."""
    pairs = list(zip(candidates, lines, strict=True))
    kept = [(each, line) for each, line in pairs if each.problem is not None or truth.holds(line)]
    if not any(truth.holds(line) for line in lines) or len(kept) == len(pairs):
        return candidates, lines
    if tell:
        kept_paths = {each.path for each, _ in kept}
        others = [printable(each.path) for each in candidates if each.path not in kept_paths]
        say(f"left out, not in the list of labels: {few(others, 'clip')}")
    return [each for each, _ in kept], [line for _, line in kept]


def _test_recordings(data: Path, *, named: bool) -> list[Candidate]:
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
            f"neither name nor folder tells a label of {few(others, 'recording')}, as {_LABELLED} would; "
            "give their labels with --ground-truth or --labels"
        )
    _tell_unlabelled(others)
    for note in passed_over.notes():
        say(note)
    return usable


def _labelled_recordings(data: Path, table: LabelTable) -> list[Candidate]:
    """Recordings that the table labels, wherever they lie but in folders for training."""
    passed_over = PassedOver()
    usable: list[Candidate] = []
    others: list[str] = []
    for candidate in find_recordings_not_for_training(data, passed_over):
        if candidate.problem is not None or table.is_labelled(candidate.path):
            usable.append(candidate)
        else:
            others.append(printable(candidate.path))
    if not usable:
        if not others:
            raise NoRecordingsError(passed_over.refusal([data]))
        raise EvaluationError(
            f"the table of labels has no label for {few(others, 'recording')}; fill in its column label: "
            "normal or anomaly"
        )
    if others:
        say(f"left out, without a label in the table: {few(others, 'clip')}")
    for note in passed_over.notes():
        say(note)
    return usable


def without_training(records: Iterable[Record]) -> Iterator[Record]:
    """Leave out lines of training clips, and say how many at the end."""
    n_training = 0
    for record in records:
        if is_for_training(record.path):
            n_training += 1
        else:
            yield record
    if n_training:
        say(f"left out: {n_training} in folders named {TRAIN_FOLDER}")


def tell_unused(labelled: Labelled) -> None:
    """Name the clips that are in no figure."""
    _tell_unlabelled(labelled.unlabelled)
    say_unusable(
        "not scored",
        [
            (record.path, ": ".join(filter(None, (record.status.replace("_", " "), record.reason))))
            for record in labelled.unscored
        ],
    )


def tell_without_domains(labelled: Labelled, *, listed: bool) -> None:
    """Say where sections, which have domains, have no figures by domain, and what would give them."""
    sections = {clip.machine for clip in labelled.scores if "/section_" in clip.machine}
    if sections and not any(clip.domain for clip in labelled.scores):
        told_by = "the list of labels nor the names tell" if listed else "names nor folders tell"
        remedy = "the evaluators' second folder goes with --domains"
        if not listed:
            remedy = "the evaluators' two folders go with --ground-truth LABELS --domains DOMAINS"
        say(f"no figures by domain: neither {told_by} source from target; {remedy}")


def _tell_unlabelled(paths: list[str]) -> None:
    if paths:
        say(f"left out, neither name nor folder tells a label: {few(paths, 'clip')}")
