"""``osscl train``, run as users run it."""

import json
import signal
from pathlib import Path

import pytest

from support.console import WITH_TORCH, osscl, osscl_each, started_osscl
from support.training_data import write_recordings
from support.waiting import wait_until

SHORT = ("--epochs", "2", "--batch-size", "3", "--inputs", "log_mel", "--workers", "0", "--device", "cpu")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_recordings(tmp_path_factory.mktemp("recordings"))


def test_recordings_become_a_model_that_scores_them(recordings: Path, tmp_path: Path) -> None:
    command = ("train", recordings, "--output", tmp_path / "run", "--learning-rate", "1e-3", *SHORT)
    trained = osscl(*command, "--ema-warmup", "--time-limit", "30d")
    assert trained.returncode == 0, trained.stderr
    assert "12 clips of 3 machines: fan/id_00, fan/id_02, pump/id_00" in trained.stderr
    assert "warning: 3 classes are few" in trained.stderr
    assert "epoch 2/2: loss" in trained.stderr
    assert "averaged weights on hold-out: loss" in trained.stderr
    assert "hold-out accuracy" in trained.stdout
    assert "planned for a limit of 30 d: 2 epochs, which the recipe has; there is time" in trained.stderr
    assert "about 0 s left" not in trained.stderr
    verdict, following = trained.stderr.splitlines()[-2:]
    assert following == f"next: osscl-export {tmp_path / 'run' / 'best.safetensors'} --output model.onnx"
    assert verdict.startswith("warning: whether the network learned anything cannot be told: ")
    assert "of 3 held-out clips lie nearest to their own class of 3" in verdict
    assert "of them would do, and these are 12 clips in all: record more; or evaluate" in verdict
    exported = osscl("export", tmp_path / "run" / "best.safetensors", "--output", tmp_path / "model.onnx")
    assert exported.returncode == 0, exported.stderr
    assert verdict in exported.stderr.splitlines()
    no_part, following = exported.stderr.splitlines()[-2:]
    assert no_part.startswith(
        "it decides by memory, and the network takes no part in that: osscl enroll --rule"
    )
    assert following == (
        f"next: osscl enroll {tmp_path / 'model.onnx'} NORMAL_RECORDINGS --output enrolled.onnx"
    )
    (shown,) = osscl_each([("inspect", tmp_path / "model.onnx")])
    assert "whether the network learned anything cannot be told" in " ".join(shown.stdout.split())
    scored = osscl("score", tmp_path / "model.onnx", recordings, "--json")
    assert scored.returncode == 0, scored.stderr
    assert len(scored.stdout.splitlines()) == 12
    refused = osscl("export", tmp_path / "run" / "last.safetensors", "--output", tmp_path / "other.onnx")
    assert refused.returncode == 1
    assert "choose the best.safetensors beside it" in refused.stderr


def test_seeds_and_recipe(recordings: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("learning_rate = 0.01\nema_warmup = true\n")
    arguments = ("--output", tmp_path / "run", "--config", recipe, "--seeds", "3,4", "--json", *SHORT)
    done = osscl("train", recordings, *arguments)
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert "next: " not in done.stderr
    assert [row["seed"] for row in summary["seeds"]] == [3, 4]
    for row in summary["seeds"]:
        assert row["verdict"]["word"] == "cannot_tell"
        assert len(row["confusion"]) == 3
        folder = tmp_path / "run" / f"seed_{row['seed']}"
        assert f"warning: {folder}: whether the network learned" in done.stderr
    assert summary == json.loads((tmp_path / "run" / "summary.json").read_text())
    first = json.loads((tmp_path / "run" / "seed_3" / "metrics.jsonl").read_text().splitlines()[0])
    assert first["learning_rate"] == pytest.approx(0.01)
    again = osscl("train", recordings, *arguments)
    assert again.returncode == 1
    assert "seed_3 holds a training already" in again.stderr


def test_ctrl_c_saves_and_resume_goes_on(recordings: Path, tmp_path: Path) -> None:
    command = ["train", str(recordings), "--output", str(tmp_path), *SHORT, "--epochs", "500"]
    metrics = tmp_path / "metrics.jsonl"
    with started_osscl(*command) as running:
        wait_until(lambda: metrics.exists() and metrics.read_text().count("\n") > 3, running)
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=300)
    assert running.returncode == 130, said
    assert "stopping after this step" in said
    assert "go on with the same command and --resume" in said
    assert "--ema-warmup is on: without it, 86% of the averaged weights would still be" in said
    assert "for 1496 steps, until about " in said
    n_steps = json.loads(metrics.read_text().splitlines()[-1])["n_steps"]
    refused = osscl(*command, "--resume", "--margin", "0.1")
    assert refused.returncode == 1
    assert "cannot be resumed: margin was 0.4, is 0.1; resume with the same settings" in refused.stderr
    with started_osscl(*command, "--resume", "--time-limit", "1h") as resumed:
        wait_until(lambda: json.loads(metrics.read_text().splitlines()[-1])["n_steps"] > n_steps, resumed)
        resumed.send_signal(signal.SIGTERM)
        _, said = resumed.communicate(timeout=300)
    assert resumed.returncode == 143
    assert "--time-limit plans nothing anew: the training goes on with its 500 epochs" in said
    assert "--ema-warmup" not in said
    assert f"going on after step {n_steps}" in said


USAGE_ERRORS: list[tuple[tuple[str, ...], int, str]] = [
    (("--seeds", "1,x"), 2, "expected different whole numbers"),
    (("--epochs", "0"), 2, "--epochs is 0; it must be at least 1"),
    (("--device", "cuda"), 1, "device 'cuda' was asked for, but PyTorch"),
    (("--device", "tpu"), 2, "--device is 'tpu'; choose cpu, cuda, cuda:N or auto"),
    (("--resume",), 1, "there is no training to resume in this folder"),
    (("--time-limit", "soon"), 2, "--time-limit is 'soon'; expected a number and s, min, h or d"),
    (("--config", "no.toml"), 2, "there is no recipe no.toml"),
]


def test_a_time_limit_without_time_for_an_epoch_leaves_nothing(recordings: Path, tmp_path: Path) -> None:
    command = ("train", recordings, "--output", tmp_path / "run", *SHORT, "--time-limit", "0.001s")
    (refused,) = osscl_each([command])
    assert refused.returncode == 1
    assert "error: --time-limit is too short: it is over before two steps are done" in refused.stderr
    assert not (tmp_path / "run").exists()


def test_usage_errors(recordings: Path, tmp_path: Path) -> None:
    import torch

    errors = [row for row in USAGE_ERRORS if not ("cuda" in row[0] and torch.cuda.is_available())]
    command = ("train", recordings, "--output", tmp_path / "run")
    used = tmp_path / "used"
    (used / "pump").mkdir(parents=True)
    (used / "pump" / "last.safetensors").touch()
    of_types = ("train", recordings, "--output", used, "--each-type", *SHORT)
    *results, refused = osscl_each(
        [*((*command, *arguments) for arguments, _, _ in errors), of_types], packages=WITH_TORCH
    )
    assert refused.returncode == 1
    assert f"error: {used / 'pump'} holds a training already; go on with it" in refused.stderr
    assert "12 clips" not in refused.stderr  # nothing was read for it
    for (arguments, code, message), result in zip(errors, results, strict=True):
        assert result.returncode == code, arguments
        assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not (tmp_path / "run").exists()


NO_RECIPES = [
    ("epochs = 'many'", "recipe.toml: epochs is 'many'; expected a whole number"),
    ("ema_warmup = 'yes'", "recipe.toml: ema_warmup is 'yes'; expected True or False"),
    ("head = 'large'", "recipe.toml: head is 'large'; expected one of: basic, leaky_relu, none"),
    (
        "epoch = 3\nlearning-rate = 1e-3\nzzz = 1",
        "recipe.toml: epoch is not known; did you mean epochs?; learning-rate is not known; did you mean "
        "learning_rate?; zzz is not known (keys of a recipe: docs/training.md, and osscl train --help)",
    ),
    ("epochs = ", "recipe.toml: the recipe is no TOML file"),
    ("margin = 2.0", "margin is 2.0; it must lie in"),
]


def test_recipes_that_are_none(recordings: Path, tmp_path: Path) -> None:
    commands = []
    for number, (text, _) in enumerate(NO_RECIPES):
        recipe = tmp_path / str(number) / "recipe.toml"
        recipe.parent.mkdir()
        recipe.write_text(text)
        commands.append(("train", recordings, "--output", tmp_path / "run", "--config", recipe))
    for (_, message), result in zip(NO_RECIPES, osscl_each(commands, packages=WITH_TORCH), strict=True):
        assert result.returncode == 2
        assert message in result.stderr
