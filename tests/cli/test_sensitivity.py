"""``osscl sensitivity`` and ``osscl enroll --limits``: what they print, write, store and refuse."""

import json
from pathlib import Path

import pytest

from osscl.model_file.bundle import read_bundle
from osscl.sensitivity.grids import coarse_grid
from support import once
from support.console import osscl_each
from support.normal_recordings import write_normals

N_CHANGES = len(coarse_grid())


@pytest.fixture(scope="session")
def work() -> Path:
    """A memory of five recordings with its limits, one of three, and recordings of both."""

    def make(folder: Path) -> None:
        write_normals(folder / "normals" / "fan" / "train", 5)
        write_normals(folder / "normals" / "fan" / "train", 1, first=40, name="anomaly_id_00")
        write_normals(folder / "few" / "press" / "train", 3, machine=1)
        (folder / "broken" / "fan" / "train").mkdir(parents=True)
        (folder / "broken" / "fan" / "train" / "normal_id_00_9.wav").write_bytes(b"RIFF")
        enrolled = osscl_each(
            [
                ("enroll", folder / "normals", "--limits", "-o", folder / "fan.onnx"),
                ("enroll", folder / "few", "-o", folder / "press.onnx"),
                ("enroll", folder / "fan.onnx", folder / "few", "-o", folder / "both.onnx"),
            ]
        )
        (folder / "said").write_text(enrolled[0].stderr)
        assert [each.returncode for each in enrolled] == [0, 0, 0], enrolled

    return once.made_once("sensitivity_command", make)


def test_enrolment_stores_limits_and_inspect_shows_them(work: Path) -> None:
    said = (work / "said").read_text()
    assert "fan/id_00: 5 recordings are fewer than the 60 that a confidence of 95 % takes" in said
    assert said.splitlines()[-2].startswith("These are limits for these changes")
    assert said.splitlines()[-1].startswith("next: osscl score ")
    decisions = read_bundle(work / "fan.onnx").manifest.decisions
    assert decisions is not None
    (limits,) = decisions.limits
    assert (limits.machine, limits.rule, limits.n_recordings, len(limits.limits)) == (
        "fan/id_00",
        "memory",
        5,
        N_CHANGES,
    )
    assert limits.false_alarm_rate == 0.2, "one of five is left out, and four can speak of 1 in 5"
    best = limits.smallest()[0].text
    (shown,) = osscl_each([("inspect", work / "fan.onnx")])
    assert f"limits fan/id_00 (memory, at 20 %, 5 recordings): {best}" in " ".join(shown.stdout.split())


def test_another_memory_has_no_limits_until_they_are_measured(work: Path, tmp_path: Path) -> None:
    (enrolled,) = osscl_each([("enroll", work / "fan.onnx", work / "normals", "-o", tmp_path / "anew.onnx")])
    assert (
        "warning: fan/id_00: its detection limits by the rule memory were measured with its earlier memory "
        "and are left out; run osscl sensitivity --store again"
    ) in enrolled.stderr
    decisions = read_bundle(tmp_path / "anew.onnx").manifest.decisions
    assert decisions is not None
    assert decisions.limits == ()
    other = read_bundle(work / "both.onnx").manifest.decisions
    assert other is not None
    assert [each.machine for each in other.limits] == ["fan/id_00"], "another machine's limits stay"


def test_limits_are_printed_written_and_stored(work: Path, tmp_path: Path) -> None:
    output, store = tmp_path / "limits.json", tmp_path / "stored.onnx"
    told, same = osscl_each(
        [
            (
                *("sensitivity", work / "fan.onnx", work / "normals", work / "broken", "--coarse"),
                *("--false-alarm-rate", "0.25", "--output", output, "--store", store),
            ),
            ("sensitivity", work / "fan.onnx", work / "normals", "--output", "x", "--store", "x"),
        ]
    )
    assert told.returncode == 3, told.stderr
    assert "not used: " in told.stderr
    assert "left out, said to be anomalous: " in told.stderr
    assert "fan/id_00 (memory, at 25 %, 5 recordings)" in told.stdout
    (machine,) = json.loads(output.read_bytes())["machines"]
    decisions = read_bundle(store).manifest.decisions
    assert decisions is not None
    (stored,) = decisions.limits
    assert [each["text"] for each in machine["limits"]] == [each.text for each in stored.limits]
    for each in stored.limits:
        assert each.text in " ".join(told.stdout.split())
        sizes = [abs(size) for size in (each.a50, each.a90, each.a90_95) if size is not None]
        assert each.change == "tone" or sizes == sorted(sizes)
    assert stored.false_alarm_rate == 0.25
    assert same.returncode == 2
    assert same.stderr.startswith("error: --output and --store name the same file; give each its own")


def test_a_rate_that_cannot_be_had_and_other_wrong_input_is_one_sentence(work: Path, tmp_path: Path) -> None:
    here = work / "fan.onnx"
    few, strange, rate, rule, none, folder = osscl_each(
        [
            ("sensitivity", work / "press.onnx", work / "few"),
            ("sensitivity", here, work / "few", "--machine", "press/id_09"),
            ("sensitivity", here, work / "normals", "--false-alarm-rate", "0.2", "--recording", "folder"),
            ("sensitivity", here, work / "normals", "--rule", "both"),
            ("sensitivity", here, work / "broken"),
            ("sensitivity", here, work / "normals", "--false-alarm-rate", "0.1"),
        ]
    )
    told = {
        few: "press/id_00: 3 normal recordings are too few for detection limits: one is left out at a time",
        strange: "press/id_09: the model file does not know it; it knows fan/id_00",
        rate: "fan/id_00: its memory says otherwise which clips belong to one recording; give --recording",
        rule: "fan/id_00: the network does not know it, and the rule both needs that",
        none: "no recording can be used for detection limits: 1 give no clip, first ",
        folder: "fan/id_00: 5 normal recordings are too few for a false-alarm rate of 0.1: 4 more are needed",
    }
    for ended, sentence in told.items():
        assert (ended.returncode, ended.stdout) == (1, ""), ended
        (line,) = ended.stderr.splitlines()
        assert sentence in line
    (forgetting,) = osscl_each(
        [("enroll", here, "--forget", "0" * 16, "--limits", "-o", tmp_path / "x.onnx")]
    )
    assert forgetting.stderr.startswith("error: --limits lays changes into normal recordings; name a folder")
