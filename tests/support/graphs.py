"""Small ONNX graphs, run before and after they are rewritten."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from osscl.export.rewrites import rewrite

Array = npt.NDArray[Any]
Shape = list[int | str | None]
BATCH = "batch"
RNG = np.random.default_rng(0)


def noise(*shape: int) -> npt.NDArray[np.float32]:
    return RNG.standard_normal(shape).astype(np.float32)


def node(op_type: str, inputs: str, output: str = "y", **attributes: Any) -> onnx.NodeProto:
    """A layer; inputs and outputs as words, ``-`` for an input left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op_type, names, output.split(), **attributes)


def conv(inputs: str = "x w", output: str = "y", **settings: Any) -> onnx.NodeProto:
    """A convolution over three places."""
    return node("Conv", inputs, output, **({"kernel_shape": [3], "pads": [1, 1]} | settings))


def model_of(
    nodes: list[onnx.NodeProto],
    x: Shape,
    outputs: dict[str, Shape] | None = None,
    integers: dict[str, Shape] | None = None,
    /,
    **weights: Any,
) -> onnx.ModelProto:
    """A checked model of one input x; one output y of unknown sizes unless said otherwise."""
    of_type = [
        (TensorProto.FLOAT, outputs or {"y": [BATCH, None, None]}),
        (TensorProto.INT64, integers or {}),
    ]
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [
            helper.make_tensor_value_info(name, number, shape)
            for number, named in of_type
            for name, shape in named.items()
        ],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 18)])
    onnx.checker.check_model(model, full_check=True)
    return model


def run(model: onnx.ModelProto, feeds: dict[str, Array]) -> list[Array]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outputs: list[Array] = session.run(
        None, {tensor.name: feeds[tensor.name] for tensor in session.get_inputs()}
    )
    return outputs


def operators(model: onnx.ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def settings_of(layer: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in layer.attribute}


def rewritten(model: onnx.ModelProto, *names: str, sizes: tuple[int, ...]) -> onnx.ModelProto:
    """The rewritten model, which gives the same for one clip and for three, and rewrites no further."""
    result: onnx.ModelProto = rewrite(model, names)
    for n_clips in (1, 3):
        feeds: dict[str, Array] = {"x": noise(n_clips, *sizes)}
        for got, wanted in zip(run(result, feeds), run(model, feeds), strict=True):
            assert got.shape == wanted.shape
            assert got.dtype == wanted.dtype
            assert np.abs(got - wanted).max() <= 1e-5 * np.abs(wanted).max()
    assert [output.name for output in result.graph.output] == [output.name for output in model.graph.output]
    assert rewrite(result, names).SerializeToString(deterministic=True) == result.SerializeToString(
        deterministic=True
    )
    return result


def unchanged(model: onnx.ModelProto, name: str, sizes: tuple[int, ...]) -> None:
    assert operators(rewritten(model, name, sizes=sizes)) == operators(model)
