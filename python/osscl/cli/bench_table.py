"""The figures of a benchmark as a table for people."""

from typing import Any

import rich.console
import rich.table

from osscl.benchmarking import DISTURBING_CPUS, Benchmark, MatrixProduct, Measurement
from osscl.cli.console import print_facts

_STAGES = {
    "front_end": "front end",
    "decode": "decode",
    "network": "network with front end",
    "end_to_end": "end to end",
    "latency": "latency of one clip",
}
_FIGURES = ("threads", "batch", "ms a clip", "clips/s", "p50 ms", "p95 ms", "p99 ms", "of peak", "calls")


def print_benchmark(benchmark: Benchmark) -> None:
    """Print figures, and what they were measured on, on stdout."""
    console = rich.console.Console(highlight=False)
    if not console.is_terminal:
        console.width = 110
    table = rich.table.Table("stage", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in _FIGURES:
        table.add_column(name, justify="right", no_wrap=True)
    for measurement in benchmark.measurements:
        table.add_row(*_row(measurement))
    console.print(table)
    console.print()
    print_facts(_facts(benchmark))


def _row(measured: Measurement) -> tuple[str, ...]:
    threads = str(measured.threads)
    if measured.streams is not None:  # such as 2 x 4: two streams of four threads each
        threads = f"{measured.streams} × {measured.threads // measured.streams}"
    percentiles = (measured.p50_ms, measured.p95_ms, measured.p99_ms)
    return (
        _STAGES[measured.stage],
        threads,
        str(measured.batch_size),
        _digits(measured.ms_per_clip),
        f"{measured.clips_per_s:.1f}",
        *("" if value is None else _digits(value) for value in percentiles),
        "" if measured.peak_share is None else f"{100 * measured.peak_share:.1f} %",
        str(measured.n_calls),
    )


def _digits(milliseconds: float) -> str:
    return f"{milliseconds:.3f}" if milliseconds < 10 else f"{milliseconds:.1f}"


def _facts(benchmark: Benchmark) -> dict[str, Any]:
    machine, model, by = benchmark.machine, benchmark.model, benchmark.computed_by
    return {
        "threads": "streams × threads of each; of decode, files read side by side; percentiles are of a call",
        "load": f"{benchmark.latency.load_s:.3f} s, the first time in a process; "
        f"first clip {_digits(benchmark.latency.first_ms)} ms",
        "peak": _peak(benchmark),
        "model": f"{model.path}: {model.precision}, {model.inputs}, {model.gflop_per_clip:.2f} GFLOP a clip "
        "(as direct convolutions: native TFgram needs fewer); rewrites: "
        + (", ".join(model.graph_rewrites) or "none"),
        "computed by": f"{by['backend']} {by['backend_version']}, {by['streams']} streams, "
        f"{by['threads']} threads; TFgram: {by.get('tfgram', 'graph')}; front end {by['instruction_set']}",
        "processor": f"{machine.cpu}, {machine.usable_cpus} of {machine.cpus} processors",
        "versions": ", ".join(f"{name} {version}" for name, version in machine.versions.items()),
        "clips": f"{benchmark.n_clips} of {benchmark.clips}"
        + (f"; {benchmark.n_unusable} passed over" if benchmark.n_unusable else ""),
        "time": f"{benchmark.seconds:g} s a stage, from {benchmark.started}",
        "others": _others(benchmark.other_cpus),
        **_accuracy(benchmark),
    }


def _peak(benchmark: Benchmark) -> str:
    """The best size for each number of threads."""
    best: dict[int, MatrixProduct] = {}
    for product in benchmark.matrix_product:
        if product.threads not in best or product.best_gflop_per_s > best[product.threads].best_gflop_per_s:
            best[product.threads] = product
    rates = (
        f"{product.best_gflop_per_s:.0f} GFLOP/s (median {product.gflop_per_s:.0f}) on "
        f"{threads} thread{'s' if threads > 1 else ''} at size {product.size}"
        for threads, product in best.items()
    )
    return f"fp32 matrix product by NumPy, best repetition: {', '.join(rates)}"


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
        f"beside {benchmark.accuracy.reference}, {measured.n_clips} clips of {measured.n_machines} machines "
        f"({measured.clips})",
        "score error": f"{measured.score_error:.2e} at most",
        "rank correlation": f"{measured.rank_correlation:.5f}",
    }
    if measured.auc is not None and measured.auc_fp32 is not None:
        facts["AUC"] = f"{measured.auc:.4f} (reference {measured.auc_fp32:.4f}), mean over machine IDs"
    flips = measured.decision_flips
    facts["decisions changed"] = "no threshold is known" if flips is None else str(flips)
    return facts
