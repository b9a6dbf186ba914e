"""Whether a file is whole: by what its header declares, beside what is there."""

import os
from typing import NamedTuple

from osscl.audio.bytestream import open_source
from osscl.audio.decoder import open_recording
from osscl.audio.id3 import end_of_id3_tags
from osscl.audio.riff import find_chunks
from osscl.errors import AudioCorruptError, AudioError


class FileState(NamedTuple):
    """What changes whenever a file is written to.

    Attributes
    ----------
    n_bytes : int
        Its size; that of the link itself where it leads to nothing.
    written_ns : int
        When it was last written, nanoseconds.
    """

    n_bytes: int
    written_ns: int


def state_of(path: str) -> FileState | None:
    """Look at a file without opening it.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    FileState or None
        None where it is gone, or out of reach.
    """
    for look in (os.stat, os.lstat):
        try:
            found = look(path)
        except (OSError, ValueError):
            continue
        return FileState(found.st_size, found.st_mtime_ns)
    return None


def lacking(path: str) -> AudioError | None:
    """Say what a recording lacks that may still come.

    Parameters
    ----------
    path : str
        The file.

    Returns
    -------
    AudioError or None
        Why it is not whole, or cannot be opened; None where it holds all that it declares.
    """
    try:
        with open_source(path) as stream:
            if stream.seek(0, os.SEEK_END) == 0:
                return AudioCorruptError("the file is empty")
            chunks = find_chunks(stream, end_of_id3_tags(stream))
            if chunks is not None:
                chunks.data.check_complete()
                return None
            with open_recording(stream) as recording:
                recording.look_for_end()
    except AudioError as error:
        return error
    return None
