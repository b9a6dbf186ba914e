"""Recordings that appear in a folder, each once it is whole. The folder itself is the queue: nothing is lost.

Walks through the folder find its files, however they came; what the system tells of it (`notices`) only makes
that quick. Where it tells nothing, walks come more often.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from osscl.audio.candidate import Candidate
from osscl.errors import FolderReadError
from osscl.live.notices import Listener, Notices
from osscl.live.unfinished import Arrival, Unfinished
from osscl.live.wholeness import state_of
from osscl.runs.folder import find_recordings, is_recording_name
from osscl.support.file_systems import network_file_system
from osscl.support.log import quiet_logger
from osscl.support.paths import printable

_log = quiet_logger(__name__)
_WALK_EVERY_S, _POLL_EVERY_S = 60.0, 10.0
_MOST_OF_THE_TIME = 20  # a walk may last one part of so many
_FILES_A_LOOK = 2048  # so that scoring goes on while a large folder is walked
_MOST_UNFINISHED = 50_000
_MOST_READY = 4096
_MOST_NAMED_FOLDERS = 1000


class Arrivals:
    """Finds the recordings of a folder, those that are there and those that come.

    Of one thread: `look` and `take` by turns. What `take` gave is done soon, or is met again; until then it
    may be given once more.

    Parameters
    ----------
    folder : str
        The folder, which is there.
    is_done : callable
        Tells whether a file was scored as it is now: the walks leave it out.
    settle_s : float
        Seconds without a change after which a file is taken to be closed by its writer.
    give_up_s : float
        Seconds after which a file that is not whole is handed on with the reason.
    poll_s : float, optional
        Walk through the folder so often and listen to no notices; by default that is done, every 10 s, where
        the system has none to give.
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(
        self,
        folder: str,
        is_done: Callable[[Candidate], bool],
        *,
        settle_s: float,
        give_up_s: float,
        poll_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder.rstrip(os.sep) or folder
        self._is_done, self._clock = is_done, clock
        self._unfinished = Unfinished(settle_s, give_up_s, clock)
        self._ready: deque[Arrival] = deque()
        self._notices = Notices()
        self._listener: Listener | None = None
        self._poll_s = _polling(self._folder) if poll_s is None else poll_s
        self._walk: Iterator[Candidate] | None = None  # through the whole folder
        self._walk_at, self._walk_began = clock(), clock()
        self._is_walked = False
        self._side_walks: deque[Iterator[Candidate]] = deque()  # through folders that were told of
        self._identity: tuple[int, int] | None = None
        self._unlisted: set[str] = set()
        self._open()

    @property
    def n_ready(self) -> int:
        """Files that are whole and wait to be scored."""
        return len(self._ready)

    @property
    def n_unfinished(self) -> int:
        """Files that are not whole yet, as far as they are known."""
        return len(self._unfinished)

    def unfinished(self) -> list[str]:
        """Their paths."""
        return list(self._unfinished)

    @property
    def is_there(self) -> bool:
        """Whether the folder is there."""
        return self._identity is not None

    @property
    def has_met_all(self) -> bool:
        """Whether the folder was walked through since it is there, and nothing of it waits."""
        return self._is_walked and not (self._ready or self._side_walks or len(self._unfinished))

    def look(self) -> None:
        """Look what has come since; files that are whole by now are ready to be taken."""
        if not self._look_at_folder():
            return
        self._take_notices()
        self._walk_on()
        if len(self._ready) < _MOST_READY:
            self._ready.extend(self._unfinished.whole(_MOST_READY - len(self._ready)))

    def take(self, most: int) -> list[Arrival]:
        """Take files that are whole.

        Parameters
        ----------
        most : int
            How many at most.

        Returns
        -------
        list of Arrival
            In the order in which they became whole; those given up, or out of reach, with the reason.
        """
        taken: list[Arrival] = []
        while self._ready and len(taken) < most:
            arrival = self._ready.popleft()
            if state_of(arrival.candidate.path) == arrival.state:
                taken.append(arrival)
            else:  # written to, or gone, while it waited
                self._unfinished.meet(arrival.candidate.path)
        return taken

    def wait(self, most_s: float) -> None:
        """Wait until there may be something to look at.

        Parameters
        ----------
        most_s : float
            Seconds to wait at most.
        """
        if self._ready or self._walk or self._side_walks:
            return
        spans = [most_s, self._unfinished.due_in(), self._walk_at - self._clock()]
        span = min(each for each in spans if each is not None)
        if span > 0:
            self._notices.come.wait(span)

    def close(self) -> None:
        """Listen to notices no more."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def _look_at_folder(self) -> bool:
        """Whether the folder is there; begin anew where it was gone, or is another one now."""
        found = _identity_of(self._folder)
        if found == self._identity and (self._listener is None or self._listener.is_listening):
            return found is not None
        if found is None:
            self._lose()
            return False
        if self._identity is None:
            _log.warning(
                "the folder %s is back: what has come meanwhile is taken up", printable(self._folder)
            )
        elif found != self._identity:
            _log.warning("the folder %s is another one now: it is taken up", printable(self._folder))
        self._open()
        return self.is_there

    def _lose(self) -> None:
        if self._identity is not None:
            _log.warning(
                "the folder %s is gone: it is waited for; a share may have to be mounted again",
                printable(self._folder),
            )
        self.close()
        self._identity = None
        self._ready.clear()
        self._unfinished.forget_all()

    def _open(self) -> None:
        """Begin to listen, then walk: nothing that comes in between is missed."""
        self.close()
        self._identity = _identity_of(self._folder)
        if self._identity is not None and self._poll_s is None:
            self._listen()
        self._side_walks.clear()
        self._walk, self._walk_at, self._is_walked = None, self._clock(), False

    def _listen(self) -> None:
        try:
            self._listener = Listener(self._folder, self._notices)
        except OSError as error:
            if _identity_of(self._folder) is None:  # gone in this moment: seen at the next look
                return
            self._poll_s = _POLL_EVERY_S
            _log.warning(
                "the system tells nothing of new files in %s (%s): the folder is looked through every %g s; "
                "sysctl fs.inotify.max_user_watches and max_user_instances allow more",
                printable(self._folder),
                error.strerror or error,
                self._poll_s,
            )

    def _take_notices(self) -> None:
        if len(self._unfinished) >= _MOST_UNFINISHED:
            return
        told, is_lossy = self._notices.take()
        if is_lossy:
            self._walk_at = self._clock()
        for path, is_closed in told.items():
            if os.path.isdir(path):  # noqa: PTH112 - Path.is_dir raises where the way there is closed
                self._side_walks.append(find_recordings([path]))
            elif is_recording_name(os.path.split(path)[1]):
                self._unfinished.meet(path, is_closed=is_closed)

    def _walk_on(self) -> None:
        """Walk a part of the way: files beyond what may wait stay where they are."""
        if len(self._unfinished) >= _MOST_UNFINISHED or len(self._ready) >= _MOST_READY:
            return
        if self._walk is None and self._clock() >= self._walk_at:
            self._walk, self._walk_began = find_recordings([self._folder]), self._clock()
        if self._side_walks and not self._meet(self._side_walks[0]):
            self._side_walks.popleft()
        elif self._walk is not None and not self._meet(self._walk):
            now = self._clock()
            every_s = _WALK_EVERY_S if self._poll_s is None else self._poll_s
            self._walk, self._is_walked = None, True
            self._walk_at = now + max(every_s, _MOST_OF_THE_TIME * (now - self._walk_began))

    def _meet(self, walk: Iterator[Candidate]) -> bool:
        """Meet some more files of a walk; whether there may be others."""
        met = list(islice(walk, _FILES_A_LOOK))
        for candidate in met:
            if not self._is_file(candidate) or self._is_done(candidate):
                continue
            if candidate.problem is None:
                self._unfinished.meet(candidate.path)
            else:  # out of reach by its very path
                self._ready.append(Arrival(candidate, state_of(candidate.path), self._clock()))
        return len(met) == _FILES_A_LOOK

    def _is_file(self, candidate: Candidate) -> bool:
        """Whether it is no folder that cannot be listed, which is said once: the next walk tries again."""
        if not isinstance(candidate.problem, FolderReadError):
            return is_recording_name(os.path.split(candidate.path)[1])  # else a folder that is gone by now
        if candidate.path not in self._unlisted and len(self._unlisted) < _MOST_NAMED_FOLDERS:
            self._unlisted.add(candidate.path)
            _log.warning("%s: %s", printable(candidate.path), candidate.problem)
        return False


def _polling(folder: str) -> float | None:
    """How often to walk through a folder of which the system tells nothing; None where it tells."""
    kind = network_file_system(folder)
    if kind is None:
        return None
    _log.warning(
        "%s lies on a network's file system (%s), of which the system does not tell what others write: it is "
        "looked through every %g s; --poll SECONDS changes that",
        printable(folder),
        kind,
        _POLL_EVERY_S,
    )
    return _POLL_EVERY_S


def _identity_of(folder: str) -> tuple[int, int] | None:
    try:
        found = os.stat(folder)  # noqa: PTH116 - a str, as all of a walk
        if not os.path.isdir(folder):  # noqa: PTH112
            return None
    except OSError:
        return None
    return found.st_dev, found.st_ino
