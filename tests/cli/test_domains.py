"""``osscl enroll --by-domain`` and ``--domain`` as users type them, and what other commands make of it."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from support import forked_console
from support.forked_console import Call, Ended
from support.normal_recordings import write_normals

FAN = "fan/section_00"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Normal recordings of both domains, and others whose names do not tell it."""
    folder = tmp_path_factory.mktemp("moved")
    train = folder / "all" / "fan" / "train"
    write_normals(train, 6, name="section_00_source_train_normal")
    write_normals(train, 6, first=20, machine=2, name="section_00_target_train_normal")
    test = folder / "all" / "fan" / "test"
    write_normals(test, 1, first=40, name="section_00_source_test_normal")
    write_normals(test, 1, first=50, machine=2, name="section_00_target_test_normal")
    write_normals(folder / "unnamed", 1, first=50, machine=2, name="recording")
    return folder


def run(folder: Path, *commands: str) -> list[Ended]:
    return forked_console.run_all([Call(command.split(), str(folder)) for command in commands])


@pytest.fixture(scope="module")
def enrolled(folder: Path) -> Ended:
    """The model file m.onnx, and two tables of scores."""
    made, *scored = run(
        folder,
        "enroll all/fan/train --by-domain -o m.onnx",
        "score m.onnx all/fan/test -o auto.csv",
        "score m.onnx all/fan/test -o target.csv --domain target",
        "score m.onnx all/fan/test -o unknown.csv --domain unknown",
    )
    assert [each.code for each in scored] == [0, 0, 0], scored
    return made


def test_each_memory_has_a_line(enrolled: Ended, folder: Path) -> None:
    assert enrolled.code == 0, enrolled.stderr
    lines = enrolled.stdout.splitlines()
    assert lines[1].split() == [FAN, "(source)", "6", "6", "14.29", "%", "14.3", "%", "memory", "0", "0"]
    assert lines[2].startswith(f"{FAN} (target)")
    [inspected] = run(folder, "inspect m.onnx")
    assert f"{FAN} (target): 6 clips, 6 recordings" in inspected.stdout


@pytest.mark.usefixtures("enrolled")
def test_the_run_says_how_domains_were_told_and_goes_on_in_that_way_alone(folder: Path) -> None:
    for domain in ("auto", "target", "unknown"):
        record = json.loads((folder / f"{domain}.csv.run.json").read_text())
        assert record["options"]["domain"] == domain
    decided, other = run(
        folder,
        "decide target.csv --model m.onnx -o anew.csv",
        "decide auto.csv --model m.onnx -o other.csv --false-alarm-rate 0.3",
    )
    assert (decided.code, other.code) == (0, 0), decided.stderr + other.stderr
    assert (folder / "anew.csv").read_text() == (folder / "target.csv").read_text()
    assert " flagged at 30 %" in other.stderr


@pytest.mark.usefixtures("enrolled")
def test_a_run_that_goes_on_judges_each_clip_by_the_memory_of_its_domain(folder: Path) -> None:
    days, [clip] = folder / "days" / "fan" / "test", (folder / "unnamed").iterdir()
    write_normals(days, 1, first=60, name="section_00_source_test_normal")
    [begun] = run(folder, "score m.onnx days -o days.csv")
    for name in ("source_test_normal_0061", "target_test_normal_0000", "0000"):
        shutil.copy(clip, days / f"section_00_{name}.wav")
    other, resumed, fresh = run(
        folder,
        "score m.onnx days -o days.csv --domain target",
        "score m.onnx days -o days.csv",
        "score m.onnx days -o fresh.csv",
    )
    assert (begun.code, other.code, resumed.code, fresh.code) == (0, 1, 0, 0), (begun, other, resumed, fresh)
    assert "--domain" in other.stderr
    rows = (folder / "days.csv").read_text().splitlines()
    assert sorted(rows) == sorted((folder / "fresh.csv").read_text().splitlines())
    scores = {Path(row["path"]).stem[len("section_00_") :]: row["score"] for row in csv.DictReader(rows)}
    assert scores["target_test_normal_0000"] == scores["0000"] != scores["source_test_normal_0061"]


@pytest.mark.usefixtures("enrolled")
def test_explain_says_which_memory_a_score_is_of(folder: Path) -> None:
    [path] = (folder / "unnamed").iterdir()
    nearest, said, text = run(
        folder,
        f"explain m.onnx unnamed/{path.name} --machine {FAN} --json",
        f"explain m.onnx unnamed/{path.name} --machine {FAN} --domain source --json",
        f"explain m.onnx unnamed/{path.name} --machine {FAN}",
    )
    assert json.loads(nearest.stdout)["domain"] == "target"
    assert json.loads(said.stdout)["domain"] == "source"
    assert json.loads(said.stdout)["score"] > json.loads(nearest.stdout)["score"]
    assert "of the domain target" in text.stdout


@pytest.mark.usefixtures("enrolled")
def test_tables_of_such_machines_are_reported_and_monitored_as_far_as_can_be(folder: Path) -> None:
    report, several, one = run(
        folder,
        "report auto.csv -o page.html",
        "monitor auto.csv --model m.onnx",
        "monitor target.csv --model m.onnx",
    )
    assert report.code == 0, report.stderr
    assert "its memories are by domain, and drift is told of clips of one" in several.stdout + several.stderr
    assert "by domain" not in one.stdout + one.stderr


@pytest.mark.usefixtures("enrolled")
@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (
            "score m.onnx unnamed --domain moon",
            "domain is 'moon'; expected one of: auto, unknown, source, target",
        ),
        (
            "score demo unnamed --domain source",
            "the domain source is asked for, and the model file holds no memory",
        ),
        (
            "sensitivity m.onnx all/fan/train",
            "its memories are by domain, and limits are measured of machines",
        ),
        ("sensitivity m.onnx all/fan/train --domain source", "--domain chooses among memories by domain"),
        (
            "enroll all/fan/train --by-domain --limits -o m2.onnx",
            "--limits measures machines with one memory",
        ),
        (
            "enroll unnamed --machine fan/section_00 --by-domain -o m2.onnx",
            "1 of 1 recording tells no domain",
        ),
        (
            "enroll m.onnx unnamed --machine fan/section_00 --add -o m2.onnx",
            "its memories are by domain; give",
        ),
        ("evaluate auto.csv --domain source", "--domain and the like go with MODEL and DATA"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(folder: Path, command: str, sentence: str) -> None:
    [ended] = run(folder, command)
    assert ended.code in (1, 2)
    said = " ".join(ended.stderr.replace("│", " ").split())
    assert sentence in said
    assert not (folder / "m2.onnx").exists()
