"""What `osscl triton` writes: folders that appear whole, configurations that Triton's own schema takes."""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec.structs import replace

from osscl.backends import ComputeOptions
from osscl.backends.tensorrt.cache import EngineCache
from osscl.backends.tensorrt.options import BuildOptions
from osscl.errors import BackendError, ConfigError, ModelFileError, OutputError
from osscl.model_file.bundle import read_bundle
from osscl.triton import repository as room
from osscl.triton.batching import Batching
from osscl.triton.config_text import Value, Word, config_text, entries
from osscl.triton.repository import write_repository
from support.console import osscl
from support.engine_caches import FACTS, fill
from support.model_files import CLASSES
from support.remembering import normal_clips, stored_memory, write_model
from support.triton_schema import read_config

REMEMBERED = "press/id_09"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small network, and the memory of a machine that it does not know."""
    path = tmp_path_factory.mktemp("model") / "small.onnx"
    return write_model(path, [stored_memory(REMEMBERED, normal_clips(1, 24))])


@pytest.fixture
def engines(tmp_path: Path, model: Path) -> EngineCache:
    """Engines of the small network for two kinds of cards, and one of another network."""
    cache = EngineCache(tmp_path / "engines")
    mine = replace(FACTS, graph_sha256=read_bundle(model).graph_sha256)
    fill(cache, mine, b"nine")
    eight = replace(mine, compute_capability="8.0", device_name="NVIDIA A100")
    fill(cache, replace(eight, options=BuildOptions(opt_batch=8, max_batch=16)), b"eight")
    fill(cache, replace(mine, compute_capability="8.9", tensorrt_version="11.4.0"), b"newer")
    fill(cache, replace(mine, options=BuildOptions(opt_batch=1, max_batch=2)), b"nine too")
    fill(cache, FACTS, b"foreign")
    return cache


def engine(cache: EngineCache, plan: bytes) -> Path:
    return next(path for path in cache.folder.glob("*.engine") if path.read_bytes() == plan)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


# Configurations


def test_the_scorer_takes_samples_and_a_machine(model: Path, tmp_path: Path) -> None:
    write_repository(model, tmp_path / "models", rule="memory", false_alarm_rate=0.05)
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
    assert files(tmp_path / "models" / "small")["1/model.onnx"] == model.read_bytes()
    assert files(tmp_path / "models" / "small")["1/model.py"] == room._SCORER_FILE.read_bytes()


@pytest.mark.parametrize("name", ["small", "demo"])
def test_the_network_takes_what_its_graph_takes(model: Path, tmp_path: Path, name: str) -> None:
    written = model if name == "small" else Path("demo")
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


def group_kind(config: object, name: str) -> int:
    """Number of a kind of instances."""
    kinds = type(config).DESCRIPTOR.fields_by_name["instance_group"].message_type  # type: ignore[attr-defined]
    return int(kinds.enum_values_by_name[name].number)


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
    model: Path, tmp_path: Path, device: str, kind: str, gpus: list[int]
) -> None:
    write_repository(model, tmp_path / "models", compute=ComputeOptions(device))
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
    model: Path, tmp_path: Path, batching: Batching, sizes: list[int]
) -> None:
    write_repository(model, tmp_path / "models", batching=batching)
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


# Engines


def test_engines_become_plans_for_their_cards(model: Path, tmp_path: Path, engines: EngineCache) -> None:
    plans = [engine(engines, b"nine"), engine(engines, b"eight")]
    written = write_repository(model, tmp_path / "models", plans=plans)
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
    model: Path,
    tmp_path: Path,
    engines: EngineCache,
    plans: list[bytes],
    error: type[Exception],
    sentence: str,
) -> None:
    with pytest.raises(error, match=sentence):
        write_repository(model, tmp_path / "models", plans=[engine(engines, plan) for plan in plans])
    assert not (tmp_path / "models").exists()


def test_files_that_are_no_engine_are_refused(model: Path, tmp_path: Path, engines: EngineCache) -> None:
    damaged = engine(engines, b"nine")
    damaged.write_bytes(b"other")
    raw = tmp_path / "model.plan"
    raw.write_bytes(b"nine")
    for plan, sentence in (
        (damaged, "differs from its hash"),
        (raw, "no engine that osscl engine build wrote"),
        (tmp_path / "engines" / "none.engine", "cannot be read: No such file"),
    ):
        with pytest.raises(BackendError, match=sentence):
            write_repository(model, tmp_path / "models", plans=[plan])
    with pytest.raises(ConfigError, match="computes on GPUs, and the device is cpu"):
        write_repository(model, tmp_path / "models", plans=[raw], compute=ComputeOptions("cpu"))


def test_a_file_without_a_network_has_the_scorer_alone(tmp_path: Path, engines: EngineCache) -> None:
    path = write_model(
        tmp_path / "alone.onnx", [stored_memory(REMEMBERED, normal_clips(1, 24))], network=False
    )
    written = write_repository(path, tmp_path / "models")
    assert [each.name for each in written.models] == ["alone"]
    assert written.notes == ("alone_network is left out: the file holds memories of machines and no network",)
    with pytest.raises(ModelFileError, match="no network"):
        write_repository(path, tmp_path / "others", plans=[engine(engines, b"nine")])


# Places


def test_what_is_there_gives_way_when_it_is_told_to(
    model: Path, tmp_path: Path, engines: EngineCache
) -> None:
    repository = tmp_path / "models"
    (repository / "other" / "1").mkdir(parents=True)
    (repository / "other" / "config.pbtxt").write_text('name: "other"')
    write_repository(model, repository, plans=[engine(engines, b"nine")])
    before = files(repository)
    with pytest.raises(OutputError, match=r"small exists; name another model \(--name\), or use --overwrite"):
        write_repository(model, repository)
    assert files(repository) == before
    (repository / "small" / "1" / "__pycache__").mkdir()  # as Triton's Python backend leaves it
    (repository / "small" / "1" / "__pycache__" / "model.cpython-311.pyc").touch()
    write_repository(model, repository, batching=Batching(max_batch=5), overwrite=True)
    assert {path.name for path in repository.iterdir()} == {"other", "small", "small_network"}
    assert read_config(repository / "small" / "config.pbtxt").max_batch_size == 5
    assert {path.name for path in tmp_path.iterdir()} == {"models", "engines"}


def test_a_repository_on_another_file_system_is_written(model: Path, tmp_path: Path) -> None:
    """As a volume that is mounted: nothing can be moved into it from beside it."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    with TemporaryDirectory(dir=memory) as mounted:
        (tmp_path / "models").symlink_to(mounted)
        for max_batch in (8, 9):
            write_repository(
                model, tmp_path / "models", batching=Batching(max_batch=max_batch), overwrite=True
            )
            config = read_config(Path(mounted) / "small" / "config.pbtxt")
            assert config.max_batch_size == max_batch
            assert {path.name for path in Path(mounted).iterdir()} == {"small", "small_network"}
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


@pytest.mark.parametrize("strange", ["config.pbtxt", "2/model.py", "1/notes.txt"])
def test_what_others_put_there_is_never_replaced(model: Path, tmp_path: Path, strange: str) -> None:
    repository = tmp_path / "models"
    write_repository(model, repository)
    path = repository / "small_network" / strange
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    before = files(repository)
    with pytest.raises(OutputError, match="small_network holds what osscl triton did not write"):
        write_repository(model, repository, overwrite=True)
    assert files(repository) == before


def test_a_model_that_cannot_be_moved_leaves_all_as_it_was(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "models"
    write_repository(model, repository)
    before, replace_path = files(repository), Path.replace

    def fails_once(self: Path, target: Path) -> Path:
        if self.parent.name == "new" and self.name == "small_network":
            raise OSError(28, os.strerror(28))
        return replace_path(self, target)

    monkeypatch.setattr(Path, "replace", fails_once)
    with pytest.raises(OutputError, match="cannot be written: No space left"):
        write_repository(model, repository, batching=Batching(max_batch=7), overwrite=True)
    assert files(repository) == before
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


@pytest.mark.parametrize("name", ["fan/id_00", "", ".", "..", "-x", "Prüfstand", "a b", "x" * 201])
def test_names_that_triton_cannot_have_are_refused(model: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be that of a model in Triton.*--name NAME"):
        write_repository(model, tmp_path / "models", name=name)
    assert not (tmp_path / "models").exists()


def test_a_file_whose_name_is_none_of_tritons_asks_for_one(model: Path, tmp_path: Path) -> None:
    path = tmp_path / "press hall.onnx"
    path.write_bytes(model.read_bytes())
    with pytest.raises(ConfigError, match="the file's name 'press hall' cannot be"):
        write_repository(path, tmp_path / "models")
    assert write_repository(path, tmp_path / "models", name="press_hall").models[0].name == "press_hall"


@pytest.mark.parametrize(
    "options",
    [{"max_batch": 0}, {"max_batch": 5000}, {"preferred": (0,)}, {"preferred": (33,)}]
    + [{"queue_delay_ms": delay} for delay in (-1.0, float("nan"), 1e9)],
)
def test_batches_that_cannot_be_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Batching(**options)  # type: ignore[arg-type]


# The command


def test_the_command_says_what_it_wrote_and_what_is_not_decided(model: Path, tmp_path: Path) -> None:
    shown = osscl("triton", model, "--output", tmp_path / "models")
    assert shown.returncode == 0, shown.stderr
    assert "small_network" in shown.stdout
    assert f"no decision for {', '.join(CLASSES)}: " in shown.stderr
    assert REMEMBERED not in shown.stderr
    again = osscl("triton", model, "-o", tmp_path / "models", "--overwrite", "--name", "small", "--json")
    document = json.loads(again.stdout)
    assert [each["name"] for each in document["models"]] == ["small", "small_network"]
    assert document["models"][1]["what"] == "waveform and log_mel in, embedding and cosine out (ONNX Runtime)"
    assert Path(document["models"][1]["folder"], "1", *document["models"][1]["files"]).is_file()
    assert document["notes"][0].startswith("no decision for")
