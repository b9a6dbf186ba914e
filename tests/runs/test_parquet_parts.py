"""A table in parts: a folder that appears whole, holds each line once, and reads back as one table."""

from pathlib import Path

import pyarrow.dataset
import pyarrow.parquet
import pytest

from osscl.errors import ConfigError, EvaluationError, OutputError
from osscl.runs.parquet_parts import PartsTable
from osscl.runs.score_table import read_records
from osscl.scoring.record import Record


def records(n: int) -> list[Record]:
    return [Record(path=f"{number}.wav", machine="fan/id_00", score=float(number)) for number in range(n)]


def write(table: PartsTable, lines: list[Record]) -> None:
    for line in lines:
        table.write(line)
    table.finish({})


@pytest.mark.parametrize(("n", "parts"), [(0, 1), (1, 1), (3, 1), (4, 2), (7, 3)])
def test_lines_are_read_back_from_the_parts_in_order(n: int, parts: int, tmp_path: Path) -> None:
    output = tmp_path / "scores.parquet"
    write(PartsTable(output, rows=3), records(n))
    assert [each.name for each in sorted(output.iterdir())] == [f"part-{k:05d}.parquet" for k in range(parts)]
    assert list(read_records(output)) == records(n)
    assert pyarrow.dataset.dataset(output).count_rows() == n
    assert list(tmp_path.iterdir()) == [output]


def test_nothing_is_there_before_the_end_and_nothing_is_left_of_what_is_abandoned(tmp_path: Path) -> None:
    output = tmp_path / "scores.parquet"
    table = PartsTable(output, rows=2)
    for line in records(5):
        table.write(line)
    assert not output.exists()
    table.abandon()
    assert not list(tmp_path.iterdir())


def test_a_table_is_replaced_only_when_that_is_asked_for_and_nothing_else_stands_there(
    tmp_path: Path,
) -> None:
    output = tmp_path / "scores.parquet"
    write(PartsTable(output, rows=1), records(3))
    with pytest.raises(OutputError, match="exists; name another folder, or use --overwrite"):
        PartsTable(output)
    write(PartsTable(output, overwrite=True), records(1))
    assert list(read_records(output)) == records(1)
    (output / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds more than a table in parts \(notes.txt\)"):
        PartsTable(output, overwrite=True)


def test_a_file_that_stands_there_is_replaced_when_that_is_asked_for(tmp_path: Path) -> None:
    output = tmp_path / "scores.parquet"
    output.write_text("a table of one file")
    with pytest.raises(OutputError, match="exists"):
        PartsTable(output)
    write(PartsTable(output, overwrite=True), records(1))
    assert list(read_records(output)) == records(1)
    assert list(tmp_path.iterdir()) == [output]


def test_what_comes_into_being_meanwhile_is_kept(tmp_path: Path) -> None:
    output = tmp_path / "scores.parquet"
    table = PartsTable(output)
    table.write(records(1)[0])
    output.write_text("mine")
    with pytest.raises(OutputError, match="came into being meanwhile"):
        table.finish({})
    assert output.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [output]


def test_a_name_that_is_no_table_in_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"expected a name that ends in \.parquet"):
        PartsTable(tmp_path / "scores.csv")
    with pytest.raises(OutputError, match="make it first"):
        PartsTable(tmp_path / "nowhere" / "scores.parquet")


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    output = tmp_path / "scores.parquet"
    write(PartsTable(output, rows=1), records(2))
    return output


def test_an_engines_own_files_beside_its_parts_are_no_lines(parts: Path) -> None:
    (parts / "_SUCCESS").touch()
    (parts / ".part-00000.parquet.crc").write_bytes(b"crc")
    (parts / "._part-00000.parquet").write_bytes(b"crc")
    assert len(list(read_records(parts))) == 2


def test_parts_that_are_not_all_written_or_not_there_are_refused(parts: Path, tmp_path: Path) -> None:
    (parts / "_temporary").mkdir()
    with pytest.raises(EvaluationError, match="still being written"):
        list(read_records(parts))
    empty = tmp_path / "empty.parquet"
    empty.mkdir()
    with pytest.raises(EvaluationError, match=r"holds no file that ends in \.parquet"):
        list(read_records(empty))


def test_a_damaged_part_is_named(parts: Path) -> None:
    (parts / "part-00001.parquet").write_bytes(b"PAR1")
    with pytest.raises(EvaluationError, match=r"part-00001\.parquet: no Parquet file"):
        list(read_records(parts))
