"""Which layers of an engine count, and in which types they run.

The documents have the fields of NVIDIA's documentation: "Engine Inspector" of TensorRT 10.16 ("Layers" with
"Name", "LayerType", "Inputs", "Format/Datatype", "Weights", "TacticName"), and "Migrating IEngineInspector
Usage from TensorRT 10.x to 11.x" ("Format/Datatype" is split, "Bindings" become "I/O Tensors"). Engines with
open batch sizes, and those that Myelin compiles ("gemm", "kgen", "Metadata"), look as users of TensorRT show
them. No document comes from an engine of this model: there is no GPU to build one on.
"""

import json
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from osscl.backends.tensorrt.heavy_nodes import (
    HEAVY_WEIGHTS,
    HeavyNode,
    check_graph_precision,
    heavy_nodes,
)
from osscl.backends.tensorrt.layers import Layer, check_precision, heavy_layers
from osscl.errors import BackendError
from osscl.model_file.bundle import read_bundle
from osscl.model_file.manifest import Precision

NODES = {
    "node_Conv_6": HeavyNode("fp16", 131_072),
    "node_Conv_60": HeavyNode("fp16", 65_536),
    "node_linear": HeavyNode("fp32", 20_000),
}


def convolution(**fields: Any) -> dict[str, Any]:
    """A convolution as TensorRT 10 describes it."""
    half = [{"Name": "x", "Dimensions": [16, 512, 28, 28], "Format/Datatype": "Channel major FP16 format"}]
    return {
        "Name": "node_Conv_6 + node_relu",
        "LayerType": "CaskConvolution",
        "Inputs": half,
        "Outputs": half,
        "ParameterType": "Convolution",
        "Weights": {"Type": "Half", "Count": 131_072},
        "TacticName": "sm80_xmma_fprop_implicit_gemm_f16f16_f16f16_f16_nhwckrsc_nhwc_tilesize128x64x32",
        "TacticValue": "0x11bde0e1d9f2f35d",
    } | fields


def document(*layers: Any) -> str:
    return json.dumps({"Layers": list(layers), "Bindings": ["waveform", "log_mel", "embedding", "cosine"]})


def only(layer: dict[str, Any]) -> Layer:
    (found,) = heavy_layers(document(layer), NODES)
    return found


OPEN = [{"Name": "x", "Format/Datatype": "N/A due to dynamic shapes"}]


@pytest.mark.parametrize(
    ("fields", "dtype"),
    [
        ({}, "fp16"),
        ({"Weights": {"Type": "BFloat16", "Count": 1}}, "bf16"),
        ({"Weights": {"Type": "Float", "Count": 1}}, "fp32"),
        ({"Weights": {"Type": "Int8", "Count": 1}}, "int8"),
        ({"Weights": None}, "fp16"),
        ({"Weights": None, "Inputs": OPEN}, "fp16"),
        ({"Weights": None, "Inputs": OPEN, "TacticName": "ampere_h16816gemm_256x128_ldg8_nn_v1"}, "fp16"),
        ({"Weights": None, "Inputs": OPEN, "TacticName": "sm80_xmma_gemm_bf16bf16_bf16f32_f32_tn_n"}, "bf16"),
        ({"Weights": None, "Inputs": OPEN, "TacticName": "ampere_sgemm_128x64_nn"}, "fp32"),
        (
            {"Weights": None, "Inputs": OPEN, "TacticName": "sm80_xmma_fprop_interleaved_i8i8_i8i32_f32"},
            "int8",
        ),
        ({"Weights": None, "Inputs": OPEN, "TacticName": "my_kernel"}, "unknown"),
        ({"Weights": None, "Inputs": [], "TacticName": None}, "unknown"),
        # 11: a field of its own, in either spelling
        ({"Weights": None, "Inputs": [{"Format": "kLINEAR", "DataType": "Half"}]}, "fp16"),
        ({"Weights": None, "Inputs": [{"Format": "Row major linear FP32 (kLINEAR)"}]}, "fp32"),
        ({"Weights": None, "Inputs": [{"Format": "kLINEAR", "Datatype": "BFloat16"}]}, "bf16"),
        ({"Weights": None, "Inputs": [{"Format/Datatype": "Thirty-two wide channel Int8 format."}]}, "int8"),
        # fp32 tensors, but products of 10 bits of mantissa: only the kernel's name tells
        (
            {
                "Weights": {"Type": "Float", "Count": 1},
                "TacticName": "sm80_xmma_fprop_implicit_gemm_f32f32_tf32f32_f32_nhwckrsc_nhwc",
            },
            "tf32",
        ),
    ],
)
def test_the_type_is_found_wherever_it_stands(fields: dict[str, Any], dtype: str) -> None:
    assert only(convolution(**fields)).dtype == dtype


def test_a_layer_is_known_by_the_nodes_that_it_computes() -> None:
    gemm = {
        "Name": "__myl_Gemm_myl0_4",
        "LayerType": "gemm",
        "Inputs": [{"Name": "x", "Format/Datatype": "Half"}],
        "Metadata": "[ONNX Layer: node_Conv_60]\x1f[ONNX Layer: node_linear]",
    }
    fused = gemm | {
        "Name": "__myl_CastConvAddRelu_myl0_7",
        "LayerType": "kgen",
        "Metadata": "[ONNX Layer: node_Conv_60]",
    }
    moved = fused | {"Name": "__myl_MoveCast_myl0_8"}
    suffixed = convolution(Name="node_Conv_6_myl0_12")
    longer = convolution(Name="node_Conv_606 + node_Conv_6.bias")
    light = convolution(Name="node_Conv_44")
    reformat = convolution(LayerType="Reformat", ParameterType="Reformat", TacticName="", Name="node_Conv_6")
    found = heavy_layers(document(gemm, fused, moved, suffixed, longer, light, reformat), NODES)
    assert [(layer.kind, layer.nodes) for layer in found] == [
        ("gemm", ("node_Conv_60", "node_linear")),
        ("kgen", ("node_Conv_60",)),
        ("CaskConvolution", ("node_Conv_6",)),
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"Layers": 3}', "Layers: conv"])
def test_a_document_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(BackendError, match=r"osscl cannot read .* cannot be confirmed"):
        heavy_layers(text, NODES)


def test_names_alone_are_an_error() -> None:
    with pytest.raises(BackendError, match=r"no more than the name of layer 'node_Conv_6 \+ node_relu'"):
        heavy_layers(document("node_Conv_6 + node_relu"), NODES)


def layer(node: str, dtype: str) -> Layer:
    return Layer(name=f"{node} + relu", kind="CaskConvolution", dtype=dtype, nodes=(node,))


def test_layers_in_the_types_of_the_graph_pass() -> None:
    layers = [layer("node_Conv_6", "fp16"), layer("node_Conv_60", "unknown"), layer("node_linear", "fp32")]
    check_precision(layers, NODES, "fp16")  # type: ignore[arg-type,unused-ignore] # until all precisions are there


@pytest.mark.parametrize(
    ("node", "dtype", "says"),
    [
        ("node_Conv_60", "fp32", r"node_Conv_60 \+ relu in fp32 instead of fp16"),
        ("node_linear", "fp16", r"node_linear \+ relu in fp16 instead of fp32"),
        ("node_linear", "tf32", r"node_linear \+ relu in tf32 instead of fp32"),
    ],
)
def test_a_layer_in_another_type_is_named(node: str, dtype: str, says: str) -> None:
    layers = [layer("node_Conv_6", "fp16"), layer(node, dtype)]
    with pytest.raises(BackendError, match=says):
        check_precision(layers, NODES, "fp16")  # type: ignore[arg-type,unused-ignore]


def test_of_many_layers_in_another_type_the_first_are_named() -> None:
    nodes = {f"node_{number}": HeavyNode("fp32", 20_000) for number in range(8)}
    with pytest.raises(BackendError, match=r"node_4 \+ relu in tf32 instead of fp32 and 3 more$"):
        check_precision([layer(name, "tf32") for name in nodes], nodes, "fp32")


@pytest.mark.parametrize("layers", [[], [layer("node_Conv_6", "unknown")], [layer("node_linear", "fp32")]])
def test_a_precision_that_no_layer_shows_is_an_error(layers: list[Layer]) -> None:
    with pytest.raises(BackendError, match="none of the model's 3 heavy layers in fp16"):
        check_precision(layers, NODES, "fp16")  # type: ignore[arg-type,unused-ignore]


def test_the_heavy_nodes_of_the_demonstration_model() -> None:
    nodes = heavy_nodes(read_bundle("demo").model)
    model = onnx.load_from_string(read_bundle("demo").model)
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in model.graph.initializer}
    expected = {
        node.name: sizes[node.input[1]]
        for node in model.graph.node
        if node.op_type in ("Conv", "Gemm", "MatMul") and sizes.get(node.input[1], 0) >= HEAVY_WEIGHTS
    }
    assert {name: node.n_weights for name, node in nodes.items()} == expected
    assert len(nodes) > 20
    assert {node.dtype for node in nodes.values()} == {"fp32"}


def products(dtype: int, *, between: list[onnx.NodeProto] | None = None) -> bytes:
    """A product with 128 x 128 weights of a type, behind nodes, and a light one in float."""
    weights = helper.make_tensor("weights", dtype, [128, 128], np.zeros(128 * 128))
    nodes = [
        *(between or []),
        helper.make_node("MatMul", ["x", "w" if between else "weights"], ["y"], name="heavy"),
        helper.make_node("MatMul", ["y", "small"], ["z"]),
        helper.make_node("MatMul", ["x", "y"], ["of_no_constant"]),
    ]
    small = numpy_helper.from_array(np.zeros((128, 8), np.float32), "small")
    model: onnx.ModelProto = helper.make_model(helper.make_graph(nodes, "products", [], [], [weights, small]))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("dtype", "name"),
    [(TensorProto.FLOAT, "fp32"), (TensorProto.FLOAT16, "fp16"), (TensorProto.BFLOAT16, "bf16")],
)
def test_the_type_of_a_node_is_that_of_its_weights(dtype: int, name: str) -> None:
    assert heavy_nodes(products(dtype)) == {"heavy": HeavyNode(name, 128 * 128)}


def test_the_type_is_seen_through_what_changes_it() -> None:
    dequantised = [helper.make_node("DequantizeLinear", ["weights", "scale"], ["w"])]
    assert heavy_nodes(products(TensorProto.INT8, between=dequantised))["heavy"].dtype == "int8"
    cast = [
        helper.make_node("Cast", ["weights"], ["half"], to=TensorProto.FLOAT16),
        helper.make_node("Transpose", ["half"], ["w"], perm=[1, 0]),
    ]
    assert heavy_nodes(products(TensorProto.FLOAT, between=cast))["heavy"].dtype == "fp16"


def test_a_graph_must_state_the_precision_of_its_manifest() -> None:
    half: dict[Precision, str] = {"fp32": "fp32", "bf16": "bf16", "int8": "int8"}
    for precision, dtype in half.items():
        nodes = {"heavy": HeavyNode(dtype, 50_000), "other": HeavyNode("fp32", 40_000)}
        check_graph_precision(nodes, precision)
    with pytest.raises(BackendError, match=r"bf16, but its graph is not .*40,000 in fp32.*--precision bf16"):
        check_graph_precision({"other": HeavyNode("fp32", 40_000)}, "bf16")
    with pytest.raises(BackendError, match=r"heavy layers: none"):
        check_graph_precision({}, "fp32")
