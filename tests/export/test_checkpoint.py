"""Import of published checkpoints: pruned and unpruned ones load, every flaw is named."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from osscl.errors import CheckpointError, ConfigError
from osscl.export import read_classes
from osscl.export.checkpoint import load_checkpoint
from support.checkpoints import random_state, write_checkpoint
from support.reference import Reference

UNUSED = {
    "mobilefacenet.fc_out.weight": torch.zeros(41, 128),
    "TFgramNet.pre_block4.conv1.weight": torch.zeros(8, 8, 3),
    "TFgramNet.spec_augmenter.x": torch.zeros(1),
    "TFgramNet.bn0.weight": torch.zeros(8),
    "TFgramNet.conv_block6.conv1.weight": torch.zeros(8, 8, 3, 3),
    "TFgramNet.fc1.weight": torch.zeros(8, 8),
    "TFgramNet.fc_audioset.bias": torch.zeros(527),
}


def test_unpruned_checkpoints_load_like_pruned_ones(tmp_path: Path) -> None:
    state = random_state()
    pruned = load_checkpoint(write_checkpoint(tmp_path / "a" / "x.pth", state)).model.state_dict()
    unpruned = load_checkpoint(write_checkpoint(tmp_path / "b" / "x.pth", state | UNUSED)).model.state_dict()
    assert all(torch.equal(value, unpruned[name]) for name, value in pruned.items())


def test_every_weight_of_the_file_reaches_the_network(tmp_path: Path) -> None:
    state = random_state()
    loaded = load_checkpoint(write_checkpoint(tmp_path / "x.pth", state)).model.state_dict()
    assert sorted(float(value.double().sum()) for value in loaded.values()) == sorted(
        float(value.double().sum()) for value in state.values()
    )


def test_batch_counters_may_be_absent(tmp_path: Path) -> None:
    state = {
        name: value for name, value in random_state().items() if not name.endswith("num_batches_tracked")
    }
    load_checkpoint(write_checkpoint(tmp_path / "x.pth", state))


def test_log_mel_only_checkpoints_carry_the_waveform_maps_unused(tmp_path: Path) -> None:
    state = random_state() | random_state(inputs="log_mel")
    path = write_checkpoint(tmp_path / "x.pth", state, {"m": 0.7, "fussion": 2, "ht": "basic"})
    config = load_checkpoint(path).config
    assert (config.inputs, config.margin) == ("log_mel", 0.7)


def test_flags_say_what_no_config_says(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth")
    path.with_name("config.json").unlink()
    config = load_checkpoint(path, margin=0.3, head="basic", inputs="three_maps").config
    assert config.margin == 0.3
    with pytest.raises(
        CheckpointError, match=r"no config\.json beside the checkpoint says 'm'; say it with --margin"
    ):
        load_checkpoint(path, head="basic", inputs="three_maps")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"m": "0.4", "fussion": 1, "ht": "basic"}, "m = '0.4', which is no known value of --margin"),
        ({"m": 0.4, "fussion": 3, "ht": "basic"}, "fussion = 3, which is no known value of --inputs"),
        ({"m": 0.4, "fussion": True, "ht": "basic"}, "fussion = True"),
        ({"m": 0.4, "fussion": 1, "ht": "gelu"}, "ht = 'gelu', which is no known value of --head"),
        ({"m": 0.4, "fussion": 1, "ht": []}, r"ht = \[\]"),
        ({"m": 2.0, "fussion": 1, "ht": "basic"}, "margin is 2.0; it must lie in"),
        ({"m": 0.4, "fussion": 1, "ht": "leaky_relu", "classes": ["a", "b"]}, "41 rows, but 2 classes"),
        ({"m": 0.4, "fussion": 1, "ht": "basic", "classes": "fan"}, "not as a list of names"),
        ([], "holds no JSON object"),
    ],
)
def test_unusable_settings_are_named(tmp_path: Path, config: Any, message: str) -> None:
    path = write_checkpoint(tmp_path / "x.pth", config={})
    path.with_name("config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(path)


def test_a_flag_that_contradicts_the_config_is_refused(checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match=r"config.json says m = 0.4, --margin says 0.5: drop one"):
        load_checkpoint(checkpoint, margin=0.5)


def test_every_flawed_tensor_is_named(tmp_path: Path) -> None:
    state = random_state()
    del state["tgramnet.conv_extrctor.weight"]
    state["mobilefacenet.conv2.conv.weight"] = torch.zeros(512, 64, 1, 1)
    state["TFgramNet.pre_bn0.running_mean"] = torch.full((64,), torch.nan)
    state["head.head.0.weight"] = torch.zeros(64, 128, dtype=torch.int64)
    state["surprise.weight"] = torch.zeros(1)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(write_checkpoint(tmp_path / "x.pth", state))
    for part in (
        "tgramnet.conv_extrctor.weight is missing",
        "mobilefacenet.conv2.conv.weight is [512, 64, 1, 1], expected [512, 128, 1, 1]",
        "TFgramNet.pre_bn0.running_mean holds NaN or infinity",
        "head.head.0.weight is torch.int64, expected torch.float32",
        "surprise.weight is not known",
    ):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (torch.zeros(64, 128).to_sparse(), "head.head.0.weight is no dense tensor with values"),
        (torch.zeros(64, 128, device="meta"), "head.head.0.weight is no dense tensor with values"),
        (torch.zeros(64, 128, dtype=torch.float64), "is torch.float64, expected torch.float32"),
        (torch.zeros(64, 128, dtype=torch.float16), "is torch.float16, expected torch.float32"),
    ],
)
def test_tensors_of_another_kind_are_named(tmp_path: Path, tensor: torch.Tensor, message: str) -> None:
    path = write_checkpoint(tmp_path / "x.pth", random_state() | {"head.head.0.weight": tensor})
    with pytest.raises(CheckpointError, match=re.escape(message)):
        load_checkpoint(path)


def test_names_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth")
    state: dict[Any, torch.Tensor] = dict(random_state())
    torch.save(state | {7: torch.zeros(1)}, path)
    with pytest.raises(CheckpointError, match="holds no flat state dict"):
        load_checkpoint(path)


@pytest.mark.parametrize("settings", [{"head": "foo"}, {"inputs": "foo"}, {"margin": "0.4"}])
def test_unknown_values_of_arguments_are_named(tmp_path: Path, settings: dict[str, Any]) -> None:
    path = write_checkpoint(tmp_path / "x.pth", config={})
    known: dict[str, Any] = {"margin": 0.4, "head": "basic", "inputs": "three_maps"}
    ((name, value),) = settings.items()
    with pytest.raises(ConfigError, match=f"{name} is {value!r}; expected"):
        load_checkpoint(path, **(known | settings))


def test_a_config_nested_too_deeply_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth")
    path.with_name("config.json").write_text("[" * 100_000)
    with pytest.raises(CheckpointError, match=r"config\.json cannot be read"):
        load_checkpoint(path)


def test_a_wrong_head_names_the_tensors(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copy(checkpoint, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"head none: .*head\.head\.0\.weight is not known"):
        load_checkpoint(tmp_path / "x.pth", margin=0.4, head="none", inputs="three_maps")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 broken archive"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    path = write_checkpoint(tmp_path / "x.pth")
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="not a PyTorch checkpoint of plain tensors"):
        load_checkpoint(path)


def test_pickled_objects_are_never_run(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth")
    torch.save({"model": Path("/tmp")}, path)
    with pytest.raises(CheckpointError, match="not a PyTorch checkpoint of plain tensors"):
        load_checkpoint(path)


def test_a_nested_state_dict_is_refused(tmp_path: Path) -> None:
    path = write_checkpoint(tmp_path / "x.pth")
    torch.save({"state_dict": random_state()}, path)
    with pytest.raises(CheckpointError, match="holds no flat state dict"):
        load_checkpoint(path)


def test_missing_files_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"there is no checkpoint .*x\.pth$"):
        load_checkpoint(tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match="Is a directory"):
        load_checkpoint(tmp_path)


def test_class_lists_are_read_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("fan/id_00\n\n pump/id_01 \n")
    assert read_classes(tmp_path / "names.txt") == ("fan/id_00", "pump/id_01")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(CheckpointError, match="the list is empty"):
        read_classes(tmp_path / "empty.txt")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_classes(tmp_path / "nowhere.txt")


def test_the_reference_checkpoint_loads(reference: Reference) -> None:
    loaded = load_checkpoint(reference.checkpoint)
    assert loaded.config.head == "basic"
    assert len(loaded.sha256) == 64
