"""``osscl watch`` when things go wrong around it: full disks, files that grow, folders that vanish."""

import json
import resource
import sqlite3
from contextlib import closing
from pathlib import Path
from subprocess import Popen
from typing import Any

import numpy as np
import pytest
import soundfile

from support.console import osscl, started_osscl
from support.remembering import faulty_clips, normal_clips, write_clips
from support.service_manager import listening_service_manager
from support.waiting import wait_until
from support.watching import MACHINE, ended, rows_of, untimed, watch_command, watching_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return watching_model(tmp_path_factory.mktemp("model"))


def scored_alone(model: Path, folder: Path, *more: object) -> dict[tuple[str, str, str], dict[str, str]]:
    """What a folder run says of the folder."""
    output = folder / "alone.csv"
    done = osscl("score", model, folder / "in", "--output", output, "--machine", MACHINE, *more)
    assert done.returncode in (0, 3), done.stderr
    return by_part(rows_of(output))


def by_part(rows: list[dict[str, str]]) -> dict[tuple[str, str, str], dict[str, str]]:
    found = {(row["path"], row["scope"], row["start_s"]): row for row in rows}
    assert len(found) == len(rows)  # none twice
    return found


def events_in(folder: Path) -> list[dict[str, Any]]:
    path = folder / "events.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def kept(folder: Path, what: str = "count(*)", among: str = "files") -> Any:
    """What a journal holds by now; None while it is not there yet."""
    path = folder / "watch.csv.journal"
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(f"SELECT {what} FROM {among}").fetchone()[0]
        except sqlite3.OperationalError:
            return None


def test_a_full_disk_under_the_journal_loses_nothing(model: Path, tmp_path: Path) -> None:
    events = ("--event", tmp_path / "events.jsonl", "--events", "all")
    with started_osscl(*watch_command(model, tmp_path, *events)) as process:
        write_clips(tmp_path / "in", "first", normal_clips(4, 2))
        wait_until(lambda: len(events_in(tmp_path)) == 2, process)
        full = (tmp_path / "watch.csv.journal-wal").stat().st_size
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (full, full))
        write_clips(tmp_path / "in", "second", normal_clips(5, 8))
        _, said = process.communicate(timeout=300)
    assert process.returncode == 1
    [error] = [line for line in untimed(said).splitlines() if line.startswith("error: ")]
    assert "a full or failing disk?): what it held up to then stays in it, and the same command" in error
    assert 2 <= kept(tmp_path) < 10
    with started_osscl(*watch_command(model, tmp_path, *events)) as process:
        wait_until(lambda: len(events_in(tmp_path)) >= 10, process)
        code, said = ended(process)
    assert code == 0, said
    assert by_part(rows_of(tmp_path / "watch.csv")) == scored_alone(model, tmp_path)
    assert len({event["id"] for event in events_in(tmp_path)}) == len(events_in(tmp_path)) == 10


def reads(process: "Popen[str]", path: Path) -> bool:
    """Whether a process has read a window of a file, and has it still open."""
    return any(_is_within(link, path) for link in Path(f"/proc/{process.pid}/fd").iterdir())


def _is_within(link: Path, path: Path) -> bool:
    try:
        state = (link.parent.parent / "fdinfo" / link.name).read_text()
        return link.readlink() == path and int(state.split()[1]) > 320_000
    except OSError:  # closed by now
        return False


def test_a_file_that_grows_while_it_is_read_is_scored_again_as_it_is_then(
    model: Path, tmp_path: Path
) -> None:
    sound = np.concatenate([*normal_clips(6, 3), *faulty_clips(6, 1)])
    beginning, grown = tmp_path / "beginning.wav", tmp_path / "grown.wav"
    soundfile.write(beginning, sound[:480_000], 16_000)
    soundfile.write(grown, sound, 16_000)
    with started_osscl(*watch_command(model, tmp_path, "--hop", "0.05")) as process:
        path = tmp_path / "in" / "growing.wav"
        path.write_bytes(beginning.read_bytes())
        wait_until(lambda: kept(tmp_path, among="rows") or reads(process, path), process)
        path.write_bytes(grown.read_bytes())
        wait_until(lambda: kept(tmp_path, "max(size)") == grown.stat().st_size, process)
        code, said = ended(process)
    assert code == 0, said
    rows = by_part(rows_of(tmp_path / "watch.csv"))
    assert rows == scored_alone(model, tmp_path, "--hop", "0.05")
    assert rows[str(path), "file_max", ""]["duration_s"] == "40.0"


def test_a_folder_that_vanishes_is_waited_for_and_taken_up_again(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away"
    with listening_service_manager(tmp_path) as (address, told):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        with started_osscl(*watch_command(model, tmp_path)) as process:
            told.until("READY=1")
            write_clips(tmp_path / "in", "before", normal_clips(7, 1))
            wait_until(lambda: kept(tmp_path) == 1, process)
            (tmp_path / "in").rename(away)
            while not any("the folder is gone" in state for state in told.next()):
                assert process.poll() is None
            write_clips(away, "meanwhile", normal_clips(8, 2))
            away.rename(tmp_path / "in")
            wait_until(lambda: kept(tmp_path) == 3, process)
            code, said = ended(process)
    assert code == 0, said
    folder = tmp_path / "in"
    assert f"warning: the folder {folder} is gone: it is waited for" in said
    assert f"warning: the folder {folder} is back: what has come meanwhile is taken up" in said
    monkeypatch.delenv("NOTIFY_SOCKET")
    assert by_part(rows_of(tmp_path / "watch.csv")) == scored_alone(model, tmp_path)


def test_long_recordings_get_their_windows_and_an_event_for_each_flagged_one(
    model: Path, tmp_path: Path
) -> None:
    sound = np.concatenate([*normal_clips(9, 1), *faulty_clips(9, 1), *normal_clips(10, 1)])
    with started_osscl(
        *watch_command(model, tmp_path, "--hop", "5", "--event", tmp_path / "events.jsonl")
    ) as process:
        soundfile.write(tmp_path / "in" / "long.flac", sound[:440_000], 16_000)
        soundfile.write(tmp_path / "in" / "long.w64", sound, 16_000)
        wait_until(lambda: kept(tmp_path) == 2, process)
        code, said = ended(process)
    assert code == 0, said
    rows = by_part(rows_of(tmp_path / "watch.csv"))
    assert rows == scored_alone(model, tmp_path, "--hop", "5")
    assert "1 recording ends with a part shorter than 10 s, left out (2.5 s)" in said
    flagged = {(row["path"], float(row["start_s"])) for row in rows.values() if row["is_anomaly"] == "true"}
    anomalies = [event for event in events_in(tmp_path) if event["kind"] == "anomaly"]
    assert {(event["path"], event["start_s"]) for event in anomalies} == flagged
    assert len(anomalies) == len(flagged) >= 4


def test_what_failed_is_tried_again_by_a_folder_run_into_the_same_output(model: Path, tmp_path: Path) -> None:
    closed = tmp_path / "in" / "closed.wav"
    watch = watch_command(
        model, tmp_path, "--give-up", "0.3", "--event", tmp_path / "events.jsonl", "--events", "all"
    )
    write_clips(tmp_path / "in", "clip", normal_clips(11, 1))
    closed.symlink_to(tmp_path / "elsewhere.wav")  # of a share that is not mounted
    with started_osscl(*watch) as process:
        wait_until(lambda: len(events_in(tmp_path)) == 2, process)
        score = ("score", model, tmp_path / "in", "--output", tmp_path / "watch.csv", "--machine", MACHINE)
        refused = osscl(*score, "--retry-failed")
        code, said = ended(process)
    assert code == 0, said
    assert refused.returncode == 1
    assert "another run writes" in refused.stderr
    assert {row["status"] for row in rows_of(tmp_path / "watch.csv")} == {"ok", "unreadable"}
    write_clips(tmp_path, "elsewhere", normal_clips(12, 1))
    (tmp_path / "elsewhere00000000.wav").rename(tmp_path / "elsewhere.wav")
    done = osscl(*score, "--retry-failed")
    assert done.returncode == 0, done.stderr
    assert "is a watch's: what osscl score adds to it raises no alarm, and no receiver is told" in done.stderr
    assert by_part(rows_of(tmp_path / "watch.csv")) == scored_alone(model, tmp_path)
    with started_osscl(*watch) as process:  # which goes on
        write_clips(tmp_path / "in", "more", faulty_clips(13, 1))
        wait_until(lambda: len(events_in(tmp_path)) == 3, process)
        code, said = ended(process)
    assert code == 0, said
    assert by_part(rows_of(tmp_path / "watch.csv")) == scored_alone(model, tmp_path)
