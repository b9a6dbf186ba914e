"""How fast a model is on this machine, stage by stage, beside what the processor could do at most."""

from osscl.bench.accuracy_gate import AccuracyRequest
from osscl.bench.benchmark import BenchmarkPlan, run_benchmark
from osscl.bench.figures import (
    AccuracyFigures,
    Benchmark,
    Copies,
    GpuFacts,
    Latency,
    MachineFacts,
    MatrixProduct,
    Measurement,
    ModelFacts,
    MultiplyAdd,
)
from osscl.bench.neighbours import DISTURBING_CPUS

__all__ = [
    "DISTURBING_CPUS",
    "AccuracyFigures",
    "AccuracyRequest",
    "Benchmark",
    "BenchmarkPlan",
    "Copies",
    "GpuFacts",
    "Latency",
    "MachineFacts",
    "MatrixProduct",
    "Measurement",
    "ModelFacts",
    "MultiplyAdd",
    "run_benchmark",
]
