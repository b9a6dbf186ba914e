"""What the lines of a file come to, whoever counts them: the table, the journal, the log of a watch."""

import pytest

from osscl.journal.awaiting import Awaited, Coming
from osscl.journal.keys import FileKey
from osscl.live.file_lines import FileLines
from osscl.runs.tally import Tally
from osscl.scoring.record import FILE_SCOPES, Record


@pytest.mark.parametrize(
    ("windows", "whole", "status"),
    [
        (["ok", "ok"], "ok", "ok"),
        (["silent", "ok"], "ok", "ok"),
        (["silent", "silent"], "silent", "silent"),
        (["ok", "corrupt", "ok"], "ok", "corrupt"),
        (["corrupt", "unfit"], "corrupt", "corrupt"),
        ([], "unreadable", "unreadable"),
    ],
)
def test_all_count_a_file_alike(windows: list[str], whole: str, status: str) -> None:
    lines = [Record(path="a", status=each, scope="window") for each in windows]
    lines += [Record(path="a", status=whole, scope=scope) for scope in (FILE_SCOPES if windows else [None])]
    coming = Coming(Awaited(0, FileKey(b"a", 1, 1), is_problem=False, may_replace=False))
    logged, tally = FileLines("a"), Tally()
    for number, line in enumerate(lines, 1):
        coming.count(line)
        logged.take(line)
        tally.add(line, None)
        assert coming.is_ended == logged.is_ended == (number == len(lines))
        assert tally.n_files == (number == len(lines))
    assert coming.status == logged.status == status
    assert tally.counts == {status: 1}
