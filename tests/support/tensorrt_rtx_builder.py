"""Program: builds with the backend's own builder and TensorRT-RTX in its own process; see test_builder.py."""

import json
import logging
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any

import onnx
from msgspec.structs import replace
from onnx import TensorProto, helper

from osscl.backends.tensorrt.builder import BuildStopped, BuiltPlan, build_plan
from osscl.backends.tensorrt.interruption import run_interruptibly
from osscl.backends.tensorrt.options import BuildOptions
from osscl.errors import BackendError
from osscl.model_file.bundle import read_bundle

MAX_BATCH = 64
UNKNOWN_OPERATOR = "Mystery"

_BUNDLE = read_bundle("demo")
_WAVEFORM, _LOG_MEL = _BUNDLE.manifest.inputs
_EMBEDDING, _COSINE = _BUNDLE.manifest.outputs


class Report(logging.Handler):
    """What is warned of, and how far the build came."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.warnings: list[str] = []
        self.progress: list[tuple[str, int, int]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.warnings.append(record.getMessage())

    def step(self, phase: str, done: int, total: int) -> None:
        self.progress.append((phase, done, total))


class Watched:
    """TensorRT, but that networks, settings and profiles are looked at when a build begins."""

    def __init__(self, trt: Any) -> None:
        self._trt = trt
        self.seen: dict[str, Any] = {}
        seen = self.seen

        class Builder(trt.Builder):  # type: ignore[misc]
            def create_network(self, flags: int) -> Any:
                seen["network_flags"] = flags
                return super().create_network(flags)

            def create_optimization_profile(self) -> Any:
                self.profile = super().create_optimization_profile()
                return self.profile

            def build_serialized_network(self, network: Any, config: Any) -> Any:
                names = [network.get_input(index).name for index in range(network.num_inputs)]
                seen["profile"] = {
                    name: [list(shape) for shape in self.profile.get_shape(name)] for name in names
                }
                seen["strongly_typed"] = 1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
                seen["tf32"] = config.get_flag(trt.BuilderFlag.TF32)
                seen["verbosity"] = config.profiling_verbosity.name
                return super().build_serialized_network(network, config)

        self.Builder = Builder

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trt, name)


def unknown_operator() -> bytes:
    """A graph with an operator that no reader knows."""
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 4])] for name in "xy"
    )
    node = helper.make_node(UNKNOWN_OPERATOR, ["x"], ["y"], name="mystery")
    graph = helper.make_graph([node], "broken", inputs, outputs)
    model: onnx.ModelProto = helper.make_model(
        graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)]
    )
    return bytes(model.SerializeToString())


def _with(**changes: Any) -> Callable[[Any, Report], BuiltPlan]:
    def build(trt: Any, report: Report) -> BuiltPlan:
        settings: dict[str, Any] = {
            "graph": _BUNDLE.model,
            "inputs": (_WAVEFORM, _LOG_MEL),
            "outputs": (_EMBEDDING, _COSINE),
            "options": BuildOptions(opt_batch=16, max_batch=MAX_BATCH),
            "on_progress": report.step,
        }
        return build_plan(trt, **settings | changes)

    return build


def _twice(trt: Any, report: Report) -> BuiltPlan:
    first = _with()(trt, Report())
    report.warnings.clear()
    return _with(timing_cache=first.timing_cache)(trt, report)


def _stopped_after_30_steps(trt: Any, report: Report) -> BuiltPlan:
    return _with(is_stopped=lambda: len(report.progress) > 30)(trt, report)


def _fail(phase: str, done: int, total: int) -> None:
    raise LookupError("no such bar")


CASES: dict[str, Callable[[Any, Report], BuiltPlan]] = {
    "whole": _with(),
    "own_timings": _twice,
    "damaged_timings": _with(timing_cache=b"not a timing cache"),
    "unknown_operator": _with(graph=unknown_operator()),
    "not_onnx": _with(graph=b"not ONNX"),
    "missing_input": _with(inputs=(_WAVEFORM,)),
    "renamed_output": _with(outputs=(replace(_EMBEDDING, name="vector"), _COSINE)),
    "other_shape": _with(inputs=(replace(_WAVEFORM, shape=("batch", 80_000)), _LOG_MEL)),
    "small_workspace": _with(options=BuildOptions(opt_batch=16, max_batch=MAX_BATCH, workspace_bytes=2**20)),
    "stopped": _stopped_after_30_steps,
    "failing_callback": _with(on_progress=_fail),
}


def run_case(trt: Any, case: str) -> dict[str, Any]:
    """One build, as JSON can hold it."""
    report, watched = Report(), Watched(trt)
    logging.getLogger("osscl.tensorrt").addHandler(report)
    error, built = None, BuiltPlan(b"", b"")
    try:
        built = CASES[case](watched, report)
    except (BackendError, BuildStopped, LookupError) as raised:
        error = (type(raised).__name__, str(raised))
    return watched.seen | {
        "error": error,
        "n_bytes": len(built.plan),
        "n_timing_bytes": len(built.timing_cache),
        "progress": report.progress,
        "warnings": report.warnings,
    }


def wait_for_ctrl_c(trt: Any) -> str:
    """Build until Ctrl-C comes, and tell how it ended."""
    ends: list[BaseException] = []

    def build(is_stopped: Callable[[], bool]) -> BuiltPlan:
        def hold(phase: str, done: int, total: int) -> None:
            if done == 3 and not is_stopped():  # in the middle of a phase
                print("building", flush=True)  # noqa: T201
                while not is_stopped():
                    pass

        try:
            return _with(on_progress=hold, is_stopped=is_stopped)(trt, Report())
        except BuildStopped as stopped:
            ends.append(stopped)
            raise

    try:
        run_interruptibly(build)
    except KeyboardInterrupt:
        return f"KeyboardInterrupt, after {[type(end).__name__ for end in ends]}"
    return "built"


if __name__ == "__main__":
    import tensorrt_rtx_bindings

    warnings.filterwarnings("ignore", message=".*Timing cache operations are no-ops in TensorRT-RTX")
    if sys.argv[1] == "interrupted":
        signal.signal(signal.SIGINT, signal.default_int_handler)  # it may have been ignored from the start
        print(wait_for_ctrl_c(tensorrt_rtx_bindings))  # noqa: T201
    else:
        print(json.dumps(run_case(tensorrt_rtx_bindings, sys.argv[1])))  # noqa: T201
