"""``osscl watch`` as an operator runs it: a process, signals, a service manager, a broker."""

import csv
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from osscl.cli.watch import gone_on_from
from osscl.journal.contents import reading
from support.console import osscl, osscl_each, started_osscl
from support.journals import write_journal
from support.mosquitto import Mosquitto, Subscriber
from support.remembering import faulty_clips, normal_clips, write_clips
from support.service_manager import Told, listening_service_manager
from support.waiting import wait_until
from support.watching import MACHINE, ended, rows_of, watch_command, watching_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return watching_model(tmp_path_factory.mktemp("model"))


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def until_scored(told: Told, n_files: int) -> None:
    """Wait until the service manager is told that so many files are done."""
    while not any(state.startswith(f"STATUS={n_files} file") for state in told.next()):
        pass


def test_asked_to_stop_it_writes_the_table_and_ends_well(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening_service_manager(tmp_path) as (address, told):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        write_clips(tmp_path / "in", "good", normal_clips(4, 1))
        with started_osscl(*watch_command(model, tmp_path, "--explain")) as process:
            told.until("READY=1")
            until_scored(told, 1)
            write_clips(tmp_path / "in", "bad", faulty_clips(4, 1))
            until_scored(told, 2)
            code, said = ended(process)
            told.until("STOPPING=1")
    assert code == 0, said
    monkeypatch.delenv("NOTIFY_SOCKET")
    osscl("score", model, tmp_path / "in", "-o", tmp_path / "scores.csv", "--machine", MACHINE, "--explain")
    with (tmp_path / "scores.csv").open(newline="") as file:
        expected = {row["path"]: row for row in csv.DictReader(file)}
    rows = rows_of(tmp_path / "watch.csv")
    assert {row["path"]: row for row in rows} == expected
    assert [Path(row["path"]).name for row in rows] == ["good00000000.wav", "bad00000000.wav"]
    lines = said.splitlines()
    assert lines[0] == f"watching {tmp_path / 'in'}"
    assert lines[1].startswith(f"flagged: {MACHINE}, {tmp_path / 'in' / 'bad00000000.wav'}, p 0.04: ")
    assert lines[2:] == [
        "asked to stop: what is being scored is finished, and the table is written; asked again, it stops at "
        f"once: what is scored is kept, and osscl journal {tmp_path / 'watch.csv.journal'} "
        f"--output {tmp_path / 'watch.csv'} makes the table",
        f"2 files: 2 ok -> {tmp_path / 'watch.csv'}",
    ]


def test_a_killed_watch_goes_on_where_it_was(model: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    write_clips(tmp_path / "in", "clip", normal_clips(5, 12))
    arguments = watch_command(model, tmp_path, "--event", events, "--events", "all")
    with started_osscl(*arguments) as process:
        wait_until(lambda: lines_of(events) or None, process)
        process.kill()
    # The killed one may have scored all there were: one more shows that the second is at work.
    write_clips(tmp_path / "in", "later", normal_clips(6, 1))
    with started_osscl(*arguments) as process:
        wait_until(lambda: len(lines_of(events)) == 13, process)
        n_before = asked_of(tmp_path / "watch.csv.journal", "SELECT count(*) FROM files")
        code, said = ended(process, signal.SIGINT)
    assert code == 0, said
    assert n_before == 13
    first, *_, last = said.splitlines()
    assert re.fullmatch(
        r"watching .*: it goes on where it was, (1 file is|\d+ files are) done; no alarm stands", first
    )
    assert last.endswith(f"; the table has 13 files: 13 ok -> {tmp_path / 'watch.csv'}")
    paths = sorted(str(path) for path in (tmp_path / "in").iterdir())
    assert sorted(row["path"] for row in rows_of(tmp_path / "watch.csv")) == paths
    assert sorted(event["path"] for event in lines_of(events)) == paths
    assert len({event["id"] for event in lines_of(events)}) == 13


def test_a_restart_says_which_alarms_stand(tmp_path: Path) -> None:
    with reading(write_journal(tmp_path / "w.csv.journal")) as contents:
        for standing, told in (
            ([], "no alarm stands"),
            (["fan/id_00"], "an alarm stands: fan/id_00"),
            (["fan/id_00", "press/id_09"], "alarms stand: fan/id_00, press/id_09"),
        ):
            said = gone_on_from(contents, standing)
            assert said == f": it goes on where it was, 2 files are done; {told}"


def test_a_broker_that_goes_away_gets_every_event_once(model: Path, tmp_path: Path) -> None:
    journal = tmp_path / "watch.csv.journal"
    with Mosquitto(tmp_path) as broker:
        subscriber = Subscriber(broker)
        where = f"mqtt://127.0.0.1:{broker.port}/watch/{{machine}}/{{kind}}"
        arguments = watch_command(model, tmp_path, "--event", where, "--events", "all")
        with started_osscl(*arguments) as process:
            write_clips(tmp_path / "in", "first", normal_clips(6, 2))
            wait_until(lambda: asked_of(journal, DELIVERED) == 2, process)
            broker.stop()
            write_clips(tmp_path / "in", "second", normal_clips(7, 2))
            wait_until(lambda: asked_of(journal, "SELECT count(*) FROM files") == 4, process)
            assert asked_of(journal, DELIVERED) == 2
            broker.start()
            wait_until(lambda: asked_of(journal, DELIVERED) == 4, process)
            code, said = ended(process)
        told = [json.loads(content) for _, content in subscriber.received()]
    assert code == 0, said
    assert sorted(event["path"] for event in told) == sorted(
        row["path"] for row in rows_of(tmp_path / "watch.csv")
    )
    assert len({event["id"] for event in told}) == len(told) == 4
    away, back = [line for line in said.splitlines() if f"mqtt://127.0.0.1:{broker.port}" in line]
    assert away.endswith("; its events are kept and tried again")
    assert back == f"{where} takes events again"


DELIVERED = "SELECT count(*) FROM event JOIN event_receiver ON seq <= delivered_to"


def asked_of(journal: Path, query: str) -> int | None:
    """A number out of a journal; None while it is not there yet."""
    if not journal.exists():
        return None
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return None


@pytest.mark.parametrize("is_journald", [True, False])
def test_lines_carry_priorities_where_the_system_journal_reads_them(
    is_journald: bool, model: Path, tmp_path: Path
) -> None:
    """As systemd does it: the variable names the very file that stderr is."""
    with (tmp_path / "said").open("wb") as said:
        status = os.fstat(said.fileno())
        stream = f"{status.st_dev}:{status.st_ino if is_journald else 1}"
        done = subprocess.run(
            [sys.executable, "-c", "from osscl.cli import main; main()", "score", str(model), "nothing"],
            stderr=said,
            env=os.environ | {"JOURNAL_STREAM": stream},
            check=False,
        )
    assert done.returncode == 2
    text = (tmp_path / "said").read_text()
    assert text.startswith("<3>error: there is no" if is_journald else "error: there is no")


def test_an_event_is_found_by_its_id_while_the_watch_goes_on(model: Path, tmp_path: Path) -> None:
    events, journal = tmp_path / "events.jsonl", tmp_path / "watch.csv.journal"
    write_clips(tmp_path / "in", "bad", faulty_clips(8, 1))
    with started_osscl(*watch_command(model, tmp_path, "--event", events, "--explain")) as process:
        [event] = wait_until(lambda: lines_of(events) or None, process)
        asked = ["journal", journal, "--event"]
        told, strange, other = osscl_each(
            [
                [*asked, event["id"], "--json"],
                [*asked, "0" * 32],
                watch_command(model, tmp_path),
            ]
        )
        ended(process)
    assert json.loads(told.stdout) == event
    assert event["explanation"]
    assert (strange.returncode, strange.stderr) == (
        1,
        f"error: {journal} holds no event {'0' * 32}\n",
    )
    assert other.returncode == 1
    assert f"another run writes {journal} (process {process.pid} on " in other.stderr


def test_a_journal_that_is_taken_away_under_a_watch_is_said_at_its_end(model: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    write_clips(tmp_path / "in", "clip", normal_clips(9, 1))
    with started_osscl(*watch_command(model, tmp_path, "--event", events, "--events", "all")) as process:
        wait_until(lambda: lines_of(events) or None, process)
        for path in tmp_path.glob("watch.csv.journal*"):
            path.unlink()
        code, said = ended(process)
    assert code == 1, said
    assert f"{tmp_path / 'watch.csv.journal'} was removed or replaced while it was written: " in said


def test_another_model_or_option_is_refused_and_a_second_watch_adds_nothing(
    model: Path, tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    write_clips(tmp_path / "in", "clip", normal_clips(9, 1))
    arguments = watch_command(model, tmp_path, "--event", events, "--events", "all")
    with started_osscl(*arguments) as process:
        wait_until(lambda: lines_of(events) or None, process)
        assert ended(process)[0] == 0
    before = (tmp_path / "watch.csv").read_bytes(), events.read_bytes()
    [refused] = osscl_each([[*arguments, "--pad", "repeat"]])
    assert refused.returncode == 1
    assert "--pad was not given and is repeat" in refused.stderr
    assert ((tmp_path / "watch.csv").read_bytes(), events.read_bytes()) == before


def test_wrong_usage_is_one_sentence(model: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "file").touch()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        start = ("watch", model, tmp_path / "in", "-o", tmp_path / "out.csv")
        cases: dict[tuple[object, ...], tuple[int, str]] = {
            ("watch", model, tmp_path / "nowhere", "-o", "x.csv"): (2, "there is no"),
            ("watch", model, tmp_path / "file", "-o", "x.csv"): (2, "is no folder"),
            ("watch", model, tmp_path / "in"): (2, "Missing option '--output'"),
            (*start, "--alarm", "5"): (2, "--alarm is '5'; expected N/M"),
            (*start, "--alarm", "5/3"): (2, "--alarm is '5/3'; expected N from 1 to M"),
            (*start, "--settle", "0"): (2, "--settle is 0; expected seconds above 0"),
            (*start, "--give-up", "nan"): (2, "--give-up is nan; expected seconds above 0"),
            (*start, "--events", "some"): (2, "--events is 'some'; expected one of: anomalies, all, alarms"),
            (*start, "--event", "ftp://x"): (2, "events cannot go to ftp://"),
            (*start, "--start-time", "2026-01-01"): (2, "--start-time counts files"),
            (*start, "--metrics-port", port): (1, f"metrics cannot be served at 127.0.0.1 port {port}"),
            (*start[:-1], tmp_path / "out.txt"): (2, "no table format ends in '.txt'"),
        }
        runs = osscl_each(list(cases))
    for arguments, done in zip(cases, runs, strict=True):
        code, sentence = cases[arguments]
        assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), done.stderr
        assert sentence in done.stderr
    assert not list(tmp_path.glob("out*"))
