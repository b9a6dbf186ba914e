"""OpenVINO on the CPU, in the precision that the model file states and no other."""

from typing import Any

import numpy as np

from osscl.backends.base import Outputs
from osscl.backends.feeds import Feeds
from osscl.backends.openvino_process import compile_for_cpu, keep_in_forked_children
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
        OpenVINO refuses the graph, would compute it in another precision than the file states, or cannot
        compute in this process, which was forked.
    """

    precisions = frozenset(_TYPES)

    def __init__(self, bundle: Bundle, streams: Streams) -> None:
        super().__init__(bundle, streams)
        openvino = load_runtime()
        compiled = _compile(openvino, bundle, streams)
        _check_precision(compiled, bundle)
        self._compiled = compiled  # for as long as its requests, because open models are counted by it
        keep_in_forked_children(self)
        self._take_turns(compiled.create_infer_request() for _ in range(streams.count))
        self.facts = {
            "backend": "openvino",
            "backend_version": openvino.__version__,
            **stream_facts(bundle.manifest, streams),
        }
        self._warm_up()

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


def load_runtime() -> Any:
    """Load OpenVINO; raises MissingExtraError where it is not installed, or broken."""
    with needing("scoring with OpenVINO", "openvino"):
        return import_quietly("openvino")


def _compile(openvino: Any, bundle: Bundle, streams: Streams) -> Any:
    try:
        return compile_for_cpu(openvino, bundle.model, streams, _type_of_fp32_layers(bundle))
    except RuntimeError as error:
        raise BackendError(
            f"{bundle.path}: OpenVINO {openvino.__version__} cannot load the graph: {error}"
        ) from error


def _type_of_fp32_layers(bundle: Bundle) -> str:
    """What OpenVINO shall compute layers in that the graph has in fp32.

    It would choose bf16 by itself on processors with AMX, whatever the graph says.
    """
    manifest = bundle.manifest
    return "bf16" if manifest.network.precision != manifest.graph_precision else "f32"


def _check_precision(compiled: Any, bundle: Bundle) -> None:
    """Look at what was compiled: where a processor lacks a type, OpenVINO takes another without a word."""
    precision = bundle.manifest.network.precision
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
