"""Published data sets as they are laid out, through the commands: what is said, and what becomes of them."""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from osscl.support.plurals import verb
from support.forked_console import Call, Ended, run_all
from support.made_up_layouts import LAYOUTS, MadeUp, make_layout
from support.once import made_once

FIT = {"mimii": ["--channel", "0"]}
SETS = ["dcase2020", "dcase2021", "dcase2025", "mimii", "toyadmos2", "idmt"]
SHORT = ["--epochs", "1", "--batch-size", "2", "--inputs", "log_mel", "--device", "cpu", "--workers", "0"]


def made(name: str) -> tuple[Path, list[MadeUp]]:
    """A copy of a set, made once; and what lies there."""
    folder = made_once(f"layout_{name}", lambda at: make_layout(name, at, evaluation=False))
    return folder, [each for each in LAYOUTS[name]() if (folder / each.path).exists()]


TRAINING = ("torch", "osscl.training.runs", "osscl.cli.train")


def run(folder: Path, *calls: list[str]) -> list[Ended]:
    packages = TRAINING if any(call[0] == "train" for call in calls) else ()
    return run_all([Call(call, str(folder)) for call in calls], packages)


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", SETS)
def test_a_set_is_enrolled_scored_and_evaluated_as_it_is_laid_out(name: str, tmp_path: Path) -> None:
    data, clips = made(name)
    fit = FIT.get(name, [])
    enrolled, scored, evaluated = run(
        tmp_path,
        ["enroll", str(data), *fit, "--output", "m.onnx", "--json"],
        ["score", "m.onnx", str(data), *fit, "--output", "scores.csv"],
        ["evaluate", "m.onnx", str(data), *fit, "--bootstrap", "0", "--json"],
    )
    assert (enrolled.code, scored.code, evaluated.code) == (0, 0, 0), (enrolled, scored, evaluated)
    first_lines = {each.stderr.partition("\n")[0] for each in (enrolled, scored)}
    assert len(first_lines) == 1  # what is read is said before anything else
    assert "type" in first_lines.pop()
    normal = [each for each in clips if each.is_anomaly is False and each.purpose in ("train", None)]
    n_for_testing = sum(each.purpose == "test" for each in clips)
    assert (f"left out, for testing: {n_for_testing} clip" in enrolled.stderr) == any(
        each.purpose == "test" for each in clips
    )
    # what tells no purpose is enrolled and tested: that is said
    assert (" test clips were enrolled or trained on" in evaluated.stderr) == (name == "toyadmos2")
    report = json.loads(enrolled.stdout)["enrolment"]
    machines: dict[str, Any] = {each["machine"]: each for each in report["machines"]}
    assert machines.keys() == {each.machine for each in normal}
    for machine, each in machines.items():
        of_machine = [clip for clip in normal if clip.machine == machine]
        assert each["n_clips"] == len(of_machine)
        assert each["n_recordings"] == len({clip.recording or clip.path for clip in of_machine})
    machine_of = {row["path"]: row["machine"] for row in rows_of(tmp_path / "scores.csv")}
    assert machine_of == {str(data / each.path): each.machine for each in clips}
    tested = [each for each in clips if each.is_anomaly is not None and each.purpose in ("test", None)]
    found = json.loads(evaluated.stdout)["evaluation"]
    counts = {each["machine"]: (each["n_normal"], each["n_anomalous"]) for each in found["machines"]}
    assert counts == {
        machine: tuple(
            sum(each.machine == machine and each.is_anomaly is label for each in tested)
            for label in (False, True)
        )
        for machine in {each.machine for each in tested}
    }


def test_a_table_tells_machines_labels_domains_and_recordings(tmp_path: Path) -> None:
    data, _ = made("table")
    table = ["--labels", str(data / "labels.csv")]
    enrolled, evaluated = run(
        tmp_path,
        ["enroll", str(data / "clips"), *table, "--output", "m.onnx", "--json"],
        ["evaluate", "m.onnx", str(data / "clips"), *table, "--bootstrap", "0", "--json"],
    )
    assert (enrolled.code, evaluated.code) == (0, 0), (enrolled, evaluated)
    machines = json.loads(enrolled.stdout)["enrolment"]["machines"]
    assert {(each["machine"], each["n_clips"], each["n_recordings"]) for each in machines} == {
        ("press/north", 8, 4),
        ("lathe/south", 8, 4),
    }
    found = json.loads(evaluated.stdout)
    figures = found["evaluation"]["machines"]
    assert {(each["machine"], each["n_normal"], each["n_anomalous"]) for each in figures} == {
        ("press/north", 8, 2),
        ("lathe/south", 8, 2),
    }
    assert "warning: 16 of 20 test clips were enrolled" in evaluated.stderr  # a table knows no training clips
    domains = {name: found["domains"][name] for name in ("source", "target")}
    assert {name: (each["n_normal"], each["n_anomalous"]) for name, each in domains.items()} == {
        "source": (10, 2),
        "target": (6, 2),
    }


def test_who_names_the_test_folder_or_the_machine_enrolls_test_clips_and_is_told_in_the_evaluation(
    tmp_path: Path,
) -> None:
    data, clips = made("dcase2020")
    fan = [each for each in clips if "/fan/" in each.path and each.is_anomaly is False]
    tests = {each.machine for each in fan if each.purpose == "test"}
    by_folder, by_machine, evaluated, by_network = run(
        tmp_path,
        [
            "enroll",
            str(data / "dev_data/fan/train"),
            str(data / "dev_data/fan/test"),
            "-o",
            "f.onnx",
            "--json",
        ],
        ["enroll", str(data / "dev_data/fan"), "--machine", "fan/id_00", "-o", "m.onnx", "--json"],
        ["evaluate", "f.onnx", str(data), "--bootstrap", "0"],
        ["evaluate", "demo", str(data), "--bootstrap", "0"],
    )
    assert (by_folder.code, by_machine.code) == (0, 0), (by_folder, by_machine)
    assert sum(each["n_clips"] for each in json.loads(by_folder.stdout)["enrolment"]["machines"]) == len(fan)
    (machine,) = json.loads(by_machine.stdout)["enrolment"]["machines"]
    assert machine["n_clips"] == len(fan)
    n_tested = sum(each.is_anomaly is False and each.purpose == "test" for each in fan)
    assert f"warning: {n_tested} of " in evaluated.stderr
    told = f"test clips {verb(n_tested, 'was', 'were')} enrolled or trained on ({', '.join(sorted(tests))})"
    assert told in evaluated.stderr
    assert "enrolled or trained on" not in by_network.stderr


def test_conditions_are_classes_and_another_kind_goes_not_on(tmp_path: Path) -> None:
    data, clips = made("dcase2022")
    for each in clips:  # four clips of one machine, two of another: two steps
        is_bearing = "bearing/train/section_00_source" in each.path
        if is_bearing or "ToyCar/train/section_00_target" in each.path:
            (tmp_path / each.path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(data / each.path, tmp_path / each.path)
    trained, resumed, of_2020 = run(
        tmp_path,
        ["train", "dev_data", "--output", "run", "--classes", "attributes", *SHORT],
        ["train", "dev_data", "--output", "run", "--classes", "section", "--resume", *SHORT],
        ["train", str(made("dcase2020")[0]), "--output", "other", "--classes", "section", *SHORT],
    )
    assert trained.code == 0, trained
    assert "6 clips of 4 classes of 2 machines: bearing/section_00/vel_10, bearing/section_00/vel_6, " in (
        trained.stderr
    )
    assert resumed.code == 1
    assert "classes" in resumed.stderr  # the run's recipe says attributes
    assert of_2020.code == 1
    assert of_2020.stderr.count("has no section in its name") == 1


def test_each_type_needs_two_classes_before_any_is_trained(tmp_path: Path) -> None:
    data, _ = made("dcase2020")
    (refused,) = run(tmp_path, ["train", str(data), "--output", "run", "--each-type", *SHORT])
    assert refused.code == 1
    assert "clips of fan/id_00 alone; expected recordings of at least two machines" in refused.stderr
    assert not (tmp_path / "run").exists()


def test_eight_channels_and_two_layouts_in_one_are_refused_in_a_sentence(tmp_path: Path) -> None:
    mimii, _ = made("mimii")
    mixed = tmp_path / "mixed"
    shutil.copytree(made("dcase2021")[0], mixed)
    stray = next(mixed.rglob("*_source_test_normal_0000.wav"))
    (stray.parents[1] / "test").mkdir()
    shutil.copy(stray, stray.parents[1] / "test" / "section_00_source_test_normal_0009.wav")
    channels, *others = run(
        tmp_path,
        ["train", str(mimii), "--output", "run", *SHORT],
        ["train", str(mixed), "--output", "run", *SHORT],
        ["enroll", str(mixed), "--output", "m.onnx"],
    )
    assert channels.code == 1
    assert "it has 8 channels, expected 1; --channel N|mean takes one" in channels.stderr
    for refused in others:
        assert refused.code == 1
        assert "is laid out as DCASE 2021 and " in refused.stderr
    assert not list(tmp_path.glob("m.onnx"))
