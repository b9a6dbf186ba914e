"""ONNX Runtime on the CPU: one session without threads of its own, run by as many streams as asked for."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from osscl import frontend
from osscl.backends.base import Backend, Outputs, Ticket
from osscl.bundle import Bundle
from osscl.errors import BackendError, MissingExtraError
from osscl.samples import Samples, to_waveform

_WARNINGS_AND_WORSE = 3


class OnnxRuntimeBackend(Backend):
    """Runs a model with ONNX Runtime's CPU provider.

    Parameters
    ----------
    bundle : Bundle
        The model.
    threads : int
        Batches computed side by side, each on one processor; 1 starts no thread.

    Raises
    ------
    MissingExtraError
        ONNX Runtime is not installed.
    BackendError
        ONNX Runtime refuses the graph.
    """

    preferred_batch = 1  # larger batches leave the caches and cost page faults

    def __init__(self, bundle: Bundle, threads: int) -> None:
        runtime = _import_onnxruntime()
        self._manifest = bundle.manifest
        self._session = _open_session(runtime, bundle)
        self._streams = ThreadPoolExecutor(threads, "osscl-stream") if threads > 1 else None
        self.n_in_flight = threads + 1 if threads > 1 else 1
        self.facts = {
            "backend": "onnxruntime",
            "backend_version": runtime.__version__,
            "device": "cpu",
            "provider": self._session.get_providers()[0],
            "precision": self._manifest.precision,
            "threads": str(threads),
            "instruction_set": frontend.instruction_set(),
        }

    def submit(self, samples: Samples) -> Ticket:
        if self._streams is not None:
            return self._streams.submit(self._run, samples)
        done: Ticket = Future()
        done.set_result(self._run(samples))
        return done

    def close(self) -> None:
        if self._streams is not None:
            self._streams.shutdown(wait=False, cancel_futures=True)

    def _run(self, samples: Samples) -> Outputs:
        feeds = {spec.name: self._input(spec.name, samples) for spec in self._manifest.inputs}
        embedding, cosine = self._session.run(["embedding", "cosine"], feeds)  # [B, 128], [B, K]
        return Outputs(embedding, cosine)

    def _input(self, name: str, samples: Samples) -> npt.NDArray[np.float32]:
        if name == "log_mel":
            return frontend.log_mel(samples, self._manifest.front_end.settings, threads=1)  # [B, 128, 313]
        return to_waveform(samples)  # [B, 160000]


def _import_onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtraError(
            'scoring on the CPU needs ONNX Runtime, which is not installed: pip install "osscl[cpu]"'
        ) from error
    return onnxruntime


def _open_session(runtime: Any, bundle: Bundle) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _WARNINGS_AND_WORSE
    try:
        return runtime.InferenceSession(bundle.model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base class of their own
        raise BackendError(
            f"{bundle.path}: ONNX Runtime {runtime.__version__} cannot load the graph: {error}"
        ) from error
