"""Flagged windows as labels that a sound editor shows over a recording: for Audacity, and for Raven."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Literal, NamedTuple, TypeAlias

from osscl.config import FRONTEND
from osscl.errors import OutputError
from osscl.scoring.record import WINDOW, Record
from osscl.support.atomic import write_atomically
from osscl.support.outputs import cannot_be_written, check_output_folder
from osscl.support.paths import printable
from osscl.support.regular_file import read_regular

Editor: TypeAlias = Literal["audacity", "raven"]

_RAVEN_COLUMNS = (
    "Selection",
    "View",
    "Channel",
    "Begin Time (s)",
    "End Time (s)",
    "Low Freq (Hz)",
    "High Freq (Hz)",
    "Annotation",
)


class Stretch(NamedTuple):
    """A part of a recording in which windows were flagged that overlap or touch one another.

    Attributes
    ----------
    begin_s, end_s : float
        Where it lies.
    highest : Record
        The line of the window with the largest score.
    """

    begin_s: float
    end_s: float
    highest: Record


def check_label_folder(folder: Path, *, may_hold: bool) -> None:
    """Refuse a folder that holds anything, unless it may: labels to be replaced, or of the run that goes on.

    Raises
    ------
    OutputError
        It is no folder, or holds something.
    """
    check_output_folder(folder)
    try:
        if folder.is_dir() and any(folder.iterdir()) and not may_hold:
            raise OutputError(
                f"{printable(folder)} holds something already; name another folder, or use --overwrite"
            )
    except OSError as error:
        raise cannot_be_written(folder, error) from error


def write_labels(records: Iterable[Record], folder: Path, editor: Editor, *, overwrite: bool = False) -> int:
    """Write a file of labels for each recording with flagged windows, unless it stands there already.

    Parameters
    ----------
    records : iterable of Record
        Lines of a table, windows of one recording one after the other.
    folder : Path
        Where the files go; is made.
    editor : {"audacity", "raven"}
        For whom: ``NAME.txt``, or ``NAME.Table.1.selections.txt``. Of recordings with one name the second is
        ``NAME (2)``.
    overwrite : bool
        Replace files that hold other labels, such as those that somebody has edited.

    Returns
    -------
    int
        Files that are there now; each appears whole.

    Raises
    ------
    OutputError
        A file cannot be written, or holds other labels.
    """
    n_named: dict[str, int] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, stretches in _by_recording(records):
            name = PurePath(path).name
            count = n_named[name] = n_named.get(name, 0) + 1
            suffix, spelled = _EDITORS[editor]
            place = folder / f"{name}{'' if count == 1 else f' ({count})'}{suffix}"
            content = "".join(spelled(stretches)).encode("utf-8", "backslashreplace")
            if overwrite or not _stands_there(place, content):
                write_atomically(place, [content])
    except OSError as error:
        raise cannot_be_written(folder, error) from error
    return sum(n_named.values())


def _stands_there(place: Path, content: bytes) -> bool:
    """Whether a file has this content; refuses one that has another."""
    if not os.path.lexists(place):
        return False
    if read_regular(place) == content:
        return True
    raise OutputError(
        f"{printable(place)} holds other labels than the table, and is left so; move it away, and the same "
        "command writes it"
    )


def _by_recording(records: Iterable[Record]) -> Iterator[tuple[str, list[Stretch]]]:
    path, stretches = "", list[Stretch]()
    for record in records:
        if record.scope != WINDOW or record.is_anomaly is not True:
            continue
        if record.path != path and stretches:
            yield path, stretches
            stretches = []
        path = record.path
        _put(record, stretches)
    if stretches:
        yield path, stretches


def _put(record: Record, stretches: list[Stretch]) -> None:
    """Lengthen the last stretch by a flagged window, or begin another."""
    begin_s = record.start_s or 0.0
    end_s = begin_s + (record.duration_s or 0.0)
    if not stretches or begin_s > stretches[-1].end_s:
        stretches.append(Stretch(begin_s, end_s, record))
        return
    last = stretches[-1]
    highest = max(last.highest, record, key=lambda each: each.score or 0.0)
    stretches[-1] = Stretch(last.begin_s, max(last.end_s, end_s), highest)


def _text(record: Record) -> str:
    text = f"{record.machine} score {record.score:g}"
    text += f": {record.explanation}" if record.explanation else ""
    return " ".join(text.split())  # no tab and no end of line, which part fields and labels


def _audacity(stretches: list[Stretch]) -> Iterator[str]:
    for begin_s, end_s, highest in stretches:
        yield f"{begin_s:.6f}\t{end_s:.6f}\t{_text(highest)}\n"


def _raven(stretches: list[Stretch]) -> Iterator[str]:
    yield "\t".join(_RAVEN_COLUMNS) + "\n"
    for number, (begin_s, end_s, highest) in enumerate(stretches, 1):
        times = f"{begin_s:.6f}\t{end_s:.6f}\t0.0\t{FRONTEND.f_max_hz:.1f}"
        yield f"{number}\tSpectrogram 1\t1\t{times}\t{_text(highest)}\n"


_EDITORS: Mapping[Editor, tuple[str, Callable[[list[Stretch]], Iterator[str]]]] = {
    "audacity": (".txt", _audacity),
    "raven": (".Table.1.selections.txt", _raven),
}
