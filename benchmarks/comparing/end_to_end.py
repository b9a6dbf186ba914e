"""Part ``end_to_end``: the files of a folder to scores, each way on all processors."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

import osscl
from comparing.models import Models
from comparing.peak import Peaks
from comparing.published_way import PublishedFrontEnd, PublishedWay, read_waveform
from comparing.rounds import in_rounds
from comparing.runtimes import open_onnxruntime
from osscl.audio.candidate import Candidate
from osscl.audio.reading import Fit
from osscl.bench.benchmark import GFLOP_PER_CLIP
from osscl.bench.neighbours import Neighbours
from osscl.bench.rounds import Repetition, Work
from osscl.errors import MachineError
from osscl.evaluation.labelled import label_in_name
from osscl.machines.dcase import MachineFromPath
from osscl.metrics import auc, rank_correlation
from osscl.scoring.rule import anomaly_score
from osscl.support.threads import usable_cpus

BLOCK = 50
_N_WARM_UP = 4
_PUBLISHED = "published way"

Labels = dict[str, int]
"""Class that each file is scored as."""


@dataclass
class Contender:
    """A way from files to scores; a work of the rounds, which scores the next block in each.

    Attributes
    ----------
    name, precision : str
        What it is called, and the arithmetic of the network.
    score : callable
        Scores of some files, in order.
    blocks : iterator of list of str
        The files.
    scores : dict of str to float
        Scores so far, by file.
    """

    name: str
    precision: str
    score: Callable[[list[str]], list[float]]
    blocks: Iterator[list[str]]
    scores: dict[str, float] = field(default_factory=dict)

    def run(self, _: float) -> Repetition:
        """Score one block, whatever time it takes."""
        block = next(self.blocks)
        start = time.perf_counter()
        scores = self.score(block)
        elapsed_s = time.perf_counter() - start
        self.scores.update(zip(block, scores, strict=True))
        return Repetition(len(block), elapsed_s)


def compare_end_to_end(
    checkpoint: Path, models: Models, paths: list[str], on_round: Callable[[int], None]
) -> dict[str, object]:
    """Measure all ways in blocks of files, and the peak between them; each way scores each file once."""
    n_cpus = usable_cpus()
    torch.set_num_threads(n_cpus)
    published = PublishedWay(checkpoint)
    classes = published.config.classes
    labels, n_known = _labels(paths, classes)
    blocks = [paths[i : i + BLOCK] for i in range(0, len(paths), BLOCK)]
    with ExitStack() as stack:
        peaks = Peaks({n_cpus}, stack)
        contenders = [
            Contender(name, precision, score, iter(blocks))
            for name, precision, score in _ways(published, models, labels, stack)
        ]
        for contender in contenders:
            contender.score(paths[:_N_WARM_UP])
        works = [Work(contender.run, 0.0) for contender in contenders]
        neighbours = Neighbours(peaks.pids)
        in_rounds(works + peaks.works, len(blocks), on_round)
        other_cpus = neighbours.cpus()
    gflop = GFLOP_PER_CLIP[published.config.inputs]
    rows = []
    for contender, work in zip(contenders, works, strict=True):
        rate = work.clips_per_s
        rows.append(
            {
                "name": contender.name,
                "precision": contender.precision,
                "clips_per_s": rate,
                "ms_per_clip": 1000.0 / rate,
                "to_published": rate / works[0].clips_per_s,
                "peak_share": gflop * rate / peaks.peak(contender.precision, n_cpus),
                **_agreement(contender, contenders[0], labels if n_known == len(paths) else None),
            }
        )
    return {
        "rows": rows,
        "peaks": peaks.rows(),
        "other_cpus": other_cpus,
        "threads": n_cpus,
        "n_files": len(paths),
        "n_files_of_known_machines": n_known,
        "block": BLOCK,
    }


def _labels(paths: list[str], classes: tuple[str, ...]) -> tuple[Labels, int]:
    """Class that each path names; where the model does not know its machine, classes in turn."""
    machine_of = MachineFromPath(classes)
    labels, n_known = {}, 0
    for number, path in enumerate(paths):
        try:
            labels[path] = classes.index(machine_of(path))
            n_known += 1
        except MachineError:
            labels[path] = number % len(classes)
    return labels, n_known


def _ways(
    published: PublishedWay, models: Models, labels: Labels, stack: ExitStack
) -> Iterator[tuple[str, str, Callable[[list[str]], list[float]]]]:
    yield _PUBLISHED, "fp32", lambda paths: [published.score(path, labels[path]) for path in paths]
    yield "ONNX Runtime, plain export", "fp32", _assembled(published, models, labels)
    yield "osscl fp32, ONNX Runtime", "fp32", _osscl(models.ours, "onnxruntime", labels, stack)
    if find_spec("openvino") is not None:
        yield "osscl fp32, OpenVINO", "fp32", _osscl(models.ours, "openvino", labels, stack)
        yield "osscl bf16, OpenVINO", "bf16", _osscl(models.bf16, "openvino", labels, stack)


def _assembled(published: PublishedWay, models: Models, labels: Labels) -> Callable[[list[str]], list[float]]:
    """What anybody would assemble: the plain export, its runtime on all processors, torch.stft, soundfile."""
    run = open_onnxruntime(models.plain, usable_cpus(), 1)[0]
    front_end = PublishedFrontEnd()
    config = published.config

    def score(path: str) -> float:
        waveform = read_waveform(path)
        with torch.inference_mode():
            log_mel = front_end(torch.from_numpy(waveform)).numpy()
        _, cosine = run({"waveform": waveform, "log_mel": log_mel})
        label = np.array([labels[path]])
        return float(anomaly_score(cosine, label, margin=config.margin, scale=config.scale)[0])

    return lambda paths: [score(path) for path in paths]


def _osscl(model: Path, backend: str, labels: Labels, stack: ExitStack) -> Callable[[list[str]], list[float]]:
    """Detector.score_files, with a machine for files of machines that the model does not know."""
    detector = stack.enter_context(osscl.load(model, backend=backend))

    def score(paths: list[str]) -> list[float]:
        candidates = (Candidate(path) for path in paths)
        records = detector.score_candidates(candidates, lambda path: detector.machines[labels[path]], Fit())
        return [record.score for record in records]

    return score


def _agreement(contender: Contender, published: Contender, labels: Labels | None) -> dict[str, object]:
    """How the scores lie beside the published way's; AUC where the model knows all machines."""
    paths = list(published.scores)
    before = np.array([published.scores[path] for path in paths])
    after = np.array([contender.scores[path] for path in paths])
    return {
        "score_difference": float(np.abs(after - before).max()),
        "rank_correlation": rank_correlation(before, after),
        "auc": labels and _mean_auc(contender.scores, labels),
    }


def _mean_auc(scores: dict[str, float], labels: Labels) -> float | None:
    """AUC, mean over the machine IDs that have clips of both labels."""
    areas = []
    for machine in set(labels.values()):
        truth = {path: label_in_name(path) for path in scores if labels[path] == machine}
        told = {path: label for path, label in truth.items() if label is not None}
        if 0 < sum(told.values()) < len(told):
            areas.append(auc(list(told.values()), [scores[path] for path in told]))
    return float(np.mean(areas)) if areas else None
