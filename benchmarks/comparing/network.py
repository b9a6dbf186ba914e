"""Part ``network``: waveform and log-mel in memory to embedding and cosine, batch 1."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from comparing.models import Models
from comparing.peak import Peaks
from comparing.published_way import published_network, read_waveform
from comparing.rounds import in_rounds
from comparing.runtimes import Feeds, Run, open_eager, open_onnxruntime, open_openvino
from osscl.bench.benchmark import GFLOP_PER_CLIP
from osscl.bench.neighbours import Neighbours
from osscl.bench.rounds import Repetition, Work, repeat_call
from osscl.frontend import log_mel
from osscl.support.threads import usable_cpus

SECONDS = 0.4
_N_CLIPS = 8


@dataclass
class Contender:
    """A way to compute the network.

    Attributes
    ----------
    name, precision : str
        What it is called, and its arithmetic.
    threads, streams : int
        Processors in all, and clips computed side by side.
    work : Work
        Its repetitions.
    difference : float
        Largest difference of an embedding's component from eager PyTorch's.
    """

    name: str
    precision: str
    threads: int
    streams: int
    work: Work
    difference: float = 0.0


def compare_networks(
    checkpoint: Path, models: Models, paths: list[str], rounds: int, on_round: Callable[[int], None]
) -> dict[str, object]:
    """Measure all ways and the peak in the same rounds."""
    clips = _clips(paths[:_N_CLIPS])
    n_cpus = usable_cpus()
    with ExitStack() as stack:
        peaks = Peaks({1, n_cpus}, stack)
        contenders = list(_contenders(checkpoint, models, clips, n_cpus))
        neighbours = Neighbours(peaks.pids)
        in_rounds([each.work for each in contenders] + peaks.works, rounds, on_round)
        other_cpus = neighbours.cpus()
    gflop = GFLOP_PER_CLIP[published_network(checkpoint).config.inputs]
    rows = [_row(each, peaks, gflop) for each in _best_sharing(contenders)]
    by_key = {(row["name"], row["threads"]): row["clips_per_s"] for row in rows}
    for row in rows:
        for name, other in (("to_plain", "ONNX Runtime fp32, plain export"), ("to_eager", "PyTorch eager")):
            row[name] = row["clips_per_s"] / by_key[other, row["threads"]]
    return {
        "rows": rows,
        "peaks": peaks.rows(),
        "other_cpus": other_cpus,
        "n_clips": len(clips),
        "rounds": rounds,
    }


def _clips(paths: list[str]) -> list[Feeds]:
    waveforms = [read_waveform(path) for path in paths]
    return [{"waveform": waveform, "log_mel": log_mel(waveform)} for waveform in waveforms]


def _contenders(checkpoint: Path, models: Models, clips: list[Feeds], n_cpus: int) -> Iterator[Contender]:
    expected = []
    sharings = dict.fromkeys([(1, 1), (n_cpus, 1), (n_cpus, n_cpus)])
    eager = open_eager(checkpoint)
    for threads in dict.fromkeys([1, n_cpus]):
        run = _Alone(eager, clips, threads)
        expected = expected or [eager(clip)[0] for clip in clips]
        yield Contender("PyTorch eager", "fp32", threads, 1, Work(run, SECONDS))
    ways: list[tuple[str, str, Callable[[int, int], list[Run]]]] = [
        ("ONNX Runtime fp32, plain export", "fp32", lambda n, s: open_onnxruntime(models.plain, n, s)),
        ("ONNX Runtime fp32, our graph", "fp32", lambda n, s: open_onnxruntime(models.ours, n, s)),
        ("the same with native TFgram", "fp32", lambda n, s: open_onnxruntime(models.ours, n, s, True)),
    ]
    if find_spec("openvino") is not None:
        ways += [
            ("OpenVINO fp32, plain export", "fp32", lambda n, s: open_openvino(models.plain, "f32", n, s)),
            ("OpenVINO fp32, our graph", "fp32", lambda n, s: open_openvino(models.ours, "f32", n, s)),
            ("OpenVINO bf16, our graph", "bf16", lambda n, s: open_openvino(models.ours, "bf16", n, s)),
        ]
    for name, precision, open_runs in ways:
        for threads, streams in sharings:
            runs = open_runs(threads, streams)
            pairs = zip((runs[0](clip)[0] for clip in clips), expected, strict=True)
            difference = max(float(np.abs(got - right).max()) for got, right in pairs)
            for run in runs[1:]:
                run(clips[0])
            work = Work(_Streams(runs, clips), SECONDS)
            yield Contender(name, precision, threads, streams, work, difference)


def _best_sharing(contenders: list[Contender]) -> list[Contender]:
    """Of one stream on all processors and one stream on each, the faster one."""
    best: dict[tuple[str, int], Contender] = {}
    for each in contenders:
        key = each.name, each.threads
        if key not in best or each.work.clips_per_s > best[key].work.clips_per_s:
            best[key] = each
    return sorted(best.values(), key=lambda each: each.threads)


def _row(each: Contender, peaks: Peaks, gflop: float) -> dict[str, object]:
    rate = each.work.clips_per_s
    return {
        "name": each.name,
        "precision": each.precision,
        "threads": each.threads,
        "streams": each.streams,
        "ms_per_clip": 1000.0 / rate,
        "clips_per_s": rate,
        "gflop_per_s": gflop * rate,
        "peak_share": gflop * rate / peaks.peak(each.precision, each.threads),
        "difference": each.difference,
    }


@dataclass
class _Alone:
    """PyTorch, which has one number of threads for the whole process."""

    run: Run
    clips: list[Feeds]
    threads: int

    def __call__(self, seconds: float) -> Repetition:
        torch.set_num_threads(self.threads)
        clips = itertools.cycle(self.clips)
        return repeat_call(lambda: self.run(next(clips)), 1, seconds)


@dataclass
class _Streams:
    """Clips computed side by side, each stream in a thread of its own."""

    runs: list[Run]
    clips: list[Feeds]

    def __call__(self, seconds: float) -> Repetition:
        if len(self.runs) == 1:
            clips = itertools.cycle(self.clips)
            return repeat_call(lambda: self.runs[0](next(clips)), 1, seconds)
        rates: list[float] = []
        counts: list[int] = []

        def work(run: Run) -> None:
            start = now = time.perf_counter()
            n_clips = 0
            for clip in itertools.cycle(self.clips):
                run(clip)
                n_clips += 1
                now = time.perf_counter()
                if now - start >= seconds:
                    break
            counts.append(n_clips)
            rates.append(n_clips / (now - start))

        threads = [threading.Thread(target=work, args=(run,)) for run in self.runs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return Repetition(sum(counts), sum(counts) / sum(rates))
