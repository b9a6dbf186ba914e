"""int8 as explicit quantisation in the graph: QuantizeLinear and DequantizeLinear around the heavy layers."""

import contextlib
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx_ir as ir

from osscl.audio.reading import AS_THEY_ARE, Fit, read_audio
from osscl.export.rewrites.edit import attribute, constant
from osscl.export.rewrites.unused import drop_unused
from osscl.frontend import log_mel
from osscl.model_file.manifest import Manifest
from osscl.runs.folder import find_some_recordings
from osscl.support.telemetry import import_quietly

_quantization: Any = import_quietly("onnxruntime.quantization")

Feeds = dict[str, npt.NDArray[np.float32]]

N_CALIBRATION_CLIPS = 32

_MIN_INPUT_CHANNELS = 64  # narrower layers cost little and lose much


def quantise(graph: onnx.ModelProto, calibration: Iterable[Feeds]) -> onnx.ModelProto:
    """Quantise the dense convolutions inside the network to int8.

    The first and the last convolution of each path, depthwise ones, normalisations and all that follows the
    encoder stay in float, and so do all biases. Weights get a scale a channel, activations one a tensor, of a
    range that loses the least information (relative entropy) over the calibration clips. Ranges are symmetric
    about zero: TensorRT knows neither zero points nor quantised biases.

    Parameters
    ----------
    graph : onnx.ModelProto
        In fp32; stays as it is.
    calibration : iterable of dict
        Inputs of the graph for one clip each; never held all at once.

    Returns
    -------
    onnx.ModelProto
        The same network with explicit quantisation.

    References
    ----------
    Jacob et al.: "Quantization and training of neural networks for efficient integer-arithmetic-only
    inference", CVPR 2018; Migacz: "8-bit inference with TensorRT", GTC 2017 (entropy).
    """
    named = onnx.ModelProto.FromString(graph.SerializeToString())
    for number, node in enumerate(named.graph.node):
        node.name = node.name or f"node_{number}"
    with _quiet():
        quantizer = _quantization.qdq_quantizer.QDQQuantizer(
            named,
            per_channel=True,
            reduce_range=False,
            weight_qType=_quantization.QuantType.QInt8,
            activation_qType=_quantization.QuantType.QInt8,
            tensors_range=_ranges(named, calibration),
            nodes_to_quantize=inner_convolutions(named),
            nodes_to_exclude=[],
            op_types_to_quantize=["Conv"],
            extra_options={"ActivationSymmetric": True, "QuantizeBias": False},
        )
        quantizer.quantize_model()
    quantised = ir.from_proto(quantizer.model.model)
    quantised.graph.sort()  # the quantiser appends its nodes at the end
    drop_unused(quantised)
    proto: onnx.ModelProto = ir.to_proto(quantised)
    onnx.checker.check_model(proto, full_check=True)
    return proto


def calibration_feeds(
    folder: Path, manifest: Manifest, on_clip: Callable[[], Any], fit: Fit = AS_THEY_ARE
) -> Iterator[Feeds]:
    """Inputs of a graph for recordings spread evenly over a folder.

    Parameters
    ----------
    folder : Path
        Recordings at any depth.
    manifest : Manifest
        Inputs and front end of the model.
    on_clip : callable
        Called after each clip.
    fit : Fit
        How recordings that do not fit are made to fit.

    Yields
    ------
    dict
        Inputs of one clip; of `N_CALIBRATION_CLIPS`, or as many as there are.

    Raises
    ------
    AudioError
        A recording cannot be used.
    NoRecordingsError
        There are none.
    """
    found = list(find_some_recordings([folder]))
    for candidate in found[:: max(1, len(found) // N_CALIBRATION_CLIPS)][:N_CALIBRATION_CLIPS]:
        waveform = read_audio(candidate.path, fit.resample, fit.channel, fit.pad)[np.newaxis]  # [1, 160000]
        inputs = {"waveform": waveform, "log_mel": log_mel(waveform, manifest.front_end.settings)}
        yield {spec.name: inputs[spec.name] for spec in manifest.inputs}
        on_clip()


def inner_convolutions(graph: onnx.ModelProto) -> list[str]:
    """Names of the dense convolutions of many channels that have another before and another after them.

    Parameters
    ----------
    graph : onnx.ModelProto
        A network.

    Returns
    -------
    list of str
        Names of nodes.
    """
    nodes = ir.from_proto(graph).graph
    return [node.name or "" for node in nodes if _is_dense(node) and _is_inner(node)]


def _is_dense(node: ir.Node) -> bool:
    weight = constant(node.inputs[1]) if node.op_type == "Conv" else None
    return weight is not None and attribute(node, "group", 1) == 1 and weight.shape[1] >= _MIN_INPUT_CHANNELS


def _is_inner(node: ir.Node) -> bool:
    return all(_finds_convolution(node, step) for step in (ir.Node.predecessors, ir.Node.successors))


def _finds_convolution(start: ir.Node, step: Callable[[ir.Node], Sequence[ir.Node]]) -> bool:
    """Whether a walk from a node, in one direction, comes upon another convolution."""
    unseen, seen = [start], {start}
    while unseen:
        for node in step(unseen.pop()):
            if node.op_type == "Conv":
                return True
            if node not in seen:
                seen.add(node)
                unseen.append(node)
    return False


class _OneClip(_quantization.CalibrationDataReader):  # type: ignore[misc]  # the package has no types
    """The calibrator takes clips from a reader until that is empty, and keeps all its maps until then."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds: Feeds | None = feeds

    def get_next(self) -> Feeds | None:
        feeds, self._feeds = self._feeds, None
        return feeds


def _ranges(graph: onnx.ModelProto, calibration: Iterable[Feeds]) -> Any:
    with tempfile.TemporaryDirectory(prefix="osscl-calibration-") as folder:
        source = Path(folder) / "graph.onnx"
        onnx.save(graph, source)
        calibrator = _quantization.create_calibrator(
            source,
            op_types_to_calibrate=["Conv"],
            augmented_model_path=str(Path(folder) / "with_all_outputs.onnx"),
            calibrate_method=_quantization.CalibrationMethod.Entropy,
        )
        for feeds in calibration:
            calibrator.collect_data(_OneClip(feeds))
        return calibrator.compute_data()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the tool's progress off stdout, which is for results."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
