"""Pages say of themselves which commands, names and keys there are, for readers of the source."""

import re
import runpy

import pytest

from conftest import REPOSITORY

MADE = runpy.run_path(str(REPOSITORY / "docs" / "name_tables.py"))


@pytest.mark.parametrize("name", MADE["PAGES"])
def test_tables_are_as_they_would_be_written_now(name: str) -> None:
    page = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
    assert MADE["with_tables"](page) == page, "run: python docs/name_tables.py"
    assert len(re.findall(r"^\| `", page, re.MULTILINE)) > 20


@pytest.mark.parametrize(("name", "of"), [("commands.md", "osscl score"), ("training.md", "ema_warmup")])
def test_a_name_that_is_missing_is_written(name: str, of: str) -> None:
    page = (REPOSITORY / "docs" / name).read_text(encoding="utf-8")
    row = re.search(rf"^\| `{of}` .*\n", page, re.MULTILINE)
    assert row is not None
    assert MADE["with_tables"](page.replace(row[0], "")) == page
