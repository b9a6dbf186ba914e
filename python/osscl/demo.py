"""The demonstration: machine sounds made, scored by the shipped model and evaluated, in one folder."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from osscl.audio.reading import Fit
from osscl.detector import load
from osscl.evaluation import Evaluation, evaluate
from osscl.evaluation.labelled import label_by_names
from osscl.evaluation.report import write_report
from osscl.evaluation.report_tables import Report
from osscl.machines.labels import machine_source
from osscl.model_file.bundle import DEMO
from osscl.runs.folder import find_recordings
from osscl.runs.run import Tally, score_to_table
from osscl.runs.tables import OutputTable
from osscl.scoring.record import Record
from osscl.synth import DatasetPlan, write_dataset

PLAN = DatasetPlan(machines=12, normal=24, anomalous=24, seed=20)
"""Two normal and two anomalous clips of each machine the model knows; it was trained on another seed."""

RECORDINGS, SCORES, REPORT = "recordings", "scores.csv", "report.md"
"""What lies in the folder of a demonstration."""


def run_demo(
    folder: Path, *, on_clip: Callable[[], None], on_record: Callable[[Record], None], overwrite: bool = False
) -> Evaluation:
    """Make recordings, score them and say how well healthy and faulty machines are told apart.

    Parameters
    ----------
    folder : Path
        Where recordings, scores and report are written.
    on_clip : callable
        Called after each recording made.
    on_record : callable
        Called with each line of the table of scores.
    overwrite : bool
        Replace what an earlier demonstration left in the folder.

    Returns
    -------
    Evaluation
        AUC and pAUC.

    Raises
    ------
    OutputError
        The folder cannot be written, or holds something already.
    MissingExtraError
        ONNX Runtime is not installed.
    """
    with load(DEMO) as detector:  # first: nothing is written where nothing can be scored
        for _ in write_dataset(folder / RECORDINGS, PLAN, overwrite=overwrite):
            on_clip()
        records: list[Record] = []

        def keep(record: Record) -> None:
            records.append(record)
            on_record(record)

        score_to_table(
            detector,
            find_recordings([folder / RECORDINGS]),
            OutputTable(folder / SCORES, overwrite=overwrite),
            machine_of=machine_source(detector.machines),
            fit=Fit(),
            options={"demo": True},
            tally=Tally(),
            on_record=keep,
            on_run=_kept_beside_the_table,
        )
        source = {"model": DEMO, "graph sha256": detector.bundle.graph_sha256, "recordings": RECORDINGS}
    labelled = label_by_names(records)
    evaluation = evaluate(labelled.scores)
    write_report(Report(source=source, evaluation=evaluation, unscored=[]), folder / REPORT)
    return evaluation


def _kept_beside_the_table(_: dict[str, Any]) -> None:
    """The record of the run is a file of its own."""
