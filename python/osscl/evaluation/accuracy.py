"""What a reduced precision costs: a model's scores of many clips beside those of the same model in fp32."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import ComputeOptions, open_backend
from osscl.errors import (
    AccuracyError,
    AudioCorruptError,
    AudioReadError,
    AudioUnfitError,
    EvaluationError,
)
from osscl.evaluation.gate_limits import GateLimits
from osscl.evaluation.labelled import label_in_name
from osscl.machines.labels import machine_source
from osscl.metrics import auc, rank_correlation
from osscl.model_file.bundle import Bundle
from osscl.model_file.manifest import Accuracy
from osscl.model_file.verdict import Verdict
from osscl.runs.folder import find_some_recordings
from osscl.scoring.judges import Judges
from osscl.scoring.pipeline import score_recordings
from osscl.scoring.record import Record
from osscl.scoring.task import Task
from osscl.support.paths import printable
from osscl.synth import DatasetPlan, write_dataset

GATE_PLAN = DatasetPlan(machines=12, normal=500, anomalous=500, seed=7)
"""The gate set: what accuracy is measured on where no clips are named."""
HARD_PLAN = DatasetPlan(machines=12, train=960, normal=720, anomalous=720, seed=13, hard=True)
"""The hard set: what is reported of a method, and never tuned on."""

BY_DEFAULT = GateLimits()
_HARDLY_DIFFER = "it may be that its scores hardly differ, so that rounding alone swaps them, since "
_UNREAD = {error.status for error in (AudioReadError, AudioCorruptError, AudioUnfitError)}


@contextmanager
def gate_clips(
    folder: Path | None, on_clip: Callable[[], None], fit: Fit = AS_THEY_ARE
) -> Iterator[tuple[Path, str]]:
    """Clips to measure accuracy on: those of a folder, or the gate set, made for the time of the measurement.

    Parameters
    ----------
    folder : Path or None
        Recordings, named as DCASE names them.
    on_clip : callable
        Called after each clip made.
    fit : Fit
        How the folder's recordings will be made to fit.

    Yields
    ------
    Path, str
        The folder, and how to speak of it.
    """
    if folder is not None:
        real = Path(os.path.realpath(folder))
        name = printable(real.name)  # not the way there: it goes into the model file
        yield folder, f"{name} ({fit})" if fit.stated() else name
        return
    plan = GATE_PLAN
    name = (
        f"osscl synth --machines {plan.machines} --normal {plan.normal} --anomalous {plan.anomalous} "
        f"--seed {plan.seed}"
    )
    with tempfile.TemporaryDirectory(prefix="osscl-gate-") as made:
        for _ in write_dataset(made, plan, overwrite=True):
            on_clip()
        yield Path(made), name


def measure_accuracy(
    fp32: Bundle,
    reduced: Bundle,
    clips: Path,
    name: str,
    *,
    fit: Fit = AS_THEY_ARE,
    device: str = "cpu",
    backend: str | None = None,
    on_record: Callable[[Record], Any],
) -> Accuracy:
    """Score clips in both precisions and compare.

    Parameters
    ----------
    fp32, reduced : Bundle
        One model in fp32 and in reduced precision.
    clips : Path
        Folder of recordings; those of machines that the model does not know are left out.
    name : str
        How the result shall speak of the clips.
    fit : Fit
        How recordings that do not fit are made to fit.
    device, backend : str, optional
        On what the reduced precision shall be computed, and by what; fp32 is computed on the CPU. By default
        what `osscl.load` takes there.
    on_record : callable
        Called after each clip that was scored in one of both.

    Returns
    -------
    Accuracy
        The comparison.

    Raises
    ------
    NoRecordingsError
        There are no clips.
    EvaluationError
        The model can score fewer than two of the clips.
    BackendError, MissingExtraError
        One of the precisions cannot be computed here.
    """
    candidates = list(find_some_recordings([clips]))
    # first: this may be what cannot be computed
    again, facts, unread = _score(reduced, ComputeOptions(device, backend), candidates, fit, on_record)
    scored, _, _ = _score(fp32, ComputeOptions("cpu"), candidates, fit, on_record)
    paths = sorted(scored.keys() & again.keys())
    if len(paths) < 2:
        raise EvaluationError(
            f"accuracy cannot be measured on {name}: the model can score {len(paths)} of its clips, and two "
            f"are the least; {unread or 'name a folder with recordings of its own machines (--gate CLIPS)'}"
        )
    before = np.array([scored[path].score for path in paths], np.float64)
    after = np.array([again[path].score for path in paths], np.float64)
    flips = [
        scored[path].is_anomaly != again[path].is_anomaly
        for path in paths
        if scored[path].is_anomaly is not None
    ]
    return Accuracy(
        clips=name,
        backend=_computed_by(facts),
        n_clips=len(paths),
        n_machines=len({scored[path].machine for path in paths}),
        score_error=float(np.abs(after - before).max()),
        rank_correlation=rank_correlation(before, after),
        auc_fp32=_mean_auc(scored, paths),
        auc=_mean_auc(again, paths),
        decision_flips=sum(flips) if flips else None,
    )


def check_accuracy(
    accuracy: Accuracy,
    limits: GateLimits = BY_DEFAULT,
    doubt: str | None = None,
    verdict: Verdict | None = None,
) -> None:
    """Refuse a reduced precision that changes the ranking of clips.

    Parameters
    ----------
    accuracy : Accuracy
        What was measured.
    limits : GateLimits
        What it must keep to.
    doubt : str or None
        What a gate of few clips cannot tell.
    verdict : Verdict or None
        What the training came to: the scores of a network that learned nothing hardly differ, and rounding
        alone puts them into another order.

    Raises
    ------
    AccuracyError
        The rank correlation is too low, or the AUC changes too much.
    """
    flaws = []
    if not accuracy.rank_correlation >= limits.min_rank_correlation:
        least = limits.min_rank_correlation
        flaws.append(f"rank correlation {accuracy.rank_correlation:.5f} (at least {least:g})")
    if accuracy.auc is not None and accuracy.auc_fp32 is not None:
        change = accuracy.auc - accuracy.auc_fp32
        if not abs(change) <= limits.max_auc_change:
            flaws.append(
                f"AUC {accuracy.auc:.4f} instead of {accuracy.auc_fp32:.4f} "
                f"(at most {limits.max_auc_change:g} apart)"
            )
    if flaws:
        raise AccuracyError(
            f"the reduced precision does not pass the accuracy gate on {accuracy.clips}: {'; '.join(flaws)}; "
            + (
                f"{_HARDLY_DIFFER}{verdict}; "
                if verdict and verdict.word in ("nothing", "cannot_tell")
                else ""
            )
            + (f"{doubt}: name more clips, or use fp32" if doubt else "use fp32")
        )


def _score(
    bundle: Bundle,
    compute: ComputeOptions,
    candidates: Iterable[Candidate],
    fit: Fit,
    on_record: Callable[[Record], Any],
) -> tuple[dict[str, Record], Mapping[str, str], str | None]:
    """Records of the clips that have a score, by path; what computed them; the first that cannot be read."""
    manifest = bundle.manifest
    machine_of = machine_source(manifest.classes_of_machines)
    records = {}
    unread = None
    with closing(open_backend(bundle, compute)) as opened:
        task = Task(
            machine_of,
            fit,
            opened.preferred_batch,
            compute.shared_out().n_threads,
            Judges(manifest, "network"),
        )
        for record in score_recordings(candidates, task, manifest, opened):
            if record.score is not None:
                records[record.path] = record
                on_record(record)
            elif record.status in _UNREAD and unread is None:
                unread = f"{printable(record.path)}: {record.reason}"
        return records, opened.facts, unread


def _computed_by(facts: Mapping[str, Any]) -> str:
    """Backend, version, and what it says of its arithmetic, if anything."""
    backend = f"{facts['backend']} {facts['backend_version']}"
    return f"{backend}, {facts['arithmetic']}" if "arithmetic" in facts else backend


def _mean_auc(records: dict[str, Record], paths: list[str]) -> float | None:
    """AUC, mean over the machine IDs that have clips of both labels."""
    by_machine: dict[str | None, tuple[list[bool], list[float]]] = {}
    for path in paths:
        record, label = records[path], label_in_name(path)
        if label is not None and record.score is not None:
            labels, scores = by_machine.setdefault(record.machine, ([], []))
            labels.append(label)
            scores.append(record.score)
    areas = [auc(labels, scores) for labels, scores in by_machine.values() if 0 < sum(labels) < len(labels)]
    return float(np.mean(areas)) if areas else None
