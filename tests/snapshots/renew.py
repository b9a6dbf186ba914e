"""Write down anew what is public: ``python tests/snapshots/renew.py``, against the installed package."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from snapshots.console_options import console_options, exit_codes
from snapshots.public_names import MODULES, public_names
from snapshots.schemas import schemas
from snapshots.written import written

FOLDER = Path(__file__).parent
KINDS: dict[str, Callable[[], list[str]]] = {
    **{f"api/{module}": partial(public_names, module) for module in MODULES},
    "columns": lambda: list(written().columns),
    "console": console_options,
    "documents": lambda: list(written().fields),
    "exit_codes": exit_codes,
    "schemas": schemas,
}
"""What makes the lines of each file."""


def file_of(kind: str) -> Path:
    """Where the lines of a kind stand."""
    return FOLDER / f"{kind}.txt"


def renew() -> None:
    """Write every file, and take away those of what is not public any more."""
    for kind, lines in KINDS.items():
        file_of(kind).parent.mkdir(exist_ok=True)
        file_of(kind).write_text("".join(f"{line}\n" for line in lines()), encoding="utf-8")
    for path in {*FOLDER.rglob("*.txt")} - {*map(file_of, KINDS)}:
        path.unlink()


if __name__ == "__main__":
    renew()
