"""How fast a model is on this machine, stage by stage, beside what the processor could do at most."""

from osscl.benchmarking.accuracy_gate import AccuracyRequest
from osscl.benchmarking.benchmark import BenchmarkPlan, run_benchmark
from osscl.benchmarking.figures import (
    AccuracyFigures,
    Benchmark,
    Copies,
    GpuFacts,
    Latency,
    MachineFacts,
    MatrixProduct,
    Measurement,
    ModelFacts,
)
from osscl.benchmarking.neighbours import DISTURBING_CPUS

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
    "run_benchmark",
]
