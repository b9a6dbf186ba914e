"""CSV as osscl writes it: nothing in it acts in a spreadsheet, and it is read back exactly."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osscl.support.csv_rows import CsvReader, CsvWriter

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1", "'=1", "''-1", "="]
PLAIN = ["", "a", "'", "''", "'a", "a=1", " =1", "fan/id_00", "a\rb", "a\nb", 'a"b', "a,b", "é"]


def written(*rows: Sequence[object]) -> str:
    text = io.StringIO(newline="")
    writer = CsvWriter(text)
    for row in rows:
        writer.write(row)
    return text.getvalue()


def read(text: str) -> list[list[str]]:
    return list(CsvReader(io.StringIO(text, newline="")))


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_is_made_a_text(cell: str) -> None:
    ((found, _),) = csv.reader(io.StringIO(written([cell, "x"]), newline=""), strict=True)
    assert found == f"'{cell}"


@pytest.mark.parametrize("cell", PLAIN)
def test_other_texts_stay_as_they_are(cell: str) -> None:
    ((found, _),) = csv.reader(io.StringIO(written([cell, "x"]), newline=""), strict=True)
    assert found == cell


def test_numbers_are_no_formulas() -> None:
    assert written([-1.5, None, 3, "x"]) == "-1.5,,3,x\n"


@given(st.lists(st.lists(st.sampled_from(FORMULAS + PLAIN) | st.text(max_size=4), min_size=2, max_size=3)))
def test_what_is_written_is_read_back(rows: list[list[str]]) -> None:
    rows = [["two", "columns"], *rows]
    assert read(written(*rows)) == rows


def test_lines_end_alike_and_both_ends_are_read() -> None:
    assert written(["a", "b"], ["c", "d"]) == "a,b\nc,d\n"
    assert read("a,b\r\nc,d\r\n") == read("a,b\nc,d\n")


@pytest.mark.parametrize(("header", "name"), [("path;machine", "semicolons"), ("path\tmachine", "tabs")])
def test_other_separators_are_named(header: str, name: str) -> None:
    with pytest.raises(csv.Error, match=f"separated by {name}, .*not by commas"):
        read(f"{header}\na;b\n")
    assert read("one column\na;b\n") == [["one column"], ["a;b"]]
