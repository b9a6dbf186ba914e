"""``osscl synth``: what it writes, prints and refuses."""

import json
import signal
from pathlib import Path

import soundfile

from support.console import osscl, osscl_each, started_osscl
from support.waiting import wait_until


def test_a_gate_set_is_written_and_summed_up(tmp_path: Path) -> None:
    arguments = ("--machines", 2, "--train", 2, "--normal", 3, "--anomalous", 3, "--seed", 7)
    result = osscl("synth", tmp_path / "gate", *arguments, "--json")
    assert result.returncode == 0, result.stderr
    summary = json.loads(result.stdout)
    assert summary["machines"] == ["blower/id_00", "waterpump/id_00"]
    assert summary["counts"] == {"train": 2, "normal": 3, "anomalous": 3}
    assert sum(summary["faults"].values()) == 3
    assert len(list((tmp_path / "gate").rglob("*.wav"))) == 8
    assert json.loads((tmp_path / "gate" / "synth.json").read_text())["seed"] == summary["seed"] == 7
    shown = osscl("synth", tmp_path / "gate", *arguments, "--overwrite")
    assert shown.returncode == 0
    assert "3 normal and 3 anomalous clips" in shown.stdout


def test_ids_and_faults_are_chosen_and_a_hard_set_says_so(tmp_path: Path) -> None:
    events, hard = osscl_each(
        [
            (
                "synth",
                tmp_path / "events",
                "--ids",
                "30,98-99",
                "--faults",
                "event",
                "--anomalous",
                3,
                "--json",
            ),
            ("synth", tmp_path / "hard", "--hard", "--machines", 1, "--normal", 2, "--anomalous", 9),
        ],
        cwd=tmp_path,
    )
    summary = json.loads(events.stdout)
    assert summary["machines"][::4] == ["blower/id_30", "blower/id_98", "blower/id_99"]
    assert summary["faults"] == {"event": 3}
    assert not summary["hard"]
    for row in json.loads((tmp_path / "events" / "synth.json").read_text())["clips"]:
        assert len(row["time_s"]) == len(row["band_hz"]) == 2
        assert row["mode"] is None
    assert "fainter faults, more noise, modes low and high" in hard.stdout
    record = json.loads((tmp_path / "hard" / "synth.json").read_text())
    assert record["hard"]
    assert [row["mode"] for row in record["clips"][:2]] == ["low", "high"]
    faults = {row["fault"]: row for row in record["clips"]}
    assert faults["missing_beat"]["time_s"][0] > 0.0
    assert (
        faults["missing_beat"]["rate_hz"] == faults["event"]["rate_hz"] or faults["missing_beat"]["rate_hz"]
    )


def test_what_cannot_be_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused: dict[tuple[object, ...], str] = {
        (tmp_path / "new",): "no clip is asked for",
        (tmp_path / "new", "--normal", "-1"): "normal is -1",
        (tmp_path / "new", "--normal", "1", "--machines", "0"): "machines is 0",
        (tmp_path / "new", "--normal", "1", "--machines", "3", "--ids", "30"): "are both given",
        (tmp_path / "new", "--normal", "1", "--ids", "32-30"): "--ids is '32-30'; expected numbers",
        (tmp_path / "new", "--normal", "1", "--ids", "all"): "such as 30-32 or 20,25",
        (tmp_path / "new", "--normal", "1", "--ids", "98-100"): "from 0 to 99",
        (tmp_path / "new", "--normal", "1", "--ids", "7,5-9"): "ids has 7 twice",
        (tmp_path / "new", "--anomalous", "1", "--faults", "event,rust"): "--faults have 'rust'",
        (tmp_path / "new", "--anomalous", "1", "--faults", "missing_beat"): "make the set --hard",
        (tmp_path / "file", "--normal", "1"): "is a file",
        (tmp_path, "--normal", "1"): "is not empty",
    }
    results = osscl_each([("synth", *arguments) for arguments in refused])
    for sentence, result in zip(refused.values(), results, strict=True):
        assert result.returncode == (1 if sentence in ("is a file", "is not empty") else 2)
        assert result.stdout == ""
        assert result.stderr.startswith("error: ")
        assert sentence in result.stderr
    assert osscl("synth", tmp_path / "new", "--normal", "many").returncode == 2
    assert not (tmp_path / "new").exists()


def test_ctrl_c_leaves_whole_files(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    with started_osscl("synth", folder, "--train", "5000") as process:
        wait_until(lambda: len(list(folder.rglob("*.wav"))) >= 3, process)
        process.send_signal(signal.SIGINT)
        _, messages = process.communicate(timeout=300)
    assert process.returncode == 130
    assert "interrupted after" in messages
    left = [path for path in folder.rglob("*") if path.is_file()]
    assert len(left) >= 3
    for path in left:
        assert path.suffix == ".wav"
        assert soundfile.info(path).frames == 160_000
