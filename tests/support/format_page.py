"""The text of ``docs/format.md``, by section and table."""

import re
from pathlib import Path

PAGE = (Path(__file__).resolve().parents[2] / "docs/format.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """Text below a heading, up to the next one of any level."""
    found = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


def table(heading: str, first_column: str) -> list[list[str]]:
    """Rows of the table of a section whose first column is this; cells that are code lose their backticks."""
    lines = section(heading).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {first_column} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([re.sub(r"^`([^`]*)`$", r"\1", cell.strip()) for cell in line.strip("|").split("|")])
    assert rows
    return rows
