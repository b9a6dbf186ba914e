"""Result tables: one run writes one output, and what was written outlives whatever ends the run."""

import json
import os
import resource
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

from osscl.errors import OutputError
from osscl.runs.score_table import read_records
from osscl.runs.tables import FORMATS, OutputTable
from osscl.scoring.record import Record

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning"
)  # Python's, on every fork beside threads

SUFFIXES = tuple(FORMATS)
RECORDS = [
    Record(path=f"fan/test/normal_id_00_{number:08}.wav", machine="fan/id_00", score=0.5 + number)
    for number in range(20)
]


def in_a_child(work: Callable[[], None]) -> int:
    """Do something in a process of its own, and give its exit status as `os.waitpid` does."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except OutputError as error:
            limit_files(resource.RLIM_INFINITY)
            os.write(2, f"{error}\n".encode())
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def limit_files(n_bytes: int) -> None:
    """Let no file of this process grow beyond a size, as on a full disk."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, resource.RLIM_INFINITY))


def written(output: Path, records: list[Record]) -> OutputTable:
    table = OutputTable(output)
    for record in records:
        table.write(record)
    return table


def as_read(path: Path, tmp_path: Path, suffix: str) -> list[Record]:
    """The lines of a table or of its part; that of Parquet is JSON Lines."""
    copy = tmp_path / f"copy{suffix}"
    copy.write_bytes(path.read_bytes())
    return list(read_records(copy))


def test_of_two_runs_that_begin_together_one_goes_on(tmp_path: Path) -> None:
    n_pairs = 200
    refusals: list[list[str]] = [[] for _ in range(n_pairs)]
    both = threading.Barrier(2)

    def begin() -> None:
        for number in range(n_pairs):
            both.wait()
            table = None
            try:
                table = OutputTable(tmp_path / f"{number}.csv")
            except OutputError as error:
                refusals[number].append(str(error))
            both.wait()
            if table is not None:
                table.abandon()

    threads = [threading.Thread(target=begin) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, sentences in enumerate(refusals):
        assert len(sentences) == 1, f"pair {number}"
        assert f"{number}.csv.part" in sentences[0]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_is_not_taken_from_under_a_run(tmp_path: Path, overwrite: bool) -> None:
    output = tmp_path / "s.csv"
    first = written(output, RECORDS)
    with pytest.raises(OutputError) as caught:
        OutputTable(output, overwrite=overwrite)
    assert str(caught.value) == (f"another run is writing {output}.part; let it end, or name another output")
    first.finish({})
    assert list(read_records(output)) == RECORDS
    with pytest.raises(OutputError, match=r"s\.csv exists; name another file, or use --overwrite"):
        OutputTable(output)


def test_what_an_interrupted_run_left_is_replaced_only_if_asked_for(tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    written(output, RECORDS[:3]).stop()
    with pytest.raises(OutputError, match=r"s\.csv\.part is there from an interrupted run; move it away"):
        OutputTable(output)
    assert as_read(tmp_path / "s.csv.part", tmp_path, ".csv") == RECORDS[:3]
    table = OutputTable(output, overwrite=True)
    table.write(RECORDS[5])
    table.finish({})
    assert list(read_records(output)) == RECORDS[5:6]
    assert "s.csv.part" not in names_in(tmp_path)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_output_that_appears_meanwhile_is_not_replaced(tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"s{suffix}"
    table = written(output, RECORDS)
    output.write_text("precious")
    with pytest.raises(OutputError, match="came into being while the run wrote; its lines are kept in"):
        table.finish({})
    assert output.read_text() == "precious"
    kept = tmp_path / f"s{suffix}.part"
    assert as_read(kept, tmp_path, ".csv" if suffix == ".csv" else ".jsonl") == RECORDS


def test_a_part_that_was_moved_away_is_one_sentence(tmp_path: Path) -> None:
    table = written(tmp_path / "s.csv", RECORDS)
    table.part.rename(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="was moved or removed while the run wrote into it"):
        table.finish({})


@pytest.mark.parametrize("name", ["s.csv", "s.csv.part"])
def test_links_are_never_followed(tmp_path: Path, name: str) -> None:
    target = tmp_path / "elsewhere" / "target"
    target.parent.mkdir()
    (tmp_path / name).symlink_to(target)
    with pytest.raises(OutputError, match="use --overwrite"):
        OutputTable(tmp_path / "s.csv")
    table = OutputTable(tmp_path / "s.csv", overwrite=True)
    table.write(RECORDS[0])
    table.finish({})
    assert not target.exists()
    assert not (tmp_path / "s.csv").is_symlink()
    assert list(read_records(tmp_path / "s.csv")) == RECORDS[:1]


@pytest.mark.parametrize("written_as", ["s.csv", "s.csv.part", "s.csv.run.json", "s.csv.part.run.json"])
def test_nothing_that_is_read_is_replaced(tmp_path: Path, written_as: str) -> None:
    precious = tmp_path / written_as
    precious.write_text("precious")
    with pytest.raises(OutputError, match="is read by this very command"):
        OutputTable(tmp_path / "s.csv", overwrite=True, inputs=[tmp_path / "none", str(precious)])
    assert precious.read_text() == "precious"
    assert names_in(tmp_path) == [written_as]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_lines_outlive_a_killed_process(tmp_path: Path, suffix: str) -> None:
    def work() -> None:
        written(tmp_path / f"s{suffix}", RECORDS)
        os.kill(os.getpid(), signal.SIGKILL)

    assert os.WTERMSIG(in_a_child(work)) == signal.SIGKILL
    kept = tmp_path / f"s{suffix}.part"
    assert as_read(kept, tmp_path, ".csv" if suffix == ".csv" else ".jsonl") == RECORDS


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_costs_no_line_before_it(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        limit_files(1400)
        written(tmp_path / f"s{suffix}", RECORDS)

    assert os.WEXITSTATUS(in_a_child(work)) == 1
    kept = tmp_path / f"s{suffix}.part"
    lines = as_read(kept, tmp_path, ".csv" if suffix == ".csv" else ".jsonl")
    assert 2 < len(lines) < len(RECORDS)
    assert lines == RECORDS[: len(lines)]
    note = " (JSON Lines)" if suffix == ".parquet" else ""
    assert capfd.readouterr().err == (
        f"{tmp_path}/s{suffix} cannot be written: File too large; the {len(lines)} lines before that are "
        f"kept in {kept}{note}\n"
    )


def test_a_full_disk_at_the_end_costs_parquet_no_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def work() -> None:
        table = written(tmp_path / "s.parquet", RECORDS[:2])
        limit_files(1000)
        table.finish({})

    assert os.WEXITSTATUS(in_a_child(work)) == 1
    assert "the 2 lines before that are kept in" in capfd.readouterr().err
    assert names_in(tmp_path) == ["s.parquet.part"]
    assert as_read(tmp_path / "s.parquet.part", tmp_path, ".jsonl") == RECORDS[:2]


def test_no_room_for_the_header_leaves_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        limit_files(10)
        table = OutputTable(tmp_path / "s.csv")
        try:
            table.write(RECORDS[0])
        finally:
            table.stop()

    assert os.WEXITSTATUS(in_a_child(work)) == 1
    assert capfd.readouterr().err == f"{tmp_path}/s.csv cannot be written: File too large\n"
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_without_a_line_does_not_stand_in_the_way(tmp_path: Path, suffix: str) -> None:
    table = OutputTable(tmp_path / f"s{suffix}")
    table.stop()
    assert table.kept == ""
    assert names_in(tmp_path) == []


def test_what_was_killed_before_its_first_line_does_not_stand_in_the_way(tmp_path: Path) -> None:
    def work() -> None:
        OutputTable(tmp_path / "s.csv")
        os.kill(os.getpid(), signal.SIGKILL)

    assert os.WTERMSIG(in_a_child(work)) == signal.SIGKILL
    assert names_in(tmp_path) == ["s.csv.part"]
    written(tmp_path / "s.csv", RECORDS).finish({})
    assert list(read_records(tmp_path / "s.csv")) == RECORDS


def test_parquet_holds_the_lines_of_all_groups_and_the_run(tmp_path: Path) -> None:
    many = [RECORDS[0]] * 8193
    table = written(tmp_path / "s.parquet", many)
    assert len((tmp_path / "s.parquet.part").read_bytes().splitlines()) == len(many)
    table.finish({"completed": True})
    stored = pyarrow.parquet.ParquetFile(tmp_path / "s.parquet")
    assert stored.num_row_groups == 2
    assert stored.metadata.num_rows == len(many)
    assert json.loads(stored.metadata.metadata[b"osscl.run"]) == {"completed": True}
    assert names_in(tmp_path) == ["s.parquet"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_texts_that_look_like_formulas_come_back(tmp_path: Path, suffix: str) -> None:
    record = Record(path="=HYPERLINK(1)", machine="@fan", status="corrupt", reason="-1")
    written(tmp_path / f"s{suffix}", [record]).finish({})
    assert list(read_records(tmp_path / f"s{suffix}")) == [record]
    if suffix == ".csv":
        assert (
            (tmp_path / "s.csv").read_text().splitlines()[1].startswith("'=HYPERLINK(1),'@fan,corrupt,'-1,")
        )
