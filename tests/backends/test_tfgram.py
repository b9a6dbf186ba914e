"""TFgram computed natively against PyTorch's, and the cut that puts it in place of a part of the graph."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

import osscl
from osscl import _native
from osscl.audio.samples import to_waveform
from osscl.backends import native_tfgram as tfgram
from osscl.errors import ConfigError
from osscl.export import export_onnx
from osscl.export.checkpoint import load_checkpoint
from osscl.model_file.bundle import read_bundle
from osscl.model_file.golden import golden_clips
from support.reference import Reference


def conv_nodes_of_tfgram(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The seven convolutions, in order, found from the stack of the three maps."""
    producers = {name: node for node in model.graph.node for name in node.output}
    stack = next(node for node in model.graph.node if node.op_type == "Concat" and len(node.input) == 3)
    name, found = stack.input[2], []
    while name in producers:
        if producers[name].op_type == "Conv":
            found.append(producers[name])
        name = producers[name].input[0]
    return found[::-1]


@pytest.fixture(scope="module")
def plain_file(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The random checkpoint, exported without any rewrite."""
    path = tmp_path_factory.mktemp("plain") / "plain.onnx"
    export_onnx(checkpoint, path, rewrites=())
    return path


@pytest.mark.parametrize("isa", _native.instruction_sets())
def test_it_equals_the_network_on_every_instruction_set(
    isa: str, checkpoint: Path, model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSSCL_ISA", isa)
    cut = tfgram.cut_out(read_bundle(model_file).model)
    assert cut is not None
    clips = golden_clips(3)
    with torch.inference_mode():
        module: Any = load_checkpoint(checkpoint).model.maps
        expected = module.tfgram(torch.from_numpy(to_waveform(clips))).numpy()  # [3, 128, 313]
    got = cut.tfgram(clips, threads=1)
    assert got.shape == (3, 1, 128, 313)
    assert np.abs(got[:, 0] - expected).max() <= 1e-5 * np.abs(expected).max()


def test_threads_batches_and_types_change_no_bit(model_file: Path) -> None:
    cut = tfgram.cut_out(read_bundle(model_file).model)
    assert cut is not None
    clips = golden_clips(3)
    together = cut.tfgram(clips, threads=1)
    assert np.array_equal(cut.tfgram(clips, threads=3), together)
    assert np.array_equal(cut.tfgram(to_waveform(clips), threads=2), together)
    for number in range(3):
        assert np.array_equal(cut.tfgram(clips[number : number + 1], threads=1)[0], together[number])


@pytest.mark.parametrize("rewritten", [True, False])
def test_the_rest_of_the_graph_is_a_model_without_tfgram(
    rewritten: bool, model_file: Path, plain_file: Path
) -> None:
    model = read_bundle(model_file if rewritten else plain_file).model
    cut = tfgram.cut_out(model)
    assert cut is not None
    whole, rest = onnx.ModelProto.FromString(model), onnx.ModelProto.FromString(cut.rest)
    onnx.checker.check_model(rest, full_check=True)
    assert [value.name for value in rest.graph.input] == ["waveform", "log_mel", "tfgram"]
    assert [value.name for value in rest.graph.output] == ["embedding", "cosine"]
    removed = {name for node in conv_nodes_of_tfgram(whole) for name in node.input[1:]}
    assert not removed & {tensor.name for tensor in rest.graph.initializer}
    assert not {name for node in conv_nodes_of_tfgram(whole) for name in node.output} & {
        name for node in rest.graph.node for name in node.output
    }


@pytest.mark.parametrize("rewritten", [True, False])
def test_scores_are_those_of_the_graph(
    rewritten: bool, model_file: Path, plain_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = model_file if rewritten else plain_file
    clips = golden_clips(5)
    with osscl.load(path, threads=2) as detector:
        assert detector.facts["tfgram"] == "native"
        native = detector.embed(clips)
        machine = detector.machines[0]
        native_scores = detector.score(clips, machine).score
    monkeypatch.setenv("OSSCL_TFGRAM", "graph")
    with osscl.load(path, threads=2) as detector:
        assert detector.facts["tfgram"] == "graph"
        assert np.abs(detector.embed(clips) - native).max() <= 2e-5
        assert np.abs(detector.score(clips, machine).score - native_scores).max() <= 5e-4


def test_the_reference_scores_are_met(reference: Reference, reference_model: Path) -> None:
    waveforms = np.stack([osscl.read_audio(path) for path in reference.clips])
    with osscl.load(reference_model) as detector:
        assert detector.facts["tfgram"] == "native"
        scores = detector.score(waveforms, reference.machines)
    assert np.abs(scores.score - reference.outputs["score"]).max() <= 5e-4


def change_dilation(model: onnx.ModelProto) -> None:
    node = conv_nodes_of_tfgram(model)[2]
    for attribute in node.attribute:
        if attribute.name in ("dilations", "pads"):
            attribute.ints[:] = [2 * value if value != 0 else 0 for value in attribute.ints]


def change_padding(model: onnx.ModelProto) -> None:
    (pads,) = (each for each in conv_nodes_of_tfgram(model)[1].attribute if each.name == "pads")
    pads.ints[:] = [0, 0, 0, 2] if len(pads.ints) == 4 else [0, 2]


def change_a_window(model: onnx.ModelProto) -> None:
    for tensor in model.graph.initializer:
        if list(tensor.dims) == [626]:
            index = numpy_helper.to_array(tensor).copy()
            index[17] += 1
            tensor.CopyFrom(numpy_helper.from_array(index, tensor.name))
            return


def compute_a_weight(model: onnx.ModelProto) -> None:
    node = conv_nodes_of_tfgram(model)[3]
    weight, node.input[1] = node.input[1], "computed"
    model.graph.node.insert(0, onnx.helper.make_node("Identity", [weight], ["computed"]))


def drop_a_bias(model: onnx.ModelProto) -> None:
    del conv_nodes_of_tfgram(model)[4].input[2]


def put_a_layer_in_between(model: onnx.ModelProto) -> None:
    node = conv_nodes_of_tfgram(model)[5]
    at = list(model.graph.node).index(node)
    source, node.input[0] = node.input[0], "in_between"
    model.graph.node.insert(at, onnx.helper.make_node("Abs", [source], ["in_between"]))


def nodes_of(model: onnx.ModelProto, operator: str) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if node.op_type == operator]


def stack_of(model: onnx.ModelProto) -> Any:
    return next(node for node in nodes_of(model, "Concat") if len(node.input) == 3)


def gather_of_windows(model: onnx.ModelProto) -> Any:
    (maximum,) = nodes_of(model, "Max")
    return next(node for node in model.graph.node if maximum.input[1] in node.output)


def set_attribute(node: onnx.NodeProto, name: str, value: Any) -> None:
    for attribute in [each for each in node.attribute if each.name == name]:
        node.attribute.remove(attribute)
    node.attribute.append(onnx.helper.make_attribute(name, value))


def stack_along_another_axis(model: onnx.ModelProto) -> None:
    set_attribute(stack_of(model), "axis", 2)


def gather_along_another_axis(model: onnx.ModelProto) -> None:
    set_attribute(gather_of_windows(model), "axis", 1)


def gather_from_another_value(model: onnx.ModelProto) -> None:
    gather_of_windows(model).input[0] = nodes_of(model, "Relu")[0].output[0]


def pool_with_gaps(model: onnx.ModelProto) -> None:
    node = nodes_of(model, "MaxPool")[0]
    kernel = next(each.ints for each in node.attribute if each.name == "kernel_shape")
    set_attribute(node, "dilations", [2] * len(kernel))


def pool_beyond_the_end(model: onnx.ModelProto) -> None:
    set_attribute(nodes_of(model, "MaxPool")[1], "ceil_mode", 1)


def pad_by_itself(model: onnx.ModelProto) -> None:
    set_attribute(conv_nodes_of_tfgram(model)[1], "auto_pad", "SAME_UPPER")


def add_an_unknown_attribute(model: onnx.ModelProto) -> None:
    set_attribute(conv_nodes_of_tfgram(model)[1], "activation", "Relu")


def take_an_operator_of_others(model: onnx.ModelProto) -> None:
    conv_nodes_of_tfgram(model)[1].domain = "com.microsoft"


def squeeze_all_there_is(model: onnx.ModelProto) -> None:
    """Without axes a batch of one clip loses its first axis too."""
    producers = {name: node for node in model.graph.node for name in node.output}
    node = producers[stack_of(model).input[2]]
    at = list(model.graph.node).index(node)
    source, node.input[0] = node.input[0], "squeezed"
    model.graph.node.insert(at, onnx.helper.make_node("Squeeze", [source], ["squeezed"]))


def weight_of(model: onnx.ModelProto, number: int, index: int = 1) -> Any:
    name = conv_nodes_of_tfgram(model)[number].input[index]
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def put_in_a_nan(model: onnx.ModelProto) -> None:
    tensor = weight_of(model, 2)
    weight = numpy_helper.to_array(tensor).copy()
    weight.flat[7] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(weight, tensor.name))


def cut_a_weight_off(model: onnx.ModelProto) -> None:
    tensor = weight_of(model, 2)
    tensor.raw_data = tensor.raw_data[:-3]


def shorten_a_bias(model: onnx.ModelProto) -> None:
    tensor = weight_of(model, 3, index=2)
    bias = numpy_helper.to_array(tensor)[:1]
    tensor.CopyFrom(numpy_helper.from_array(bias, tensor.name))


def state_an_endless_weight(model: onnx.ModelProto) -> None:
    weight_of(model, 2).dims[0] = 2**62


def name_something_tfgram(model: onnx.ModelProto) -> None:
    model.graph.node.append(onnx.helper.make_node("Identity", ["waveform"], ["tfgram"]))


def compute_a_value_twice(model: onnx.ModelProto) -> None:
    model.graph.node.append(onnx.helper.make_node("Relu", ["waveform"], [stack_of(model).input[2]]))


def go_in_a_circle(model: onnx.ModelProto) -> None:
    conv_nodes_of_tfgram(model)[1].input[0] = conv_nodes_of_tfgram(model)[4].output[0]


def state_the_type_of_a_value(model: onnx.ModelProto) -> None:
    model.graph.value_info.add(name=stack_of(model).input[2])


def go_back_to_an_old_opset(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 12


@pytest.mark.parametrize(
    "change",
    [
        stack_along_another_axis,
        gather_along_another_axis,
        gather_from_another_value,
        pool_with_gaps,
        pool_beyond_the_end,
        pad_by_itself,
        add_an_unknown_attribute,
        take_an_operator_of_others,
        squeeze_all_there_is,
        put_in_a_nan,
        cut_a_weight_off,
        shorten_a_bias,
        state_an_endless_weight,
        name_something_tfgram,
        compute_a_value_twice,
        go_in_a_circle,
        state_the_type_of_a_value,
        go_back_to_an_old_opset,
        change_dilation,
        change_padding,
        change_a_window,
        compute_a_weight,
        drop_a_bias,
        put_a_layer_in_between,
    ],
)
@pytest.mark.parametrize("rewritten", [True, False])
def test_a_graph_that_computes_something_else_stays_whole(
    change: Any, rewritten: bool, model_file: Path, plain_file: Path
) -> None:
    model = onnx.ModelProto.FromString(read_bundle(model_file if rewritten else plain_file).model)
    change(model)
    assert tfgram.cut_out(model.SerializeToString()) is None


def test_flaws_in_other_places_are_left_to_the_runtime(model_file: Path) -> None:
    """A node that nothing depends on stays in the rest: dropped, nobody would see what is wrong with it."""
    model = onnx.ModelProto.FromString(read_bundle(model_file).model)
    model.graph.node.append(onnx.helper.make_node("NoSuchOperator", ["waveform"], ["unused"]))
    cut = tfgram.cut_out(model.SerializeToString())
    assert cut is not None
    assert nodes_of(onnx.ModelProto.FromString(cut.rest), "NoSuchOperator")


def test_a_damaged_graph_is_left_to_the_runtime(model_file: Path) -> None:
    model = read_bundle(model_file).model
    rng = random.Random(5)
    places = [model.index(operator) for operator in (b"MaxPool", b"Gather", b"Concat", b"Unsqueeze")]
    for _ in range(200):
        changed = bytearray(model)
        for _ in range(rng.randint(1, 3)):
            changed[rng.choice(places) + rng.randrange(-150, 150)] = rng.randrange(256)
        tfgram.cut_out(bytes(changed))
    for content in (b"", b"no model", model[: len(model) // 2]):
        assert tfgram.cut_out(content) is None


def test_a_model_of_the_log_mel_alone_stays_whole(tmp_path: Path) -> None:
    from support.checkpoints import random_state, write_checkpoint

    path = write_checkpoint(tmp_path / "x.pth", random_state(inputs="log_mel"), {})
    export_onnx(path, tmp_path / "x.onnx", margin=0.4, head="basic", inputs="log_mel")
    with osscl.load(tmp_path / "x.onnx") as detector:
        assert detector.facts["tfgram"] == "graph"
        assert detector.embed(golden_clips(1)).shape == (1, 128)


def test_a_front_end_in_the_graph_is_no_hindrance(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_onnx(checkpoint, tmp_path / "x.onnx", front_end="graph")
    with osscl.load(tmp_path / "x.onnx") as detector:
        assert detector.facts["tfgram"] == "native"
        native = detector.embed(golden_clips(2))
    monkeypatch.setenv("OSSCL_TFGRAM", "graph")
    with osscl.load(tmp_path / "x.onnx") as detector:
        assert np.abs(detector.embed(golden_clips(2)) - native).max() <= 2e-5


def test_an_unknown_word_is_refused(model_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSSCL_TFGRAM", "fast")
    with pytest.raises(ConfigError, match="OSSCL_TFGRAM is 'fast'; it must be native or graph"):
        osscl.load(model_file)


def test_an_unknown_instruction_set_is_refused_in_the_front_ends_words(
    model_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OSSCL_ISA", "mmx")
    with pytest.raises(ConfigError, match="OSSCL_ISA=mmx: instruction set 'mmx' is not available here"):
        osscl.load(model_file)


def test_the_binding_checks_what_it_is_given() -> None:
    weights = [(np.zeros((64, 1, 11), np.float32), np.zeros(64, np.float32))]
    for _ in range(3):
        weights += [(np.zeros((64, 64, 3), np.float32), np.zeros(64, np.float32))] * 2
    lengths = [160_000, 32_000, 8_000, 626, 313]
    plan = _native.Tfgram(weights=weights, lengths=lengths, instruction_set="")
    maps = np.empty((2, 64, 313), np.float32)
    plan.transform(np.zeros((2, 160_000), np.int16), maps, 1)
    assert not maps.any()
    for samples, out in (
        (np.zeros((2, 159_999), np.int16), maps),
        (np.zeros((1, 160_000), np.int16), maps),
        (np.zeros((2, 160_000), np.float64), maps),
        (np.zeros((160_000, 2), np.int16).T, maps),
        (np.zeros((2, 160_000), np.int16), maps.astype(np.float64)),
    ):
        with pytest.raises(ValueError, match="must be"):
            plan.transform(samples, out, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="lengths"):
        _native.Tfgram(weights=weights, lengths=lengths[1:], instruction_set="")
    with pytest.raises(ValueError, match="not available"):
        _native.Tfgram(weights=weights, lengths=lengths, instruction_set="mmx")
