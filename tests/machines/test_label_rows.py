"""What a table of labels may say beside machines."""

from pathlib import Path

import pytest

from osscl.errors import LabelTableError
from osscl.machines.label_table import LabelTable
from osscl.machines.told import Told


def read(tmp_path: Path, text: str) -> LabelTable:
    (tmp_path / "labels.csv").write_text(text)
    return LabelTable.read(tmp_path / "labels.csv")


def test_labels_domains_and_recordings_are_told(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        "recording,path,domain,label,machine,note\n"
        "monday,a.wav,source,normal,press/1,x\n"
        ",b.wav,target,anomaly,press/1,\n"
        "monday,c.wav,source,,press/1,\n",
    )
    assert table.has_labels
    assert table.told_of(tmp_path / "a.wav") == Told("press/1", None, False, "source", "", "monday")
    assert table.told_of(tmp_path / "b.wav") == Told("press/1", None, True, "target")
    assert [table.is_labelled(tmp_path / name) for name in ("a.wav", "c.wav", "d.wav")] == [
        True,
        False,
        False,
    ]
    assert not read(tmp_path, "path,machine\na.wav,press/1\n").has_labels


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "path,machine,label\na.wav,p/1,broken\n",
            r"line 2: label is .*broken.*; expected normal or anomaly",
        ),
        (
            "path,machine,label\na.wav,p/1,Normal\n",
            r"line 2: label is .*Normal.*; expected normal or anomaly",
        ),
        ("path,machine,domain\na.wav,p/1,attic\n", r"line 2: domain is .*attic.*; expected source or target"),
        (
            "path,machine,domain\na.wav,p/1,source\nb.wav,p/1,\n",
            "line 3: has no domain where rows above have one; give it in every row, or in none",
        ),
        (
            "path,machine,domain\na.wav,p/1,\nb.wav,p/1,target\n",
            "line 3: has a domain where rows above have none",
        ),
        ("path,machine,label,label\na.wav,p/1,,\n", "the header names the column label more than once"),
        (
            "path,machine,label\na.wav,p/1,normal\na.wav,p/1,anomaly\n",
            "line 3: a.wav was given the label normal above and anomaly here; keep one",
        ),
        (
            "path,machine,recording\na.wav,p/1,x\n./a.wav,p/1,y\n",
            "line 3: a.wav was given the recording x above and y here; keep one",
        ),
    ],
)
def test_a_row_that_cannot_be_meant_is_refused(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(LabelTableError, match=message):
        read(tmp_path, text)
