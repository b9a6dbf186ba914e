"""Journals that cannot be used, and those that another run writes: one sentence each, and nothing is lost."""

import errno
import fcntl
import os
import platform
import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from osscl.audio.candidate import Candidate
from osscl.errors import JournalError, OutputError
from osscl.journal import journal as journal_module
from osscl.journal import opening
from osscl.journal.contents import reading
from osscl.journal.differing import differences, in_words
from osscl.journal.journal import Journal
from osscl.journal.lock import holder_of, lock_of
from osscl.scoring.record import Record

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning"
)  # Python's, on every fork beside threads

SETTINGS = {"pad": None}


def write(path: Path, n: int, settings: dict[str, None] = SETTINGS, size: int = 10) -> None:
    """Keep `n` files that are nowhere."""
    with Journal.open(path, settings) as journal:
        for candidate in journal.undone(Candidate(f"/nowhere/{number:05}") for number in range(n)):
            journal.add(Record(path=candidate.path, status="unreadable", reason="x" * size))


def n_files_in(path: Path) -> int:
    with reading(path) as contents:
        return sum(contents.counts().values())


def refusal(path: Path, *, to_write: bool = True) -> str:
    with pytest.raises(OutputError) as caught, Journal.open(path, SETTINGS) if to_write else reading(path):
        pass
    return str(caught.value)


def other_schema(path: Path, schema: int) -> None:
    write(path, 1)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {schema}")
    connection.close()


def another_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE precious (thing)")
    connection.close()


def cut_short(path: Path) -> None:
    write(path, 1000)
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path.write_text("path,machine\n" * 1000), "is no journal of osscl (no SQLite file)"),
        (another_database, "is no journal of osscl, but another SQLite file; name another output, or move"),
        (
            lambda path: other_schema(path, 2),
            "was written by a newer osscl (schema 2, this one reads 1); go on",
        ),
        (
            lambda path: other_schema(path, 0),
            "was written by an older osscl (schema 0, this one reads 1); go on",
        ),
        (cut_short, "is damaged or cut short (database disk image is malformed): restore it from a copy, or"),
    ],
)
def test_what_is_no_journal_of_ours_is_refused_and_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "s.journal"
    make(path)
    before = path.read_bytes()
    for to_write in (True, False):
        assert refusal(path, to_write=to_write).startswith(f"{path} {message}")
    assert path.read_bytes() == before
    with Journal.open(path, SETTINGS, overwrite=True) as journal:
        assert journal.counts() == {}


def test_damage_that_shows_later_is_one_sentence_too(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    write(path, 3000)
    content = bytearray(path.read_bytes())
    content[8192:-4096] = bytes(len(content) - 12288)
    path.write_bytes(content)
    with pytest.raises(JournalError, match="is damaged or cut short"), reading(path) as contents:
        list(contents.records())


def test_a_journal_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert refusal(tmp_path / "s.journal", to_write=False) == f"there is no journal {tmp_path}/s.journal"
    (tmp_path / "empty").touch()
    assert refusal(tmp_path / "empty", to_write=False) == f"{tmp_path}/empty holds no run yet: it is empty"
    assert "there is no folder" in refusal(tmp_path / "none" / "s.journal") or "No such file" in refusal(
        tmp_path / "none" / "s.journal"
    )


def test_a_table_in_place_of_its_journal_is_met_by_the_journal_that_is_meant(tmp_path: Path) -> None:
    write(tmp_path / "t.csv.journal", 1)
    table = tmp_path / "t.csv"
    table.write_text("path,machine\n" * 100, encoding="utf-8")
    told = refusal(table, to_write=False)
    assert told == f"{table} is no journal of osscl (no SQLite file); did you mean {table}.journal?"


def test_a_run_that_was_killed_before_its_first_file_stands_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    path.touch()
    lock_of(path).touch()
    write(path, 3)
    assert n_files_in(path) == 3
    assert [each.name for each in tmp_path.iterdir()] == ["s.journal"]


def test_a_second_run_is_refused_by_the_name_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    with Journal.open(path, SETTINGS) as journal:
        holder = journal.holder
        assert holder is not None
        assert (holder.pid, holder.host) == (os.getpid(), platform.node())
        for overwrite in (False, True):
            with pytest.raises(JournalError) as caught, Journal.open(path, SETTINGS, overwrite):
                pass
            assert str(caught.value) == (
                f"another run writes {path} (process {os.getpid()} on {platform.node()}, since "
                f"{holder.since}): let it end, or name another output"
            )
        for candidate in journal.undone([Candidate("/nowhere/a")]):
            journal.add(Record(path=candidate.path, status="unreadable"))
        journal.commit()
        assert n_files_in(path) == 1  # whoever only looks is welcome
    assert holder_of(path) is None
    write(path, 2)


def test_of_runs_that_begin_together_one_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    write(path, 1)
    begin, go = os.pipe()
    ends: list[int] = []
    children = []
    for _ in range(6):
        read, written = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(go)
            os.read(begin, 1)  # ends when all were made
            try:
                with Journal.open(path, SETTINGS):
                    os.write(written, b"goes on")
                    signal.pause()
            except JournalError:
                os.write(written, b"refused")
            finally:
                os._exit(0)
        os.close(written)
        children.append(child)
        ends.append(read)
    os.close(begin)
    os.close(go)
    answers = [os.read(end, 7) for end in ends]
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert sorted(answers) == [b"goes on", *[b"refused"] * 5]
    assert holder_of(path) is None  # it was killed
    write(path, 2)


def test_the_lock_of_a_run_that_was_killed_holds_nobody_up(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    child = os.fork()
    if child == 0:
        with Journal.open(path, SETTINGS):
            os.kill(os.getpid(), signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert lock_of(path).exists()
    write(path, 1)
    assert not lock_of(path).exists()


def test_where_there_are_no_locks_no_run_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(descriptor: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    path = tmp_path / "s.journal"
    assert refusal(path) == (
        f"{path} cannot be locked (No locks available), so that whether another run writes it could not be "
        "told: name an output on a local disk"
    )
    assert list(tmp_path.iterdir()) == []


def test_on_a_network_wal_is_not_used_and_that_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "s.journal"
    with Journal.open(path, SETTINGS) as journal:
        assert journal.transaction.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert not caplog.records
    monkeypatch.setattr(opening, "network_file_system", lambda path: "nfs4")
    with Journal.open(path, SETTINGS) as journal:
        assert journal.transaction.execute("PRAGMA journal_mode").fetchone() == ("truncate",)
        for candidate in journal.undone([Candidate("/nowhere/a")]):
            journal.add(Record(path=candidate.path, status="unreadable"))
    (said,) = caplog.records
    assert (
        "s.journal lies on a file system of a network (nfs4), where SQLite's WAL is not" in said.getMessage()
    )
    assert n_files_in(path) == 1


def limit_files(n_bytes: int) -> None:
    """Let no file of this process grow beyond a size, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, resource.RLIM_INFINITY))


def test_a_full_disk_costs_nothing_that_was_committed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "s.journal"
    write(path, 600)
    child = os.fork()
    if child == 0:
        limit_files(path.stat().st_size + 60_000)
        try:
            write(path, 5000)
        except JournalError as error:
            os.write(2, f"{error}\n".encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    said = capfd.readouterr().err
    assert said.startswith(
        f"{path} cannot be read or written (disk I/O error: a full or failing disk?): what"
    )
    assert len(said.splitlines()) == 1
    kept = n_files_in(path)
    assert 600 <= kept < 5000
    write(path, 5000)
    with reading(path) as contents:
        assert [record.path for record in contents.records()] == [
            f"/nowhere/{number:05}" for number in range(5000)
        ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_disk_that_is_full_indeed_is_said_to_be(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=400k none '{disk}' 2>/dev/null"):
        pytest.skip("this container may not mount a small disk")
    try:
        path = disk / "s.journal"
        with pytest.raises(JournalError, match="the disk is full; make room: what it held up to then"):
            write(path, 20_000, size=100)
        kept = n_files_in(path)
        assert kept >= journal_module.COMMIT_AFTER_FILES
        larger = tmp_path / "s.journal"
        for part in disk.glob("s.journal*"):  # what had no room in it any more stands in the -wal
            shutil.copy(part, tmp_path)
    finally:
        os.system(f"umount '{disk}'")
    write(larger, 20_000)
    assert n_files_in(larger) == 20_000


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_journal_that_has_no_room_to_be_closed_says_so_until_it_has(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if os.system(f"mount -t tmpfs -o size=400k none '{disk}' 2>/dev/null"):
        pytest.skip("this container may not mount a small disk")
    try:
        path = disk / "s.journal"
        told = f"{path} could not be closed (database or disk is full): nothing is lost, but a part of it "
        with pytest.raises(JournalError) as caught:
            write(path, 800, size=100)
        assert str(caught.value).startswith(told)
        assert (disk / "s.journal-wal").stat().st_size
        with pytest.raises(JournalError, match="the disk is full; make room"):
            write(path, 800, size=100)
        assert os.system(f"mount -o remount,size=2M '{disk}'") == 0
        write(path, 800, size=100)
        assert [each.name for each in disk.iterdir()] == ["s.journal"]
        assert n_files_in(path) == 800
    finally:
        os.system(f"umount '{disk}'")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_said_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o555)
    assert "cannot be written: Permission denied" in refusal(tmp_path / "s.journal")


def test_what_differs_is_named_in_the_words_of_who_asked() -> None:
    memory = {"rule": "memory", "memory": "01", "doubts": "02"}
    stored = {
        "pad": None,
        "resample": True,
        "labels": "ab",
        "graph": "cd",
        "machines": {each: {"rule": "network"} for each in "abcd"} | {"e": memory, "f": memory},
    }
    given = {
        "pad": "zero",
        "resample": False,
        "labels": "ba",
        "graph": "dc",
        "machines": {each: {"rule": "both", "scale": "03"} for each in "abcd"}
        | {"e": memory | {"memory": "04"}, "g": memory},
    }
    assert list(differences(stored, given)) == [
        "--pad was not given and is zero",
        "--resample was given and is not given",
        "the table of --labels is another one",
        "the network of the model is another one",
        "the rule of a, b, c, d was network and is both",
        "the memory of e is another one",
        "the model knew f then",
        "the model did not know g then",
    ]
    assert [in_words("abcd"), in_words("abcde")] == ["a; b; c; d", "a; b; c; and 2 more"]
    assert list(differences(stored, stored)) == []
