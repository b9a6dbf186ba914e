"""The recordings below a folder, found lazily and in a fixed order."""

import os
from collections.abc import Iterable, Iterator

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AUDIO_SUFFIXES
from osscl.errors import AudioReadError


def find_recordings(roots: Iterable[str | os.PathLike[str]]) -> Iterator[Candidate]:
    """Walk through folders for WAV and FLAC files.

    A folder is listed when the walk reaches it, and sorted by name; nothing beyond one branch of the
    tree is held in memory. What looks like a recording and is none (a folder named x.wav) and folders
    that cannot be listed come as candidates with a problem, so that nothing goes missing unseen.

    Parameters
    ----------
    roots : iterable of path-like
        Folders; or files, which are taken whatever their names end in.

    Yields
    ------
    Candidate
        Each file or unusable folder, once a root.
    """
    for root in map(os.fsdecode, roots):
        if os.path.isdir(root):  # noqa: PTH112 - Path.is_dir raises where the way there is closed
            yield from _walk(root)
        else:
            yield Candidate(root)


def _walk(folder: str) -> Iterator[Candidate]:
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield Candidate(folder, AudioReadError(f"the folder cannot be listed: {error.strerror}"))
        return
    for entry in entries:
        looks_like_audio = entry.name.lower().endswith(AUDIO_SUFFIXES)
        if _is_folder(entry):
            if looks_like_audio:
                yield Candidate(entry.path, AudioReadError("it is a directory, not an audio file"))
            if not _leads_back(entry):
                yield from _walk(entry.path)
        elif looks_like_audio:
            yield Candidate(entry.path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that turns in a circle: opening it as a file tells why it cannot be read
        return False


def _leads_back(entry: os.DirEntry[str]) -> bool:
    """Whether a link leads to a folder that the walk is inside of."""
    if not entry.is_symlink():
        return False
    target = os.path.realpath(entry.path)
    here = os.path.realpath(os.path.dirname(entry.path))  # noqa: PTH120 - a str, as all paths of the walk
    return here == target or here.startswith(target.rstrip(os.sep) + os.sep)
