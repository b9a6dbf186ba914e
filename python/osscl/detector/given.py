"""What `Detector.score_files` is given, as candidates: paths, contents, open files."""

import io
import os
from collections.abc import Iterable, Iterator
from itertools import count
from typing import cast

from osscl.audio.bytestream import AudioSource, open_source
from osscl.audio.candidate import Candidate
from osscl.errors import AudioReadError, InputError
from osscl.support.plurals import counted

_CONTENTS = bytes | bytearray | memoryview


def candidates_of(
    sources: "AudioSource | Iterable[AudioSource]", machine: str | Iterable[str] | None
) -> Iterator[Candidate]:
    """Take recordings one after the other, as they are scored.

    Parameters
    ----------
    sources : path-like, bytes, binary file object or upload, or iterable of them
        The recordings; one alone counts as a list of one.
    machine : str, iterable of str or None
        Of all recordings, or of each; None where their paths say it.

    Yields
    ------
    Candidate
        One a recording, with its machine where each has one of its own.

    Raises
    ------
    InputError
        A source is none of these, or there are more or fewer machines than recordings.
    """
    one_by_one = None if machine is None or isinstance(machine, str) else iter(machine)
    for number, source in zip(count(), _each(sources)):  # the sources end it
        candidate = _candidate(source, number)
        if one_by_one is not None:
            named = next(one_by_one, None)
            if named is None:
                raise InputError(
                    f"{counted(number, 'machine')} for more recordings; give one name, or one a recording"
                )
            candidate = candidate._replace(machine=named)
        yield candidate
    if one_by_one is not None and next(one_by_one, None) is not None:
        raise InputError("more machines than recordings; give one name, or one a recording")


def is_source(given: object) -> bool:
    """Whether something is one recording, rather than several."""
    return isinstance(given, str | os.PathLike | _CONTENTS | io.IOBase) or hasattr(given, "read")


def _each(sources: "AudioSource | Iterable[AudioSource]") -> "Iterable[AudioSource]":
    if is_source(sources):
        return [cast("AudioSource", sources)]
    if not isinstance(sources, Iterable):
        raise InputError(
            "score_files takes paths, bytes or binary file objects, or an iterable of them, "
            f"not an object of type {type(sources).__name__}"
        )
    return cast("Iterable[AudioSource]", sources)


def _candidate(source: AudioSource, number: int) -> Candidate:
    if isinstance(source, str | os.PathLike):
        return Candidate(os.fsdecode(source))
    if isinstance(source, _CONTENTS):
        return Candidate(f"bytes {number}", content=bytes(source))
    name = _name_of(source, number)
    try:
        with open_source(source) as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            return Candidate(name, content=stream.read(size))
    except AudioReadError as error:
        return Candidate(name, error)


def _name_of(file: object, number: int) -> str:
    """What an open file calls itself: `filename` of an upload, `name` of a file; a descriptor is no name."""
    for told in (getattr(file, "filename", None), getattr(file, "name", None)):
        if isinstance(told, str) and told:
            return told
    return f"file {number}"
