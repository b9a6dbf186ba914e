"""A graph is held against its manifest, and against what a graph may ask for, before anything runs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import AttributeProto, TensorProto, helper, numpy_helper

from osscl.config import ModelConfig
from osscl.errors import ModelFileError
from osscl.model_file import onnx_graph, protobuf
from osscl.model_file.bundle import read_bundle, write_bundle
from osscl.model_file.graph_arity import needed_inputs
from osscl.model_file.graph_facts import graph_facts
from osscl.model_file.graph_shapes import check_shapes
from osscl.model_file.onnx_graph import read_graph
from osscl.model_file.onnx_values import value_info
from support.model_files import CLASSES, tiny_graph, tiny_manifest, write_unchecked

REMEDY = "; export the model again with osscl-export"


def read(path: Path, model: onnx.ModelProto) -> None:
    """Read a file whose hashes are right, whatever its graph is."""
    content = model.SerializeToString()
    write_unchecked(path, content, tiny_manifest(content))
    read_bundle(path)


def value(name: str, shape: list[Any] | None, dtype: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, dtype, shape)


def with_input(number: int, new: onnx.ValueInfoProto) -> onnx.ModelProto:
    model = tiny_graph()
    model.graph.input[number].CopyFrom(new)
    return model


def with_output(number: int, new: onnx.ValueInfoProto) -> onnx.ModelProto:
    model = tiny_graph()
    model.graph.output[number].CopyFrom(new)
    return model


def without(field: str, number: int) -> onnx.ModelProto:
    model = tiny_graph()
    del getattr(model.graph, field)[number]
    return model


def with_extra(field: str, new: onnx.ValueInfoProto) -> onnx.ModelProto:
    model = tiny_graph()
    getattr(model.graph, field).append(new)
    return model


def swapped(field: str) -> onnx.ModelProto:
    model = tiny_graph()
    values = list(getattr(model.graph, field))[::-1]
    model.graph.ClearField(field)
    getattr(model.graph, field).extend(values)
    return model


SAYS_COSINE = "the manifest says cosine float32 [batch, 3]" + REMEDY
SAYS_WAVEFORM = "the manifest says waveform float32 [batch, 160000]" + REMEDY
OTHER_VALUES = {
    "a class too few": (
        with_output(1, value("cosine", ["batch", 2])),
        "output 2 of the graph is cosine float32 [batch, 2]; " + SAYS_COSINE,
    ),
    "a class too many": (
        with_output(1, value("cosine", ["batch", 4])),
        "output 2 of the graph is cosine float32 [batch, 4]; " + SAYS_COSINE,
    ),
    "half as many samples": (
        with_input(0, value("waveform", ["batch", 80_000])),
        "input 1 of the graph is waveform float32 [batch, 80000]; " + SAYS_WAVEFORM,
    ),
    "another type": (
        with_input(0, value("waveform", ["batch", 160_000], TensorProto.INT8)),
        "input 1 of the graph is waveform int8 [batch, 160000]; " + SAYS_WAVEFORM,
    ),
    "a type that ONNX has not": (
        with_input(0, value("waveform", ["batch", 160_000], 99)),
        "input 1 of the graph is waveform ONNX type 99 [batch, 160000]; " + SAYS_WAVEFORM,
    ),
    "another name": (
        with_input(0, value("audio", ["batch", 160_000])),
        "input 1 of the graph is audio float32 [batch, 160000]; " + SAYS_WAVEFORM,
    ),
    "no tensor": (
        with_input(0, helper.make_tensor_sequence_value_info("waveform", TensorProto.FLOAT, None)),
        "input 1 of the graph is waveform no tensor of any shape; " + SAYS_WAVEFORM,
    ),
    "a fixed batch": (
        with_output(1, value("cosine", [1, 3])),
        "output 2 of the graph is cosine float32 [1, 3]; " + SAYS_COSINE,
    ),
    "a size that has a name": (
        with_output(1, value("cosine", ["batch", "classes"])),
        "output 2 of the graph is cosine float32 [batch, classes]; " + SAYS_COSINE,
    ),
    "an axis too many": (
        with_output(1, value("cosine", ["batch", 3, 1])),
        "output 2 of the graph is cosine float32 [batch, 3, 1]; " + SAYS_COSINE,
    ),
    "no shape": (
        with_output(1, value("cosine", None)),
        "output 2 of the graph is cosine float32 of any shape; " + SAYS_COSINE,
    ),
    "an output missing": (without("output", 1), "output 2 of the graph is missing; " + SAYS_COSINE),
    "an input missing": (
        without("input", 1),
        "input 2 of the graph is missing; the manifest says log_mel float32 [batch, 128, 313]" + REMEDY,
    ),
    "outputs swapped": (
        swapped("output"),
        "output 1 of the graph is cosine float32 [batch, 3]; "
        "the manifest says embedding float32 [batch, 128]" + REMEDY,
    ),
    "an output too many": (
        with_extra("output", value("sum", ["batch", 128])),
        "output 3 of the graph is sum float32 [batch, 128]; the manifest knows none" + REMEDY,
    ),
    "an input too many": (
        with_extra("input", value("tfgram", ["batch", 1])),
        "input 3 of the graph is tfgram float32 [batch, 1]; the manifest knows none" + REMEDY,
    ),
    "a name that would fill the screen": (
        with_input(0, value("wave\n\x1b[2J" + "x" * 10_000, ["batch", 160_000])),
        "input 1 of the graph is wave??[2J" + "x" * 51 + "...; " + SAYS_WAVEFORM,
    ),
}


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_other_inputs_or_outputs_than_the_manifest_says_are_refused(name: str, tmp_path: Path) -> None:
    model, message = OTHER_VALUES[name]
    with pytest.raises(ModelFileError) as caught:
        read(tmp_path / "model.onnx", model)
    assert str(caught.value) == f"{tmp_path / 'model.onnx'}: {message}"


@pytest.mark.parametrize(
    "model",
    [
        with_output(1, value("cosine", ["N", 3])),
        with_output(1, value("cosine", [None, 3])),
        # older files list their constants among the inputs
        with_extra("input", value("weights", [128, 3])),
    ],
)
def test_the_batch_may_have_any_name_and_constants_may_stand_among_the_inputs(
    model: onnx.ModelProto, tmp_path: Path
) -> None:
    read(tmp_path / "model.onnx", model)


def test_writing_holds_the_graph_against_its_manifest_too(tmp_path: Path) -> None:
    content = tiny_graph().SerializeToString()
    manifest = tiny_manifest(
        content, model=ModelConfig(classes=(*CLASSES, "fan/id_02")), cosine=np.zeros((2, 4), np.float32)
    )
    with pytest.raises(ModelFileError, match=r"output 2 of the graph is cosine float32 \[batch, 3\]; the"):
        write_bundle(tmp_path / "model.onnx", content, manifest)
    assert list(tmp_path.iterdir()) == []


def node(operator: str, inputs: list[str], **attributes: Any) -> Callable[[onnx.ModelProto], None]:
    return lambda model: model.graph.node.append(helper.make_node(operator, inputs, ["big"], **attributes))


def constant(content: list[int]) -> Callable[[onnx.ModelProto], None]:
    return lambda model: model.graph.initializer.append(
        numpy_helper.from_array(np.array(content, np.int64), "sizes")
    )


def hollow_constant(model: onnx.ModelProto) -> None:
    model.graph.initializer.add(name="hollow", data_type=TensorProto.FLOAT, dims=[10**6, 10**6])


def negative_constant(model: onnx.ModelProto) -> None:
    model.graph.initializer.add(name="x", data_type=TensorProto.FLOAT, dims=[-1], raw_data=bytes(4))


def hollow_value(model: onnx.ModelProto) -> None:
    tensor = TensorProto(data_type=TensorProto.FLOAT, dims=[2**40])
    model.graph.node.append(helper.make_node("Constant", [], ["big"], value=tensor))


def computed_size(model: onnx.ModelProto) -> None:
    size = numpy_helper.from_array(np.array([2**29], np.int64))
    model.graph.node.append(helper.make_node("Constant", [], ["sizes"], value=size))
    node("ConstantOfShape", ["sizes"])(model)


def sparse_constant(model: onnx.ModelProto) -> None:
    model.graph.sparse_initializer.add(dims=[10**9])


def own_function(model: onnx.ModelProto) -> None:
    model.functions.add(name="Relu", domain="own")


ASKS = r"of the graph asks for a size of {}; 67108864 are allowed"
BOUNDLESS: dict[str, tuple[list[Callable[[onnx.ModelProto], None]], str]] = {
    "a terabyte of zeros": (
        [constant([10**12]), node("ConstantOfShape", ["sizes"])],
        f"a node ConstantOfShape {ASKS.format(10**12)}",
    ),
    "a terabyte in two axes": (
        [constant([10**6, 10**6]), node("ConstantOfShape", ["sizes"])],
        f"a node ConstantOfShape {ASKS.format(10**12)}",
    ),
    "expanded": ([constant([1, 2**29]), node("Expand", ["sum", "sizes"])], f"Expand {ASKS.format(2**29)}"),
    "tiled": ([constant([1, 2**29]), node("Tile", ["sum", "sizes"])], f"Tile {ASKS.format(2**29)}"),
    "padded": ([constant([0, 0, 2**26, 1]), node("Pad", ["sum", "sizes"])], ASKS.format(2**26 + 1)),
    "an attribute": ([node("RandomNormal", [], shape=[2**15, 2**15])], ASKS.format(2**30)),
    "an attribute of one number": ([node("EyeLike", ["sum"], k=2**62)], ASKS.format(2**62)),
    "a size out of a node": ([computed_size], ASKS.format(2**29)),
    "a constant without its content": (
        [hollow_constant],
        r"the shape \[1000000, 1000000\], but has 1",
    ),
    "a constant without its content in a node": ([hollow_value], "the shape .1099511627776., but has"),
    "a constant of a negative size": ([negative_constant], r"a constant states the shape \[-1\]"),
    "a sparse constant": ([sparse_constant], "the graph holds a sparse tensor; expected dense ones"),
    "a function": ([own_function], "the model holds functions of its own; expected operators of ONNX"),
}


@pytest.mark.parametrize("name", BOUNDLESS)
def test_a_graph_that_may_take_any_time_or_memory_is_refused(name: str, tmp_path: Path) -> None:
    changes, message = BOUNDLESS[name]
    model = tiny_graph()
    for change in changes:
        change(model)
    with pytest.raises(ModelFileError, match=message):
        read(tmp_path / "model.onnx", model)


def test_sizes_up_to_a_bound_are_no_concern(tmp_path: Path) -> None:
    model = tiny_graph()
    constant([2**13, 2**13])(model)
    node("ConstantOfShape", ["sizes"])(model)
    read(tmp_path / "model.onnx", model)


def use_too_early(model: onnx.ModelProto) -> None:
    nodes = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes[::-1])


def go_in_a_circle(model: onnx.ModelProto) -> None:
    model.graph.node[2].input[1] = "sum"


def compute_twice(model: onnx.ModelProto) -> None:
    model.graph.node[1].output[0] = "beginning"


def compute_an_input(model: onnx.ModelProto) -> None:
    model.graph.node[1].output[0] = "waveform"


def compute_a_constant(model: onnx.ModelProto) -> None:
    model.graph.node[1].output[0] = "weights"


def compute_no_cosine(model: onnx.ModelProto) -> None:
    model.graph.node[4].output[0] = "something"


def drop_an_input(model: onnx.ModelProto) -> None:
    del model.graph.node[4].input[1]


def leave_an_input_out(model: onnx.ModelProto) -> None:
    model.graph.node[2].input[0] = ""


def leave_one_of_many_out(model: onnx.ModelProto) -> None:
    model.graph.node[2].op_type = "Max"
    model.graph.node[2].input[1] = ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (use_too_early, "a node MatMul of the graph uses 'embedding' before it is computed"),
        (go_in_a_circle, "a node Add of the graph uses 'sum' before it is computed"),
        (compute_twice, "the graph computes 'beginning' twice"),
        (compute_an_input, "the graph computes 'waveform' twice"),
        (compute_a_constant, "the graph computes 'weights' twice"),
        (compute_no_cosine, "nothing computes the output 'cosine' of the graph"),
        (drop_an_input, "a node MatMul of the graph has 1 inputs of the 2 that it needs"),
        (leave_an_input_out, "a node Add of the graph has 1 inputs of the 2 that it needs"),
        (leave_one_of_many_out, "a node Max of the graph has 1 inputs of the 2 that it needs"),
    ],
)
def test_a_graph_that_cannot_be_computed_from_first_to_last_is_refused(
    change: Callable[[onnx.ModelProto], None], message: str, tmp_path: Path
) -> None:
    model = tiny_graph()
    change(model)
    with pytest.raises(ModelFileError, match=message + REMEDY):
        read(tmp_path / "model.onnx", model)


def one_more(operator: str, inputs: list[str], **attributes: Any) -> Callable[[onnx.ModelProto], None]:
    """A node behind all others; axis_* and shape_* are constants of these numbers."""

    def change(model: onnx.ModelProto) -> None:
        for name in inputs:
            if name.startswith(("axes", "shape")):
                numbers = [int(number) for number in name.split("_")[1:]]
                model.graph.initializer.append(numpy_helper.from_array(np.array(numbers, np.int64), name))
        model.graph.node.append(helper.make_node(operator, inputs, ["more"], **attributes))

    return change


def in_turn(*changes: Callable[[onnx.ModelProto], None]) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        for each in changes:
            each(model)

    return change


def wider_weights(model: onnx.ModelProto) -> None:
    wider = numpy_helper.from_array(np.zeros((128, 4), np.float32), "weights")
    model.graph.initializer[0].CopyFrom(wider)


def kernel(*shape: int) -> Callable[[onnx.ModelProto], None]:
    return lambda model: model.graph.initializer.append(
        numpy_helper.from_array(np.zeros(shape, np.float32), "kernel")
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (one_more("ReduceL2", ["sum", "axes_2"]), "a node ReduceL2 of the graph names axis 2 of 2"),
        (one_more("ReduceSum", ["sum", "weights"]), "is given a table of 2 axes where it takes a list"),
        (one_more("ReduceMean", ["sum", "axes_-3"]), "a node ReduceMean of the graph names axis -3 of 2"),
        (one_more("Unsqueeze", ["sum", "axes_3"]), "names axis 3 of 3"),
        (one_more("Unsqueeze", ["sum", "axes_1_1"]), r"names an axis twice: \[1, 1\]"),
        (one_more("Squeeze", ["sum", "axes_5"]), "names axis 5 of 2"),
        (one_more("Softmax", ["sum"], axis=2), "a node Softmax of the graph names axis 2 of 2"),
        (one_more("Concat", ["sum", "mean"], axis=-3), "names axis -3 of 2"),
        (one_more("Concat", ["sum", "log_mel"], axis=0), "joins values of different numbers of axes"),
        (one_more("Concat", ["sum", "waveform"], axis=0), "joins sizes of 128 and 160000"),
        (one_more("Gather", ["sum", "start"], axis=2), "names axis 2 of 2"),
        (one_more("Transpose", ["sum"], perm=[0, 2]), r"puts 2 axes in the order \[0, 2\]"),
        (one_more("Add", ["sum", "waveform"]), "a node Add of the graph joins sizes of 128 and 160000"),
        (one_more("MatMul", ["sum", "mean"]), "a node MatMul of the graph sums over 128 and batch elements"),
        (one_more("MatMul", ["weights", "weights"]), "sums over 3 and 128 elements"),
        (one_more("Gemm", ["weights", "weights"]), "sums over 3 and 128 elements"),
        (one_more("Gemm", ["log_mel", "weights"]), "is given 3 and 2 axes where it takes two"),
        (
            in_turn(kernel(8, 64, 3), one_more("Conv", ["log_mel", "kernel"])),
            "a node Conv of the graph has weights for 64 channels and is given 128",
        ),
        (
            in_turn(kernel(8, 128, 1, 3), one_more("Conv", ["log_mel", "kernel"])),
            "has a weight of 4 axes for 3",
        ),
        (
            wider_weights,
            r"the graph computes cosine of the shape \['batch', 4\] and states \['batch', 3\]",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    change: Callable[[onnx.ModelProto], None], message: str, tmp_path: Path
) -> None:
    model = tiny_graph()
    change(model)
    with pytest.raises(ModelFileError, match=message):
        read(tmp_path / "model.onnx", model)


@pytest.mark.parametrize(
    "change",
    [
        one_more("ReduceL2", ["sum", "axes_-2"]),
        one_more("ReduceMean", ["sum"]),
        one_more("Squeeze", ["log_mel"]),
        one_more("Unsqueeze", ["sum", "axes_-3_1"]),
        one_more("Add", ["log_mel", "weights"]),
        one_more("MatMul", ["log_mel", "log_mel"]),
        one_more("Gemm", ["sum", "mean"], transB=1),
        in_turn(kernel(8, 64, 3), one_more("Conv", ["log_mel", "kernel"], group=2)),
        one_more("Concat", ["sum", "waveform"], axis=1),
    ],
)
def test_the_shapes_are_those_that_onnx_infers(
    change: Callable[[onnx.ModelProto], None],
) -> None:
    """Where ONNX finds no flaw, none is found here; where it does, neither."""
    model = tiny_graph()
    change(model)
    try:
        onnx.shape_inference.infer_shapes(model, strict_mode=True)
        fits = True
    except onnx.shape_inference.InferenceError:
        fits = False
    graph = read_graph(model.SerializeToString())
    if fits:
        check_shapes(graph)
    else:
        with pytest.raises(ModelFileError):
            check_shapes(graph)


def test_sizes_of_other_names_are_all_the_batch(tmp_path: Path) -> None:
    read(tmp_path / "model.onnx", with_input(1, value("log_mel", ["N", 128, 313])))


def test_the_inputs_that_an_operator_needs_are_those_of_onnx() -> None:
    needed: dict[str, int] = {}
    versions: dict[str, list[Any]] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if schema.domain == "" and not schema.deprecated:
            versions.setdefault(schema.name, []).append(schema)
    for name, schemas in versions.items():
        schemas.sort(key=lambda schema: schema.since_version)
        before = [schema for schema in schemas if schema.since_version <= 13][-1:]
        since = [*before, *(schema for schema in schemas if schema.since_version > 13)]
        needed[name] = min(schema.min_input for schema in since)
    assert {name: needed_inputs(name) for name in needed} == needed


MALFORMED: dict[str, tuple[Callable[[onnx.ModelProto], object], str]] = {
    "two constants of one name": (
        lambda model: model.graph.initializer.append(model.graph.initializer[0]),
        "two constants have the name 'weights'",
    ),
    "two attributes of one name": (
        lambda model: model.graph.node[3].attribute.append(model.graph.node[3].attribute[0]),
        "a node has two attributes 'axis'",
    ),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_stands_twice_is_refused(name: str, tmp_path: Path) -> None:
    change, message = MALFORMED[name]
    model = tiny_graph()
    change(model)
    with pytest.raises(ModelFileError, match=message):
        read(tmp_path / "model.onnx", model)


def test_the_graph_is_read_as_onnx_reads_it() -> None:
    model = tiny_graph()
    read = read_graph(model.SerializeToString())
    assert read.is_plain
    assert read.opset == 18
    assert [each.operator for each in read.nodes] == [each.op_type for each in model.graph.node]
    assert [each.inputs for each in read.nodes] == [tuple(each.input) for each in model.graph.node]
    assert [each.outputs for each in read.nodes] == [tuple(each.output) for each in model.graph.node]
    assert read.nodes[3].attributes == {"axis": 1, "p": 2}
    assert list(map(str, read.inputs)) == [
        "waveform float32 [batch, 160000]",
        "log_mel float32 [batch, 128, 313]",
    ]
    for tensor in model.graph.initializer:
        np.testing.assert_array_equal(read.constant(tensor.name), numpy_helper.to_array(tensor))
    assert read.constant("embedding") is None


def attribute(**fields: Any) -> bytes:
    return bytes(AttributeProto(name="a", **fields).SerializeToString())


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (attribute(type=AttributeProto.INT, i=-3), -3),
        (attribute(type=AttributeProto.INT), 0),
        (attribute(type=AttributeProto.INTS, ints=[1, -2, 2**40]), (1, -2, 2**40)),
        (attribute(type=AttributeProto.FLOAT, f=0.5), 0.5),
        (attribute(type=AttributeProto.STRING, s=b"SAME"), "SAME"),
        # what its kind does not announce, and what is not read here
        (attribute(type=AttributeProto.INT, i=1, f=0.5), None),
        (attribute(type=AttributeProto.FLOATS, floats=[0.5]), None),
        (attribute(i=1), None),
        (attribute(type=AttributeProto.INT, i=1, ref_attr_name="b"), None),
    ],
)
def test_attributes_are_read_by_their_kind(message: bytes, expected: object) -> None:
    node = helper.make_node("Relu", ["x"], ["y"])
    node.attribute.append(AttributeProto.FromString(message))
    model = helper.make_model(helper.make_graph([node], "g", [], []))
    (read,) = read_graph(model.SerializeToString()).nodes
    assert read.attributes == {"a": expected}
    assert read.is_plain == (expected is not None)


@pytest.mark.parametrize(
    "tensor",
    [
        TensorProto(data_type=1, dims=[2], raw_data=bytes(4)),
        TensorProto(data_type=1, dims=[0, 2**62]),
        TensorProto(data_type=1, dims=[0], raw_data=b""),
        TensorProto(data_type=1, dims=[-1, -1], raw_data=bytes(4)),
        TensorProto(data_type=1, dims=[1], float_data=[1.0]),
        TensorProto(data_type=11, dims=[1], raw_data=bytes(8)),
        TensorProto(data_type=1, dims=[1], raw_data=bytes(4), float_data=[1.0]),
    ],
)
def test_constants_that_are_not_what_they_state_have_no_content(tensor: TensorProto) -> None:
    assert onnx_graph.read_tensor(memoryview(tensor.SerializeToString())).array() is None


TINY = tiny_graph().SerializeToString()


@settings(max_examples=500, deadline=None)
@given(start=st.integers(0, len(TINY)), length=st.integers(0, 40), piece=st.binary(max_size=12))
def test_reading_a_graph_raises_nothing_but_that_it_is_malformed(
    start: int, length: int, piece: bytes
) -> None:
    changed = TINY[:start] + piece + TINY[start + length :]
    for reader in (read_graph, graph_facts):
        try:
            reader(changed)
        except protobuf.MalformedError:
            continue


def test_what_describes_a_value_is_read_back() -> None:
    values = onnx.ValueInfoProto.FromString(value_info("tfgram", (1, 128)))
    assert values == value("tfgram", ["batch", 1, 128])
