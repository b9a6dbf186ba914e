"""What commands share: tables and progress on a terminal, JSON."""

import threading
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, Self

import msgspec
import rich.markup
import rich.progress
import rich.table

from osscl.cli.harmless import without_bytes
from osscl.cli.messages import is_quiet, say
from osscl.cli.pace import UNKNOWN, mean_speed, rate, time_left
from osscl.cli.progress_lines import ProgressLines
from osscl.cli.terminal import SafeConsole
from osscl.errors import OssclError
from osscl.model_file.manifest import Manifest
from osscl.runs.folder import find_recordings
from osscl.support.listing import first_of, listed
from osscl.support.paths import printable
from osscl.support.plurals import counted, plural

TABLE_WIDTH = 104
MAX_NAMED = 10
_MAX_ALIKE = 3
stdout = SafeConsole()
stderr = SafeConsole(stderr=True)


def as_json(document: object) -> str:
    """One JSON document, indented."""
    spelled = _without_bytes(msgspec.to_builtins(document))
    return msgspec.json.format(msgspec.json.encode(spelled)).decode()


def _without_bytes(document: Any) -> Any:
    """The document with all texts in it spelled so that they can be written: paths may be anything."""
    match document:
        case str():
            return without_bytes(document)
        case dict():
            return {_without_bytes(key): _without_bytes(value) for key, value in document.items()}
        case list() | tuple():
            return [_without_bytes(value) for value in document]
    return document


def wide_console() -> SafeConsole:
    """Stdout for tables: a narrow terminal wraps their lines, none are cut off or folded."""
    console = SafeConsole()
    console.width = max(console.width, TABLE_WIDTH)
    return console


def say_unusable(what: str, unusable: Sequence[tuple[str, object]]) -> None:
    """Say which recordings could not be used, and why: a line for each reason, the first ten."""
    by_reason: dict[str, list[str]] = {}
    for path, reason in unusable:
        by_reason.setdefault(str(reason), []).append(path)
    first, _ = first_of(by_reason.items(), MAX_NAMED)
    for reason, paths in first:
        if len(paths) == 1:
            say(f"{what}: {printable(paths[0])}: {reason}")
        else:
            say(f"{what}: {len(paths):,} recordings: {reason} ({listed(paths, _MAX_ALIKE)})")
    untold = sum(map(len, [*by_reason.values()][len(first) :]))
    if untold:
        say(f"{what}: {untold:,} more {plural(untold, 'recording')}")


def percent(rate: float | None) -> str:
    """A rate in [0, 1] for a table."""
    return "-" if rate is None else f"{100 * rate:.3g} %"


def print_facts(facts: dict[str, Any]) -> None:
    """Print names and values in two columns on stdout."""
    table = rich.table.Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name, rich.markup.escape(str(value)))
    stdout.print(table)


def accuracy_facts(manifest: Manifest) -> dict[str, str]:
    """What is to be said of a reduced precision; nothing of fp32."""
    accuracy = manifest.accuracy
    if accuracy is None:
        return {}
    aucs = "" if accuracy.auc is None else f", AUC {accuracy.auc:.4f} (fp32 {accuracy.auc_fp32:.4f})"
    flips = (
        "" if accuracy.decision_flips is None else f", {counted(accuracy.decision_flips, 'decision')} changed"
    )
    clips = counted(accuracy.n_clips, "clip")
    return {
        "accuracy": f"{manifest.network.precision} by {accuracy.backend} on {clips} of "
        f"{counted(accuracy.n_machines, 'machine')} ({accuracy.clips}): "
        f"rank correlation {accuracy.rank_correlation:.5f}, largest score error {accuracy.score_error:.2e}"
        f"{aucs}{flips}"
    }


class WorkProgress(AbstractContextManager["WorkProgress"]):
    """Work done, rate and time left on stderr: a bar on a terminal, elsewhere a line a minute.

    Parameters
    ----------
    unit : str
        What is counted, in the plural.
    total : int or None
        How many there are, where that is known.
    """

    def __init__(self, unit: str, total: int | None = None) -> None:
        columns: tuple[Any, ...] = (
            rich.progress.BarColumn(),
            rich.progress.MofNCompleteColumn(),
            rich.progress.TextColumn("{task.fields[rate]}"),
            rich.progress.TimeElapsedColumn(),
            rich.progress.TextColumn("left {task.fields[left]}"),
            rich.progress.TextColumn("{task.fields[note]}", markup=False),
        )
        self._unit = unit
        self._bar = rich.progress.Progress(
            *columns, console=stderr, disable=is_quiet() or not stderr.is_terminal
        )
        self._task = self._bar.add_task(unit, total=total, rate="", left=UNKNOWN, note="")
        self._n_before: int | None = None  # a run that goes on did not do these now
        self._lines = None if is_quiet() or stderr.is_terminal else ProgressLines(say)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    @property
    def is_shown(self) -> bool:
        """Whether anybody sees it."""
        return not self._bar.disable

    def set_total(self, total: int) -> None:
        """Say how much there is to do, once it is known."""
        self._bar.update(self._task, total=total)

    @property
    def done(self) -> int:
        """How many are done."""
        return int(self._bar.tasks[0].completed)

    def advance(self, note: str = "") -> None:
        """One more is done."""
        self.show(self.done + 1, note)

    def show(self, done: int, note: str = "") -> None:
        """So many are done."""
        task = self._bar.tasks[0]
        if self._n_before is None:
            self._n_before = done - 1
        # the bar knows that of the last half minute, from the third step on
        speed = task.finished_speed or task.speed or mean_speed(done - self._n_before, task.elapsed)
        left = time_left(None if task.total is None else task.total - done, speed)
        self._bar.update(self._task, completed=done, rate=rate(speed, self._unit), left=left, note=note)
        if self._lines is not None and self._lines.is_due:
            what = f"{self._unit} ({note})" if note else self._unit
            self._lines.show(what, done, self._total_of_lines(task.total), task.fields["rate"], left)

    def _total_of_lines(self, total: float | None) -> int | None:
        """How many there are, for those that count them only where somebody is told."""
        return None if total is None else int(total)


class StagedProgress(WorkProgress):
    """Stages of a command one after the other, each with a bar of its own."""

    def __init__(self) -> None:
        super().__init__("steps")

    def begin(self, stage: str) -> None:
        """A stage begins; how much there is to do in it is not known yet."""
        self._stage = stage
        self._bar.reset(self._task, total=None, note=stage, rate="", left=UNKNOWN)
        self._n_before = None

    def advance(self, note: str = "") -> None:
        """One more is done of the stage."""
        super().advance(note or self._stage)


class BuildProgress(WorkProgress):
    """Steps of building an engine for a GPU; nothing where none is built."""

    def __init__(self) -> None:
        super().__init__("steps")

    def __enter__(self) -> Self:
        return self

    def show_phase(self, phase: str, done: int, total: int) -> None:
        """So many steps of a phase are done."""
        self._bar.start()
        self.set_total(total)
        self.show(done, f"building the engine: {phase}")


class FileProgress(WorkProgress):
    """Files done of all below some folders.

    The files are counted by a thread of its own, so that a large folder need not be walked before the
    first file is scored; until it is through, no time left is shown.

    Parameters
    ----------
    roots : iterable of str
        What is being scored.
    unit : str
        What the files are called, in the plural.
    """

    def __init__(self, roots: Iterable[str], unit: str = "files") -> None:
        super().__init__(unit)
        self._roots = list(roots)
        self._counts = False

    def __enter__(self) -> Self:
        super().__enter__()
        if self.is_shown:
            self._begin_to_count()
        return self

    def _total_of_lines(self, total: float | None) -> int | None:
        if total is None and not self._counts:
            self._begin_to_count()  # a run that is over in a minute is not worth a second walk
        return super()._total_of_lines(total)

    def _begin_to_count(self) -> None:
        self._counts = True
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self) -> None:
        with suppress(OssclError):  # the run itself meets it, and says so
            self.set_total(sum(1 for _ in find_recordings(self._roots)))
