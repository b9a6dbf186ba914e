"""The network, or its front end alone, as an ONNX graph."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence

import onnx
import torch
from torch import nn

from osscl.export.front_end_graph import LogMel, WaveformOnly
from osscl.model import OSSCL
from osscl.model_file.signature import FrontEndPlace, TensorSpec, graph_inputs, graph_outputs

OPSET = 18
_TRACED_BATCH = 2  # with 1, the exporter would take the size for a constant


def build_graph(model: OSSCL, front_end: FrontEndPlace) -> onnx.ModelProto:
    """Write the network down as an ONNX graph with any batch size.

    Parameters
    ----------
    model : OSSCL
        The network, in eval mode.
    front_end : {"native", "graph"}
        Whether the log-mel is an input, or computed inside from the waveform.

    Returns
    -------
    onnx.ModelProto
        Inputs and outputs as `osscl.signature` lists them; nothing in it tells of the machine it was made on.
    """
    inputs, outputs = (
        graph_inputs(model.config, front_end),
        [each.name for each in graph_outputs(model.config)],
    )
    if front_end == "graph":
        return _to_onnx(WaveformOnly(model), inputs, outputs)
    # OSSCL takes its inputs as *inputs, which counts as one argument
    return _to_onnx(model, inputs, outputs, as_one_argument=True)


def build_front_end(waveform: TensorSpec) -> onnx.ModelProto:
    """Write the log-mel alone down as an ONNX graph with any batch size.

    Parameters
    ----------
    waveform : TensorSpec
        Its input.

    Returns
    -------
    onnx.ModelProto
        Its one output is ``log_mel``.
    """
    return _to_onnx(LogMel(), [waveform], ["log_mel"])


def _to_onnx(
    module: nn.Module, inputs: Sequence[TensorSpec], outputs: list[str], *, as_one_argument: bool = False
) -> onnx.ModelProto:
    example = tuple(
        torch.zeros(_TRACED_BATCH, *(size for size in spec.shape if isinstance(size, int))) for spec in inputs
    )
    batches = tuple({0: torch.export.Dim("batch", min=1)} for _ in inputs)
    with _quiet():
        program = torch.onnx.export(
            module.eval(),
            example,
            input_names=[spec.name for spec in inputs],
            output_names=outputs,
            dynamic_shapes=(batches,) if as_one_argument else batches,
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
        )
    assert program is not None
    graph = _without_traces_of_its_making(program.model_proto)
    onnx.checker.check_model(graph, full_check=True)
    return graph


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's progress and advice from the user; its errors pass."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir", "torch.export")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _without_traces_of_its_making(model: onnx.ModelProto) -> onnx.ModelProto:
    """Drop stack traces, module names and paths: the same checkpoint gives the same bytes anywhere."""
    graph = model.graph
    for message in (
        model,
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.value_info,
        *graph.initializer,
    ):
        message.ClearField("metadata_props")
        message.ClearField("doc_string")
    graph.name = "osscl"
    graph.ClearField("value_info")
    return model
