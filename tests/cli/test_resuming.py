"""``osscl score`` again and again: it goes on, scores what is new, and loses and replaces nothing."""

import csv
import json
import os
import re
import resource
import shutil
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

import osscl as osscl_package
from osscl.audio.candidate import Candidate
from osscl.detector import Detector
from osscl.journal.contents import reading
from osscl.journal.journal import Journal
from osscl.model_file.decisions import Rule
from osscl.runs.exporting import Wanted
from osscl.runs.folder import find_recordings
from osscl.runs.journaled import JournaledRun
from support.console import osscl, osscl_each, started_osscl
from support.forked_console import Call, run_all
from support.remembering import (
    calibration,
    faulty_clips,
    network_scores,
    normal_clips,
    stored_memory,
    write_clips,
    write_model,
)
from support.waiting import wait_until

N = 24


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three rules, one calibrated otherwise, one of another memory, and a folder to score."""
    root = tmp_path_factory.mktemp("resuming")
    plain = write_model(root / "plain.onnx")
    fan, press = (
        stored_memory("fan/id_00", normal_clips(1, N)),
        stored_memory("press/id_09", normal_clips(2, N)),
    )
    of_fan = network_scores(plain, "fan/id_00", normal_clips(3, N))
    calibrations = [
        calibration("fan/id_00", "network", of_fan),
        calibration("fan/id_00", "both", np.linspace(-2, 2, N), of_fan),
    ]
    rules: dict[str, Rule] = {"fan/id_00": "memory", "press/id_09": "memory"}
    write_model(root / "model.onnx", [fan, press], calibrations, rules)
    write_model(root / "calibrated.onnx", [fan, press], calibrations[1:], rules)
    other = stored_memory("press/id_09", normal_clips(7, N))
    write_model(root / "enrolled.onnx", [fan, other], calibrations, rules)
    sound = root / "sound"
    for machine in ("fan/test", "press/test"):
        of = "id_00" if machine == "fan/test" else "id_09"
        write_clips(sound / machine, f"normal_{of}_", normal_clips(4, 3))
        write_clips(sound / machine, f"anomaly_{of}_", faulty_clips(5, 2))
    write_clips(sound / "fan" / "test", "normal_id_00_7", np.zeros((1, 160_000), np.int16))
    write_clips(sound / "fan" / "test", "normal_id_00_8", normal_clips(4, 1)[:, :80_000])
    (sound / "fan" / "test" / "normal_id_00_9.wav").write_bytes(b"no sound")
    return root


@pytest.fixture
def sound(home: Path, tmp_path: Path) -> Path:
    """A copy of the folder, to be changed."""
    shutil.copytree(home / "sound", tmp_path / "sound")
    return tmp_path / "sound"


def at(path: Path) -> tuple[bytes, int]:
    return path.read_bytes(), path.stat().st_mtime_ns


def record_beside(output: Path) -> dict[str, object]:
    found = json.loads(output.with_name(output.name + ".run.json").read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("options", [(), ("--pad", "repeat"), ("--false-alarm-rate", "0.2")])
def test_a_table_of_a_journal_decides_to_the_last_bit_as_scoring_itself(
    home: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    for rule in ("network", "memory", "both", None):
        how = () if rule is None else ("--rule", rule)
        score = ("score", home / "model.onnx", home / "sound", *how, *options)
        direct, kept = osscl_each([score, (*score, "-o", tmp_path / f"{rule}.csv")])
        assert direct.returncode == kept.returncode == 3, kept.stderr
        table = (tmp_path / f"{rule}.csv").read_text(encoding="utf-8")
        assert table == direct.stdout, rule
        assert "silent" in table
        assert ",true," in table
        assert (
            kept.stderr.splitlines()[1:] == direct.stderr.splitlines()[-len(kept.stderr.splitlines()) + 1 :]
        )


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_over_a_finished_run_there_is_nothing_to_do(home: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"s{suffix}"
    score = ("score", home / "model.onnx", home / "sound", "-o", output)
    first = osscl_each([(*score, "--fail-on-anomaly")])[0]
    assert first.returncode == 4, first.stderr
    before, run = at(output), at(output.with_name(output.name + ".run.json"))
    again, flagged, retried = osscl_each([score, (*score, "--fail-on-anomaly"), (*score, "--retry-failed")])
    assert (again.returncode, flagged.returncode) == (3, 4)
    said = (
        f"nothing to do: 13 files: 1 corrupt, 10 ok, 1 silent, 1 unfit stand in {output}, and nothing is new"
    )
    for each in (again, flagged):
        assert each.stderr.startswith(said)
        assert each.stderr.splitlines()[1:] == first.stderr.splitlines()[1:]
    assert retried.returncode == 3
    assert retried.stderr.startswith("11 files done before, 2 scored again; 13 files: ")
    if suffix != ".parquet":  # which holds the times of the run
        assert at(output)[0] == before[0]
    assert at(output)[1] != before[1]
    assert at(output.with_name(output.name + ".run.json")) != run
    found = record_beside(output)
    assert (found["completed"], found["n_files"], found["sessions"]) == (True, 13, 4)


def test_nothing_is_touched_where_there_is_nothing_to_do(home: Path, tmp_path: Path) -> None:
    score = ("score", home / "model.onnx", home / "sound" / "press", "-o", tmp_path / "s.csv")
    osscl_each([score])
    before = {name: at(tmp_path / name) for name in ("s.csv", "s.csv.run.json")}
    (again,) = osscl_each([score])
    assert again.returncode == 0
    assert {name: at(tmp_path / name) for name in before} == before


def test_new_and_changed_files_are_scored_and_those_that_are_gone_keep_their_lines(
    home: Path, sound: Path, tmp_path: Path
) -> None:
    output = tmp_path / "s.csv"
    press = sound / "press" / "test"
    gone, changed, *_ = sorted(press.iterdir())
    score = ("score", home / "model.onnx", sound, "-o", output)
    osscl_each([score])
    before = output.read_text().splitlines()
    gone.unlink()
    shutil.copy(home / "sound" / "press" / "test" / sorted(press.iterdir())[-1].name, changed)
    write_clips(press, "m_id_09_", faulty_clips(6, 1))
    (done,) = osscl_each([score])
    assert done.stderr.startswith("11 files done before, 1 scored again, 1 new, 1 gone; 14 files: "), (
        done.stderr
    )
    assert done.stderr.splitlines()[1] == "1 of them is gone from the folder; its line stays"
    after = output.read_text().splitlines()
    new = [line for line in after if "/m_id_09_" in line]
    assert len(new) == 1
    kept = [line for line in after if line not in new]
    differing = [(one, other) for one, other in zip(before, kept, strict=True) if one != other]
    assert len(differing) == 1
    assert changed.name in differing[0][1]
    assert [line.split(",")[0] for line in after[1:]] == sorted(line.split(",")[0] for line in after[1:])
    fresh = tmp_path / "fresh.csv"
    osscl_each([("score", home / "model.onnx", sound, "-o", fresh)])
    assert fresh.read_text().splitlines() == [line for line in after if gone.name not in line]


def test_what_only_decides_makes_the_table_anew_and_scores_nothing(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    score = ("score", home / "model.onnx", home / "sound", "-o", output)
    osscl_each([score])
    (tmp_path / "s.csv.run.json").unlink()
    for others in (
        ("--false-alarm-rate", "0.2"),
        ("--only", "anomalies"),
        ("--explain",),
        ("--explain", "--false-alarm-rate", "0.2"),
        (),
    ):
        fresh = tmp_path / "fresh.csv"
        wanted = ("score", home / "model.onnx", home / "sound", "-o", fresh, "--overwrite", *others)
        anew, expected = osscl_each([(*score, *others), wanted])
        assert anew.returncode == expected.returncode == 3, anew.stderr
        assert anew.stderr.startswith("nothing was scored again, the table alone is made anew: 13 files: ")
        assert output.read_text() == fresh.read_text(), others
        assert record_beside(output)["completed"] is True
    calibrated = ("score", home / "calibrated.onnx", home / "sound", "-o", output)
    (anew,) = osscl_each([calibrated])
    assert anew.stderr.startswith("nothing was scored again, the table alone is made anew: 13 files: ")
    assert record_beside(output)["model"] == str(home / "calibrated.onnx")


def test_a_record_that_was_removed_is_made_again_as_it_was(home: Path, tmp_path: Path) -> None:
    score = ("score", home / "model.onnx", home / "sound" / "press", "-o", tmp_path / "s.csv")
    osscl_each([score])
    before = record_beside(tmp_path / "s.csv")
    (tmp_path / "s.csv.run.json").unlink()
    (again,) = osscl_each([score])
    assert again.stderr.startswith("nothing to do: ")
    assert record_beside(tmp_path / "s.csv") == before


def test_over_an_emptied_folder_a_finished_run_has_nothing_to_do(
    home: Path, sound: Path, tmp_path: Path
) -> None:
    output = tmp_path / "s.csv"
    score = ("score", home / "model.onnx", sound, "-o", output)
    osscl_each([score])
    before = at(output)
    shutil.rmtree(sound)
    sound.mkdir()
    again, flagged, anew, elsewhere = osscl_each(
        [
            score,
            (*score, "--fail-on-anomaly"),
            (*score, "--overwrite"),
            (*score[:-1], tmp_path / "other.csv"),
        ]
    )
    assert (again.returncode, flagged.returncode) == (3, 4), again.stderr
    told = again.stderr.splitlines()
    assert told[0].startswith("no ")
    assert told[1].startswith("nothing to do: 13 files: ")
    assert told[2] == "13 of them are gone from the folder; their lines stay"
    assert anew.returncode == elsewhere.returncode == 1
    assert anew.stderr.startswith("error: no ")
    assert elsewhere.stderr == anew.stderr
    assert at(output) == before


def test_a_table_that_is_given_up_is_not_called_complete(home: Path, sound: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    score = ("score", home / "model.onnx", sound / "press", "-o", output)
    osscl_each([score])
    before = record_beside(output)
    with (
        Detector(home / "model.onnx") as detector,
        Journal.open(Path(f"{output}.journal"), {}, overwrite=True, given_up=output) as journal,
    ):  # as far as a run comes that is killed at its first file
        wanted = Wanted(model_sha256=detector.bundle.file_sha256)
        JournaledRun(detector, journal, output, wanted, {}, overwrite=True).note_overwriting()
    assert record_beside(output) == before | {"completed": False, "given_up": True}
    (anew,) = osscl_each([(*score, "--overwrite")])
    assert anew.returncode == 0, anew.stderr
    assert record_beside(output)["completed"] is True
    assert "given_up" not in record_beside(output)


def test_wrong_names_cost_nothing_where_nothing_was_scored(home: Path, tmp_path: Path) -> None:
    write_clips(tmp_path / "new", "fan-id_00-", normal_clips(6, 2))
    output = tmp_path / "s.csv"
    score = ("score", home / "model.onnx", tmp_path / "new", "-o", output)
    pattern = r"(?P<machine>xyz)"
    unknown, named, again = osscl_each(
        [(*score, "--machine-pattern", pattern), (*score, "--machine", "fan/id_00"), score], tmp_path
    )
    assert unknown.returncode == 3, unknown.stderr
    assert named.returncode == 0, named.stderr
    assert named.stderr.startswith(
        "nothing was scored by the run before, so this one begins anew: --machine "
    )
    assert len(re.findall(",fan/id_00,ok,", output.read_text())) == 2
    assert again.returncode == 1  # now there are scores
    assert "begin anew with --overwrite" in again.stderr


def test_other_options_models_and_files_are_refused_by_name(home: Path, sound: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    score = ("score", home / "model.onnx", sound, "-o", output)
    labels = tmp_path / "labels.csv"
    labels.write_text("path,machine\nx.wav,fan/id_00\n")
    osscl_each([score])
    before = at(output)
    journal = f"{output}.journal is of a run that would give other scores: "
    cases = [
        (
            (*score, "--pad", "repeat"),
            f"{journal}--pad was not given and is repeat; ask for the same again, name",
        ),
        ((*score, "--rule", "both"), f"{journal}the rule of "),
        ((*score, "--labels", labels), f"{journal}--labels was not given and is given; ask"),
        (
            (*score, "--start-time", "2026-11-03", "--every", "10"),
            f"{journal}--start-time was not given and is 2026",
        ),
        (
            ("score", home / "model.onnx", sound / "fan", "-o", output),
            f"{journal}folders was {sound} and is {sound}/fan; ask",
        ),
        (
            ("score", home / "enrolled.onnx", sound, "-o", output),
            f"{journal}the memory of press/id_09 is another one; ",
        ),
    ]
    for command, message in cases:
        (refused,) = osscl_each([command])
        assert refused.returncode == 1
        assert refused.stderr.startswith(f"error: {message}"), refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert at(output) == before
    output.write_text("precious")
    (refused,) = osscl_each([score])
    assert refused.stderr == (
        f"error: {output} exists and is not the table that was made of {output}.journal; move it away, "
        "and the same command makes the table anew; or name another file\n"
    )
    assert output.read_text() == "precious"
    output.rename(tmp_path / "precious.csv")
    (anew,) = osscl_each([score])
    assert anew.stderr.startswith("nothing was scored again, the table alone is made anew: 13 files: ")
    assert at(output)[0] == before[0]
    (anew,) = osscl_each([(*score, "--overwrite")])
    assert anew.returncode == 3
    assert at(output)[0] == before[0]


def test_a_table_that_got_its_name_right_before_a_crash_is_no_stranger(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    score = ("score", home / "model.onnx", home / "sound" / "press", "-o", output)
    osscl_each([score])
    connection = sqlite3.connect(f"{output}.journal")
    with connection:  # as between the rename and the note that it is there
        connection.execute("UPDATE exports SET is_current = 0")
        connection.execute("INSERT INTO about VALUES ('changed', '1')")
    connection.close()
    before = output.read_text()
    (again,) = osscl_each([score])
    assert again.returncode == 0, again.stderr
    assert again.stderr.startswith("nothing was scored again, the table alone is made anew")
    assert output.read_text() == before
    output.unlink()
    (again,) = osscl_each([score])
    assert again.returncode == 0, again.stderr
    assert output.read_text() == before


def test_times_count_from_the_first_file_whatever_is_left_out(
    home: Path, sound: Path, tmp_path: Path
) -> None:
    output = tmp_path / "s.csv"
    times = ("--start-time", "2026-11-03T06:00:00", "--every", "10")
    score = ("score", home / "model.onnx", sound, *times, "-o", output)
    osscl_each([score])
    before = output.read_text()
    sorted((sound / "press" / "test").iterdir())[1].touch()
    (again,) = osscl_each([score])
    assert again.stderr.startswith("12 files done before, 1 scored again; ")
    assert output.read_text() == before
    write_clips(sound / "fan" / "test", "a_id_00_", normal_clips(4, 1))
    (refused,) = osscl_each([score])
    assert refused.returncode == 1
    assert "is file 1 of the walk and was another one when" in refused.stderr
    assert output.read_text() == before


def big_folder(home: Path, folder: Path, n_files: int) -> Path:
    """Links to one recording, so many."""
    first = sorted((home / "sound" / "press" / "test").iterdir())[0]
    folder.mkdir()
    for number in range(n_files):
        os.link(first, folder / f"c_id_09_{number:05}.wav")
    return folder


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_ended_run_is_gone_on_with_by_the_same_command(
    home: Path, tmp_path: Path, number: signal.Signals
) -> None:
    folder = big_folder(home, tmp_path / "sound", 1500)
    output = tmp_path / "s.csv"
    score = ("score", home / "model.onnx", folder, "--machine", "press/id_09", "-o", output)
    with started_osscl(*score) as process:
        wait_until(lambda: n_committed(output) > 0, process)
        process.send_signal(number)
        process.communicate(timeout=300)
    assert process.returncode == (143 if number == signal.SIGTERM else -number)
    kept = n_committed(output)
    assert 0 < kept < 1500
    (again,) = osscl_each([score])
    assert again.returncode == 0, again.stderr
    assert again.stderr.startswith(
        f"{kept:,} file{'s' * (kept > 1)} done before, {1500 - kept:,} new; 1500 files: 1500 ok -> "
    )
    lines = output.read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [str(path) for path in sorted(folder.iterdir())]
    assert len({line.partition(",")[2] for line in lines[1:]}) == 1
    run = record_beside(output)
    assert (run["completed"], run["n_files"], run["sessions"]) == (True, 1500, 2)


@pytest.mark.parametrize("hop", [(), ("--hop", "4")], ids=["files", "windows"])
def test_runs_killed_at_random_rows_come_to_the_table_of_one_that_was_not(
    home: Path, tmp_path: Path, hop: tuple[str, ...]
) -> None:
    folder = big_folder(home, tmp_path / "sound", 50)
    how = ("--machine", "press/id_09", *hop, "-o")
    output, whole = tmp_path / "s.csv", tmp_path / "whole.csv"
    score = ("score", str(home / "model.onnx"), str(folder), *how, str(output))
    calls = [Call(score, str(tmp_path))] * 4
    tests = Path(__file__).parents[1]
    ended = run_all(calls, ["support.dying_runs"], {"PYTHONPATH": str(tests)})
    assert {each.code for each in ended[:2]} == {-signal.SIGKILL}, ended[0].stderr
    before, again, undisturbed = osscl_each(
        [("journal", f"{output}.journal", "--json"), score, (*score[:-1], str(whole))]
    )
    assert json.loads(before.stdout)["sessions"] > 2
    assert again.returncode == undisturbed.returncode == 0, again.stderr
    assert output.read_bytes() == whole.read_bytes()
    assert output.read_text().count("\n") > 50


def test_a_recording_that_is_deleted_is_a_line_that_says_so(home: Path, sound: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    score = ("score", home / "model.onnx", sound / "press", "-o", output)
    elsewhere = tmp_path / "elsewhere.wav"
    gone = sorted((sound / "press" / "test").iterdir())[1]
    gone.rename(elsewhere)
    gone.symlink_to(elsewhere)
    content = elsewhere.read_bytes()
    elsewhere.unlink()
    first, again = osscl_each([score, score])
    assert first.returncode == again.returncode == 3, first.stderr
    assert again.stderr.startswith("nothing to do: 5 files: 4 ok, 1 unreadable stand in ")
    (line,) = [line for line in output.read_text().splitlines() if gone.name in line]
    assert line.split(",")[2] == "unreadable"
    elsewhere.write_bytes(content)
    (back,) = osscl_each([score])
    assert back.returncode == 0, back.stderr
    assert back.stderr.startswith("4 files done before, 1 scored again; 5 files: 5 ok -> ")


def test_a_recording_deleted_or_grown_between_the_look_and_the_reading_loses_no_other(
    home: Path, sound: Path, tmp_path: Path
) -> None:
    press = sound / "press" / "test"
    deleted, grown, *_ = sorted(press.iterdir())

    def meanwhile(undone: Iterator[Candidate]) -> Iterator[Path]:
        for candidate in undone:  # which has been looked at
            path = Path(candidate.path)
            if path == deleted:
                path.unlink()
            elif path == grown:
                path.write_bytes(path.read_bytes() + b"more")
            yield path

    def run() -> tuple[dict[str, int], int]:
        with (
            osscl_package.load(home / "model.onnx", rule="memory") as detector,
            Journal.open(tmp_path / "s.journal", {}) as journal,
        ):
            for record in detector.score_files(meanwhile(journal.undone(find_recordings([press])))):
                journal.add(record)
            journal.commit()
            return journal.counts(), journal.n_changed

    counts, n_changed = run()
    assert sum(counts.values()) == 5
    assert counts["unreadable"] == 1
    assert n_changed == 1
    with Journal.open(tmp_path / "s.journal", {}) as journal:
        undone = [Path(each.path) for each in journal.undone(find_recordings([press]))]
    assert undone == [grown]


def test_a_folder_or_journal_that_may_not_be_written_is_refused_and_loses_nothing(
    home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    output = folder / "s.csv"
    score = ("score", home / "model.onnx", home / "sound" / "press", "-o", output)
    folder.chmod(0o555)
    (new,) = osscl_each([score])
    assert list(folder.iterdir()) == []
    folder.chmod(0o755)
    (made,) = osscl_each([score])
    assert made.returncode == 0, made.stderr
    before = {path: at(path) for path in folder.iterdir()}
    folder.chmod(0o555)
    again, anew = osscl_each([score, (*score, "--overwrite")])
    folder.chmod(0o755)
    for refused in (new, again, anew):
        assert refused.returncode == 1
        assert refused.stderr == (
            f"error: {output} cannot be written: no file can be made in the folder {folder}\n"
        )
    journal = Path(f"{output}.journal")
    journal.chmod(0o444)
    (refused,) = osscl_each([score])
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"error: {journal} cannot be opened or written (")
    assert len(refused.stderr.splitlines()) == 1
    assert {path: at(path) for path in folder.iterdir()} == before
    journal.chmod(0o644)
    (again,) = osscl_each([score])
    assert again.stderr.startswith("nothing to do: "), again.stderr


def test_while_a_run_writes_others_look_and_none_writes(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    journal = Path(f"{output}.journal")
    score = ("score", home / "model.onnx", home / "sound" / "press", "-o", output)
    osscl_each([score])
    before = output.read_text()
    with reading(journal) as contents:
        settings = contents.settings
    with Journal.open(journal, settings):
        second, forced, so_far, told = osscl_each(
            [
                score,
                (*score, "--overwrite"),
                ("journal", journal, "-o", tmp_path / "so_far.csv", "--model", home / "model.onnx"),
                ("journal", journal),
            ]
        )
    for refused in (second, forced):
        assert refused.returncode == 1
        assert f"another run writes {journal} (process {os.getpid()} on " in refused.stderr
    assert so_far.returncode == 0, so_far.stderr
    assert "of a run that is running -> " in so_far.stderr
    assert f"running: process {os.getpid()} on" in told.stdout
    assert (tmp_path / "so_far.csv").read_text() == output.read_text() == before


def n_committed(output: Path) -> int:
    try:
        connection = sqlite3.connect(f"file:{output}.journal?mode=ro", uri=True)
        try:
            return int(connection.execute("SELECT count(*) FROM files").fetchone()[0])
        finally:
            connection.close()
    except sqlite3.OperationalError:  # it is only coming into being
        return 0


def test_the_state_of_a_journal_is_told(home: Path, tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    model = tmp_path / "model.onnx"
    shutil.copy(home / "model.onnx", model)
    osscl_each([("score", model, home / "sound", "-o", output)])
    journal = f"{output}.journal"
    told, as_json, table = osscl_each(
        [("journal", journal), ("journal", journal, "--json"), ("journal", journal, "-o", tmp_path / "t.csv")]
    )
    assert told.returncode == as_json.returncode == table.returncode == 0, told.stderr + table.stderr
    assert "13: 1 corrupt, 10 ok, 1 silent, 1 unfit" in told.stdout
    assert re.search(r"^rule +memory \(2 machines\) *$", told.stdout, re.MULTILINE)
    assert re.search(r"^false-alarm rate +by default *$", told.stdout, re.MULTILINE)
    assert "press/id_09" not in told.stdout
    state = json.loads(as_json.stdout)
    assert (state["state"], state["n_files"], state["n_failed"], state["sessions"]) == ("complete", 13, 2, 1)
    assert (tmp_path / "t.csv").read_text() == output.read_text()
    model.unlink()
    gone, other, named = osscl_each(
        [
            ("journal", journal, "-o", tmp_path / "u.csv"),
            ("journal", journal, "-o", tmp_path / "u.csv", "--model", home / "enrolled.onnx"),
            ("journal", journal, "-o", tmp_path / "u.csv", "--model", home / "model.onnx"),
        ]
    )
    assert gone.returncode == other.returncode == 1
    assert "is not there any more: name the model file by --model" in gone.stderr
    assert "would give other scores than those in" in other.stderr
    assert named.returncode == 0
    assert (tmp_path / "u.csv").read_text() == output.read_text()


def test_a_full_disk_under_the_journal_costs_nothing_that_was_kept(home: Path, tmp_path: Path) -> None:
    folder = big_folder(home, tmp_path / "sound", 1100)
    output = tmp_path / "s.csv"
    score = ("score", home / "model.onnx", folder, "--machine", "press/id_09", "-o", output)
    with started_osscl(*score) as process:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (150_000, 150_000))
        _, said = process.communicate(timeout=300)
    assert process.returncode == 1
    assert len(said.splitlines()) == 1
    assert "a full or failing disk?): what it held up to then stays in it, and the same command" in said
    kept = n_committed(output)
    assert kept < 1100
    again = osscl(*score)
    assert again.returncode == 0, again.stderr
    assert len(output.read_text().splitlines()) == 1101


@pytest.mark.parametrize(
    ("damaged", "suffix"),
    [("a", ".wav"), ("b", ".flac"), ("c", ".wav"), ("c", ".flac")],
    ids=["first", "in the middle", "last", "last, FLAC"],
)
def test_windows_before_damage_are_kept_and_not_scored_again(
    home: Path, tmp_path: Path, damaged: str, suffix: str
) -> None:
    sound = tmp_path / "sound"
    sound.mkdir()
    recording = np.concatenate([*normal_clips(9, 3)])
    for name in "abc":
        soundfile.write(sound / f"{name}{suffix}", recording, 16_000)
    broken = sound / f"{damaged}{suffix}"
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) // 2])
    output = tmp_path / "s.csv"
    score = ("score", home / "model.onnx", sound, "--machine", "press/id_09", "--hop", "10", "-o", output)
    first, again, retried = osscl_each([score, score, (*score, "--retry-failed")])
    assert first.returncode == again.returncode == retried.returncode == 3, first.stderr
    assert first.stderr.startswith("3 files in "), first.stderr
    assert ": 1 corrupt, 2 ok -> " in first.stderr
    assert again.stderr.startswith("nothing to do: 3 files in ")
    assert retried.stderr.startswith("2 files done before, 1 scored again; 3 files in ")
    with output.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for name in "abc":
        of_file = [row for row in rows if row["path"] == str(sound / f"{name}{suffix}")]
        scopes = [row["scope"] for row in of_file]
        assert scopes[-3:] == ["file_max", "file_mean", "file_q95"]
        windows = [row["status"] for row in of_file[:-3]]
        assert windows == (["ok", "corrupt"] if name == damaged else ["ok"] * 3)
    assert len(rows) == 3 * 6 - 1
