"""Batches of recordings of which the beginning is scored: a clip each, read at once where that can be."""

from collections.abc import Generator, Iterable
from itertools import islice

import numpy as np

from osscl.audio.batch import read_clips
from osscl.audio.candidate import Candidate
from osscl.audio.samples import Samples
from osscl.backends import Backend
from osscl.errors import AudioError
from osscl.model_file.manifest import Manifest
from osscl.scoring.judging import Batch, Entry, batch_of
from osscl.scoring.lines import described, named, refused
from osscl.scoring.task import Task


def borrow(
    candidates: Iterable[Candidate], batch_size: int, backend: Backend
) -> Generator[tuple[int, list[Candidate], Samples | None], None, None]:
    """Candidates of one batch each, with the number of those before and the memory to read them into.

    It is borrowed in the caller's thread, in order: no batch takes what one before it then lacks.
    """
    remaining, first = iter(candidates), 0
    while group := list(islice(remaining, batch_size)):
        yield first, group, backend.lend_batch(len(group))
        first += len(group)


def read(task: Task, manifest: Manifest, first: int, group: list[Candidate], lent: Samples | None) -> Batch:
    """Read a batch, before which `first` files were met, into memory that was lent, or into its own."""
    paths = [candidate.path for candidate in group if candidate.problem is None]
    n_samples, rate_hz = manifest.clip.n_samples, manifest.front_end.settings.sample_rate_hz
    rows = np.empty((len(paths), n_samples), np.int16) if lent is None else lent[: len(paths)]
    clips = enumerate(read_clips(paths, rows, task.fit, manifest.clip, rate_hz, task.threads))
    entries: list[Entry] = []
    for place, candidate in enumerate(group):
        record, judge = named(candidate.path, task, first + place)
        if candidate.problem is not None:
            entries.append(Entry(refused(record, candidate.problem)))
            continue
        row, clip = next(clips)
        if isinstance(clip, AudioError):
            entries.append(Entry(refused(record, clip)))
        else:
            entries.append(Entry(described(record, clip), judge, clip, row))
    return batch_of(entries, rows, task, rate_hz)
