"""Commands are loaded when they are run, and stand in help and completion as if they were there before."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from osscl.cli.program import COMMANDS, OnDemand, command, osscl_export
from osscl.cli.program import osscl as program
from support.console import osscl, osscl_each

LOADED = (
    "import json, sys\n"
    "from osscl.cli import main\n"
    "try: main()\n"
    "except SystemExit: pass\n"
    "print(json.dumps([name for name in sys.modules if '.' not in name]))"
)
NEEDED_BY_COMMANDS = {"numpy", "soundfile", "msgspec", "filelock", "platformdirs", "onnxruntime", "torch"}


BEFORE_SIGNALS = (
    "import sys\n"
    "before = set(sys.modules)\n"
    "from osscl.cli import signals\n"
    "print(*sorted(set(sys.modules) - before))"
)


def test_little_is_loaded_before_signals_are_listened_to() -> None:
    done = subprocess.run([sys.executable, "-c", BEFORE_SIGNALS], capture_output=True, text=True, timeout=300)
    loaded = set(done.stdout.split())
    assert {name for name in loaded if name.startswith("osscl")} == {
        "osscl",
        "osscl.cli",
        "osscl.cli.signals",
    }
    assert not {"logging", "typing", "re", "importlib.metadata"} & loaded


def complete(words: str) -> list[str]:
    """What a shell offers for the last word."""
    variables = {"COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")), "_OSSCL_COMPLETE": "complete_bash"}
    done = subprocess.run(
        [sys.executable, "-c", "from osscl.cli import main; main()"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=Path(__file__).parent,  # no file or folder there begins as a model is called
        env=os.environ | variables,
    )
    return done.stdout.split()


@pytest.mark.parametrize("argument", ["--version", "--help", "unheard-of"])
def test_what_runs_no_command_loads_none(argument: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, argument], capture_output=True, text=True, timeout=300
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert "typer" in loaded
    assert not loaded & NEEDED_BY_COMMANDS


def test_the_list_of_commands_shows_what_each_says_of_itself() -> None:
    listed = " ".join(osscl("--help").stdout.replace("│", " ").split())
    group = program()
    assert list(group.commands) == list(COMMANDS)
    for name in COMMANDS:
        assert f"{name} {' '.join(command(name).help.split())}" in listed


def test_a_command_that_stands_for_another_is_loaded_whole() -> None:
    loaded = OnDemand("score").load()
    assert {"model", "paths", "output", "device", "engine_cache"} <= {each.name for each in loaded.params}
    assert "osscl score demo" in loaded.epilog
    assert set(OnDemand("engine").load().commands) == {"build", "list", "prune", "inspect"}
    assert "osscl-export model.onnx" in osscl_export().epilog


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("osscl s", ["sensitivity", "score", "serve", "synth"]),
        ("osscl score --dev", ["--device"]),
        ("osscl engine p", ["prune"]),
        ("osscl watch --met", ["--metrics-port", "--metrics-address"]),
        ("osscl inspect --log", ["--log-file"]),
        ("osscl evaluate de", ["demo"]),
        ("osscl score demo x --machine blower/id_1", ["blower/id_10", "blower/id_11"]),
        ("osscl score demo x --pad ", ["repeat", "zero"]),
    ],
)
def test_a_shell_completes_commands_and_what_belongs_to_them(words: str, offered: list[str]) -> None:
    assert complete(words) == offered


@pytest.mark.parametrize(("wrong", "meant"), [(["scor"], "score"), (["engine", "lst"], "list")])
def test_a_misspelt_command_is_answered_with_the_one_meant(wrong: list[str], meant: str) -> None:
    done = osscl(*wrong)
    assert done.returncode == 2
    assert f"Did you mean '{meant}'" in done.stderr


def test_a_working_folder_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    done = osscl("score", "model.onnx", "recordings")
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert "the working folder is gone (No such file or directory): go into one that is there" in done.stderr


def test_a_name_of_two_lines_stands_in_one(tmp_path: Path) -> None:
    (done,) = osscl_each([("score", "demo", tmp_path / "a\nb")])
    assert done.stderr.count("\n") == 1
    assert r"a\x0ab" in done.stderr


def test_wrong_values_are_shown(tmp_path: Path) -> None:
    wrong = [
        (("--threads", "four"), "it is 'four'"),
        (("--threads=four",), "it is 'four'"),
        (("--pad", "Repeat"), "pad is 'Repeat'; it must be 'repeat' or 'zero'"),
    ]
    ended = osscl_each([("score", "demo", tmp_path, *arguments) for arguments, _ in wrong])
    for (_, told), done in zip(wrong, ended, strict=True):
        assert told in done.stderr
        assert "None" not in done.stderr
