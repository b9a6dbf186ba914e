"""URLs on the command line, with the files of this machine behind them (``file://``)."""

import json
import shutil
from pathlib import Path

import pytest
import soundfile

from osscl.model_file.golden import golden_clips
from support.forked_console import Call, Ended, run_all


@pytest.fixture
def root(tmp_path: Path) -> str:
    """URL of three recordings of a machine of the demonstration model."""
    folder = tmp_path / "recordings" / "blower"
    folder.mkdir(parents=True)
    for number, clip in enumerate(golden_clips(3)):
        soundfile.write(folder / f"normal_id_00_{number}.wav", clip, 16_000)
    return f"file://{tmp_path}/recordings"


def run(tmp_path: Path, *commands: str) -> list[Ended]:
    return run_all([Call(command.split(), str(tmp_path)) for command in commands])


def test_a_run_over_urls_has_a_journal_and_resumes(tmp_path: Path, root: str) -> None:
    first, again = run(tmp_path, f"score demo {root} -o t.csv", f"score demo {root} -o t.csv")
    assert (first.code, again.code) == (0, 0), first.stderr
    assert "nothing to do: 3 files: 3 ok stand in t.csv" in again.stderr
    clip = golden_clips(4)[3]
    soundfile.write(tmp_path / "recordings" / "blower" / "normal_id_00_1.wav", clip, 16_000)
    [changed] = run(tmp_path, f"score demo {root} -o t.csv")
    assert changed.code == 0
    assert "2 files done before, 1 scored again; 3 files: 3 ok -> t.csv" in changed.stderr
    lines = (tmp_path / "t.csv").read_text().splitlines()
    assert [line.partition(",")[0] for line in lines[1:]] == [
        f"{root}/blower/normal_id_00_{number}.wav" for number in range(3)
    ]


def test_a_table_at_a_url_has_its_record_beside_it(tmp_path: Path, root: str) -> None:
    output = f"file://{tmp_path}/t.jsonl"
    local, first, taken, replaced = run(
        tmp_path,
        f"score demo {root} --json",
        f"score demo {root} -o {output}",
        f"score demo {root} -o {output}",
        f"score demo {root} -o {output} --overwrite",
    )
    assert (first.code, taken.code, replaced.code) == (0, 1, 0), first.stderr
    assert (tmp_path / "t.jsonl").read_text() == local.stdout
    assert first.stderr == f"3 files: 3 ok -> {output}\n"
    assert taken.stderr == f"error: {output} exists; name another object, or use --overwrite\n"
    record = json.loads((tmp_path / "t.jsonl.run.json").read_text())
    assert record["completed"] is True
    assert record["options"]["paths"] == [root]
    assert not list(tmp_path.glob("*.journal"))


def test_a_table_of_labels_names_urls(tmp_path: Path, root: str) -> None:
    rows = "".join(f"{root}/blower/normal_id_00_{number}.wav,blower/id_01\n" for number in range(3))
    (tmp_path / "labels.csv").write_text("path,machine\n" + rows)
    [ended] = run(tmp_path, f"score demo {root} --labels labels.csv --json")
    assert ended.code == 0, ended.stderr
    assert [json.loads(line)["machine"] for line in ended.stdout.splitlines()] == ["blower/id_01"] * 3


def test_a_model_is_read_from_its_url(tmp_path: Path, root: str) -> None:
    import osscl

    shutil.copy(Path(osscl.__file__).parent / "models" / "demo.onnx", tmp_path / "m.onnx")
    url = f"file://{tmp_path}/m.onnx"
    by_url, by_name, inspected, missing, empty = run(
        tmp_path,
        f"score {url} {root}",
        f"score demo {root}",
        f"inspect {url}",
        f"inspect file://{tmp_path}/none.onnx",
        f"score file://{tmp_path}/recordings {root}",
    )
    assert by_url.code == 0, by_url.stderr
    assert by_url.stdout == by_name.stdout
    kept, exported = run(tmp_path, f"score {url} {root} -o t.csv", "journal t.csv.journal -o again.csv")
    assert (kept.code, exported.code) == (0, 0), exported.stderr
    assert (tmp_path / "again.csv").read_text() == by_url.stdout
    assert url in inspected.stdout
    assert missing.stderr.startswith(f"error: file://{tmp_path}/none.onnx: there is nothing at this place")
    assert empty.stderr.startswith(f"error: file://{tmp_path}/recordings: a folder; expected a model file")


@pytest.mark.parametrize(
    ("command", "code", "sentence"),
    [
        ("score demo s4://b", 1, "s4://b cannot be listed: no scheme s4:// is known; expected one of"),
        (
            "score demo oss://b",
            1,
            "oss:// needs the package ossfs, which is not installed: pip install ossfs",
        ),
        ("score oss://b/m.onnx ROOT", 1, "oss:// needs the package ossfs"),
        ("score demo ROOT -o oss://b/t.csv", 1, "oss:// needs the package ossfs"),
        ("score demo ROOT -o s4://b/t.csv", 1, "s4://b/t.csv cannot be written: no scheme s4:// is known"),
        ("score demo ROOT -o file:///t.txt", 2, "file:///t.txt: no table format ends in '.txt'"),
        ("score demo ROOT/none", 1, "no .wav, .flac, .w64 or .rf64 below file://"),
        ("score demo s3://k:hush@b", 2, "s3://b was given with a password in it"),
        ("score s3://k:hush@b/m.onnx ROOT", 2, "s3://b/m.onnx was given with a password in it"),
        ("score demo ROOT -o s3://k:hush@b/t.csv", 2, "s3://b/t.csv was given with a password in it"),
        (
            "score demo ROOT --retry-failed -o file:///t.csv",
            2,
            "--retry-failed needs --output, on this machine",
        ),
        ("score demo ROOT --hop 10 --raven x -o file:///t.csv", 2, "--raven need --output, on this machine"),
        ("evaluate s3://b/t.csv", 2, "s3://b/t.csv is a URL, and a path on this machine is needed here"),
        ("watch demo ROOT -o t.csv", 2, "is a URL, and a path on this machine is needed here: copy it"),
        ("watch demo recordings -o s3://b/t.csv", 2, "s3://b/t.csv is a URL, and a path on this machine"),
        ("journal s3://b/t.csv.journal", 2, "s3://b/t.csv.journal is a URL, and a path on this machine"),
        ("decide --model=demo s3://b/t.csv", 2, "s3://b/t.csv is a URL, and a path on this machine"),
        ("decide t.csv --model=s3://k:hush@b/m", 2, "s3://... is a URL, and a path on this machine"),
        ("train ROOT -o new", 2, "is a URL, and a path on this machine is needed here"),
    ],
)
def test_what_no_url_can_do_is_one_sentence(
    tmp_path: Path, root: str, command: str, code: int, sentence: str
) -> None:
    [ended] = run(tmp_path, command.replace("ROOT", root))
    assert ended.code == code
    assert sentence in ended.stderr
    assert ended.stderr.startswith("error: ")
    assert len(ended.stderr.splitlines()) == 1
    assert "hush" not in ended.stderr
    assert ended.stdout == ""


def test_recordings_are_enrolled_embedded_and_explained_from_a_url(tmp_path: Path, root: str) -> None:
    enrolled, embedded = run(tmp_path, f"enroll {root} -o new.onnx", f"embed {root} -o new.npz")
    assert enrolled.code == 0, enrolled.stderr
    assert embedded.code == 0, embedded.stderr
    [explained] = run(tmp_path, f"explain new.onnx {root}/blower/normal_id_00_0.wav")
    assert explained.code == 0, explained.stderr
