"""OpenVINO on the CPU, in the precision that the model file states and no other."""

import ctypes
import functools
import os
from typing import Any
from weakref import WeakSet

import numpy as np

from osscl.backends.base import Outputs
from osscl.backends.feeds import Feeds
from osscl.backends.options import Streams
from osscl.backends.streams import StreamedBackend, stream_facts
from osscl.errors import BackendError
from osscl.model_file.bundle import Bundle
from osscl.support.failed_import import needing
from osscl.support.telemetry import import_quietly

# What the convolutions of a model may be computed in, by its precision; int8 leaves some in fp32.
_TYPES = {"fp32": {"f32"}, "bf16": {"bf16"}, "int8": {"i8", "u8", "f32"}}


class OpenVinoBackend(StreamedBackend):
    """Runs a model with OpenVINO's CPU plugin.

    Parameters
    ----------
    bundle : Bundle
        The model.
    streams : Streams
        Batches computed side by side, and threads for each.

    Raises
    ------
    MissingExtraError
        OpenVINO is not installed, or broken.
    BackendError
        OpenVINO refuses the graph, or would compute it in another precision than the file states.
    """

    precisions = frozenset(_TYPES)

    def __init__(self, bundle: Bundle, streams: Streams) -> None:
        super().__init__(bundle, streams)
        openvino = _import_openvino()
        compiled = _compile(openvino, bundle, streams)
        _check_precision(compiled, bundle)
        self._requests = [compiled.create_infer_request() for _ in range(streams.count)]
        _opened_here.add(self)
        self._take_turns(self._requests)
        self._warm_up()
        self.facts = {
            "backend": "openvino",
            "backend_version": openvino.__version__,
            **stream_facts(bundle.manifest, streams),
        }

    def _warm_up(self) -> None:
        """Run one silent clip before any thread does.

        OpenVINO's Python module (such as 2026.4.1) makes some objects at their first use, under a lock that
        it holds while it waits for the interpreter's: two first runs at once stop each other for good.
        """
        clip = np.zeros((1, self._manifest.clip.n_samples), np.int16)
        self._compute(clip)

    def _run(self, runner: Any, feeds: Feeds) -> Outputs:
        runner.infer(feeds, share_inputs=True)
        # copied: the request's own memory holds the next batch's outputs soon
        embedding, cosine = (
            np.array(runner.get_tensor(name).data) for name in ("embedding", "cosine")
        )  # [B, 128], [B, K]
        return Outputs(embedding, cosine)


_opened_here: WeakSet[OpenVinoBackend] = WeakSet()


def _keep_for_good() -> None:
    """Never give back, in a forked child, what its parent opened.

    OpenVINO would wait for threads that only the parent has, or abort. The child opens models of its own.
    """
    for backend in _opened_here:
        _keep(backend)


os.register_at_fork(after_in_child=_keep_for_good)


def _import_openvino() -> Any:
    with needing("scoring with OpenVINO", "openvino"):
        return import_quietly("openvino")


@functools.cache
def _core(openvino: Any, process: int) -> Any:
    """The one core of a process, which is never given back.

    Its CPU plugin puts a stack for signals of its own in place of the process's and, when it goes, puts
    back the one it found: with two that do not go in reverse order, the next signal, Ctrl-C too, would run
    on freed memory. A forked child needs another, because it has none of its parent's threads.
    """
    core = openvino.Core()
    _keep(core)
    return core


def _keep(thing: object) -> None:
    """Never give back an object, not even when the interpreter ends."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _compile(openvino: Any, bundle: Bundle, streams: Streams) -> Any:
    core = _core(openvino, os.getpid())
    settings = {
        "INFERENCE_PRECISION_HINT": _type_of_fp32_layers(bundle),
        "NUM_STREAMS": streams.count,
        "INFERENCE_NUM_THREADS": streams.n_threads,
    }
    try:
        return core.compile_model(core.read_model(bundle.model), "CPU", settings)
    except RuntimeError as error:
        raise BackendError(
            f"{bundle.path}: OpenVINO {openvino.__version__} cannot load the graph: {error}"
        ) from error


def _type_of_fp32_layers(bundle: Bundle) -> str:
    """What OpenVINO shall compute layers in that the graph has in fp32.

    It would choose bf16 by itself on processors with AMX, whatever the graph says.
    """
    manifest = bundle.manifest
    return "bf16" if manifest.precision != manifest.graph_precision else "f32"


def _check_precision(compiled: Any, bundle: Bundle) -> None:
    """Look at what was compiled: where a processor lacks a type, OpenVINO takes another without a word."""
    precision = bundle.manifest.precision
    others = sorted(_types_of_convolutions(compiled) - _TYPES[precision])
    if others:
        raise BackendError(
            f"{bundle.path}: the model is {precision}, but OpenVINO computes in {', '.join(others)} "
            "on this processor: export the model in fp32 for it"
        )


def _types_of_convolutions(compiled: Any) -> set[str]:
    facts = [layer.get_rt_info() for layer in compiled.get_runtime_model().get_ops()]
    convolutions = [each for each in facts if each["layerType"].astype(str) == "Convolution"]
    return {each["runtimePrecision"].astype(str) for each in convolutions}
