"""The figures of a benchmark as a table for people."""

from collections.abc import Callable, Mapping
from typing import Any

import rich.table

from osscl.bench import DISTURBING_CPUS, Benchmark, Copies, MatrixProduct, Measurement
from osscl.cli.console import print_facts, stdout
from osscl.cli.terminal import SafeConsole
from osscl.support.plurals import counted, plural

_STAGES = {
    "front_end": "front end",
    "decode": "decode",
    "engine": "engine alone",
    "network": "network with front end",
    "end_to_end": "end to end",
    "latency": "latency of one clip",
}


def print_benchmark(benchmark: Benchmark) -> None:
    """Print figures, and what they were measured on, on stdout."""
    console = SafeConsole(width=None if stdout.is_terminal else 110)
    table = rich.table.Table("stage", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    rows = [[_stage(measured)] for measured in benchmark.measurements]
    for heading, text in _COLUMNS.items():
        cells = list(map(text, benchmark.measurements))
        if not any(cells):  # such as those of a GPU, without one
            continue
        table.add_column(heading, justify="right", no_wrap=True)
        for row, cell in zip(rows, cells, strict=True):
            row.append(cell)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    console.print()
    print_facts(_facts(benchmark))


def _stage(measured: Measurement) -> str:
    if measured.memory is not None:  # nothing is computed twice, so the name may be short
        return f"network, {measured.memory}"
    return _STAGES[measured.stage]


def _threads(measured: Measurement) -> str:
    if measured.streams is None or measured.threads is None:
        return "" if measured.threads is None else str(measured.threads)
    # such as 2 x 4: two streams of four threads each
    return f"{measured.streams} × {measured.threads // measured.streams}"


def _milliseconds(value: float | None) -> str:
    if value is None:
        return ""
    decimals = 1 if value >= 10 else 3 if value >= 0.1 else 5
    return f"{value:.{decimals}f}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


_COLUMNS: Mapping[str, Callable[[Measurement], str]] = {
    "threads": _threads,
    "batch": lambda measured: str(measured.batch_size),
    "ms a clip": lambda measured: _milliseconds(measured.ms_per_clip),
    "clips/s": lambda measured: f"{measured.clips_per_s:.1f}",
    "p50 ms": lambda measured: _milliseconds(measured.p50_ms),
    "p95 ms": lambda measured: _milliseconds(measured.p95_ms),
    "p99 ms": lambda measured: _milliseconds(measured.p99_ms),
    "of peak": lambda measured: _percent(measured.peak_share),
    "of copies": lambda measured: _percent(measured.copy_share),
    "idle": lambda measured: _percent(measured.idle_share),
    "calls": lambda measured: str(measured.n_calls),
}


def _facts(benchmark: Benchmark) -> dict[str, Any]:
    machine, model = benchmark.machine, benchmark.model
    return {
        "threads": _meaning_of_threads(benchmark),
        "load": f"{benchmark.latency.load_s:.3f} s, the first time in a process; "
        f"first clip {_milliseconds(benchmark.latency.first_ms)} ms",
        "peak": _peak(benchmark),
        **_blas(benchmark),
        **_copies(benchmark.copies),
        "model": f"{model.path}: {model.precision}, {model.inputs}, {model.gflop_per_clip:.2f} GFLOP a clip "
        "(as direct convolutions: native TFgram needs fewer); rewrites: "
        + (", ".join(model.graph_rewrites) or "none"),
        "computed by": _computed_by(benchmark.computed_by),
        **_gpu(benchmark),
        "processor": f"{machine.cpu}, {machine.usable_cpus} of {counted(machine.cpus, 'processor')}",
        "versions": ", ".join(f"{name} {version}" for name, version in machine.versions.items()),
        "clips": f"{benchmark.n_clips} of {benchmark.clips}"
        + (f"; {benchmark.n_unusable} passed over" if benchmark.n_unusable else ""),
        "time": f"{benchmark.seconds:g} s a stage, from {benchmark.started}",
        "others": _others(benchmark.other_cpus),
        **_accuracy(benchmark),
    }


def _meaning_of_threads(benchmark: Benchmark) -> str:
    if benchmark.machine.gpu is None:
        return "streams × threads of each; of decode, files read side by side; percentiles are of a call"
    return "of the host; of decode, files read side by side; percentiles are of a call"


def _computed_by(by: dict[str, str | int]) -> str:
    backend = f"{by['backend']} {by['backend_version']}"
    if "gpu" in by:
        largest = counted(int(by["max_batch"]), "clip")
        return f"{backend}, batches of {largest} at most; front end {by['front_end']}"
    return (
        f"{backend}, {counted(int(by['streams']), 'stream')}, {counted(int(by['threads']), 'thread')}; "
        f"TFgram: {by.get('tfgram', 'graph')}; "
        f"front end {by['instruction_set']}"
    )


def _gpu(benchmark: Benchmark) -> dict[str, str]:
    gpu = benchmark.machine.gpu
    if gpu is None:
        return {}
    return {
        "GPU": f"{gpu.device}, {gpu.name}, compute capability {gpu.compute_capability}, "
        f"{gpu.memory_bytes / 2**30:.0f} GiB; driver for CUDA {gpu.driver}"
    }


def _peak(benchmark: Benchmark) -> str:
    """What the shares are shares of."""
    if benchmark.machine.gpu is None:
        rates = [
            f"{each.precision} {each.best_gflop_per_s:.0f} GFLOP/s (median {each.gflop_per_s:.0f}) on "
            f"{_on(each.threads)}"
            for each in benchmark.multiply_add
        ]
        return f"multiply-adds in registers, best call: {', '.join(rates)}"
    if not benchmark.matrix_product:
        return f"not measured for {benchmark.model.precision}"
    (product,) = benchmark.matrix_product
    return (
        f"{product.precision} matrix product by {benchmark.computed_by['backend']}, best repetition: "
        f"{product.best_gflop_per_s / 1000:.4g} TFLOP/s (median {product.gflop_per_s / 1000:.4g}) "
        f"at size {product.size}"
    )


def _blas(benchmark: Benchmark) -> dict[str, str]:
    """What the installed BLAS makes of the processor: the best size for each number of threads."""
    if benchmark.machine.gpu is not None:
        return {}
    best: dict[int | None, MatrixProduct] = {}
    for product in benchmark.matrix_product:
        if product.threads not in best or product.best_gflop_per_s > best[product.threads].best_gflop_per_s:
            best[product.threads] = product
    rates = ", ".join(
        f"{product.best_gflop_per_s:.0f} GFLOP/s on {_on(product.threads)} at size {product.size}"
        for product in best.values()
    )
    told = f"fp32 matrix product by NumPy, best repetition: {rates}"
    settings = benchmark.machine.blas_settings
    if settings:
        named = " and ".join(f"{name}={value}" for name, value in settings.items())
        told += f"; {named} in the environment chose its kernels, perhaps slower ones than this processor has"
    return {"BLAS": told}


def _on(threads: int | None) -> str:
    return "all threads" if threads is None else f"{threads} {plural(threads, 'thread')}"


def _copies(copies: Copies | None) -> dict[str, str]:
    if copies is None:
        return {}
    return {
        "copies": f"of {copies.n_bytes / 1e6:.1f} MB from pinned memory, best repetition: "
        f"{copies.best_gb_per_s:.1f} GB/s (median {copies.gb_per_s:.1f}), which are "
        f"{copies.best_clips_per_s:.0f} clips/s"
    }


def _others(cpus: float | None) -> str:
    if cpus is None:
        return "it is not known how busy they were"
    disturbed = ": too much for figures to rely on, measure again" if cpus > DISTURBING_CPUS else ""
    return f"other processes used {cpus:.2f} processors meanwhile{disturbed}"


def _accuracy(benchmark: Benchmark) -> dict[str, str]:
    if benchmark.accuracy is None:
        return {}
    measured = benchmark.accuracy.measured
    facts = {
        "accuracy": f"{'passed' if benchmark.accuracy.flaw is None else 'NOT PASSED'}: {measured.backend} "
        f"beside {benchmark.accuracy.reference}, {counted(measured.n_clips, 'clip')} of "
        f"{counted(measured.n_machines, 'machine')} "
        f"({measured.clips})",
        "score error": f"{measured.score_error:.2e} at most",
        "rank correlation": f"{measured.rank_correlation:.5f}",
    }
    if measured.auc is not None and measured.auc_fp32 is not None:
        facts["AUC"] = f"{measured.auc:.4f} (reference {measured.auc_fp32:.4f}), mean over machine IDs"
    flips = measured.decision_flips
    facts["decisions changed"] = "no threshold is known" if flips is None else str(flips)
    return facts
