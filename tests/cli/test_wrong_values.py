"""A value that an option cannot have ends every command with 2 and one sentence that names the option."""

from pathlib import Path
from typing import NamedTuple

import pytest

from osscl.support.two_spellings import in_options
from support.console import osscl_each
from support.forked_console import Call, run_all


class Wrong(NamedTuple):
    """Options that cannot be, and what the sentence says."""

    options: tuple[str, ...]
    says: str


SHARED = (
    Wrong(("--channel", "left"), "--channel is 'left'; expected a number from 0"),
    Wrong(("--pad", "noise"), "--pad is 'noise'; it must be 'repeat' or 'zero'"),
)
COMPUTE = (
    Wrong(("--device", "abacus"), "--device 'abacus' does not exist; choose auto, cpu"),
    Wrong(("--backend", "abacus"), "--backend 'abacus' does not exist; choose one of"),
    Wrong(("--threads", "0"), "--threads is 0; it must be at least 1"),
    Wrong(("--streams", "0"), "--streams is 0 for "),
    Wrong(("--batch-size", "-1"), "--batch-size is -1; it must be at least 1"),
)
RATE = Wrong(("--false-alarm-rate", "2"), "--false-alarm-rate is 2.0; it must lie between 0 and 1")
RULE = Wrong(("--rule", "luck"), "--rule is 'luck'; ")
HOP = Wrong(("--hop", "nan"), "--hop is nan s; expected seconds")
PATTERN = Wrong(
    ("--machine-pattern", "press"), "--machine-pattern is 'press'; expected either a template with"
)
READING = (*SHARED, *COMPUTE)
NAMING = (*READING, PATTERN)

OF_COMMANDS: dict[str, tuple[tuple[str, ...], tuple[Wrong, ...]]] = {
    "score": (
        ("demo", "clips"),
        (*NAMING, RATE, RULE, HOP, Wrong(("--every", "soon"), "--every is 'soon'; expected a number and s")),
    ),
    "evaluate": (("demo", "clips"), (*NAMING, RATE, RULE, Wrong(("--domain", "x"), "--domain is 'x'"))),
    "compare": (("demo", "demo", "clips"), NAMING),
    "embed": (("demo", "clips", "-o", "e.npz"), READING),
    "explain": (("demo", "clips/fan/train/normal_id_00_0.wav"), (*NAMING, RATE, RULE)),
    "enroll": (("clips", "-o", "m.onnx"), (*NAMING, RATE, RULE, HOP)),
    "calibrate": (("demo", "clips", "-o", "m.onnx"), (*NAMING, RATE, RULE, HOP)),
    "sensitivity": (("demo", "clips"), (*NAMING, RATE, RULE)),
    "commission": (("clips", "-o", "site"), (*NAMING, RATE)),
    "doctor": (("--recordings", "clips"), (PATTERN,)),
    "bench": (("demo", "clips"), (*READING, Wrong(("--clips", "0"), "--clips is 0; expected at least"))),
    "monitor": (
        ("scores.csv", "--model", "demo"),
        (
            Wrong(("--false-alarms", "rarely"), "--false-alarms is 'rarely'"),
            Wrong(("--drift-rate", "1"), "--drift-rate is 1.0; it must lie between"),
        ),
    ),
    "synth": (
        ("made",),
        (
            Wrong((), "no clip is asked for; set --train, --normal or --anomalous"),
            Wrong(
                ("--train", "9", "--target", "1"),
                "--target is given for a set of one site; set --second",
            ),
            Wrong(("--machines", "1", "--ids", "1"), "--machines and --ids are both given; give --machines"),
            Wrong(("--anomalous", "1", "--faults", "rust"), "--faults have 'rust'; expected one of"),
            Wrong(("--machines", "0"), "--machines is 0; expected a number from 1"),
        ),
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "clips" / "fan" / "train").mkdir(parents=True)
    (tmp_path / "clips" / "fan" / "train" / "normal_id_00_0.wav").touch()
    (tmp_path / "scores.csv").write_text("path,machine,status,score\nfan/0.wav,fan/id_00,ok,1\n")
    return tmp_path


@pytest.mark.parametrize("command", OF_COMMANDS)
def test_wrong_values_are_wrong_usage_and_named_as_they_were_given(command: str, folder: Path) -> None:
    arguments, wrongs = OF_COMMANDS[command]
    ended = osscl_each([(command, *arguments, *wrong.options) for wrong in wrongs], cwd=folder)
    for wrong, each in zip(wrongs, ended, strict=True):
        assert (each.returncode, each.stdout) == (2, ""), each
        assert each.stderr.startswith("error: ")
        assert wrong.says in each.stderr


TRAIN = ("train", "clips", "--output", "run")
RECIPES = (
    Wrong(("--exposure", "2"), "error: --exposure is 2.0; it must be zero or more, and less than 1"),
    Wrong(
        ("--exchange", "both", "--feature-loss", "2"),
        "error: --exchange is both, --feature-loss 2.0: clips that exchanged parts have features of",
    ),
    Wrong(("--exchange", "both", "--inputs", "log_mel"), "use statistics, or --inputs three_maps"),
    Wrong(("--config", "wrong.toml"), "error: wrong.toml: feature_loss is -1.0; it must be zero or more"),
    Wrong(("--config", "good.toml", "--feature-loss", "-1"), "error: --feature-loss is -1.0; it must be"),
)


def test_recipes_that_cannot_be_are_refused_before_torch_is_loaded(folder: Path) -> None:
    (folder / "wrong.toml").write_text("feature_loss = -1.0\n")
    (folder / "good.toml").write_text("epochs = 3\n")
    without_torch = folder / "torch"
    without_torch.mkdir()
    (without_torch / "torch.py").write_text("raise SystemExit('torch was loaded')\n")
    calls = [Call((*TRAIN, *wrong.options), str(folder)) for wrong in RECIPES]
    for wrong, each in zip(
        RECIPES, run_all(calls, environment={"PYTHONPATH": str(without_torch)}), strict=True
    ):
        assert each.code == 2, each
        assert wrong.says in each.stderr


def test_words_of_python_are_left_out_where_the_option_stands_behind_them() -> None:
    for said, on_console in (
        (
            "say it with machine=... (--machine NAME, or --labels TABLE)",
            "say it with --machine NAME, or --labels TABLE",
        ),
        ("pad='repeat' or 'zero' (--pad repeat|zero) fills it up", "--pad repeat|zero fills it up"),
        (
            "machine and labels (--machine and --labels) exclude each other",
            "--machine and --labels exclude each other",
        ),
        (
            "no whole request came within 5 s (--read-timeout)",
            "no whole request came within 5 s (--read-timeout)",
        ),
        (
            "labels and machine_pattern (--labels and --machine-pattern) exclude each other",
            "--labels and --machine-pattern exclude each other",
        ),
        ("labels and machine_pattern (--labels)", "labels and machine_pattern (--labels)"),
    ):
        assert in_options(said) == on_console
