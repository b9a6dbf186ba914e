"""``osscl score`` as its users run it: good folders, broken files, broken models, Ctrl-C."""

import csv
import hashlib
import json
import os
import signal
from pathlib import Path

import numpy as np
import onnx
import pytest
import soundfile

from osscl.errors import JournalError
from osscl.journal.contents import reading
from osscl.model_file.bundle import read_bundle
from osscl.model_file.golden import golden_clips
from osscl.model_file.manifest_json import encode_manifest
from osscl.scoring.record import COLUMNS
from support.console import osscl, osscl_each, started_osscl
from support.waiting import wait_until

CLIPS = golden_clips(2)


def write_wav(path: Path, samples: np.ndarray = CLIPS[0], rate_hz: int = 16_000, **options: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate_hz, **options)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two types of machine, WAV and FLAC, at several depths."""
    root = tmp_path / "sound"
    write_wav(root / "fan" / "test" / "normal_id_00_00000000.wav")
    write_wav(root / "fan" / "test" / "anomaly_id_02_00000001.WAV", CLIPS[1])
    write_wav(root / "fan" / "id_04" / "x.flac", CLIPS[1])
    write_wav(root / "valve" / "test" / "normal_id_06_00000003.wav")
    (root / "fan" / "notes.txt").write_text("not sound")
    return root


def n_files_in(journal: Path) -> int:
    """Files that are kept in the journal of a run, which may be only coming into being."""
    try:
        with reading(journal) as contents:
            return sum(contents.counts().values())
    except JournalError:
        return 0


def rows(table: Path | str) -> list[dict[str, str]]:
    text = table.read_text(encoding="utf-8") if isinstance(table, Path) else table
    return list(csv.DictReader(text.splitlines()))


def test_a_sound_is_scored_alike_in_each_container(model_file: Path, tmp_path: Path) -> None:
    for ending in ("flac", "rf64", "w64", "wav"):
        write_wav(tmp_path / "sound" / "fan" / "test" / f"normal_id_00_0.{ending}")
    result = osscl("score", model_file, tmp_path / "sound")
    assert result.returncode == 0, result.stderr
    table = rows(result.stdout)
    assert [Path(row.pop("path")).suffix for row in table] == [".flac", ".rf64", ".w64", ".wav"]
    assert table == [table[0]] * 4
    assert table[0]["status"] == "ok"


def test_a_folder_becomes_a_table(model_file: Path, folder: Path, tmp_path: Path) -> None:
    result = osscl("score", model_file, folder, "--output", tmp_path / "scores.csv")
    assert result.returncode == 0, result.stderr
    assert result.stdout == ""
    assert "4 files: 4 ok" in result.stderr
    table = rows(tmp_path / "scores.csv")
    assert list(table[0]) == list(COLUMNS)
    assert [(row["machine"], row["status"], row["duration_s"]) for row in table] == [
        ("fan/id_04", "ok", "10.0"),
        ("fan/id_02", "ok", "10.0"),
        ("fan/id_00", "ok", "10.0"),
        ("valve/id_06", "ok", "10.0"),
    ]
    for row in table:
        assert row["score"] == str(np.float32(row["score"]))  # shortest digits of a float32
        assert row["p_value"] == row["threshold"] == row["is_anomaly"] == row["reason"] == ""
    run = json.loads((tmp_path / "scores.csv.run.json").read_text())
    bundle = read_bundle(model_file)
    assert run["completed"] is True
    assert run["graph_sha256"] == bundle.graph_sha256
    assert run["model_sha256"] == bundle.file_sha256
    assert (run["backend"], run["device"], run["precision"]) == ("onnxruntime", "cpu", "fp32")
    assert run["counts"] == {"ok": 4}
    assert run["started"] < run["ended"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "scores.csv",
        "scores.csv.journal",
        "scores.csv.run.json",
        "sound",
    ]


def test_stdout_carries_results_only(model_file: Path, folder: Path, tmp_path: Path) -> None:
    """The record of the run is written where it is asked for, and stderr has a line alone."""
    record = tmp_path / "run.json"
    as_csv, as_json, both, again = osscl_each(
        [
            ("score", model_file, folder, "--run-record", record),
            ("score", model_file, folder, "--json"),
            ("score", model_file, folder, "--run-record", tmp_path / "other", "--output", tmp_path / "s.csv"),
            ("score", model_file, folder, "--run-record", record),
        ]
    )
    assert len(rows(as_csv.stdout)) == 4
    assert as_csv.stderr == as_json.stderr
    assert "4 files: 4 ok" in as_csv.stderr.splitlines()
    assert "{" not in as_csv.stderr
    run = json.loads(record.read_text())
    assert (run["completed"], run["counts"]) == (True, {"ok": 4})
    assert len([json.loads(line) for line in as_json.stdout.splitlines()]) == 4
    assert (both.returncode, again.returncode) == (2, 1)
    assert "the record of" in both.stderr
    assert "run.json exists" in again.stderr
    assert not (tmp_path / "s.csv").exists()


def test_machines_from_one_name_or_a_table(model_file: Path, folder: Path, tmp_path: Path) -> None:
    one = osscl("score", model_file, folder, "--machine", "pump/id_03")
    assert {row["machine"] for row in rows(one.stdout)} == {"pump/id_03"}
    labels = tmp_path / "labels.csv"
    labels.write_text("path,machine\nsound/fan/id_04/x.flac,slider/id_02\n")
    named = osscl("score", model_file, folder / "fan", "--labels", labels)
    assert named.returncode == 3
    assert [(row["machine"], row["status"]) for row in rows(named.stdout)] == [
        ("slider/id_02", "ok"),
        ("", "unknown_machine"),
        ("", "unknown_machine"),
    ]
    wrong = osscl("score", model_file, folder, "--machine", "pump/id_99")
    assert wrong.returncode == 1
    assert "pump/id_99 is not known to the model" in wrong.stderr


def corrupt_folder(root: Path) -> dict[str, tuple[str, str]]:
    """Write every bad file there is; name -> expected status and telling part of the reason."""
    good = write_wav(root / "fan" / "good_id_00.wav").read_bytes()
    fan = root / "fan"
    stereo = np.stack([CLIPS[0], CLIPS[1]], axis=1)
    noise = CLIPS[0] / np.float32(32768)
    (fan / "empty_id_00.wav").write_bytes(b"")
    (fan / "text_id_00.wav").write_text("this is no sound")
    (fan / "header_id_00.wav").write_bytes(good[:44])
    (fan / "cut_id_00.wav").write_bytes(good[:200_000])
    write_wav(fan / "rate8_id_00.wav", CLIPS[0], 8000)
    write_wav(fan / "rate44_id_00.wav", np.tile(CLIPS[0], 3), 44_100)
    write_wav(fan / "stereo_id_00.wav", stereo)
    write_wav(fan / "eight_id_00.wav", np.tile(stereo, 4), format="WAVEX")
    write_wav(fan / "short_id_00.wav", CLIPS[0][:80_000])
    write_wav(fan / "loud_id_00.wav", noise * 100, subtype="FLOAT")
    write_wav(fan / "nan_id_00.wav", np.where(np.arange(160_000) == 5, np.nan, noise), subtype="FLOAT")
    write_wav(fan / "inf_id_00.wav", np.where(np.arange(160_000) == 5, np.inf, noise), subtype="FLOAT")
    write_wav(fan / "silent_id_00.wav", np.zeros(160_000, np.int16))
    write_wav(fan / "constant_id_00.wav", np.full(160_000, 37, np.int16))
    write_wav(fan / "toggling_id_00.flac", (-1 - np.arange(160_000) % 3 % 2).astype(np.int16))
    write_wav(fan / "u8_id_00.wav", noise, subtype="PCM_U8")
    write_wav(fan / "i24_id_00.wav", noise, subtype="PCM_24")
    write_wav(fan / "i32_id_00.wav", noise, subtype="PCM_32")
    write_wav(fan / "f32_id_00.wav", noise, subtype="FLOAT")
    write_wav(fan / "stranger_id_09.wav")
    (fan / "folder_id_00.wav").mkdir()
    (fan / "dangling_id_00.wav").symlink_to(root / "nowhere")
    Path(os.fsdecode(os.fsencode(fan) + b"/caf\xe9_id_00.wav")).write_bytes(good)
    write_wav(root / "=cmd" / "x.wav")
    return {
        "good": ("ok", ""),
        "empty": ("corrupt", "the file is empty"),
        "text": ("corrupt", "no audio file"),
        "header": ("corrupt", ""),
        "cut": ("corrupt", "are present: the file is cut short"),
        "rate8": ("unfit", "sample rate is 8000 Hz, expected 16000 Hz; resample=True (--resample)"),
        "rate44": ("unfit", "sample rate is 44100 Hz"),
        "stereo": ("unfit", "2 channels, expected 1"),
        "eight": ("unfit", "8 channels, expected 1"),
        "short": ("unfit", "it lasts 5 s, expected at least 10 s"),
        "loud": ("corrupt", "reach a magnitude of"),
        "nan": ("corrupt", "NaN or infinity"),
        "inf": ("corrupt", "NaN or infinity"),
        "silent": ("silent", "all samples are zero: a dead microphone or channel?"),
        "constant": ("silent", "all samples are 37: a dead microphone or channel?"),
        "toggling": ("silent", "all samples are -2 or -1: a dead microphone or channel?"),
        "u8": ("ok", ""),
        "i24": ("ok", ""),
        "i32": ("ok", ""),
        "f32": ("ok", ""),
        "stranger": ("unknown_machine", "machine fan/id_09 is not known"),
        "dangling": ("unreadable", f"it is a link to {root}/nowhere, and nothing is there; fetch what it"),
        "caf\\xe9": ("ok", ""),
    }


def test_every_bad_file_has_its_line_and_the_rest_is_scored(model_file: Path, tmp_path: Path) -> None:
    expected = corrupt_folder(tmp_path / "sound")
    result = osscl("score", model_file, tmp_path / "sound", "-o", tmp_path / "s.csv")
    assert result.returncode == 3, result.stderr
    table = rows(tmp_path / "s.csv")
    assert len(table) == len(expected) + 1
    found = {Path(row["path"]).name.partition("_id_")[0]: row for row in table}
    for name, (status, reason) in expected.items():
        row = found[name]
        assert row["status"] == status, row
        assert reason in row["reason"], row
        assert (row["score"] != "") == (status in ("ok", "silent")), row
    assert found["f32"]["score"] == found["good"]["score"] == found["i32"]["score"]
    assert found["rate8"]["sample_rate_hz"] == "8000"
    assert found["short"]["duration_s"] == "5.0"
    counts = json.loads((tmp_path / "s.csv.run.json").read_text())["counts"]
    assert sum(counts.values()) == len(table)


def test_options_make_recordings_fit(model_file: Path, tmp_path: Path) -> None:
    corrupt_folder(tmp_path / "sound")
    options = ["--resample", "--channel", "mean", "--pad", "repeat", "--machine", "fan/id_00"]
    result = osscl("score", model_file, tmp_path / "sound", *options)
    statuses = {Path(row["path"]).name.partition("_id_")[0]: row["status"] for row in rows(result.stdout)}
    for name in ("rate8", "rate44", "stereo", "eight", "short", "stranger", "x.wav"):
        assert statuses[name] == "ok", name


def test_a_path_that_looks_like_a_formula_is_disarmed(model_file: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "=fan" / "x.wav")
    result = osscl("score", model_file, "=fan", "--machine", "fan/id_00", cwd=tmp_path)
    assert rows(result.stdout)[0]["path"] == "'=fan/x.wav"


def test_an_output_that_cannot_be_written_fails_before_scoring(
    model_file: Path, folder: Path, tmp_path: Path
) -> None:
    # nor is the model so much as read, which is none
    no_model = tmp_path / "model.onnx"
    no_model.write_text("hello")
    for output, code, message in (
        (tmp_path / "nowhere" / "s.csv", 1, "cannot be written: there is no folder"),
        (tmp_path / "s.txt", 2, "no table format ends in '.txt'; choose one of: .csv, .jsonl, .parquet"),
    ):
        for model in (model_file, no_model):
            result = osscl("score", model, folder, "-o", output)
            assert result.returncode == code
            assert message in result.stderr
            assert len(result.stderr.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "sound"]


def test_results_of_earlier_runs_are_not_lost(model_file: Path, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    for path, message in (
        (output, "exists; name another file, or use --overwrite"),
        (tmp_path / "s.csv.journal", "is no journal of osscl (no SQLite file); name another output"),
    ):
        path.write_text("precious")
        result = osscl("score", model_file, folder, "-o", output)
        assert result.returncode == 1
        assert message in result.stderr
        assert path.read_text() == "precious"
        path.unlink()
    output.write_text("old")
    assert osscl("score", model_file, folder, "-o", output, "--overwrite").returncode == 0
    assert len(rows(output)) == 4


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("n_times", [2, 3, 5])
def test_ctrl_c_again_and_again_aborts_nothing(
    model_file: Path, tmp_path: Path, backend: str, n_times: int
) -> None:
    pytest.importorskip(backend)
    first = write_wav(tmp_path / "sound" / "fan" / "c_id_00_0000.wav")
    for number in range(1, 1000):
        os.link(first, first.with_name(f"c_id_00_{number:04}.wav"))
    journal = tmp_path / "s.csv.journal"
    asked = ["--backend", backend, "--device", "cpu", "--threads", "4", "--batch-size", "8"]
    with started_osscl("score", model_file, tmp_path / "sound", "-o", tmp_path / "s.csv", *asked) as process:
        wait_until(lambda: n_files_in(journal) > 10, process)
        for _ in range(n_times):
            process.send_signal(signal.SIGINT)
            os.sched_yield()
        _, stderr = process.communicate(timeout=300)
    assert process.returncode in (1, 130, -signal.SIGINT)  # asked, or at once
    assert "terminate called" not in stderr
    assert n_files_in(journal) > 10


@pytest.mark.parametrize("output", ["s.csv", "s.parquet", None])
def test_an_empty_search_is_no_success(model_file: Path, tmp_path: Path, output: str | None) -> None:
    for name in ("a.mp3", "b.mp3", "fan/c.wave", "fan/._d.wav"):
        (tmp_path / "sound" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sound" / name).write_bytes(b"something")
    options = () if output is None else ("-o", output)
    result = osscl("score", model_file, "sound", *options, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        "error: no .wav, .flac, .w64 or .rf64 below sound: it holds 2 .mp3, 1 .wave, 1 file named "
        "._* (companions that "
        "macOS writes); convert them to WAV or FLAC, and name a folder that holds those\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["sound"]


def test_links_are_scored_by_their_own_names_and_each_folder_once(model_file: Path, tmp_path: Path) -> None:
    root = tmp_path / "sound"
    blob = write_wav(tmp_path / "blobs" / "0a1b.wav")
    for name in ("snapshots/1/fan/test/normal_id_00_x.wav", "snapshots/2/fan/test/normal_id_00_x.wav"):
        (root / name).parent.mkdir(parents=True)
        (root / name).symlink_to(blob)
    (root / "snapshots" / "1" / "fan" / "other").symlink_to(root / "snapshots" / "2")
    (root / "snapshots" / "2" / "fan" / "other").symlink_to(root / "snapshots" / "1")
    (root / "valve").mkdir()
    (root / "valve" / "id_06").symlink_to(tmp_path / "blobs")
    result = osscl("score", model_file, root)
    assert result.returncode == 0, result.stderr
    assert [(os.path.relpath(row["path"], root), row["machine"]) for row in rows(result.stdout)] == [
        ("snapshots/1/fan/test/normal_id_00_x.wav", "fan/id_00"),
        ("snapshots/2/fan/test/normal_id_00_x.wav", "fan/id_00"),
        ("valve/id_06/0a1b.wav", "valve/id_06"),
    ]


def test_companions_of_macos_beside_good_files_are_said_once(model_file: Path, folder: Path) -> None:
    companions = []
    for path in list(folder.rglob("*id_0*.*")):
        companions.append(path.with_name(f"._{path.name}"))
        companions[-1].write_bytes(b"\0\5\26\7\0\2\0\0Mac OS X        ")
    result = osscl("score", model_file, folder)
    assert result.returncode == 0, result.stderr
    assert len(rows(result.stdout)) == 4
    assert result.stderr.endswith(
        f"4 files: 4 ok\n{len(companions)} files named ._* passed over: companions that macOS writes\n"
    )
    named = osscl("score", model_file, companions[0])
    assert named.returncode == 3
    assert [row["status"] for row in rows(named.stdout)] == ["corrupt"]


def test_a_root_that_is_a_link_to_nothing_is_told_for_what_it_is(model_file: Path, tmp_path: Path) -> None:
    (tmp_path / "sound").symlink_to("/nowhere/sound")
    result = osscl("score", model_file, "sound", cwd=tmp_path)
    assert result.returncode == 2
    said = " ".join(result.stderr.replace("│", " ").split())
    assert "there is no folder sound: it is a link to /nowhere/sound, and nothing is there" in said


def test_labels_meet_files_that_another_system_spells_otherwise(model_file: Path, tmp_path: Path) -> None:
    write_wav(tmp_path / "sound" / "L\u00fcfter" / "x.wav")
    write_wav(tmp_path / "sound" / "Lu\u0308fter 2" / "x.wav")
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "path,machine\nsound\\Lu\u0308fter\\x.wav,fan/id_00\nsound/L\u00fcfter 2/x.wav,fan/id_02\n", "utf-8"
    )
    result = osscl("score", model_file, tmp_path / "sound", "--labels", labels)
    assert result.returncode == 0, result.stdout
    assert sorted(row["machine"] for row in rows(result.stdout)) == ["fan/id_00", "fan/id_02"]


def test_ctrl_c_keeps_what_is_scored(model_file: Path, tmp_path: Path) -> None:
    first = write_wav(tmp_path / "sound" / "fan" / "c_id_00_0000.wav")
    for number in range(1, 3000):
        os.link(first, first.with_name(f"c_id_00_{number:04}.wav"))
    output = tmp_path / "s.csv"
    journal = tmp_path / "s.csv.journal"
    with started_osscl("score", model_file, tmp_path / "sound", "-o", output) as process:
        wait_until(lambda: n_files_in(journal) > 10, process)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=300)
    assert process.returncode == 130
    n_kept = n_files_in(journal)
    assert 10 < n_kept < 3000
    assert stderr == (
        f"interrupted after {n_kept:,} files, which are kept in {journal}: the same command (without "
        f"--overwrite) goes on; osscl journal {journal} --output {output} makes a table of them\n"
    )
    assert not output.exists()
    run = json.loads((tmp_path / "s.csv.run.json").read_text())
    assert (run["completed"], run["n_files"]) == (False, n_kept)
    so_far = osscl("journal", journal, "--output", tmp_path / "so_far.csv")
    assert so_far.returncode == 0, so_far.stderr
    kept = rows(tmp_path / "so_far.csv")
    assert len(kept) == n_kept
    assert all(row["score"] for row in kept)


def tampered(model_file: Path, kind: str) -> bytes:
    """A model file that must be refused."""
    content = model_file.read_bytes()
    bundle = read_bundle(model_file)
    if kind == "not ONNX":
        return b"hello"
    model = onnx.load_from_string(content)
    if kind == "no manifest":
        model.ClearField("metadata_props")
    elif kind == "graph":
        weight = model.graph.initializer[0]
        weight.raw_data = bytes([weight.raw_data[0] ^ 1]) + weight.raw_data[1:]
    else:
        document = encode_manifest(bundle.manifest)
        if kind == "newer":
            document = document.replace(b'"schema_version":6', b'"schema_version":7', 1)
        else:
            document = document.replace(b'"hop_length":512', b'"hop_length":256', 1)
        values = {
            "osscl.manifest": document.decode(),
            "osscl.manifest_sha256": hashlib.sha256(document).hexdigest(),
        }
        for entry in model.metadata_props:
            entry.value = values[entry.key]
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("not ONNX", "not an ONNX file"),
        ("no manifest", "an ONNX file without an osscl manifest; export it with osscl-export"),
        ("graph", "graph hash differs"),
        ("newer", "made by a newer osscl (schema 7, this one reads 6): update osscl"),
        ("front end", "front-end hash differs"),
    ],
)
def test_unusable_models_are_refused_before_anything_is_written(
    model_file: Path, folder: Path, tmp_path: Path, kind: str, message: str
) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(tampered(model_file, kind))
    result = osscl("score", bad, folder, "-o", tmp_path / "s.csv")
    assert result.returncode == 1
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("s.csv*"))


def test_wrong_usage_exits_with_2(model_file: Path, folder: Path) -> None:
    assert osscl("score").returncode == 2
    assert osscl("score", model_file, folder / "nowhere").returncode == 2
    assert osscl("score", model_file, folder, "--machine", "a", "--labels", "b").returncode == 2


def test_a_device_that_is_not_there_fails(model_file: Path, folder: Path) -> None:
    result = osscl("score", model_file, folder, "--device", "cuda")
    assert result.returncode == 1
    assert "device 'cuda' was asked for" in result.stderr
