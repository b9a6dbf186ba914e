"""A graph in, an engine's plan out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from osscl.backends.tensorrt.options import BuildOptions
from osscl.backends.tensorrt.package import failure, log, logger, messages
from osscl.errors import BackendError
from osscl.model_file.signature import TensorSpec

if TYPE_CHECKING:
    import tensorrt

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the name of a phase of the build, its steps done and its steps in all."""


@dataclass(frozen=True, slots=True, eq=False)
class BuiltPlan:
    """What a build gives.

    Attributes
    ----------
    plan : bytes
        The serialised engine.
    timing_cache : bytes
        Timings of kernels, which make the next build on such a card faster.
    """

    plan: bytes
    timing_cache: bytes


class BuildStopped(Exception):  # noqa: N818 - not an error: it was asked for
    """A build was stopped because it was asked to."""


def build_plan(
    trt: Any,
    graph: bytes,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    options: BuildOptions,
    *,
    timing_cache: bytes = b"",
    on_progress: Progress = lambda phase, done, total: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> BuiltPlan:
    """Build an engine that computes a graph for batches of 1 up to `BuildOptions.max_batch` clips.

    Parameters
    ----------
    trt : module
        TensorRT, of whatever version.
    graph : bytes
        A serialised ONNX model.
    inputs, outputs : sequence of TensorSpec
        What the graph must take and give.
    options : BuildOptions
        What it is built for.
    timing_cache : bytes
        Of an earlier build, or empty.
    on_progress : callable
        Called by the threads that build.
    is_stopped : callable
        Asked after each step whether the build shall stop.

    Returns
    -------
    BuiltPlan
        The plan, and the timings it was made from.

    Raises
    ------
    BackendError
        TensorRT refuses the graph or cannot build it; the message holds its reasons.
    BuildStopped
        It was asked to stop.
    """
    messages.forget()
    try:
        builder: tensorrt.Builder = trt.Builder(logger(trt))
    except TypeError as error:  # what its bindings make of a constructor that gives nothing
        raise failure(trt, "cannot make a builder") from error
    network: tensorrt.INetworkDefinition = builder.create_network(
        1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    )
    parser: tensorrt.OnnxParser = trt.OnnxParser(network, logger(trt))
    _parse(parser, graph)
    _check_signature(trt, network, inputs, outputs)
    config: tensorrt.IBuilderConfig = builder.create_builder_config()
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    config.clear_flag(trt.BuilderFlag.TF32)  # on by default, and it is not fp32
    if options.workspace_bytes is not None:
        config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, options.workspace_bytes)
    _add_profile(trt, builder, config, inputs, options)
    _set_timing_cache(trt, config, timing_cache)
    monitor = _new_monitor(trt, on_progress, is_stopped)
    config.progress_monitor = monitor
    plan: tensorrt.IHostMemory | None = builder.build_serialized_network(network, config)
    if monitor.failure is not None:
        raise monitor.failure
    if is_stopped():
        raise BuildStopped
    if plan is None:
        raise failure(trt, "cannot build an engine for this model")
    return BuiltPlan(bytes(plan), _timings(config))


def _parse(parser: "tensorrt.OnnxParser", graph: bytes) -> None:
    is_parsed: bool = parser.parse(graph)
    errors = [_describe(parser.get_error(index)) for index in range(parser.num_errors)]
    if errors or not is_parsed:
        raise BackendError(
            f"TensorRT cannot read the graph: {'; '.join(errors) or messages.last}: "
            "export the model again with osscl-export"
        )


def _describe(error: "tensorrt.ParserError") -> str:
    node = " ".join(filter(None, [error.node_operator(), error.node_name()]))
    reason: str = error.desc()
    return f"{f'node {node}' if node else 'no node'}: {' '.join(reason.split())} ({error.code()})"


def _check_signature(
    trt: Any,
    network: "tensorrt.INetworkDefinition",
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
) -> None:
    found_inputs = [_spell(trt, network.get_input(index)) for index in range(network.num_inputs)]
    found_outputs = [_spell(trt, network.get_output(index)) for index in range(network.num_outputs)]
    for kind, found, specs in (("inputs", found_inputs, inputs), ("outputs", found_outputs, outputs)):
        expected = list(map(str, specs))
        if sorted(found) != sorted(expected):
            raise BackendError(
                f"TensorRT reads the graph's {kind} as {', '.join(found) or 'none'}; the manifest says "
                f"{', '.join(expected)}: export the model again with osscl-export"
            )


def _spell(trt: Any, tensor: "tensorrt.ITensor") -> str:
    """A tensor as a TensorSpec is spelt."""
    dtype = "float32" if tensor.dtype == trt.DataType.FLOAT else str(tensor.dtype)
    sizes = ["batch" if size < 0 else str(size) for size in tensor.shape]
    return f"{tensor.name} {dtype} [{', '.join(sizes)}]"


def _add_profile(
    trt: Any,
    builder: "tensorrt.Builder",
    config: "tensorrt.IBuilderConfig",
    inputs: Sequence[TensorSpec],
    options: BuildOptions,
) -> None:
    """One range of batch sizes for all inputs."""
    profile: tensorrt.IOptimizationProfile = builder.create_optimization_profile()
    for spec in inputs:
        smallest, usual, largest = (
            (n_clips, *spec.shape[1:]) for n_clips in (1, options.opt_batch, options.max_batch)
        )
        try:
            profile.set_shape(spec.name, smallest, usual, largest)
        except ValueError as error:
            raise failure(trt, f"refuses the shapes of {spec.name}") from error
    index: int = config.add_optimization_profile(profile)
    if index < 0:
        raise failure(trt, "refuses the range of batch sizes")


def _set_timing_cache(trt: Any, config: "tensorrt.IBuilderConfig", stored: bytes) -> None:
    """Use stored timings; where TensorRT does not want them, start with none."""
    for content in (stored, b"") if stored else (b"",):
        cache: tensorrt.ITimingCache | None = config.create_timing_cache(content)
        if cache is not None:
            is_set: bool = config.set_timing_cache(cache, False)
            if is_set:
                return
        if content:
            log.warning("the timing cache is of no use and dropped: %s", messages.last)
            messages.forget()
    raise failure(trt, "cannot make a timing cache")


def _timings(config: "tensorrt.IBuilderConfig") -> bytes:
    cache: tensorrt.ITimingCache | None = config.get_timing_cache()
    return b"" if cache is None else bytes(cache.serialize())


def _new_monitor(trt: Any, on_progress: Progress, is_stopped: Callable[[], bool]) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        """Reports steps; TensorRT's threads call it, and no exception may reach them."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.failure: Exception | None = None
            self._steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            self._steps[phase_name] = num_steps
            self._report(phase_name, 0)

        def step_complete(self, phase_name: str, step: int) -> bool:
            self._report(phase_name, step + 1)
            return self.failure is None and not is_stopped()

        def phase_finish(self, phase_name: str) -> None:
            self._report(phase_name, self._steps.get(phase_name, 0))

        def _report(self, phase: str, done: int) -> None:
            try:
                on_progress(phase, done, self._steps.get(phase, 0))
            except Exception as error:  # noqa: BLE001 - raised again after the build
                self.failure = self.failure or error

    return Monitor()
