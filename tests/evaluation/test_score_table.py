"""Result tables read back: what is wrong with one is said with the number of its line."""

from pathlib import Path

import pytest

from osscl.errors import EvaluationError
from osscl.runs.score_table import read_records

CSV = b"path,machine,status,score\n"
JSON = b'{"path": "a.wav", "machine": null, "status": "ok", "score": 1.0}\n'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV + b"a.wav,,ok,1\n" * 5000 + b"\xe9.wav,,ok,1\n"),
        ("a.jsonl", JSON * 5001 + b'{"\xe9": 1}\n'),
    ],
)
def test_an_undecodable_byte_is_told_with_its_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(EvaluationError, match=rf"{name}, line 5002: .*byte 0xe9"):
        list(read_records(tmp_path / name))
