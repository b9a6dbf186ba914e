"""Batches of windows: recordings of any length, streamed in the caller's thread, finished by the readers.

A recording is read from its beginning to its end, so that one thread reads it. What costs more than
reading it, conversion, features and measures, is done where batches are made.
"""

from collections.abc import Generator, Iterable
from contextlib import closing
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from osscl.audio.batch import into_row, side_by_side
from osscl.audio.candidate import Candidate
from osscl.audio.reading import Clip, read_clip
from osscl.audio.samples import Samples
from osscl.audio.windows import RawWindow, hop_frames, open_windows
from osscl.backends import Backend
from osscl.errors import AudioError, ClipError
from osscl.model_file.manifest import Manifest
from osscl.scoring.judge import Judge
from osscl.scoring.judging import Batch, Entry, batch_of
from osscl.scoring.lines import described, named, refused, window_line
from osscl.scoring.record import Record
from osscl.scoring.task import Task
from osscl.scoring.whole_files import FileEnd

_MOST_BYTES = 24 << 20  # of a batch as it was read


class Item(NamedTuple):
    """One line to be: a window, a recording that cannot be cut, or what is wrong.

    Attributes
    ----------
    record : Record
        The line before its sound is looked at.
    source : str or bytes
        The recording.
    judge : Judge or None
        What scores it; None where nothing does.
    window : RawWindow or None
        Its sound.
    problem : ClipError or None
        Why there is none. Without window and problem the recording's beginning is looked at, to say whether
        it can be read at all.
    end : FileEnd or None
        Of the recording, where this is its last line.
    """

    record: Record
    source: str | bytes
    judge: Judge | None = None
    window: RawWindow | None = None
    problem: ClipError | None = None
    end: FileEnd | None = None


def borrow(
    candidates: Iterable[Candidate], task: Task, manifest: Manifest, backend: Backend
) -> Generator[tuple[list[Item], Samples | None], None, None]:
    """Items of one batch each, and the memory to put them into, borrowed in order.

    What is still to be resampled takes more memory than clips do; there, batches are smaller. An error comes
    behind the items before it.
    """
    group: list[Item] = []
    n_bytes = 0
    failure: Exception | None = None
    with closing(_items(candidates, task, manifest)) as items:
        try:
            for item in items:
                group.append(item)
                n_bytes += 0 if item.window is None else item.window.n_bytes
                if len(group) == task.batch_size or n_bytes >= _MOST_BYTES:
                    yield group, backend.lend_batch(len(group))
                    group, n_bytes = [], 0
        except Exception as error:  # noqa: BLE001 - raised behind the items before it
            failure = error
        if group:
            yield group, backend.lend_batch(len(group))
    if failure is not None:
        raise failure


def finish(task: Task, manifest: Manifest, group: list[Item], lent: Samples | None) -> Batch:
    """Make a batch of items, in memory that was lent, or in its own."""
    n_samples, rate_hz = manifest.clip.n_samples, manifest.front_end.settings.sample_rate_hz
    rows = np.empty((len(group), n_samples), np.int16) if lent is None else lent[: len(group)]

    def heard(row: int) -> Clip | ClipError:
        item = group[row]
        if item.problem is not None:
            return item.problem
        try:
            if item.window is None:
                return read_clip(item.source, task.fit, manifest.clip, rate_hz)
            return into_row(item.window.clip(), rows[row])
        except AudioError as error:
            error.__cause__ = error.__context__ = None  # the frames behind it hold the rows
            return error.with_traceback(None)

    entries: list[Entry] = []
    for row, clip in enumerate(side_by_side(heard, range(len(group)), task.threads)):
        record, judge, end = group[row].record, group[row].judge, group[row].end
        if isinstance(clip, ClipError):
            entries.append(Entry(refused(record, clip), end=end))
        else:
            entries.append(Entry(described(record, clip), judge, clip, row, end))
    return batch_of(entries, rows, task, rate_hz)


def _items(candidates: Iterable[Candidate], task: Task, manifest: Manifest) -> Generator[Item, None, None]:
    for number, candidate in enumerate(candidates):
        record, judge = named(candidate, task, number)
        if candidate.problem is not None or judge is None:
            yield Item(record, candidate.source, problem=candidate.problem)
        else:
            with closing(_items_of(candidate.source, record, judge, task, manifest)) as of_recording:
                yield from of_recording


def _items_of(
    source: str | bytes, record: Record, judge: Judge, task: Task, manifest: Manifest
) -> Generator[Item, None, None]:
    """Windows of a recording; where it is damaged, those before, and what is wrong behind them.

    Each is kept until it is known whether it is the last.
    """
    assert task.hop_s is not None
    rate_hz = manifest.front_end.settings.sample_rate_hz
    last: Item | None = None
    left_out_s, n_windows = 0.0, 0
    try:
        with open_windows(source, task.hop_s, task.fit, manifest.clip, rate_hz) as windows:
            record = replace(record, sample_rate_hz=windows.sample_rate_hz)
            duration_s, n_expected = windows.duration_s, windows.n_declared
            for window in windows:
                if last is not None:
                    yield last
                last = Item(window_line(record, window.start_s), source, judge, window)
                n_windows += 1
        left_out_s = windows.left_out_s
    except AudioError as error:
        if last is None:
            yield Item(record, source, problem=error)
            return
        yield last
        assert record.sample_rate_hz is not None
        next_s = n_windows * hop_frames(task.hop_s, record.sample_rate_hz) / record.sample_rate_hz
        error.args = (f"{error} (what comes before {next_s:g} s could be read)",)
        last = Item(window_line(record, next_s), source, problem=error)
        n_expected = max(n_expected, n_windows + 1)  # no header tells how much is missing
    assert last is not None, "a recording that fits has a window"
    yield last._replace(end=FileEnd(record, duration_s, left_out_s, n_expected))
