"""The recordings below a folder, found lazily and in a fixed order."""

import errno
import itertools
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AUDIO_SUFFIXES
from osscl.errors import AudioReadError, FolderReadError, NoRecordingsError
from osscl.runs.below_url import recordings_at
from osscl.runs.passed_over import COMPANION_PREFIX, PassedOver
from osscl.support.links import dead_link
from osscl.support.log import quiet_logger
from osscl.support.urls import is_url

_log = quiet_logger(__name__)
_SURELY_SHORT = 250  # characters: every system takes a path of so many


def find_recordings(
    roots: Iterable[str | os.PathLike[str]], passed_over: PassedOver | None = None
) -> Iterator[Candidate]:
    """Walk through folders for recordings, files with the endings of `AUDIO_SUFFIXES`.

    A folder is listed when the walk reaches it, and sorted by name; nothing is held in memory but one branch
    of the tree, about 100 bytes for each folder walked, and the links that are still to be followed. Folders
    that cannot be listed and paths too long for the system come as candidates with a problem, so that nothing
    goes missing unseen. A folder is walked whatever its name is, session.wav as well.

    Links to folders are followed, and each folder is walked once: by its own name where that is met, so
    links come last; links to a folder that the walk is inside of are not followed. Every name of a file, link
    or not, is a candidate of its own.

    Parameters
    ----------
    roots : iterable of path-like
        Folders, or URLs of what they are in a store; or files, which are taken whatever their names are.
    passed_over : PassedOver, optional
        Counts what lies there and is not taken.

    Returns
    -------
    iterator of Candidate
        Each file or unusable folder; it raises `StorageError` where nothing of a URL can be listed.
    """
    return _Walk(PassedOver() if passed_over is None else passed_over).through(map(os.fsdecode, roots))


def find_some_recordings(
    roots: Sequence[str | os.PathLike[str]], passed_over: PassedOver | None = None
) -> Iterator[Candidate]:
    """Walk through folders as `find_recordings` does, and refuse those that hold no recording at all.

    Parameters
    ----------
    roots : sequence of path-like
        Folders, files, or URLs of either.
    passed_over : PassedOver, optional
        Counts what lies there and is not taken; without it, the log warns of it at the end.

    Returns
    -------
    iterator of Candidate
        Each file or unusable folder; the first is found by now.

    Raises
    ------
    NoRecordingsError
        There is none; raised at once, before anything is written or computed.
    StorageError
        One of them is a URL that cannot be listed; raised at once, too.
    """
    for root in filter(is_url, roots[1:]):  # the walk begins at the first
        next(recordings_at(os.fsdecode(root), PassedOver()), None)
    met = PassedOver() if passed_over is None else passed_over
    found = find_recordings(roots, met)
    first = next(found, None)
    if first is None:
        raise NoRecordingsError(met.refusal(roots))
    every = itertools.chain([first], found)
    return every if passed_over is not None else _warning_at_the_end(every, met)


def _warning_at_the_end(candidates: Iterator[Candidate], met: PassedOver) -> Iterator[Candidate]:
    yield from candidates
    for note in met.notes():
        _log.warning("%s", note)


def is_recording_name(name: str) -> bool:
    """Whether a walk takes a file of this name for a recording."""
    return name.lower().endswith(AUDIO_SUFFIXES) and not name.startswith(COMPANION_PREFIX)


class _Walk:
    """One walk through several trees.

    Parameters
    ----------
    passed_over : PassedOver
        Counts what is not taken.
    """

    def __init__(self, passed_over: PassedOver) -> None:
        self._passed_over = passed_over
        self._walked: set[int | str] = set()  # identities of folders
        self._above: frozenset[int | str] = frozenset()  # identities of those above the tree at hand
        self._links: deque[str] = deque()  # to folders, followed when all real ones are walked
        self._branch: list[Iterator[os.DirEntry[str]]] = []  # what is left of each folder from the tree's top

    def through(self, roots: Iterable[str]) -> Iterator[Candidate]:
        """Walk through real folders first, then through those that links alone lead to."""
        for root in roots:
            if is_url(root):
                yield from recordings_at(root, self._passed_over)
            elif not os.path.isdir(root):  # noqa: PTH112 - Path.is_dir raises where the way there is closed
                yield Candidate(root)
            elif os.path.islink(root):  # noqa: PTH114 - as above
                self._links.append(root)
            else:
                yield from self._tree(root)
        while self._links:
            yield from self._tree(self._links.popleft())

    def _tree(self, top: str) -> Iterator[Candidate]:
        problem: AudioReadError | None = self._open(top)
        if problem is not None:
            yield Candidate(top, problem)
        self._above = _above(top) if self._branch else frozenset()
        while self._branch:
            for entry in self._branch[-1]:
                if _is_folder(entry):
                    problem = self._meet_folder(entry)
                    if problem is not None:
                        yield Candidate(entry.path, problem)
                    break  # go on with what is open now: this folder, or the one it lies in
                if not entry.name.lower().endswith(AUDIO_SUFFIXES):
                    self._pass_over(entry)
                elif entry.name.startswith(COMPANION_PREFIX):
                    self._passed_over.n_companions += 1
                elif len(entry.path) <= _SURELY_SHORT:
                    yield Candidate(entry.path)
                else:
                    yield Candidate(entry.path, _problem_of_length(entry.path))
            else:
                self._branch.pop()

    def _meet_folder(self, entry: os.DirEntry[str]) -> AudioReadError | None:
        """Open a real folder, keep a link for later; say why a folder cannot be opened."""
        if not entry.is_symlink():
            return self._open(entry.path)
        if not self._is_known(entry):
            self._links.append(entry.path)
        return None

    def _open(self, folder: str) -> FolderReadError | None:
        """Make a folder the end of the branch, unless it was walked before; say why it cannot be."""
        try:
            identity = _identity(folder, os.stat(folder))  # noqa: PTH116 - a str, as all paths of the walk
            if identity in self._walked:
                return None
            self._walked.add(identity)
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            return FolderReadError(f"the folder cannot be listed: {_reason(folder, error)}")
        self._branch.append(iter(entries))
        return None

    def _is_known(self, link: os.DirEntry[str]) -> bool:
        """Whether a link leads to a folder that was walked, or that the walk is inside of."""
        try:
            identity = _identity(link.path, link.stat())
        except OSError:  # gone since it was met: opening it tells
            return False
        return identity in self._walked or identity in self._above

    def _pass_over(self, entry: os.DirEntry[str]) -> None:
        # hidden ones are the locks of editors
        if entry.is_symlink() and not entry.name.startswith(".") and dead_link(entry.path) is not None:
            self._passed_over.count_dead_link(entry.path)
        else:
            self._passed_over.count_other(entry.name)


def _identity(folder: str, status: os.stat_result) -> int | str:
    """What tells a folder from all others: device and inode, or its real path on systems without inodes."""
    if status.st_ino == 0:
        return os.path.realpath(folder)
    return status.st_dev << 64 | status.st_ino


def _above(folder: str) -> frozenset[int | str]:
    """Identities of the folders that a folder lies in."""
    found = set()
    for parent in Path(os.path.realpath(folder)).parents:
        try:
            found.add(_identity(str(parent), parent.stat()))
        except OSError:  # out of reach: no link leads there either
            continue
    return frozenset(found)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that turns in a circle: opening it as a file tells why it cannot be read
        return False


def _problem_of_length(path: str) -> AudioReadError | None:
    """Why a file cannot be reached, where its path is too long for the system."""
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return AudioReadError(f"it cannot be opened: {_reason(path, error)}")
    return None


def _reason(path: str, error: OSError) -> str:
    if error.errno == errno.ENAMETOOLONG:
        return (
            f"its path of {len(os.fsencode(path))} bytes is longer than the system takes; begin in a folder "
            "further down, or move it up"
        )
    return error.strerror or str(error)
