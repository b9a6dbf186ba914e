"""Result tables: each appears whole or not at all, whatever ends the run, and replaces nothing unasked."""

import json
import os
import resource
import signal
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


def test_an_earlier_output_is_replaced_only_if_asked_for(tmp_path: Path) -> None:
    output = tmp_path / "s.csv"
    written(output, RECORDS[:3]).finish({})
    with pytest.raises(
        OutputError, match=r"s\.csv exists; name another file, or use overwrite=True \(--overwrite\)"
    ):
        OutputTable(output)
    table = OutputTable(output, overwrite=True)
    table.write(RECORDS[5])
    assert list(read_records(output)) == RECORDS[:3]
    table.finish({})
    assert list(read_records(output)) == RECORDS[5:6]
    assert names_in(tmp_path) == ["s.csv"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_output_that_appears_meanwhile_is_not_replaced(tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"s{suffix}"
    table = written(output, RECORDS)
    output.write_text("precious")
    with pytest.raises(OutputError, match="came into being meanwhile; name another file, or use --overwrite"):
        table.finish({})
    assert output.read_text() == "precious"
    assert names_in(tmp_path) == [output.name]


def test_links_are_never_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "target"
    target.parent.mkdir()
    (tmp_path / "s.csv").symlink_to(target)
    with pytest.raises(OutputError, match=r"use overwrite=True \(--overwrite\)"):
        OutputTable(tmp_path / "s.csv")
    table = OutputTable(tmp_path / "s.csv", overwrite=True)
    table.write(RECORDS[0])
    table.finish({})
    assert not target.exists()
    assert not (tmp_path / "s.csv").is_symlink()
    assert list(read_records(tmp_path / "s.csv")) == RECORDS[:1]


@pytest.mark.parametrize("written_as", ["s.csv", "s.csv.run.json"])
def test_nothing_that_is_read_is_replaced(tmp_path: Path, written_as: str) -> None:
    precious = tmp_path / written_as
    precious.write_text("precious")
    with pytest.raises(OutputError, match="is read by this very command"):
        OutputTable(tmp_path / "s.csv", overwrite=True, inputs=[tmp_path / "none", str(precious)])
    assert precious.read_text() == "precious"
    assert names_in(tmp_path) == [written_as]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_is_one_sentence_and_leaves_nothing_behind(
    tmp_path: Path, suffix: str, capfd: pytest.CaptureFixture[str]
) -> None:
    many = [RECORDS[0]] * 9000
    output = tmp_path / f"s{suffix}"
    output.write_text("an earlier table")

    def work() -> None:
        limit_files(1400)
        table = OutputTable(output, overwrite=True)
        try:
            for record in many:
                table.write(record)
            table.finish({})
        finally:
            table.abandon()

    assert os.WEXITSTATUS(in_a_child(work)) == 1
    assert capfd.readouterr().err == f"{output} cannot be written: File too large\n"
    assert output.read_text() == "an earlier table"
    assert names_in(tmp_path) == [output.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_that_is_given_up_leaves_nothing_behind(tmp_path: Path, suffix: str) -> None:
    written(tmp_path / f"s{suffix}", RECORDS).abandon()
    OutputTable(tmp_path / f"s{suffix}").abandon()
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_table_may_have_no_line(tmp_path: Path, suffix: str) -> None:
    OutputTable(tmp_path / f"s{suffix}").finish({})
    assert list(read_records(tmp_path / f"s{suffix}")) == []


def test_a_killed_run_leaves_no_half_table(tmp_path: Path) -> None:
    def work() -> None:
        written(tmp_path / "s.csv", RECORDS)
        os.kill(os.getpid(), signal.SIGKILL)

    assert os.WTERMSIG(in_a_child(work)) == signal.SIGKILL
    assert not (tmp_path / "s.csv").exists()
    written(tmp_path / "s.csv", RECORDS).finish({})
    assert list(read_records(tmp_path / "s.csv")) == RECORDS


def test_parquet_holds_the_lines_of_all_groups_and_the_run(tmp_path: Path) -> None:
    many = [RECORDS[0]] * 8193
    written(tmp_path / "s.parquet", many).finish({"completed": True})
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
