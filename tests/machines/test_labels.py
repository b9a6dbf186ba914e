"""Tables of machine labels, and the one way in which all runs ask for a file's machine."""

import os
from pathlib import Path

import pytest

from osscl.errors import ConfigError, LabelTableError, MachineError
from osscl.machines.label_table import LabelTable
from osscl.machines.labels import machine_source

KNOWN = ("fan/id_00", "fan/id_02", "press 7")


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "labels.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_paths_are_relative_to_the_table_or_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (
        f"path,machine\na.wav,fan/id_00\nsub/b.wav,fan/id_02\n{tmp_path}/c.wav,press 7\n./=d.wav,fan/id_00\n"
    )
    table = LabelTable.read(write(tmp_path, content), KNOWN)
    assert table.machine_of(tmp_path / "a.wav") == "fan/id_00"
    assert table.machine_of(f"{tmp_path}/sub/../sub/b.wav") == "fan/id_02"
    assert table.machine_of(tmp_path / "c.wav") == "press 7"
    assert table.machine_of(tmp_path / "=d.wav") == "fan/id_00"
    monkeypatch.chdir(tmp_path)
    assert LabelTable.read("labels.csv", KNOWN).machine_of("sub/b.wav") == "fan/id_02"


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    table = LabelTable.read(write(tmp_path, "\ufeffpath,machine\na.wav,fan/id_00\n"), KNOWN)
    assert table.machine_of(tmp_path / "a.wav") == "fan/id_00"


def test_other_columns_order_quotes_and_blank_lines(tmp_path: Path) -> None:
    header, first = "note,machine,path", '"a ""quoted"", note",fan/id_02,"a, b.wav"'
    content = f'{header}\r\n{first}\r\n\r\n,press 7,"two\r\nlines.wav"\r\n'
    table = LabelTable.read(write(tmp_path, content), KNOWN)
    assert table.machine_of(tmp_path / "a, b.wav") == "fan/id_02"
    assert table.machine_of(tmp_path / "two\r\nlines.wav") == "press 7"


@pytest.mark.parametrize("spelled", [b"\xe9/caf\xe9.wav", rb"\xe9/caf\xe9.wav"])
def test_names_that_are_not_utf_8(tmp_path: Path, spelled: bytes) -> None:
    (tmp_path / os.fsdecode(b"\xe9")).mkdir()
    (tmp_path / os.fsdecode(b"\xe9/caf\xe9.wav")).touch()
    table = LabelTable.read(write(tmp_path, b"path,machine\n" + spelled + b",fan/id_00\n"), KNOWN)
    assert table.machine_of(tmp_path / os.fsdecode(b"\xe9/caf\xe9.wav")) == "fan/id_00"
    with pytest.raises(MachineError):
        table.machine_of(tmp_path / "é" / "café.wav")


ROWS = "path,machine\ncafé.wav,fan/id_00\n"


@pytest.mark.parametrize(
    ("content", "line", "told"),
    [
        (ROWS.encode("cp1252"), 2, "the byte 0xe9 is no UTF-8: it was saved in another encoding"),
        (b"path,machine\n" + b"a.wav,fan/id_00\n" * 5000 + b"b.wav,caf\xe9\n", 5002, "the byte 0xe9 is no"),
        (ROWS.encode("utf-16"), 1, "it is a text in UTF-16, as Excel's"),
        (ROWS.encode("utf-16-be"), 1, "it is a text in UTF-16"),
        (b"PK\3\4\x14\0\6\0rest", 1, "it is a workbook (.xlsx, .ods) or another ZIP archive"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), 1, "it is a workbook of an old Excel (.xls)"),
    ],
    ids=["plain CSV", "a byte far below", "Unicode Text", "UTF-16 without mark", ".xlsx", ".xls"],
)
def test_what_excel_saves_by_other_names_is_named(
    tmp_path: Path, content: bytes, line: int, told: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(LabelTableError) as raised:
        LabelTable.read(path, KNOWN)
    assert str(raised.value).startswith(f"{path}, line {line}: {told}")
    assert 'save it as "CSV UTF-8"' in str(raised.value)


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_long_header_is_shortened(tmp_path: Path, separator: str) -> None:
    path = write(tmp_path, separator.join(f"column {i}" for i in range(1000)) + "\n")
    with pytest.raises(LabelTableError) as raised:
        LabelTable.read(path, KNOWN)
    assert len(str(raised.value)) < len(str(path)) + 300


@pytest.mark.parametrize("spelled", ["日本/é.wav", "日本/\\.wav", "日本/\\x.wav"])
def test_other_names_stand_for_themselves(tmp_path: Path, spelled: str) -> None:
    table = LabelTable.read(write(tmp_path, f"path,machine\n{spelled},fan/id_00\n"), KNOWN)
    assert table.machine_of(tmp_path / spelled) == "fan/id_00"


NFC, NFD = "caf\u00e9", "cafe\u0301"


@pytest.mark.parametrize(("spelled", "on_disk"), [(NFC, NFD), (NFD, NFC)])
def test_accents_meet_however_a_system_spells_them(tmp_path: Path, spelled: str, on_disk: str) -> None:
    row = f"{spelled}/x_{spelled}.wav,fan/id_02"
    table = LabelTable.read(write(tmp_path, f"path,machine\n{row}\n"), KNOWN)
    (tmp_path / on_disk).mkdir()
    assert table.machine_of(tmp_path / on_disk / f"x_{on_disk}.wav") == "fan/id_02"
    with pytest.raises(MachineError, match="no row for it"):
        table.machine_of(tmp_path / on_disk / "x_cafe.wav")


def test_backslashes_separate_names_where_no_file_is_called_so(tmp_path: Path) -> None:
    rows = rf"""path,machine
fan\test\a.wav,fan/id_00
.\{NFD}\b.wav,fan/id_02
fan/test/c.wav,press 7
fan\test\c.wav,fan/id_00
"""
    table = LabelTable.read(write(tmp_path, rows), KNOWN)
    assert table.machine_of(tmp_path / "fan" / "test" / "a.wav") == "fan/id_00"
    assert table.machine_of(tmp_path / r"fan\test\a.wav") == "fan/id_00"
    assert table.machine_of(tmp_path / NFC / "b.wav") == "fan/id_02"
    assert table.machine_of(tmp_path / "fan" / "test" / "c.wav") == "press 7"  # the very spelling goes first


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        (("cafe\u0301\u0323.wav,fan/id_00", "cafe\u0323\u0301.wav,fan/id_02"), "caf\u1eb9\u0301.wav"),
        ((r"a\b\c.wav,fan/id_00", r"a\b/c.wav,fan/id_02"), "a/b/c.wav"),
    ],
)
def test_rows_that_may_both_be_meant_are_refused(tmp_path: Path, rows: tuple[str, ...], name: str) -> None:
    table = LabelTable.read(write(tmp_path, "\n".join(("path,machine", *rows)) + "\n"), KNOWN)
    with pytest.raises(MachineError) as caught:
        table.machine_of(tmp_path / name)
    assert str(caught.value) == (
        "the table of labels has rows that spell its path in other ways, for fan/id_00 and fan/id_02; "
        "add one with its very path"
    )
    for row in rows:
        spelled, machine = row.split(",")
        assert table.machine_of(tmp_path / spelled) == machine


def test_linked_folders_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    table = LabelTable.read(write(tmp_path, "path,machine\nlink/x.wav,fan/id_00\n"), KNOWN)
    assert table.machine_of(tmp_path / "real" / "x.wav") == "fan/id_00"
    assert table.machine_of(tmp_path / "link" / "x.wav") == "fan/id_00"


def test_a_file_without_row_is_refused(tmp_path: Path) -> None:
    table = LabelTable.read(write(tmp_path, "path,machine\na.wav,fan/id_00\n"), KNOWN)
    for path in (tmp_path / "b.wav", tmp_path / "sub" / "a.wav"):
        with pytest.raises(MachineError, match="no row for it; add one"):
            table.machine_of(path)


def test_the_same_row_twice_is_no_contradiction(tmp_path: Path) -> None:
    table = LabelTable.read(write(tmp_path, "path,machine\na.wav,fan/id_00\n./a.wav,fan/id_00\n"), KNOWN)
    assert table.machine_of(tmp_path / "a.wav") == "fan/id_00"


@pytest.mark.parametrize(
    ("content", "line", "telling"),
    [
        ("", 1, "the header must name the columns path and machine, once each; it is ''"),
        ("a.wav,fan/id_00\n", 1, "it is 'a.wav,fan/id_00'"),
        ("path;machine\na.wav;fan/id_00\n", 1, "it is 'path;machine'"),
        ("path,machine,machine\na.wav,fan/id_00,fan/id_00\n", 1, "once each"),
        ("path,path,machine\na.wav,a.wav,fan/id_00\n", 1, "once each"),
        ("path,machine\na.wav,fan/id_00\nb.wav,\n", 3, "machine is empty"),
        ("path,machine\n,fan/id_00\n", 2, "path is empty or names a folder"),
        ("path,machine\nsub/,fan/id_00\n", 2, "path is empty or names a folder"),
        (
            "path,machine\na.wav,fan/id_01\n",
            2,
            "machine fan/id_01 is not known to the model, which knows fan/id_00",
        ),
        ("path,machine\na.wav,fan/id_00 \n", 2, "is not known"),
        ("path,machine\na.wav\n", 2, "has 1 values where the header names 2 columns"),
        ("path,machine\na, b.wav,fan/id_00\n", 2, "has 3 values where the header names 2 columns"),
        (
            "path,machine\na.wav,fan/id_00\nsub/../a.wav,fan/id_02\n",
            3,
            "a.wav was given the machine fan/id_00 above",
        ),
        ('path,machine\n"a.wav,fan/id_00\n', 2, "unexpected end of data"),
        ("path,machine\na\0.wav,fan/id_00\n", 2, "NUL"),
    ],
)
def test_a_table_that_cannot_be_used_names_the_line(
    tmp_path: Path, content: str, line: int, telling: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(LabelTableError) as caught:
        LabelTable.read(path, KNOWN)
    assert str(caught.value).startswith(f"{path}, line {line}: ")
    assert telling in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfep\0a\0t\0h\0", b"\x89PNG\r\n\x1a\n\0\0"])
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(LabelTableError, match=r"labels\.csv, line") as caught:
        LabelTable.read(write(tmp_path, content), KNOWN)
    str(caught.value).encode()


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LabelTableError, match="no rows below its header"):
        LabelTable.read(write(tmp_path, "path,machine\n\n"), KNOWN)


def test_a_table_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LabelTableError, match=r"there is no table .*none\.csv$"):
        LabelTable.read(tmp_path / "none.csv", KNOWN)
    with pytest.raises(LabelTableError, match="cannot be read: Is a directory"):
        LabelTable.read(tmp_path, KNOWN)


def test_one_machine_for_all() -> None:
    machine_of = machine_source(KNOWN, machine="press 7")
    assert machine_of("fan/id_00/x.wav") == machine_of(Path("/y.wav")) == "press 7"
    with pytest.raises(MachineError, match="machine press 8 is not known"):
        machine_source(KNOWN, machine="press 8")


def test_a_table_goes_before_the_path(tmp_path: Path) -> None:
    labels = write(tmp_path, "path,machine\nfan/id_02/x.wav,fan/id_00\n")
    path = tmp_path / "fan" / "id_02" / "x.wav"
    assert machine_source(KNOWN, labels=labels)(path) == "fan/id_00"
    assert machine_source(KNOWN)(path) == "fan/id_02"


def test_two_sources_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--machine and --labels"):
        machine_source(KNOWN, machine="press 7", labels=tmp_path / "labels.csv")
