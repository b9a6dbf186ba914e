"""Engines of `osscl engine` as models in Triton: of the right network, one for each kind of card."""

from pathlib import Path

import pytest

from osscl.backends import ComputeOptions
from osscl.backends.tensorrt.cache import EngineCache
from osscl.errors import BackendError, ConfigError, ModelFileError
from osscl.triton.repository import write_repository
from support.remembering import normal_clips, stored_memory, write_model
from support.triton_schema import files, group_kind, read_config

REMEMBERED = "press/id_09"


def engine(cache: EngineCache, plan: bytes) -> Path:
    return next(path for path in cache.folder.glob("*.engine") if path.read_bytes() == plan)


def test_engines_become_plans_of_their_cards(small_model: Path, tmp_path: Path, engines: EngineCache) -> None:
    plans = [engine(engines, b"nine"), engine(engines, b"eight")]
    written = write_repository(small_model, tmp_path / "models", plans=plans)
    config = read_config(tmp_path / "models" / "small_plan" / "config.pbtxt")
    assert config.platform == "tensorrt_plan"
    assert dict(config.cc_model_filenames) == {"9.0": "model_9.0.plan", "8.0": "model_8.0.plan"}
    assert config.max_batch_size == 16
    assert list(config.dynamic_batching.preferred_batch_size) == [8, 16]
    assert [group.kind for group in config.instance_group] == [group_kind(config, "KIND_GPU")]
    found = files(tmp_path / "models" / "small_plan" / "1")
    assert found == {"model_9.0.plan": b"nine", "model_8.0.plan": b"eight"}
    assert "TensorRT 10.16.1.11 on NVIDIA H200 (9.0), NVIDIA A100 (8.0) alone" in written.models[-1].what


@pytest.mark.parametrize(
    ("plans", "error", "sentence"),
    [
        ([b"foreign"], BackendError, "was built from another graph than that of"),
        ([b"nine", b"nine too"], ConfigError, "are both for cards of compute capability 9.0"),
        ([b"nine", b"newer"], ConfigError, "were built by TensorRT 10.16.1.11 and 11.4.0"),
    ],
)
def test_engines_that_do_not_fit_are_refused(
    small_model: Path,
    tmp_path: Path,
    engines: EngineCache,
    plans: list[bytes],
    error: type[Exception],
    sentence: str,
) -> None:
    with pytest.raises(error, match=sentence):
        write_repository(small_model, tmp_path / "models", plans=[engine(engines, plan) for plan in plans])
    assert not (tmp_path / "models").exists()


def test_files_that_are_no_engines_are_told(small_model: Path, tmp_path: Path, engines: EngineCache) -> None:
    damaged = engine(engines, b"nine")
    damaged.write_bytes(b"other")
    raw = tmp_path / "model.plan"
    raw.write_bytes(b"nine")
    for plan, sentence in (
        (damaged, "differs from its hash"),
        (raw, "no engine that osscl engine build wrote"),
        (tmp_path / "engines" / "none.engine", "there is no engine"),
    ):
        with pytest.raises(BackendError, match=sentence):
            write_repository(small_model, tmp_path / "models", plans=[plan])
    with pytest.raises(ConfigError, match="computes on GPUs, and the device is cpu"):
        write_repository(small_model, tmp_path / "models", plans=[raw], compute=ComputeOptions("cpu"))


def test_a_file_without_a_network_has_the_scorer_alone(tmp_path: Path, engines: EngineCache) -> None:
    path = write_model(
        tmp_path / "alone.onnx", [stored_memory(REMEMBERED, normal_clips(1, 24))], network=False
    )
    written = write_repository(path, tmp_path / "models")
    assert [each.name for each in written.models] == ["alone"]
    assert written.notes == ("alone_network is left out: the file holds memories of machines and no network",)
    with pytest.raises(ModelFileError, match="no network"):
        write_repository(path, tmp_path / "others", plans=[engine(engines, b"nine")])
