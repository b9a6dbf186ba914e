"""ONNX Runtime on a GPU, by its CUDA provider and nothing else."""

import contextlib
import io
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from osscl.backends.gpu.card import Card
from osscl.backends.gpu.engine import Engine
from osscl.cuda.device import Device, Stream
from osscl.errors import BackendError, DeviceError, DeviceMemoryError, MissingExtraError
from osscl.model_file.bundle import Bundle
from osscl.model_file.manifest import Manifest
from osscl.support.failed_import import needing
from osscl.support.telemetry import import_quietly

_PROVIDER = "CUDAExecutionProvider"
_WARNINGS_AND_WORSE = 3
# Words of ONNX Runtime's and CUDA's messages: its errors share no class that tells.
_OUT_OF_MEMORY = ("Failed to allocate memory", "out of memory", "ALLOC_FAILED")


class OnnxRuntimeCudaBackend(Card):
    """Runs a model with ONNX Runtime's CUDA provider; float32 stays float32 (no TF32)."""

    precisions = frozenset({"fp32", "fp16"})

    def open_engine(self, stream: Stream, max_batch: int) -> Engine:
        return OnnxRuntimeEngine(self.bundle, self.device, stream, max_batch)


class OnnxRuntimeEngine(Engine):
    """A session whose inputs and outputs lie in the card's memory.

    Parameters
    ----------
    bundle : Bundle
        The model.
    device : Device
        The card.
    stream : Stream
        Where the work is queued.
    max_batch : int
        Clips at once at most.

    Raises
    ------
    MissingExtraError
        ONNX Runtime is not installed, or broken.
    BackendError
        This ONNX Runtime cannot compute on GPUs, or not all of the graph.
    """

    def __init__(self, bundle: Bundle, device: Device, stream: Stream, max_batch: int) -> None:
        runtime = _import_onnxruntime()
        self.max_batch = max_batch
        self._device = device
        self._manifest: Manifest = bundle.manifest
        self._open = partial(_open_session, runtime, bundle, device, stream)
        # A session chooses its convolutions anew, for seconds, whenever the batch size is not the last one's.
        self._sessions = {max_batch: self._open()}
        self._options = runtime.RunOptions()
        # the events of our own streams say when a batch is done
        self._options.add_run_config_entry("disable_synchronize_execution_providers", "1")
        self.facts: Mapping[str, str] = {
            "backend": "onnxruntime",
            "backend_version": runtime.__version__,
            "provider": self._sessions[max_batch].get_providers()[0],
        }

    def computed_batch(self, n_clips: int) -> int:
        return min(1 << (n_clips - 1).bit_length(), self.max_batch)

    def enqueue(self, addresses: Mapping[str, int], n_clips: int) -> None:
        session = self._session(n_clips)
        try:
            binding = session.io_binding()
            for spec in self._manifest.inputs:
                shape = _shape(spec.shape, n_clips)
                binding.bind_input(
                    spec.name, "cuda", self._device.index, np.float32, shape, addresses[spec.name]
                )
            for spec in self._manifest.outputs:
                shape = _shape(spec.shape, n_clips)
                binding.bind_output(
                    spec.name, "cuda", self._device.index, np.float32, shape, addresses[spec.name]
                )
            session.run_with_iobinding(binding, self._options)
        except Exception as error:  # its errors share no base class of their own
            kind = DeviceMemoryError if any(words in str(error) for words in _OUT_OF_MEMORY) else DeviceError
            raise kind(f"ONNX Runtime on cuda:{self._device.index}: {error}") from error

    def close(self) -> None:
        self._sessions.clear()

    def _session(self, n_clips: int) -> Any:
        """The session of a batch size; each takes the card's memory for its weights and its largest maps."""
        if n_clips not in self._sessions:
            self._sessions[n_clips] = self._open()
        return self._sessions[n_clips]


def _shape(shape: tuple[int | str, ...], n_clips: int) -> list[int]:
    return [size if isinstance(size, int) else n_clips for size in shape]


def _import_onnxruntime() -> Any:
    with needing("scoring on a GPU with ONNX Runtime", "cuda", package="onnxruntime-gpu"):
        onnxruntime: Any = import_quietly("onnxruntime")
    if _PROVIDER not in onnxruntime.get_available_providers():
        raise MissingExtraError(
            f"this ONNX Runtime {onnxruntime.__version__} is a build for CPUs; remove it "
            '(pip uninstall onnxruntime) and install the one for GPUs: pip install "osscl[cuda]"'
        )
    return onnxruntime


def _open_session(runtime: Any, bundle: Bundle, device: Device, stream: Stream) -> Any:
    missing = _load_libraries(runtime)
    options = runtime.SessionOptions()
    options.log_severity_level = _WARNINGS_AND_WORSE
    # without it, layers that the provider does not take would be computed on the CPU
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    is_fp32 = bundle.manifest.network.precision == "fp32"
    settings = {
        "device_id": str(device.index),
        "user_compute_stream": str(stream.handle),
        # without it cuDNN may use no tensor cores, not even for fp16
        "use_tf32": "0" if is_fp32 else "1",
        # channels last is how tensor cores take maps: 1.6 times the clips a second in fp16 on an H100
        "prefer_nhwc": "0" if is_fp32 else "1",
        "cudnn_conv_algo_search": "HEURISTIC",  # a search for each new batch size would take seconds
        "arena_extend_strategy": "kSameAsRequested",
    }
    where = f"{bundle.path}: ONNX Runtime {runtime.__version__} cannot compute it on cuda:{device.index}"
    try:
        session = runtime.InferenceSession(
            bundle.model, options, providers=[(_PROVIDER, settings)], enable_fallback=0
        )
    except Exception as error:  # its errors share no base class of their own
        advice = "" if missing else "its log says whether CUDA started; if it did, export the model again"
        raise BackendError(f"{where}: {'; '.join(filter(None, [missing, str(error), advice]))}") from error
    if session.get_providers()[0] != _PROVIDER:
        raise BackendError(f"{where}: {missing or 'its CUDA provider did not start'}")
    return session


def _load_libraries(runtime: Any) -> str:
    """Load CUDA's libraries out of pip's packages; what is said of those that are nowhere."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):  # it prints, and stdout is for results
        runtime.preload_dlls()
    return "; ".join(said.getvalue().split("\n")).strip("; ")
