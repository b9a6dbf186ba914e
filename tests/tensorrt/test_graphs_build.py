"""Graphs of all precisions, by TensorRT's builder: strongly typed, for batches of 1 to 64."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch

from osscl.config import ModelConfig
from osscl.export.half import in_half
from osscl.export.int8 import quantise
from osscl.export.rewrites import REWRITES, rewrite
from osscl.export.to_onnx import build_graph
from osscl.model import OSSCL

BUILD = """
import json, sys
import tensorrt_rtx_bindings as trt

logger = trt.Logger(trt.Logger.ERROR)
builder = trt.Builder(logger)
network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
parser = trt.OnnxParser(network, logger)
with open(sys.argv[1], "rb") as file:
    parser.parse(file.read())
errors = [parser.get_error(number).desc() for number in range(parser.num_errors)]
layers = [network.get_layer(number) for number in range(network.num_layers)]
types = {
    name: sorted({layer.get_output(0).dtype.name for layer in layers if layer.type == kind})
    for name, kind in trt.LayerType.__members__.items()
}
inputs = [network.get_input(number) for number in range(network.num_inputs)]
outputs = [network.get_output(number) for number in range(network.num_outputs)]
config, profile = builder.create_builder_config(), builder.create_optimization_profile()
for tensor in inputs:
    profile.set_shape(tensor.name, *((batch, *tuple(tensor.shape)[1:]) for batch in (1, 64, 64)))
config.add_optimization_profile(profile)
plan = None if errors else builder.build_serialized_network(network, config)
print(json.dumps({
    "errors": errors,
    "types": types,
    "edges": {tensor.name: tensor.dtype.name for tensor in (*inputs, *outputs)},
    "plan": None if plan is None else plan.nbytes,
}))
"""


@pytest.fixture(
    scope="module",
    params=[
        ("three_maps", "native", tuple(REWRITES)),
        ("three_maps", "graph", ()),
        ("log_mel", "native", tuple(REWRITES)),
    ],
    ids=lambda param: " ".join([*param[:2], "rewritten" if param[2] else "plain"]),
)
def network(request: pytest.FixtureRequest) -> onnx.ModelProto:
    """A network in fp32 with the weights it is born with, but biases; plain ones keep their PReLU."""
    inputs, front_end, rewrites = request.param
    model = OSSCL(ModelConfig(classes=("fan/id_00", "pump/id_02"), inputs=inputs))
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.bias)  # born without, it would leave none in the convolutions
    return rewrite(build_graph(model, front_end), rewrites)


def in_precision(network: onnx.ModelProto, precision: Any) -> onnx.ModelProto:
    match precision:
        case "fp32":
            return network
        case "int8":
            return quantise(network, [noise(network)])
        case _:
            return in_half(network, precision)


def noise(network: onnx.ModelProto) -> dict[str, npt.NDArray[np.float32]]:
    """Something to set ranges by: what they are does not matter to the builder."""
    rng = np.random.default_rng(3)
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim][1:]  # the batch is open
        for value in network.graph.input
    }
    return {name: rng.standard_normal((1, *shape), np.float32) for name, shape in shapes.items()}


def build(path: Path, rtx: dict[str, str]) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", BUILD, path], env=rtx, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])  # the builder itself speaks on stdout too


@pytest.mark.parametrize(
    ("precision", "heavy"),
    # int8 stands beside a convolution: its inputs are stepped to int8 and back
    [("fp32", "FLOAT"), ("fp16", "HALF"), ("bf16", "BF16"), ("int8", "FLOAT")],
    ids=["fp32", "fp16", "bf16", "int8"],
)
def test_graphs_parse_and_build(
    network: onnx.ModelProto, precision: Any, heavy: str, rtx: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "graph.onnx"
    onnx.save(in_precision(network, precision), path)
    built = build(path, rtx)
    assert built["errors"] == []
    assert built["types"]["CONVOLUTION"] == [heavy]
    # the cosine's product is in fp32 in every precision, and so is the transform of a front end in the graph
    assert built["types"]["MATRIX_MULTIPLY"] == sorted({heavy, "FLOAT"})
    assert set(built["types"]["NORMALIZATION"]) <= {"FLOAT"}
    assert set(built["types"]["PARAMETRIC_RELU"]) <= {heavy}
    assert built["types"]["QUANTIZE"] == (["INT8"] if precision == "int8" else [])
    assert set(built["edges"].values()) == {"FLOAT"}
    assert set(built["edges"]) > {"embedding", "cosine"}
    assert built["plan"] > 1_000_000


def test_an_operator_of_two_types_is_refused(rtx: dict[str, str], tmp_path: Path) -> None:
    """The builder does check types: it would accept nothing that only ONNX Runtime can cast together."""
    graph = onnx.parser.parse_model(
        """
        <ir_version: 10, opset_import: ["" : 18]>
        mixed (float[batch, 8] x) => (float[batch, 8] y)
        { half = Cast <to = 10> (x) y = Add(x, half) }
        """
    )
    onnx.save(graph, tmp_path / "mixed.onnx")
    built = build(tmp_path / "mixed.onnx", rtx)
    assert built["errors"] or built["plan"] is None
