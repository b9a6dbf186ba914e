"""Recordings of an array (eight channels, 48 kHz, six seconds) through every command that reads some."""

import json
import shutil
from pathlib import Path

import pytest

import osscl as package
from osscl.audio.reading import Fit
from osscl.errors import AudioUnfitError, ConfigError
from osscl.export import export_onnx
from osscl.export.int8 import calibration_feeds
from osscl.model_file.bundle import read_bundle
from support.console import WITH_TORCH, osscl, osscl_each
from support.training_data import write_array_recordings

FIT = ("--resample", "--channel", "0", "--pad", "repeat")
SHORT = ("--epochs", "2", "--batch-size", "3", "--inputs", "log_mel", "--workers", "0", "--device", "cpu")
HELP = ("--resample", "--channel N|mean", "--pad repeat|zero")


@pytest.fixture(scope="module")
def array(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three machines; of the first one two clips to test on, too."""
    pytest.importorskip("soxr", reason="resampling needs soxr, which is not installed")
    root = write_array_recordings(tmp_path_factory.mktemp("array"), 2)
    (root / "fan" / "test").mkdir()
    for number, label in enumerate(("normal", "anomaly")):
        source = root / "fan" / "train" / f"normal_id_00_{number:08d}.wav"
        shutil.copy(source, root / "fan" / "test" / f"{label}_id_00_{number:08d}.wav")
    return root


@pytest.fixture(scope="module")
def machine() -> str:
    with package.load("demo", device="cpu") as detector:
        return detector.machines[0]


def test_train_takes_what_its_errors_advise(array: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    refused = osscl("train", array, "--output", run, *SHORT)
    assert refused.returncode == 1
    assert all(option in refused.stderr for option in HELP)
    trained = osscl("train", array, "--output", run, *SHORT, *FIT)
    assert trained.returncode == 0, trained.stderr
    again = osscl("train", array, "--output", run, "--resume", "--device", "cpu", "--workers", "0")
    assert again.returncode == 0, again.stderr  # the stored recipe says how they are read
    all_changes = (("--channel", "1"), ("--pad", "zero"))
    resume = ("train", array, "--output", run, "--resume", "--device", "cpu")
    others = osscl_each([(*resume, *changes) for changes in all_changes], packages=WITH_TORCH)
    for changes, other in zip(all_changes, others, strict=True):
        assert other.returncode == 1
        assert f"cannot be resumed: {changes[0][2:]} was " in other.stderr


def test_a_recipe_file_says_it_for_all_seeds(array: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('resample = true\nchannel = "mean"\npad = "zero"\n')
    run = ("train", array, "--output", tmp_path / "run", "--seeds", "1,2")
    trained = osscl(*run, *SHORT, "--epochs", "1", "--config", recipe)
    assert trained.returncode == 0, trained.stderr
    shutil.rmtree(tmp_path / "run" / "seed_2")
    resumed = osscl(*run, "--resume", "--device", "cpu", "--workers", "0")
    assert resumed.returncode == 0, resumed.stderr
    first, second = (
        (tmp_path / "run" / f"seed_{seed}" / "metrics.jsonl").read_text().splitlines() for seed in (1, 2)
    )
    assert len(second) == len(first)  # the seed that was missing got the recipe of the one that was there


def test_evaluate_takes_what_its_errors_advise(array: Path, machine: str) -> None:
    named = ("evaluate", "demo", array, "--bootstrap", "0", "--json")
    refused = osscl(*named)
    assert refused.returncode == 1
    assert all(option in refused.stderr for option in HELP)
    fitted = osscl(*named, *FIT)
    assert fitted.returncode == 1
    assert "say it with --machine NAME, or --labels TABLE" in fitted.stderr
    done = osscl(*named, *FIT, "--machine", machine)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["evaluation"]["n_anomalous"] == 1
    assert document["source"]["made to fit"] == "resampled, channel 0, filled up (repeat)"


def test_evaluate_takes_a_table_of_machines(array: Path, machine: str, tmp_path: Path) -> None:
    table = tmp_path / "machines.csv"
    files = sorted((array / "fan" / "test").iterdir())
    table.write_text("path,machine\n" + "".join(f"{file},{machine}\n" for file in files))
    done = osscl("evaluate", "demo", array, "--bootstrap", "0", "--json", *FIT, "--labels", table)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["evaluation"]["machines"][0]["machine"] == machine


def test_score_says_how_in_its_record(array: Path, machine: str, tmp_path: Path) -> None:
    output = tmp_path / "scores.jsonl"
    done = osscl("score", "demo", array / "fan" / "test", *FIT, "--machine", machine, "--output", output)
    assert done.returncode == 0, done.stderr
    options = json.loads((tmp_path / "scores.jsonl.run.json").read_text())["options"]
    expected = {"resample": True, "channel": 0, "pad": "repeat", "machine": machine, "labels": None}
    assert {name: options[name] for name in expected} == expected


def test_bench_takes_what_its_errors_advise(array: Path) -> None:
    named = ("bench", "demo", array, "--clips", "2", "--seconds", "0.05", "--device", "cpu", "--json")
    refused = osscl(*named)
    assert refused.returncode == 1
    assert all(option in refused.stderr for option in HELP)
    done = osscl(*named, *FIT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n_clips"] == 2


def test_export_takes_what_its_errors_advise(array: Path, tmp_path: Path, machine: str) -> None:
    machine_type, machine_id = machine.split("/")
    gate = tmp_path / "gate"
    shutil.copytree(array / "fan" / "test", gate / machine_type)
    for path in list((gate / machine_type).iterdir()):
        path.rename(path.with_name(path.name.replace("id_00", machine_id)))
    export = ("export", "demo", "--output", tmp_path / "m.onnx", "--precision", "fp16", "--gate", gate)
    refused = osscl(*export)
    assert refused.returncode == 1
    assert all(option in refused.stderr for option in HELP)
    done = osscl(*export, *FIT)
    assert done.returncode == 0, done.stderr
    accuracy = read_bundle(tmp_path / "m.onnx").manifest.accuracy
    assert accuracy is not None
    assert accuracy.clips == "gate (resampled, channel 0, filled up (repeat))"


def test_calibration_clips_are_made_to_fit(array: Path) -> None:
    manifest, folder = read_bundle("demo").manifest, array / "fan" / "test"
    with pytest.raises(AudioUnfitError):
        list(calibration_feeds(folder, manifest, lambda: None))
    fit = Fit(resample=True, channel=0, pad="repeat")
    assert len(list(calibration_feeds(folder, manifest, lambda: None, fit))) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("evaluate", "scores.csv", "--channel", "0"), "go with MODEL and DATA: here nothing is computed"),
        (("evaluate", "scores.csv", "--machine", "fan/id_00"), "go with MODEL and DATA: here nothing is"),
        (
            ("bench", "demo", "--pad", "zero"),
            "say how recordings are read: name a FOLDER, or",
        ),
    ],
)
def test_where_no_recordings_are_read_it_is_wrong_usage(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = osscl(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_an_export_that_reads_no_recordings_makes_none_fit(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--background, --enroll are read, and none are named"):
        export_onnx("demo", tmp_path / "m.onnx", fit=Fit(channel=0))
