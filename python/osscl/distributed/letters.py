"""What goes to a worker and comes back, as Arrow tables: recordings, lines, and what else it tells."""

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from osscl import errors
from osscl.audio.candidate import Candidate
from osscl.distributed.frames import records_in, table_of
from osscl.errors import ClipError, DistributedError, OssclError
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import Record, ends_file
from osscl.storage.stored import Stored

_ANSWERS, _TELLS = "number", "tells"


class Told(msgspec.Struct, frozen=True):
    """What a worker tells of a batch beside its lines.

    Attributes
    ----------
    facts : dict
        What computed there.
    left_out : LeftOut
        What was not scored of long recordings.
    error : tuple of str or None
        Kind and text of what kept it from scoring the batch at all.
    """

    facts: dict[str, Any] = {}
    left_out: LeftOut = msgspec.field(default_factory=LeftOut)
    error: tuple[str, str] | None = None

    def raise_error(self) -> None:
        """Raise here what the worker could not say itself."""
        if self.error is not None:
            kind, text = self.error
            raise _kind(kind, OssclError, DistributedError)(text)


class Answer(NamedTuple):
    """What came back of a batch: its lines, for each line the number of its recording, and the rest."""

    records: Sequence[Record]
    numbers: Sequence[int]
    told: Told


def letters(candidates: Iterable[Candidate], size: int) -> Iterator[Any]:
    """Put recordings into tables that any process reads.

    Parameters
    ----------
    candidates : iterable of Candidate
        In the order of the walk, which numbers them.
    size : int
        How many go into one.

    Yields
    ------
    pyarrow.Table
        With paths as bytes, since not every name is UTF-8.
    """
    import pyarrow

    schema = pyarrow.schema(
        [
            (_ANSWERS, pyarrow.int64()),
            ("path", pyarrow.binary()),
            ("kind", pyarrow.string()),
            ("problem", pyarrow.string()),
            ("stored", pyarrow.string()),  # of an object behind a URL, so that no worker asks again
        ]
    )
    numbered = enumerate(candidates)
    while group := list(islice(numbered, size)):
        columns = (
            [number for number, _ in group],
            [os.fsencode(each.path) for _, each in group],
            [None if each.problem is None else type(each.problem).__name__ for _, each in group],
            [None if each.problem is None else str(each.problem) for _, each in group],
            [None if each.stored is None else msgspec.json.encode(each.stored).decode() for _, each in group],
        )
        yield pyarrow.table(list(columns), schema=schema)


def opened_letter(table: Any) -> tuple[int, list[Candidate]]:
    """Read a table that `letters` made.

    Parameters
    ----------
    table : pyarrow.Table
        One of them.

    Returns
    -------
    int
        Number of its first recording.
    list of Candidate
        All of them.
    """
    candidates = [
        Candidate(
            os.fsdecode(row["path"]),
            None
            if row["kind"] is None
            else _kind(row["kind"], ClipError, errors.AudioReadError)(row["problem"]),
            stored=None if row["stored"] is None else msgspec.json.decode(row["stored"], type=Stored),
        )
        for row in table.to_pylist()
    ]
    return table[_ANSWERS][0].as_py(), candidates


def answer_table(records: Sequence[Record], first: int, told: Told) -> Any:
    """Make a table of what a worker answers.

    Parameters
    ----------
    records : sequence of Record
        The lines of a batch, in order; none with an error.
    first : int
        Number of its first recording.
    told : Told
        What is to be said beside.

    Returns
    -------
    pyarrow.Table
        The columns of `Record` and two more.
    """
    import pyarrow

    if not records:
        records = [Record(path="")]  # a table without rows could get lost among others
    table = table_of(records)
    numbers, number = [], first
    for record in records:
        numbers.append(number)
        number += ends_file(record)
    tells = [msgspec.json.encode(told).decode(), *[None] * (len(records) - 1)]
    table = table.append_column(_ANSWERS, pyarrow.array(numbers, pyarrow.int64()))
    return table.append_column(_TELLS, pyarrow.array(tells, pyarrow.string()))


def answers(table: Any) -> Iterator[Answer]:
    """Read tables that `answer_table` made, of which an engine may have put several together.

    Parameters
    ----------
    table : pyarrow.Table
        One or several of them.

    Yields
    ------
    Answer
        One for each batch.
    """
    tells = table[_TELLS].to_pylist()
    begins = [place for place, cell in enumerate(tells) if cell is not None]
    for begin, end in zip(begins, [*begins[1:], len(tells)], strict=True):
        rows = table.slice(begin, end - begin)
        told = msgspec.json.decode(tells[begin], type=Told)
        yield Answer([] if told.error is not None else records_in(rows), rows[_ANSWERS].to_pylist(), told)


def _kind(name: str, base: Any, otherwise: Any) -> Any:
    """An error class by its name."""
    found = getattr(errors, name, None)
    return found if isinstance(found, type) and issubclass(found, base) else otherwise
