"""Rows of label tables that stand for many files: globs, and names in a column ``file``."""

from pathlib import Path

import pytest

from osscl.errors import LabelTableError, MachineError
from osscl.machines.label_table import LabelTable, unmet_rows

NFC, NFD = "caf\u00e9", "cafe\u0301"


def table(folder: Path, *rows: str, header: str = "path,machine") -> LabelTable:
    path = folder / "labels.csv"
    path.write_text("\n".join((header, *rows)) + "\n")
    return LabelTable.read(path)


@pytest.mark.parametrize(
    ("row", "fits", "others"),
    [
        ("press3_*.wav", ["press3_0.wav"], ["press30.wav", "sub/press3_0.wav"]),
        ("press?.wav", ["press3.wav"], ["press33.wav", "press.wav"]),
        ("press[34].wav", ["press3.wav"], ["press5.wav"]),
        ("press[!34].wav", ["press5.wav"], ["press3.wav"]),
        ("north/*/x.wav", ["north/a/x.wav"], ["north/x.wav", "north/a/b/x.wav", "south/a/x.wav"]),
        ("north/**/*.wav", ["north/x.wav", "north/a/b/x.wav"], ["x.wav", "north/x.flac", "up/north/x.wav"]),
        ("**/x.wav", ["x.wav", "a/b/x.wav"], ["a/b/yx.wav"]),
        ("north/**", ["north/x.wav", "north/a/x.wav"], ["south/x.wav"]),
        ("**/a/**/b/*.wav", ["a/b/x.wav", "c/a/a/b/b/x.wav"], ["b/a/x.wav"]),
        ("./north/*.wav", ["north/x.wav"], ["x.wav"]),
        (r"north\**\*.wav", ["north/x.wav", "north/a/x.wav"], ["south/x.wav"]),
        (f"{NFC}/*_{NFD}.wav", [f"{NFD}/x_{NFC}.wav"], [f"{NFC}/x_cafe.wav"]),
        ("x(.+)*.wav", ["x(.+)0.wav"], ["xaa.wav"]),  # of a glob, not of a regular expression
    ],
)
def test_a_glob_counts_from_the_folder_of_the_table(
    tmp_path: Path, row: str, fits: list[str], others: list[str]
) -> None:
    labels = table(tmp_path, f"{row},press")
    for path in fits:
        assert labels.machine_of(tmp_path / path) == "press"
    for path in others:
        with pytest.raises(MachineError, match="no row for it"):
            labels.machine_of(tmp_path / path)


def test_absolute_globs_and_those_of_stores(tmp_path: Path) -> None:
    labels = table(tmp_path, f"{tmp_path}/other/*.wav,press", "s3://bucket/a/**/*.wav,lathe")
    assert labels.machine_of(tmp_path / "other" / "x.wav") == "press"
    assert labels.machine_of("s3://bucket/a/b/x.wav") == "lathe"


def test_linked_folders_are_followed_and_their_own_names_count(tmp_path: Path) -> None:
    (tmp_path / "real" / "day").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    labels = table(tmp_path, "link/*/*.wav,press")
    assert labels.machine_of(tmp_path / "real" / "day" / "x.wav") == "press"
    assert labels.machine_of(tmp_path / "link" / "day" / "x.wav") == "press"
    (tmp_path / "real" / "way").symlink_to(tmp_path / "elsewhere")
    assert labels.machine_of(tmp_path / "link" / "way" / "x.wav") == "press"


def test_an_exact_row_goes_before_globs(tmp_path: Path) -> None:
    labels = table(tmp_path, "press*.wav,press", "*.wav,press", "press3.wav,lathe", "*.flac,saw")
    assert labels.machine_of(tmp_path / "press3.wav") == "lathe"
    assert labels.machine_of(tmp_path / "press4.wav") == "press"  # two globs that say the same


def test_globs_that_contradict_each_other_are_refused_for_the_files_that_fit_both(tmp_path: Path) -> None:
    labels = table(tmp_path, "press*.wav,press", "*_3.wav,lathe")
    assert labels.machine_of(tmp_path / "press_4.wav") == "press"
    with pytest.raises(MachineError) as caught:
        labels.machine_of(tmp_path / "press_3.wav")
    assert str(caught.value) == (
        "it fits two rows of the table of labels, press*.wav and *_3.wav, and was given the machine press "
        "above and lathe here; add a row for it alone"
    )
    with pytest.raises(
        LabelTableError, match=r"line 3: press\*\.wav was given the machine press above and lathe"
    ):
        table(tmp_path, "press*.wav,press", "press*.wav,lathe")


def test_a_file_that_is_called_like_a_glob_is_meant_itself(tmp_path: Path) -> None:
    (tmp_path / "press[34].wav").touch()
    labels = table(tmp_path, "press[34].wav,press")
    assert labels.machine_of(tmp_path / "press[34].wav") == "press"
    with pytest.raises(MachineError, match="no row for it"):
        labels.machine_of(tmp_path / "press3.wav")
    not_there_yet = table(tmp_path, "lathe[1].wav,lathe")
    assert not_there_yet.machine_of(tmp_path / "lathe[1].wav") == "lathe"


def test_names_count_in_every_folder_in_a_column_file(tmp_path: Path) -> None:
    labels = table(
        tmp_path / "..", "press3.wav,press", "lathe_*.wav,lathe", "lathe_0.wav,old", header="file,machine"
    )
    assert labels.machine_of(tmp_path / "a" / "b" / "press3.wav") == "press"
    assert labels.machine_of("s3://bucket/a/lathe_7.wav") == "lathe"
    assert labels.machine_of(tmp_path / "a" / "lathe_0.wav") == "old"  # a name goes before globs
    with pytest.raises(MachineError, match="no row for it"):
        labels.machine_of(tmp_path / "press4.wav")


@pytest.mark.parametrize(
    ("row", "telling"),
    [
        ("a/b.wav,press", "file is 'a/b.wav'; expected a name without folders: call the column path"),
        ("**/*.wav,press", "expected a name without folders"),
        (",press", "file is empty"),
        ("x.wav,lathe", "x.wav was given the machine press above and lathe here; keep one"),
    ],
)
def test_what_is_no_name_in_a_column_file(tmp_path: Path, row: str, telling: str) -> None:
    with pytest.raises(LabelTableError) as caught:
        table(tmp_path, "x.wav,press", row, header="file,machine")
    assert str(caught.value).startswith(f"{tmp_path / 'labels.csv'}, line 3: ")
    assert telling in str(caught.value)


def test_a_column_file_beside_path_says_nothing_as_ever(tmp_path: Path) -> None:
    labels = table(tmp_path, "a.wav,b.wav,press", header="path,file,machine")
    assert labels.machine_of(tmp_path / "a.wav") == "press"
    with pytest.raises(MachineError):
        labels.machine_of(tmp_path / "b.wav")


def test_a_name_beside_the_table_that_lies_elsewhere_is_told_how_it_counts(tmp_path: Path) -> None:
    labels = table(tmp_path, "a.wav,press")
    with pytest.raises(MachineError, match=r"no row for it.*or call its column path file") as caught:
        labels.machine_of(tmp_path / "day" / "a.wav")
    with pytest.raises(MachineError) as other:
        labels.machine_of(tmp_path / "day" / "b.wav")
    assert "column" not in str(other.value)
    assert "a.wav" not in str(caught.value)  # equal reasons are summed up


def test_rows_that_no_file_was_met_for_are_said(tmp_path: Path) -> None:
    rows = ["a.wav,x", "b.wav,x", f"day/{NFD}.wav,x", r"day\d.wav,x", "e*.wav,x", "f*.wav,x", "g*.wav,y"]
    labels = table(tmp_path, *rows)
    assert labels.unmet() is not None
    for name in ("a.wav", f"day/{NFC}.wav", "day/d.wav", "e0.wav", "e1.wav", "unknown.wav"):
        labels.meet(tmp_path / name)
    place = tmp_path / "labels.csv"
    assert labels.unmet() == f"no recording was met for 3 of 7 rows of {place}: b.wav, f*.wav, g*.wav"
    for name in ("b.wav", "f.wav", "g.wav"):
        labels.meet(tmp_path / name)
    assert labels.unmet() is None


def test_a_glob_is_met_by_a_file_whose_own_row_goes_before_it(tmp_path: Path) -> None:
    labels = table(tmp_path, "press3*.wav,press", "press3.wav,lathe")
    labels.meet(tmp_path / "press3.wav")
    assert labels.unmet() is None


def test_rows_beyond_the_first_are_counted(tmp_path: Path) -> None:
    labels = table(tmp_path, "/other/x.wav,x", "sub/a.wav,x", *(f"{number}.wav,x" for number in range(10)))
    assert labels.unmet() == (
        f"no recording was met for 12 of 12 rows of {tmp_path / 'labels.csv'}: /other/x.wav, sub/a.wav, "
        "0.wav and 9 more"
    )
    assert list(unmet_rows(labels)) == [labels.unmet()]
    assert list(unmet_rows(lambda _: "x")) == []
