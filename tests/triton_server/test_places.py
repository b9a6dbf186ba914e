"""Models appear whole in a repository, and none but those of `osscl triton` give way."""

import json
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from osscl.backends.tensorrt.cache import EngineCache
from osscl.errors import ConfigError, OutputError
from osscl.triton.batching import Batching
from osscl.triton.repository import write_repository
from support.console import osscl
from support.model_files import CLASSES
from support.triton_schema import files, read_config

REMEMBERED = "press/id_09"


def engine(cache: EngineCache, plan: bytes) -> Path:
    return next(path for path in cache.folder.glob("*.engine") if path.read_bytes() == plan)


def test_what_is_there_gives_way_when_it_is_told_to(
    small_model: Path, tmp_path: Path, engines: EngineCache
) -> None:
    repository = tmp_path / "models"
    (repository / "other" / "1").mkdir(parents=True)
    (repository / "other" / "config.pbtxt").write_text('name: "other"')
    write_repository(small_model, repository, plans=[engine(engines, b"nine")])
    before = files(repository)
    with pytest.raises(OutputError, match=r"small exists; name another model \(--name\), or use --overwrite"):
        write_repository(small_model, repository)
    assert files(repository) == before
    (repository / "small" / "1" / "__pycache__").mkdir()  # as Triton's Python backend leaves it
    (repository / "small" / "1" / "__pycache__" / "model.cpython-311.pyc").touch()
    write_repository(small_model, repository, batching=Batching(max_batch=5), overwrite=True)
    assert {path.name for path in repository.iterdir()} == {"other", "small", "small_network"}
    assert read_config(repository / "small" / "config.pbtxt").max_batch_size == 5
    assert {path.name for path in tmp_path.iterdir()} == {"models", "engines"}


def test_a_repository_on_another_file_system_is_written(small_model: Path, tmp_path: Path) -> None:
    """As a volume that is mounted: nothing can be moved into it from beside it."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    with TemporaryDirectory(dir=memory) as mounted:
        (tmp_path / "models").symlink_to(mounted)
        for max_batch in (8, 9):
            write_repository(
                small_model, tmp_path / "models", batching=Batching(max_batch=max_batch), overwrite=True
            )
            config = read_config(Path(mounted) / "small" / "config.pbtxt")
            assert config.max_batch_size == max_batch
            assert {path.name for path in Path(mounted).iterdir()} == {"small", "small_network"}
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


@pytest.mark.parametrize("strange", ["config.pbtxt", "2/model.py", "1/notes.txt"])
def test_what_others_put_there_is_never_replaced(small_model: Path, tmp_path: Path, strange: str) -> None:
    repository = tmp_path / "models"
    write_repository(small_model, repository)
    path = repository / "small_network" / strange
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    before = files(repository)
    with pytest.raises(OutputError, match="small_network holds what osscl triton did not write"):
        write_repository(small_model, repository, overwrite=True)
    assert files(repository) == before


def test_a_model_that_cannot_be_moved_leaves_all_as_it_was(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "models"
    write_repository(small_model, repository)
    before, replace_path = files(repository), Path.replace

    def fails_once(self: Path, target: Path) -> Path:
        if self.parent.name == "new" and self.name == "small_network":
            raise OSError(28, os.strerror(28))
        return replace_path(self, target)

    monkeypatch.setattr(Path, "replace", fails_once)
    with pytest.raises(OutputError, match="cannot be written: No space left"):
        write_repository(small_model, repository, batching=Batching(max_batch=7), overwrite=True)
    assert files(repository) == before
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


@pytest.mark.parametrize("name", ["fan/id_00", "", ".", "..", "-x", "Prüfstand", "a b", "x" * 201])
def test_names_that_triton_cannot_have_are_refused(small_model: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"cannot be that of a model in Triton.*--name NAME"):
        write_repository(small_model, tmp_path / "models", name=name)
    assert not (tmp_path / "models").exists()


def test_a_file_whose_name_is_none_of_tritons_asks_for_one(small_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "press hall.onnx"
    path.write_bytes(small_model.read_bytes())
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


def test_the_command_says_what_it_wrote_and_what_is_not_decided(small_model: Path, tmp_path: Path) -> None:
    shown = osscl("triton", small_model, "--output", tmp_path / "models")
    assert shown.returncode == 0, shown.stderr
    assert "small_network" in shown.stdout
    assert f"no decision for {', '.join(CLASSES)}: " in shown.stderr
    assert REMEMBERED not in shown.stderr
    again = osscl(
        "triton", small_model, "-o", tmp_path / "models", "--overwrite", "--name", "small", "--json"
    )
    document = json.loads(again.stdout)
    assert [each["name"] for each in document["models"]] == ["small", "small_network"]
    assert document["models"][1]["what"] == "waveform and log_mel in, embedding and cosine out (ONNX Runtime)"
    assert Path(document["models"][1]["folder"], "1", *document["models"][1]["files"]).is_file()
    assert document["notes"][0].startswith("no decision for")
