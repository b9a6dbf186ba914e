"""Names in a sentence: some, and how many more, which is never one alone."""

import ast
from pathlib import Path

import pytest

from conftest import REPOSITORY
from osscl.runs.tally import Tally
from osscl.scoring.record import Record
from osscl.support.listing import and_more, first_of, listed


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, ""),
        (2, "0, 1"),
        (3, "0, 1, 2"),
        (4, "0, 1, 2, 3"),
        (5, "0, 1, 2 and 2 more"),
        (9, "0, 1, 2 and 6 more"),
    ],
)
def test_one_name_is_never_left_out_alone(n: int, text: str) -> None:
    assert listed(map(str, range(n)), 3) == text
    first, n_left = first_of(range(n), 3)
    assert (len(first) + n_left, n_left == 1) == (n, False)


def test_how_many_more() -> None:
    assert [and_more(0), and_more(2), and_more(2000, "file")] == ["", " and 2 more", " and 2,000 more files"]


def test_of_two_failed_files_both_are_named() -> None:
    said = []
    for n in (1, 2, 3):
        tally = Tally()
        for name in "abc"[:n]:
            tally.add(Record(path=f"{name}.wav", status="corrupt", reason="cut"), None)
        said.append([*tally.failures()])
    assert said == [
        ["corrupt: a.wav: cut"],
        ["corrupt: a.wav: cut", "corrupt: b.wav: cut"],
        ["corrupt: a.wav: cut; and 2 more files"],
    ]


def shortening(path: Path) -> list[str]:
    """Texts of a file that say of a number that it is more."""
    texts = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            for before, value, behind in zip(node.values, node.values[1:], node.values[2:], strict=False):
                around = [
                    str(each.value) if isinstance(each, ast.Constant) else "" for each in (before, behind)
                ]
                if (
                    isinstance(value, ast.FormattedValue)
                    and around[0].endswith("and ")
                    and around[1].startswith(" more")
                ):
                    texts.append(f"{path.name}: {ast.unparse(node)}")
    return texts


def test_all_sentences_shorten_by_the_one_way() -> None:
    found = [
        text
        for folder in ("python/osscl", "export")
        for path in sorted((REPOSITORY / folder).rglob("*.py"))
        for text in shortening(path)
    ]
    assert [text.partition(":")[0] for text in found] == ["listing.py"]
