"""The journal: what is done is left out, in the order of the walk; whole files alone; settings told apart."""

import os
import random
import signal
import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from osscl.audio.candidate import Candidate
from osscl.errors import AudioReadError, JournalError
from osscl.journal import journal as journal_module
from osscl.journal import keys
from osscl.journal.contents import reading
from osscl.journal.journal import Journal, journal_of
from osscl.journal.schema import STORED
from osscl.scoring.record import COLUMNS, Record

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning"
)  # Python's, on every fork beside threads

SETTINGS = {"pad": None, "graph": "0123", "folders": ["sound"]}


def files_in(folder: Path, names: Iterable[str]) -> list[Candidate]:
    folder.mkdir(exist_ok=True)
    for name in names:
        (folder / name).write_bytes(os.fsencode(name))
    return walk(folder)


def walk(folder: Path) -> list[Candidate]:
    return [Candidate(str(path)) for path in sorted(folder.iterdir())]


def record_of(candidate: Candidate, score: float | None = 1.5) -> Record:
    status = "ok" if score is not None else "corrupt"
    return Record(path=candidate.path, machine="fan/id_00", status=status, score=score)


def run(
    path: Path, candidates: Iterable[Candidate], *, retry_failed: bool = False, n: int | None = None
) -> list[str]:
    """Score what is undone, at most `n` files; gives their names."""
    done: list[str] = []
    with Journal.open(path, SETTINGS) as journal:
        for candidate in journal.undone(candidates, retry_failed):
            if len(done) == n:
                break
            journal.add(record_of(candidate))
            done.append(Path(candidate.path).name)
    return done


def names_in(path: Path) -> list[str]:
    with reading(path) as contents:
        return [Path(record.path).name for record in contents.records()]


def test_what_is_done_is_left_out_and_what_is_new_finds_its_place(tmp_path: Path) -> None:
    path = tmp_path / "s.csv.journal"
    sound = tmp_path / "sound"
    names = [f"{number:02}" for number in range(0, 20, 2)]
    candidates = files_in(sound, names)
    assert run(path, candidates, n=4) == names[:4]
    assert run(path, candidates) == names[4:]
    assert run(path, candidates) == []
    new = ["011", "00_", "03", "19"]  # some in between, one at the end
    assert run(path, files_in(sound, new)) == sorted(new)
    everything = sorted([*names, *new])
    assert names_in(path) == everything
    (sound / "04").unlink()
    assert run(path, walk(sound)) == []
    assert names_in(path) == everything  # a file that is gone keeps its row


def test_many_sessions_that_each_put_files_between_all_others_keep_the_order(tmp_path: Path) -> None:
    path, sound = tmp_path / "s.journal", tmp_path / "sound"
    choose = random.Random(5)
    everything = [f"{number:04}" for number in range(300)]
    left = everything.copy()
    choose.shuffle(left)
    while left:
        now, left = left[:60], left[60:]
        assert run(path, files_in(sound, now)) == sorted(now)
        assert names_in(path) == sorted(each.name for each in sound.iterdir())
    assert names_in(path) == everything


def test_room_between_files_is_made_again(tmp_path: Path) -> None:
    path, sound = tmp_path / "s.journal", tmp_path / "sound"
    run(path, files_in(sound, ["a", "c"]))
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO about VALUES ('narrow', '1')")
        for table in ("files", "rows"):
            connection.execute(f"UPDATE {table} SET position = position / (1 << 31)")
    connection.close()
    run(path, files_in(sound, ["b1", "b2", "b3"]))
    assert names_in(path) == ["a", "b1", "b2", "b3", "c"]


@pytest.mark.parametrize("what", ["size", "date", "an older date"])
def test_a_changed_file_is_scored_anew_in_its_place(tmp_path: Path, what: str) -> None:
    path, sound = tmp_path / "s.journal", tmp_path / "sound"
    candidates = files_in(sound, "abc")
    run(path, candidates)
    changed = sound / "b"
    stat = changed.stat()
    if what == "size":
        changed.write_bytes(b"longer")
        os.utime(changed, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    else:
        by = 1 if what == "date" else -3_600_000_000_000  # the clock was set back meanwhile
        os.utime(changed, ns=(stat.st_atime_ns, stat.st_mtime_ns + by))
    assert run(path, candidates) == ["b"]
    assert names_in(path) == ["a", "b", "c"]


def test_a_file_that_changes_while_it_is_scored_is_undone(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "ab")
    with Journal.open(path, SETTINGS) as journal:
        for candidate in journal.undone(candidates):
            Path(candidate.path).write_bytes(b"it still grows")
            journal.add(record_of(candidate))
    assert run(path, candidates) == ["a", "b"]
    assert run(path, candidates) == []


def test_what_is_not_committed_yet_is_done_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "ab")
    with Journal.open(path, SETTINGS) as journal, reading(path) as contents:
        for candidate in journal.undone(candidates):
            assert not journal.is_done(candidate)
            journal.add(record_of(candidate))
            assert journal.is_done(candidate)
        assert list(journal.undone(candidates, as_they_come=True)) == []
        assert journal.transaction.execute("SELECT count(*) FROM records").fetchone() == (2,)
        assert contents.counts() == {}


def test_of_a_walk_that_agrees_with_the_journal_each_file_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", [f"{number:03}" for number in range(300)])
    run(path, candidates)
    looks: list[bytes] = []
    statements: list[str] = []
    look = keys.size_and_date

    def counted(path: bytes) -> tuple[int | None, int | None]:
        looks.append(path)
        return look(path)

    monkeypatch.setattr(keys, "size_and_date", counted)
    with Journal.open(path, SETTINGS) as journal:
        journal.connection.set_trace_callback(statements.append)
        assert list(journal.undone(candidates)) == []
        assert (journal.n_done_before, journal.n_before) == (300, 299)
        journal.connection.set_trace_callback(None)
    assert looks == [os.fsencode(candidate.path) for candidate in candidates]
    assert len(statements) < 10


def test_failed_files_are_tried_again_if_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "abc")
    with Journal.open(path, SETTINGS) as journal:
        for candidate, score in zip(journal.undone(candidates), (1.0, None, 2.0), strict=True):
            journal.add(record_of(candidate, score))
        journal.commit()
        assert journal.counts() == {"corrupt": 1, "ok": 2}
    assert run(path, candidates) == []
    assert run(path, candidates, retry_failed=True) == ["b"]
    assert run(path, candidates, retry_failed=True) == []
    with reading(path) as contents:
        assert contents.counts() == {"ok": 3}


def test_a_name_that_is_met_twice_has_one_line(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "ab")
    assert run(path, [*candidates, *candidates]) == ["a", "b"]
    ahead = list(files_in(tmp_path / "other", "ab"))
    with Journal.open(path, SETTINGS) as journal:  # both are in flight
        for candidate in list(journal.undone([*ahead, *ahead])):
            journal.add(record_of(candidate))
    assert names_in(path) == ["a", "b", "a", "b"]


def test_folders_that_cannot_be_listed_are_forgotten_once_they_can(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    files = files_in(tmp_path / "sound", "ab")
    closed = Candidate(str(tmp_path / "sound" / "closed"), AudioReadError("the folder cannot be listed"))
    for undone in (["a", "closed", "b"], []):
        assert run(path, [files[0], closed, files[1]]) == undone
    assert run(path, files) == []
    assert names_in(path) == ["a", "b"]


def test_what_arrives_stands_in_the_order_of_its_arrival(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    files = files_in(tmp_path / "sound", "abcd")
    arrivals = [files[2], files[0]]
    for more in ([], [files[3], files[1]], []):
        arrivals += more
        with Journal.open(path, SETTINGS) as journal:
            for candidate in journal.undone(sorted(arrivals), as_they_come=True):
                journal.add(record_of(candidate))
    assert names_in(path) == ["a", "c", "b", "d"]
    Path(files[0].path).write_bytes(b"again")
    with Journal.open(path, SETTINGS) as journal:
        first = journal.undone([files[0]], as_they_come=True)
        (candidate,) = first
        Path(files[0].path).write_bytes(b"and again, before its row came")
        (again,) = journal.undone([files[0]], as_they_come=True)
        for each in (candidate, again):
            journal.add(record_of(each))
        assert list(journal.undone([files[0]], as_they_come=True)) == []
    assert names_in(path) == ["c", "b", "d", "a"]


def test_names_may_be_any_bytes(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    names = [os.fsdecode(name) for name in (b"caf\xe9", b"a\nb", "ü".encode())]
    candidates = files_in(tmp_path / "sound", names)
    with Journal.open(path, SETTINGS) as journal:
        for candidate in journal.undone(candidates):
            journal.add(Record(path=candidate.path, status="corrupt", reason=f"a {candidate.path} \ud800"))
    assert run(path, candidates) == []
    with reading(path) as contents:
        assert [record.path for record in contents.records()] == [each.path for each in candidates]


def test_all_that_is_known_of_a_record_comes_back_but_its_decision(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    (candidate,) = files_in(tmp_path / "sound", "a")
    record = Record(
        path=candidate.path,
        machine="fan/id_00",
        status="silent",
        reason="all samples are zero",
        score=0.1234567,
        p_value=0.5,
        threshold=0.25,
        is_anomaly=True,
        start_s=0.0,
        duration_s=10.0,
        sample_rate_hz=16_000,
        rule="memory",
        z_level=-1e-30,
        z_modulation=3.4028235e38,
        z_flutter=0.0,
        z_event=1.0,
        recorded_at="2026-11-03T14:20:00Z",
        quality="it hums",
        explanation="there is more at 2 kHz",
    )
    with Journal.open(path, SETTINGS) as journal:
        for _ in journal.undone([candidate]):
            journal.add(record)
    with reading(path) as contents:
        (back,) = contents.records()
    for name in COLUMNS:
        expected = getattr(record, name) if name in (*STORED, "path") else None
        assert getattr(back, name) == expected, name


def windows_of(candidate: Candidate) -> list[Record]:
    rows = [record_of(candidate, float(start)) for start in range(3)]
    scopes = ("window", "window", "window", "file_max", "file_mean", "file_q95")
    return [
        Record(path=row.path, score=row.score, scope=scope)
        for row, scope in zip([*rows, *rows], scopes, strict=True)
    ]


@pytest.mark.parametrize("n_rows", range(7))
def test_a_file_is_kept_with_all_of_its_rows_or_with_none(tmp_path: Path, n_rows: int) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "abc")
    with suppress(KeyboardInterrupt), Journal.open(path, SETTINGS) as journal:
        undone = list(journal.undone(candidates))
        for row in windows_of(undone[0]):
            journal.add(row)
        for row in windows_of(undone[1])[:n_rows]:
            journal.add(row)
            journal.commit()
        raise KeyboardInterrupt
    with reading(path) as contents:
        assert contents.counts() == {"ok": 2 if n_rows == 6 else 1}
        assert len(list(contents.records())) == 12 if n_rows == 6 else 6
    with Journal.open(path, SETTINGS) as journal:
        for candidate in journal.undone(candidates):
            for row in windows_of(candidate):
                journal.add(row)
    assert names_in(path) == [*"aaaaaabbbbbbcccccc"]


def test_half_of_a_changed_file_takes_nothing_away(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "ab")
    run(path, candidates)
    Path(candidates[0].path).write_bytes(b"changed")
    with Journal.open(path, SETTINGS) as journal:
        (candidate,) = journal.undone(candidates)
        journal.add(windows_of(candidate)[0])
    with reading(path) as contents:
        assert [record.scope for record in contents.records()] == [None, None]


def test_rows_that_nobody_asked_for_are_refused(tmp_path: Path) -> None:
    candidates = files_in(tmp_path / "sound", "ab")
    with Journal.open(tmp_path / "s.journal", SETTINGS) as journal:
        next(journal.undone(candidates))
        with pytest.raises(ValueError, match="is not the file that was given to be scored next"):
            journal.add(record_of(candidates[1]))


def in_a_child(work: object) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()  # type: ignore[operator]
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


@pytest.mark.parametrize("n_files", [0, 1, 5])
def test_what_was_committed_outlives_a_killed_process(tmp_path: Path, n_files: int) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "abcdef")

    def work() -> None:
        with Journal.open(path, SETTINGS) as journal:
            for number, candidate in enumerate(journal.undone(candidates)):
                if number == n_files:
                    journal.commit()
                    journal.add(record_of(candidate))
                    os.kill(os.getpid(), signal.SIGKILL)
                journal.add(record_of(candidate))

    assert os.WTERMSIG(in_a_child(work)) == signal.SIGKILL
    assert run(path, candidates) == [*"abcdef"[n_files:]]
    assert names_in(path) == [*"abcdef"]


def test_rows_are_committed_by_a_clock_that_never_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.journal"
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    candidates = files_in(tmp_path / "sound", [f"{number:04}" for number in range(520)])
    with Journal.open(path, SETTINGS) as journal:
        undone = journal.undone(candidates)
        for candidate in (next(undone), next(undone)):
            journal.add(record_of(candidate))
        with reading(path) as contents:
            assert contents.counts() == {}
            now += journal_module.COMMIT_AFTER_S
            journal.add(record_of(next(undone)))
            assert contents.counts() == {"ok": 3}
            for candidate in undone:
                journal.add(record_of(candidate))
            assert contents.counts() == {"ok": 3 + journal_module.COMMIT_AFTER_FILES}
    with reading(path) as contents:
        assert contents.counts() == {"ok": 520}


def test_other_settings_are_refused_by_their_names(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "ab")
    run(path, candidates)
    with (
        pytest.raises(JournalError) as caught,
        Journal.open(path, {**SETTINGS, "pad": "repeat", "hop": 2.5}),
    ):
        pass
    assert str(caught.value) == (
        f"{path} is of a run that would give other scores: --pad was not given and is repeat; --hop was "
        "not given and is 2.5; ask for the same again, name another output, or begin anew with --overwrite"
    )
    assert names_in(path) == ["a", "b"]
    with Journal.open(path, {**SETTINGS, "pad": "repeat"}, overwrite=True) as journal:
        assert [Path(each.path).name for each in journal.undone(candidates)] == ["a", "b"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["s.journal", "sound"]


def test_a_journal_without_a_file_is_begun_anew_by_whoever_comes(tmp_path: Path) -> None:
    """As one of a watch that was refused, or found nothing."""
    path = tmp_path / "s.journal"
    with Journal.open(path, SETTINGS):
        pass
    other = {**SETTINGS, "pad": "repeat"}
    candidates = files_in(tmp_path / "sound", "ab")
    with Journal.open(path, other) as journal:
        assert len(journal.sessions()) == 1
        for candidate in journal.undone(candidates):
            journal.add(record_of(candidate))
    with pytest.raises(JournalError, match="--pad was repeat and is not given"), Journal.open(path, SETTINGS):
        pass
    assert names_in(path) == ["a", "b"]


def test_a_journal_without_a_score_is_begun_anew_for_other_names_of_the_same_folder(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "ab")

    def failed(settings: Mapping[str, object], *, score: float | None = None) -> str | None:
        with Journal.open(path, settings) as journal:
            for candidate in journal.undone(candidates):
                journal.add(record_of(candidate, score))
            return journal.begun_anew

    assert failed(SETTINGS) is None
    elsewhere = {**SETTINGS, "folders": ["else"]}
    with pytest.raises(JournalError, match="folders was sound and is else"), Journal.open(path, elsewhere):
        pass
    other = {**SETTINGS, "machine_pattern": "{machine}_{time}.wav"}
    assert failed(other) == "--machine-pattern was not given and is {machine}_{time}.wav"
    assert failed(SETTINGS, score=1.5) is not None
    with reading(path) as contents:
        assert contents.counts() == {"ok": 2}
    with pytest.raises(JournalError, match="begin anew with --overwrite"), Journal.open(path, other):
        pass


def test_a_journal_that_somebody_else_writes_into_is_never_begun_anew(tmp_path: Path) -> None:
    """As that of a watch, which told its receivers of what failed."""
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "a")
    with Journal.open(path, SETTINGS) as journal:
        journal.transaction.execute("CREATE TABLE event (id)")
        for candidate in journal.undone(candidates):
            journal.add(record_of(candidate, None))
    other = {**SETTINGS, "pad": "repeat"}
    with pytest.raises(JournalError, match="--pad was not given"), Journal.open(path, other):
        pass
    assert names_in(path) == ["a"]


def test_a_journal_that_is_taken_away_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    with Journal.open(path, SETTINGS) as journal:
        journal.check_in_place()
        path.rename(tmp_path / "away")
        with pytest.raises(JournalError, match=f"^{path} was removed or replaced while it was written: "):
            journal.check_in_place()
        path.touch()
        with pytest.raises(JournalError, match=f"^{path} was removed or replaced while it was written: "):
            journal.check_in_place()


def test_what_others_write_in_its_transaction_is_kept_with_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    candidates = files_in(tmp_path / "sound", "ab")
    with Journal.open(path, SETTINGS) as journal, reading(path) as contents:
        journal.transaction.execute("CREATE TABLE outbox (id)")
        for candidate in journal.undone(candidates):
            journal.add(record_of(candidate))
            journal.transaction.execute("INSERT INTO outbox VALUES (?)", [candidate.path])
        assert contents.counts() == {}
        journal.commit()
        assert contents.counts() == {"ok": 2}
        assert journal.transaction.execute("SELECT count(*) FROM outbox").fetchone() == (2,)


def test_the_journal_of_an_output_stands_beside_it() -> None:
    assert journal_of(Path("a/s.csv")) == Path("a/s.csv.journal")
