"""ONNX Runtime on the CPU."""

from typing import Any

from osscl.audio.samples import Samples
from osscl.backends import native_tfgram as tfgram
from osscl.backends.base import Outputs
from osscl.backends.feeds import Feeds
from osscl.backends.options import Streams
from osscl.backends.streams import StreamedBackend, stream_facts
from osscl.errors import BackendError
from osscl.model_file.bundle import Bundle
from osscl.storage.urls import Place
from osscl.support.failed_import import needing
from osscl.support.telemetry import import_quietly

_NOTHING_BUT_ABORTS = 4  # an error comes as an exception, and need not be printed too


class OnnxRuntimeBackend(StreamedBackend):
    """Runs a model with ONNX Runtime's CPU provider.

    Parameters
    ----------
    bundle : Bundle
        The model.
    streams : Streams
        Batches computed side by side, and threads for each.

    Raises
    ------
    MissingExtraError
        ONNX Runtime is not installed, or broken.
    BackendError
        ONNX Runtime refuses the graph.
    """

    precisions = frozenset({"fp32", "fp16", "int8"})

    def __init__(self, bundle: Bundle, streams: Streams) -> None:
        super().__init__(bundle, streams)
        runtime = load_runtime()
        cut = tfgram.cut_out(bundle.model) if bundle.manifest.network.precision == "fp32" else None
        self._tfgram = None if cut is None else cut.tfgram
        model = bundle.model if cut is None else cut.rest
        # A session without threads of its own serves all streams; one with threads would share them out anew.
        n_sessions = 1 if streams.threads == 1 else streams.count
        sessions = [_open_session(runtime, bundle.path, model, streams.threads) for _ in range(n_sessions)]
        self._take_turns(sessions[number % n_sessions] for number in range(streams.count))
        self.facts = {
            "backend": "onnxruntime",
            "backend_version": runtime.__version__,
            "provider": sessions[0].get_providers()[0],
            "tfgram": "graph" if cut is None else "native",
            **_arithmetic_facts(bundle),
            **stream_facts(bundle.manifest, streams),
        }

    def _feeds(self, samples: Samples) -> Feeds:
        feeds = super()._feeds(samples)
        if self._tfgram is not None:
            feeds[tfgram.INPUT_NAME] = self._tfgram(samples, self._n_threads)  # [B, 1, 128, 313]
        return feeds

    def _run(self, runner: Any, feeds: Feeds) -> Outputs:
        embedding, cosine = runner.run(["embedding", "cosine"], feeds)  # [B, 128], [B, K]
        return Outputs(embedding, cosine)


def _arithmetic_facts(bundle: Bundle) -> dict[str, str]:
    """What else to know of a precision: the provider casts fp16 to fp32 around all it has no kernel for."""
    is_fp16 = bundle.manifest.network.precision == "fp16"
    return {"arithmetic": "fp32 where there is no fp16 kernel"} if is_fp16 else {}


def load_runtime() -> Any:
    """Load ONNX Runtime; raises MissingExtraError where it is not installed, or broken."""
    with needing("scoring with ONNX Runtime", "cpu"):
        return import_quietly("onnxruntime")


def _open_session(runtime: Any, path: Place, model: bytes, threads: int) -> Any:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _NOTHING_BUT_ABORTS
    try:
        return runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors share no base class of their own
        raise BackendError(
            f"{path}: ONNX Runtime {runtime.__version__} cannot load the graph: {error}"
        ) from error
