"""What `Detector.score_files` is given, as candidates: paths, contents, open files."""

import io
import os
from collections.abc import Iterable, Iterator
from itertools import count
from typing import cast

from osscl.audio.bytestream import AudioSource, open_source
from osscl.audio.candidate import Candidate
from osscl.audio.reading import AUDIO_SUFFIXES
from osscl.errors import AudioReadError, InputError
from osscl.scoring.record import Record
from osscl.support.paths import printable
from osscl.support.plurals import counted

_CONTENTS = bytes | bytearray | memoryview


def candidates_of(
    sources: "AudioSource | Iterable[AudioSource]",
    machine: str | Iterable[str] | None,
    name: str | None = None,
) -> Iterator[Candidate]:
    """Take recordings one after the other, as they are scored.

    Parameters
    ----------
    sources : path-like, bytes, binary file object or upload, or iterable of them
        The recordings; one alone counts as a list of one.
    machine : str, iterable of str or None
        Of all recordings, or of each; None where their paths say it.
    name : str, optional
        What one alone is called; by default what it calls itself.

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
        if name is not None:
            candidate = _called(candidate, name)
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


def check_names(machine: object, of_each: str) -> None:
    """Refuse what names no machines, such as a recording that stands in their place.

    Parameters
    ----------
    machine : object
        What was given for one name, or one of each recording.
    of_each : str
        What each of several names is of: "recording" or "clip".

    Raises
    ------
    InputError
        It is neither a name nor an iterable of names.
    """
    if isinstance(machine, str):
        if machine.lower().endswith(AUDIO_SUFFIXES):
            raise InputError(
                f"machine is {printable(machine)}, a recording; what is to be scored comes first, and its "
                "machine behind it"
            )
        return
    if is_source(machine) or not isinstance(machine, Iterable):
        raise InputError(
            f"machine is an object of type {type(machine).__name__}; give one name, or one a {of_each}"
            + (", behind what is to be scored" if is_source(machine) else "")
        )


def why_a_folder(record: Record) -> str | None:
    """Say of a line about something unreadable that it is a folder, and how its files are given."""
    if record.status != "unreadable" or not os.path.isdir(record.path):  # noqa: PTH112 - a str
        return None
    return "a folder; give the files in it, such as sorted(pathlib.Path(FOLDER).rglob('*.wav'))"


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
    return _held(name_of(source) or f"file {number}", source)


def _called(candidate: Candidate, name: str) -> Candidate:
    """The same recording by another name, which must not lead elsewhere: it is read first."""
    if candidate.content is not None or candidate.problem is not None:
        return candidate._replace(path=name)
    return _held(name, candidate.path)


def _held(name: str, source: AudioSource) -> Candidate:
    """What a recording holds, by this name; one that cannot be read says so."""
    try:
        with open_source(source) as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            return Candidate(name, content=stream.read(size))
    except AudioReadError as error:
        return Candidate(name, error)


def name_of(source: object) -> str | None:
    """What a recording calls itself: a path; `filename` of an upload, `name` of a file; no descriptor."""
    if isinstance(source, str | os.PathLike):
        return os.fsdecode(source)
    for told in (getattr(source, "filename", None), getattr(source, "name", None)):
        if isinstance(told, str) and told:
            return told
    return None
