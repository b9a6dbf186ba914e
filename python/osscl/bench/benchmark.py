"""The whole benchmark: the model is opened, its stages are measured in rounds, figures come out."""

import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.backends import DEFAULT_OPTIONS, ComputeOptions
from osscl.backends.gpu.card import Card
from osscl.backends.gpu.fleet import Fleet
from osscl.bench import clock
from osscl.bench.accuracy_gate import AccuracyRequest, measure_against_fp32, prepare_comparison
from osscl.bench.card_ceilings import CardCeilings
from osscl.bench.card_lines import card_lines
from osscl.bench.ceilings import Ceilings, ProcessorCeilings
from osscl.bench.clips import open_clips
from osscl.bench.figures import Benchmark, Latency, Measurement, ModelFacts
from osscl.bench.lines import Line, processor_lines
from osscl.bench.machine import machine_facts
from osscl.bench.neighbours import Neighbours
from osscl.bench.rounds import ROUNDS, Work, measure_in_rounds
from osscl.config import ModelInputs
from osscl.detector import Detector
from osscl.errors import ConfigError
from osscl.model_file.bundle import Bundle
from osscl.support.paths import printable
from osscl.support.utc import utc_now

GFLOP_PER_CLIP: dict[ModelInputs, float] = {"three_maps": 4.5034, "log_mel": 1.3853}
"""Convolutions and matrix products of the network for one clip, a multiply-add counted as two: counted layer
by layer, before any rewrite, without head (0.03 MFLOP), class weight and front end (18 MFLOP)."""
_WITH_NETWORK = ("engine", "network", "end_to_end")
_WITH_COPIES = ("network", "end_to_end")

OnStep = Callable[[str, int], Any]
"""Takes what is being done and how often it will be (0: not known), after each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkPlan:
    """What shall be measured, and for how long.

    Attributes
    ----------
    clips : Path or None
        Folder of recordings; None makes synthetic ones.
    n_clips : int
        Recordings made, or taken from the folder at most.
    fit : Fit
        How the folder's recordings are made to fit.
    compute : ComputeOptions
        How the model is computed; on one GPU at most.
    seconds : float
        Time for each stage, shared by the ways in which it is run.
    accuracy : AccuracyRequest or None
        What the accuracy gate shall compare; None leaves it out.

    Raises
    ------
    ConfigError
        A number lies outside its range.
    """

    clips: Path | None = None
    n_clips: int = 48
    fit: Fit = AS_THEY_ARE
    compute: ComputeOptions = DEFAULT_OPTIONS
    seconds: float = 5.0
    accuracy: AccuracyRequest | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.seconds) and self.seconds > 0.0):
            raise ConfigError(f"seconds is {self.seconds}; expected a time above zero for each stage")
        if self.n_clips < 1:
            raise ConfigError(f"clips is {self.n_clips}; expected at least 1 recording")


def run_benchmark(model: str | os.PathLike[str], plan: BenchmarkPlan, on_step: OnStep) -> Benchmark:
    """Measure a model on this machine.

    Parameters
    ----------
    model : path-like
        File that ``osscl-export`` wrote; or the word "demo".
    plan : BenchmarkPlan
        What shall be measured.
    on_step : callable
        Takes what is being done and how often it will be (0: not known), after each time.

    Returns
    -------
    Benchmark
        What was found.

    Raises
    ------
    ModelFileError, BackendError, MissingExtraError, ConfigError
        As `osscl.load`; ConfigError also where the accuracy gate has nothing to compare, for several GPUs,
        and for `streams` on a GPU.
    NoRecordingsError
        The folder holds no recording.
    BenchmarkError
        It holds none that the model can score, or a measurement failed.
    EvaluationError
        The model knows the machine of none of the accuracy gate's clips.
    """
    started = utc_now()
    streams = plan.compute.shared_out()
    shown = replace(plan.compute, on_build=lambda what, _, total: on_step(what, total))
    with ExitStack() as opened:
        before = clock.now()
        detector = Detector(model, shown, rule="network")  # it is what takes the time, whatever decides
        load_s = clock.now() - before
        opened.enter_context(detector)
        facts = detector.facts
        card = _card_of(detector, plan)
        comparison = plan.accuracy and prepare_comparison(
            plan.accuracy, detector.bundle, facts["backend"], facts["device"]
        )
        count_clip = partial(on_step, "clips", plan.n_clips)
        clips = opened.enter_context(
            open_clips(plan.clips, plan.n_clips, detector.manifest, on_clip=count_clip, fit=plan.fit)
        )
        before = clock.now()
        detector.score(clips.samples[0], detector.machines[0])
        first_ms = 1000.0 * (clock.now() - before)
        # before the stages: where the gate has nothing to score, no time is lost on them
        accuracy = measure_against_fp32(comparison, on_step) if comparison else None
        ceilings: Ceilings
        if card is None:
            lines = processor_lines(detector, clips, streams, plan.compute.batch_size, opened)
            ceilings = ProcessorCeilings(
                detector.manifest.network.precision, streams.n_threads, plan.seconds, opened
            )
        else:
            lines = card_lines(detector, card, clips, streams.n_threads)
            ceilings = CardCeilings(card, plan.seconds, opened)
        gflop = GFLOP_PER_CLIP[detector.manifest.network.model.inputs]
        measurements, other_cpus = _measure(lines, ceilings, gflop, plan.seconds, on_step)
    return Benchmark(
        started=started,
        machine=machine_facts(None if card is None else card.device),
        model=_model_facts(os.fspath(model), detector.bundle),
        computed_by=facts,
        clips=clips.source,
        n_clips=len(clips.paths),
        n_unusable=clips.n_unusable,
        seconds=plan.seconds,
        measurements=measurements,
        latency=Latency(load_s=load_s, first_ms=first_ms),
        multiply_add=ceilings.multiply_adds(),
        matrix_product=ceilings.products(),
        copies=ceilings.copies(),
        other_cpus=other_cpus,
        accuracy=accuracy,
    )


def _card_of(detector: Detector, plan: BenchmarkPlan) -> Card | None:
    """The GPU that computes a model, if one does."""
    backend = detector.backend
    if isinstance(backend, Fleet):
        raise ConfigError(
            f"device '{plan.compute.device}' stands for several GPUs, and a benchmark measures one; "
            "choose cuda or cuda:N"
        )
    if not isinstance(backend, Card):
        return None
    if plan.compute.streams is not None:
        raise ConfigError(
            f"streams is {plan.compute.streams}, but {backend.facts['device']} has no processors to share "
            "out; leave --streams out, or choose --device cpu"
        )
    return backend


def _measure(
    lines: Sequence[Line], ceilings: Ceilings, gflop: float, seconds: float, on_step: OnStep
) -> tuple[tuple[Measurement, ...], float | None]:
    """Run stages and ceilings in the same rounds; last, how busy others were meanwhile."""
    n_ways = Counter(line.stage for line in lines)
    works = [Work(line.run, seconds / n_ways[line.stage]) for line in lines]
    every = [*works, *ceilings.works]
    neighbours = Neighbours(ceilings.pids)
    measure_in_rounds(every, partial(on_step, "repetitions", ROUNDS * len(every)))
    other_cpus = neighbours.cpus()
    copies = ceilings.copies()
    measurements = []
    for line, work in zip(lines, works, strict=True):
        peak_share = copy_share = None
        peak = ceilings.peak_gflop_per_s(line) if line.stage in _WITH_NETWORK else None
        if peak is not None:
            peak_share = work.clips_per_s * gflop / peak
        if copies is not None and line.stage in _WITH_COPIES:
            copy_share = work.clips_per_s / copies.best_clips_per_s
        measurements.append(line.measured(work, peak_share, copy_share))
    return tuple(measurements), other_cpus


def _model_facts(name: str, bundle: Bundle) -> ModelFacts:
    manifest = bundle.manifest
    return ModelFacts(
        path=printable(name),
        sha256=bundle.file_sha256,
        inputs=manifest.network.model.inputs,
        precision=manifest.network.precision,
        graph_rewrites=manifest.graph_rewrites,
        gflop_per_clip=GFLOP_PER_CLIP[manifest.network.model.inputs],
    )
