"""Configurations of models in Triton, read by Triton's own schema."""

from pathlib import Path

import pytest

from osscl.backends import ComputeOptions
from osscl.model_file.bundle import read_bundle
from osscl.triton import repository as room
from osscl.triton.batching import Batching
from osscl.triton.config_text import Value, Word, config_text, entries
from osscl.triton.repository import write_repository
from support.triton_schema import files, group_kind, read_config


def test_the_scorer_takes_samples_and_a_machine(small_model: Path, tmp_path: Path) -> None:
    write_repository(small_model, tmp_path / "models", rule="memory", false_alarm_rate=0.05)
    config = read_config(tmp_path / "models" / "small" / "config.pbtxt")
    assert (config.name, config.backend, config.max_batch_size) == ("small", "python", 32)
    inputs = {each.name: (each.data_type, list(each.dims), each.optional) for each in config.input}
    kind = type(config.input[0]).DESCRIPTOR.fields_by_name["data_type"].enum_type.values_by_name
    assert inputs == {
        "waveform": (kind["TYPE_FP32"].number, [-1], True),
        "waveform_int16": (kind["TYPE_INT16"].number, [-1], True),
        "machine": (kind["TYPE_STRING"].number, [1], False),
    }
    outputs = {each.name: (each.data_type, list(each.dims)) for each in config.output}
    assert outputs == {
        **dict.fromkeys(["score"], (kind["TYPE_FP32"].number, [1])),
        **dict.fromkeys(["p_value", "threshold"], (kind["TYPE_FP64"].number, [1])),
        **dict.fromkeys(["decision", "rule", "quality"], (kind["TYPE_STRING"].number, [1])),
    }
    told = {key: value.string_value for key, value in config.parameters.items()}
    assert told == {"rule": "memory", "false_alarm_rate": "0.05"}
    assert files(tmp_path / "models" / "small")["1/model.onnx"] == small_model.read_bytes()
    assert files(tmp_path / "models" / "small")["1/model.py"] == room._SCORER_FILE.read_bytes()


@pytest.mark.parametrize("name", ["small", "demo"])
def test_the_network_takes_what_its_graph_takes(small_model: Path, tmp_path: Path, name: str) -> None:
    written = small_model if name == "small" else Path("demo")
    write_repository(written, tmp_path / "models", compute=ComputeOptions("cpu", threads=3))
    config = read_config(tmp_path / "models" / f"{name}_network" / "config.pbtxt")
    manifest = read_bundle(written).manifest
    assert config.platform == "onnxruntime_onnx"
    for found, described in ((config.input, manifest.inputs), (config.output, manifest.outputs)):
        assert [(each.name, tuple(each.dims)) for each in found] == [
            (tensor.name, tensor.shape[1:]) for tensor in described
        ]
    assert config.parameters["intra_op_thread_count"].string_value == "3"
    assert [group.kind for group in config.instance_group] == [group_kind(config, "KIND_CPU")]


@pytest.mark.parametrize(
    ("device", "kind", "gpus"),
    [
        ("auto", "KIND_AUTO", []),
        ("cpu", "KIND_CPU", []),
        ("cuda", "KIND_GPU", [0]),
        ("cuda:1,3", "KIND_GPU", [1, 3]),
        ("cuda:all", "KIND_GPU", []),
    ],
)
def test_instances_are_where_the_device_says(
    small_model: Path, tmp_path: Path, device: str, kind: str, gpus: list[int]
) -> None:
    write_repository(small_model, tmp_path / "models", compute=ComputeOptions(device))
    [group] = read_config(tmp_path / "models" / "small" / "config.pbtxt").instance_group
    assert (group.kind, list(group.gpus)) == (
        group_kind(read_config(tmp_path / "models" / "small" / "config.pbtxt"), kind),
        gpus,
    )


@pytest.mark.parametrize(
    ("batching", "sizes"),
    [
        (Batching(), [4, 8, 16, 32]),
        (Batching(max_batch=20), [4, 8, 16]),
        (Batching(max_batch=3), [3]),
        (Batching(preferred=(24, 6, 6)), [6, 24]),
    ],
)
def test_batches_are_those_asked_for(
    small_model: Path, tmp_path: Path, batching: Batching, sizes: list[int]
) -> None:
    write_repository(small_model, tmp_path / "models", batching=batching)
    config = read_config(tmp_path / "models" / "small_network" / "config.pbtxt")
    assert config.max_batch_size == batching.max_batch
    assert list(config.dynamic_batching.preferred_batch_size) == sizes
    assert config.dynamic_batching.max_queue_delay_microseconds == 2000


def test_text_is_what_protobuf_reads_back(tmp_path: Path) -> None:
    strange = 'a "quoted" \\ path\nof Prüfstand \x00 7'
    message: dict[str, Value] = {
        "name": strange,
        "parameters": entries({"engine_cache": {"string_value": strange}}),
        "input": [{"dims": [-1, 2], "optional": True, "data_type": Word("TYPE_FP64")}],
    }
    (tmp_path / "config.pbtxt").write_text(config_text(message), encoding="ascii")
    config = read_config(tmp_path / "config.pbtxt")
    assert config.name == config.parameters["engine_cache"].string_value == strange
    assert (list(config.input[0].dims), config.input[0].optional) == ([-1, 2], True)
