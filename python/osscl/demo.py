"""The demonstration: machines are made and enrolled, and other recordings of them are scored and decided."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

from osscl.audio.reading import Fit
from osscl.detector import Detector
from osscl.enrolment import enroll
from osscl.evaluation import Evaluation, evaluate
from osscl.evaluation.labelled import label_by_names
from osscl.evaluation.missed import missed_of
from osscl.evaluation.report import write_report
from osscl.evaluation.report_tables import Report
from osscl.evaluation.testset import find_test_recordings
from osscl.machines.labels import machine_source
from osscl.model_file.bundle import DEMO
from osscl.runs.run import score_to_table
from osscl.runs.tables import OutputTable
from osscl.runs.tally import Tally
from osscl.scoring.record import Record
from osscl.synth import DatasetPlan, write_dataset

PLAN = DatasetPlan(machines=12, train=228, normal=24, anomalous=24, seed=20)
"""Of each machine 19 normal clips to enroll, the fewest that 5 % false alarms need, 2 normal and 2 anomalous
ones to score; the network was trained on another seed."""

RECORDINGS, MODEL, SCORES, REPORT = "recordings", "enrolled.onnx", "scores.csv", "report.md"
"""What lies in the folder of a demonstration."""

N_STEPS = PLAN.n_clips + PLAN.train + 2 * (PLAN.normal + PLAN.anomalous)
"""Clips made, enrolled, and scored by the memories and by the network."""


class Demonstration(NamedTuple):
    """What a demonstration found.

    Attributes
    ----------
    memory : Evaluation
        Of the scores of the machines' memories, which decide.
    network : Evaluation
        Of the network's scores of the same clips.
    """

    memory: Evaluation
    network: Evaluation


def run_demo(folder: Path, *, on_step: Callable[[], None], overwrite: bool = False) -> Demonstration:
    """Make recordings, enroll the normal ones, and decide others.

    Parameters
    ----------
    folder : Path
        Where recordings, model file, scores and report are written.
    on_step : callable
        Called `N_STEPS` times.
    overwrite : bool
        Replace what an earlier demonstration left in the folder.

    Returns
    -------
    Demonstration
        AUC and pAUC of both, and the decisions of the memories.

    Raises
    ------
    OutputError
        The folder cannot be written, or holds something already.
    MissingExtraError
        ONNX Runtime is not installed.
    """
    recordings, model = folder / RECORDINGS, folder / MODEL
    with ExitStack() as opened:
        # first: nothing is written where nothing can be scored
        network = opened.enter_context(Detector(DEMO))
        for _ in write_dataset(recordings, PLAN, overwrite=overwrite):
            on_step()
        normals = sorted(recordings.glob("*/train"))
        enroll(normals, model, DEMO, overwrite=overwrite, on_clip=on_step)
        detector = opened.enter_context(Detector(model))
        records = list(_decided(detector, folder, on_step, overwrite=overwrite))
        by_network = list(_scored(network, recordings, on_step))
        source = {"model": str(model), "graph sha256": detector.bundle.graph_sha256, "recordings": RECORDINGS}
    found = Demonstration(*(evaluate(label_by_names(lines).scores) for lines in (records, by_network)))
    report = Report(
        source=source,
        evaluation=found.memory,
        unscored=[],
        by_rule={"network": found.network, "memory": found.memory},
        missed=missed_of(label_by_names(records).scores),
    )
    write_report(report, folder / REPORT)
    return found


def _decided(
    detector: Detector, folder: Path, on_step: Callable[[], None], *, overwrite: bool
) -> Iterator[Record]:
    """Score the clips for testing into the table of the demonstration."""
    records: list[Record] = []

    def keep(record: Record) -> None:
        records.append(record)
        on_step()

    score_to_table(
        detector,
        _scores(detector, folder / RECORDINGS),
        OutputTable(folder / SCORES, overwrite=overwrite),
        options={"demo": True},
        tally=Tally(),
        on_record=keep,
        on_run=_kept_beside_the_table,
    )
    yield from records


def _scored(network: Detector, recordings: Path, on_step: Callable[[], None]) -> Iterator[Record]:
    for record in _scores(network, recordings):
        on_step()
        yield record


def _scores(detector: Detector, recordings: Path) -> Iterator[Record]:
    candidates = find_test_recordings(recordings)
    return detector.score_candidates(candidates, machine_source(detector.machines), Fit())


def _kept_beside_the_table(_: dict[str, Any]) -> None:
    """The record of the run is a file of its own."""
