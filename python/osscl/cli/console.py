"""What all commands share: exit codes, messages on stderr, progress."""

import sys
import threading
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import msgspec
import rich.console
import rich.markup
import rich.progress
import rich.table

from osscl.folder import find_recordings

EXIT_FAILED, EXIT_SOME_UNSCORED, EXIT_INTERRUPTED = 1, 3, 130

stderr = rich.console.Console(stderr=True, highlight=False)


def complain(message: str) -> None:
    """Say on stderr why a command failed."""
    say(f"error: {message}")


def say(message: str) -> None:
    """Say something on stderr; stdout is for results."""
    print(message, file=sys.stderr)  # noqa: T201


def as_json(document: object) -> str:
    """One JSON document, indented."""
    return msgspec.json.format(msgspec.json.encode(document)).decode()


def print_facts(facts: dict[str, Any]) -> None:
    """Print names and values in two columns on stdout."""
    table = rich.table.Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, rich.markup.escape(str(value)))
    rich.console.Console(highlight=False).print(table)


class FileProgress(AbstractContextManager["FileProgress"]):
    """Files done, rate and time left, on stderr where that is a terminal.

    The files are counted by a thread of its own, so that a large folder need not be walked before the
    first file is scored; until it is through, no time left is shown.

    Parameters
    ----------
    roots : iterable of str
        What is being scored.
    """

    def __init__(self, roots: Iterable[str]) -> None:
        self._roots = list(roots)
        columns: tuple[Any, ...] = (
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("{task.fields[rate]}"),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TextColumn("left"),
            rich.progress.TimeRemainingColumn(),
            rich.progress.TextColumn("{task.fields[note]}"),
        )
        self._bar = rich.progress.Progress(*columns, console=stderr, disable=not stderr.is_terminal)
        self._task = self._bar.add_task("score", total=None, rate="", note="")

    def __enter__(self) -> "FileProgress":
        self._bar.start()
        if not self._bar.disable:
            threading.Thread(target=self._count, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def advance(self, n_failed: int) -> None:
        """One more file is done; `n_failed` of all so far could not be scored."""
        speed = self._bar.tasks[0].finished_speed or self._bar.tasks[0].speed
        rate = f"{speed:.1f} files/s" if speed else ""
        note = f"{n_failed} not scored" if n_failed else ""
        self._bar.update(self._task, advance=1, rate=rate, note=note)

    def _count(self) -> None:
        self._bar.update(self._task, total=sum(1 for _ in find_recordings(self._roots)))
