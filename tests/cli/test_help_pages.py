"""Help pages on a terminal of 80 columns: no word of them is cut, and flags take no value."""

import pytest

from osscl.cli.program import command


@pytest.mark.parametrize("name", ["enroll", "watch", "evaluate", "train", "serve"])
def test_nothing_is_cut_and_flags_take_no_value(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command(name).main(["--help"], prog_name=f"osscl {name}", standalone_mode=False)
    said = capsys.readouterr().out
    assert "--quiet" in said
    assert "…" not in said
    assert "<bool>" not in said
    assert max(map(len, said.splitlines())) <= 80
