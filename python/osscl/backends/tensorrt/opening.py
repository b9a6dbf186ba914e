"""From a model file to an engine that runs: looked up, or built, confirmed and kept."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from osscl.backends.tensorrt.builder import Progress, build_plan
from osscl.backends.tensorrt.cache import BuiltEngine, EngineCache, Plan
from osscl.backends.tensorrt.engine import PlanRefused, TensorRtEngine
from osscl.backends.tensorrt.heavy_nodes import check_graph_precision, heavy_nodes
from osscl.backends.tensorrt.interruption import run_interruptibly
from osscl.backends.tensorrt.layers import check_precision, heavy_layers
from osscl.backends.tensorrt.options import BuildOptions
from osscl.backends.tensorrt.package import import_tensorrt, log
from osscl.backends.tensorrt.private_files import NotTrusted, read_private_file
from osscl.backends.tensorrt.sidecar import EngineFacts
from osscl.model_file.bundle import Bundle
from osscl.support.atomic import write_atomically
from osscl.support.paths import printable

_DEFAULT_STREAM = 0


class Device(Protocol):
    """What is needed of a card; it was probed before, so that TensorRT finds a driver.

    Attributes
    ----------
    name : str
        Its model.
    compute_capability : tuple of int
        Its architecture, such as (9, 0).
    driver_version : str
        Version of the driver.
    """

    @property
    def name(self) -> str: ...

    @property
    def compute_capability(self) -> tuple[int, int]: ...

    @property
    def driver_version(self) -> str: ...

    def activate(self) -> None:
        """Make it the one that the calling thread's work is done on."""


def open_tensorrt_engine(
    bundle: Bundle,
    device: Device,
    stream: int,
    options: BuildOptions,
    cache: EngineCache,
    on_progress: Progress,
    on_wait: Callable[[str], None] = log.info,
) -> TensorRtEngine:
    """Open a model's engine on a card, and build it first where the cache has none.

    Parameters
    ----------
    bundle : Bundle
        The model.
    device : Device
        The card, active in the calling thread.
    stream : int
        Handle of the CUDA stream that the engine's work is queued on.
    options : BuildOptions
        What the engine must be built for.
    cache : EngineCache
        Where engines are kept.
    on_progress : callable
        Called while the engine is built.
    on_wait : callable
        Told that another process is building it.

    Returns
    -------
    TensorRtEngine
        Ready to compute.

    Raises
    ------
    MissingExtraError
        TensorRT is not installed.
    BackendError
        TensorRT is of another version, cannot build the model, or would compute it in another precision.
    DeviceError
        The card cannot be used, or its memory does not hold the engine.
    """
    trt = import_tensorrt()
    plan = plan_for(trt, bundle, device, options, cache, on_progress, on_wait)
    try:
        return _load(trt, bundle, device, stream, options, plan)
    except PlanRefused as error:
        if plan.reason is not None:  # it was built just now
            raise
        log.warning("%s; it is built anew", error)
    cache.remove(engine_facts(trt, bundle, device, options).key)
    plan = plan_for(trt, bundle, device, options, cache, on_progress, on_wait)
    return _load(trt, bundle, device, stream, options, plan)


def plan_for(
    trt: Any,
    bundle: Bundle,
    device: Device,
    options: BuildOptions,
    cache: EngineCache,
    on_progress: Progress,
    on_wait: Callable[[str], None],
) -> Plan:
    """Look an engine up, or build it: everything that `open_tensorrt_engine` does but loading it."""
    facts = engine_facts(trt, bundle, device, options)
    build = functools.partial(_build, trt, bundle, device, options, cache, on_progress)
    return cache.get_or_build(facts, lambda: run_interruptibly(build), on_wait)


def engine_facts(trt: Any, bundle: Bundle, device: Device, options: BuildOptions) -> EngineFacts:
    """What an engine of this model must be on this card."""
    return EngineFacts(
        graph_sha256=bundle.graph_sha256,
        precision=bundle.manifest.network.precision,
        tensorrt_version=trt.__version__,
        compute_capability=_architecture(device),
        device_name=device.name,
        driver_version=device.driver_version,
        options=options,
    )


def _build(
    trt: Any,
    bundle: Bundle,
    device: Device,
    options: BuildOptions,
    cache: EngineCache,
    on_progress: Progress,
    is_stopped: Callable[[], bool],
) -> BuiltEngine:
    """Build an engine and confirm its precision, in a thread that is there for nothing else."""
    device.activate()
    manifest = bundle.manifest
    nodes = heavy_nodes(bundle.model)
    check_graph_precision(nodes, manifest.network.precision)
    timings = cache.folder / f"timings-{trt.__version__}-{_architecture(device)}"
    built = build_plan(
        trt,
        bundle.model,
        manifest.inputs,
        manifest.outputs,
        options,
        timing_cache=_read_timings(timings),
        on_progress=on_progress,
        is_stopped=is_stopped,
    )
    engine = TensorRtEngine(trt, built.plan, manifest.inputs, options.max_batch, _DEFAULT_STREAM, {})
    layers = heavy_layers(engine.describe_layers(options.opt_batch), nodes)
    engine.close()
    check_precision(layers, nodes, manifest.network.precision)
    _write_timings(timings, built.timing_cache)
    return BuiltEngine(built.plan, layers)


def _load(
    trt: Any, bundle: Bundle, device: Device, stream: int, options: BuildOptions, plan: Plan
) -> TensorRtEngine:
    facts = {
        "backend": "tensorrt",
        "backend_version": str(trt.__version__),
        "engine": "in memory" if plan.path is None else printable(plan.path),
        "engine_built": "no" if plan.reason is None else f"yes: {plan.reason}",
    }
    return TensorRtEngine(trt, plan.data, bundle.manifest.inputs, options.max_batch, stream, facts)


def _architecture(device: Device) -> str:
    return ".".join(map(str, device.compute_capability))


def _read_timings(path: Path) -> bytes:
    try:
        return read_private_file(path)
    except FileNotFoundError:
        return b""
    except NotTrusted as why:
        log.warning("the timing cache %s is not used: %s", printable(path), why)
        return b""


def _write_timings(path: Path, content: bytes) -> None:
    try:
        write_atomically(path, [content], 0o600)
    except OSError as error:
        log.info("the timing cache %s cannot be written: %s", printable(path), error.strerror)
