"""Files that may not be whole yet: looked at again until they are, or until they are given up."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from osscl.audio.candidate import Candidate
from osscl.errors import AudioCorruptError, AudioError, AudioReadError
from osscl.live.wholeness import FileState, lacking, state_of
from osscl.support.log import quiet_logger
from osscl.support.paths import printable

_log = quiet_logger(__name__)
TELL_AFTER_S = 60.0
"""A file that is not whole for so long is told of, once."""


class Arrival(NamedTuple):
    """A file that need not be waited for any more.

    Attributes
    ----------
    candidate : Candidate
        The file; with a problem where it was given up, or is out of reach.
    state : FileState or None
        In which it is whole; None where it is out of reach.
    whole_at : float
        When that was found, seconds of the clock.
    """

    candidate: Candidate
    state: FileState | None
    whole_at: float


@dataclass(slots=True)
class _Waiting:
    state: FileState
    met: float  # all times are seconds of the clock
    changed: float
    look_at: float
    is_closed: bool  # its writer has closed it, or moved it here, in this state
    lack: AudioError | None = None  # what it lacks in this state, once it has been looked at
    is_told: bool = False  # that it is not whole for long


class Unfinished:
    """Files that wait until they are whole.

    A file is whole when its header declares no more than is there, and its writer has closed it or moved it
    here, or nobody has written to it for some time.

    Parameters
    ----------
    settle_s : float
        Seconds without a change after which a file is taken to be closed.
    give_up_s : float
        Seconds after which a file that is still not whole is handed on all the same, with the reason.
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, settle_s: float, give_up_s: float, clock: Callable[[], float]) -> None:
        self._settle_s, self._give_up_s, self._clock = settle_s, give_up_s, clock
        self._waiting: dict[str, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[str]:
        return iter(self._waiting)

    def meet(self, path: str, *, is_closed: bool = False) -> None:
        """Take a file up, or look at it sooner.

        Parameters
        ----------
        path : str
            The file.
        is_closed : bool
            Whether its writer has just closed it, or moved it here.
        """
        state = state_of(path)
        if state is None:
            self._waiting.pop(path, None)
            return
        now = self._clock()
        known = self._waiting.get(path)
        if known is None:
            look_at = now if is_closed else now + self._settle_s
            self._waiting[path] = _Waiting(state, now, now, look_at, is_closed)
        elif is_closed or known.state != state:
            self._change(known, state, now, is_closed=is_closed)

    def forget_all(self) -> None:
        """The folder is gone, and all files with it."""
        self._waiting.clear()

    def due_in(self) -> float | None:
        """Seconds until a file is to be looked at, 0 or more; None where none waits."""
        if not self._waiting:
            return None
        return max(0.0, min(each.look_at for each in self._waiting.values()) - self._clock())

    def whole(self, most: int) -> list[Arrival]:
        """Take out files that are whole or given up by now, the one that was written first before all others.

        Parameters
        ----------
        most : int
            How many to take.

        Returns
        -------
        list of Arrival
            The files; those given up with the reason.
        """
        now = self._clock()
        found: list[tuple[int, bytes, Arrival]] = []
        for path in [path for path, each in self._waiting.items() if each.look_at <= now]:
            if len(found) == most:
                break
            candidate = self._look(path, self._waiting[path], now)
            if candidate is not None:
                state = self._waiting.pop(path).state
                found.append((state.written_ns, os.fsencode(path), Arrival(candidate, state, now)))
        return [arrival for _, _, arrival in sorted(found, key=lambda each: each[:2])]

    def _look(self, path: str, waiting: _Waiting, now: float) -> Candidate | None:
        state = state_of(path)
        if state is None:  # moved away, or deleted: a new name is met as a new file
            del self._waiting[path]
            return None
        if state != waiting.state:
            self._change(waiting, state, now, is_closed=False)
        elif waiting.is_closed or now - waiting.changed >= self._settle_s:
            # whether it may be opened can change without a trace in its state
            if waiting.lack is None or isinstance(waiting.lack, AudioReadError):
                waiting.lack = lacking(path)
            if waiting.lack is None:
                # written to while it was looked at: its header may be that of before
                if state_of(path) == state:
                    return Candidate(path)
                self._change(waiting, state_of(path) or state, now, is_closed=False)
        if now - waiting.met >= self._give_up_s:
            return Candidate(path, self._given_up(waiting))
        if now - waiting.met >= TELL_AFTER_S and not waiting.is_told:
            waiting.is_told = True
            _log.warning("not whole yet: %s: %s", printable(path), self._why_it_waits(waiting))
        self._look_later(waiting, now)
        return None

    def _change(self, waiting: _Waiting, state: FileState, now: float, *, is_closed: bool) -> None:
        waiting.state, waiting.changed, waiting.lack = state, now, None
        waiting.is_closed = is_closed
        if is_closed:
            waiting.look_at = now
        else:
            self._look_later(waiting, now)

    def _look_later(self, waiting: _Waiting, now: float) -> None:
        waiting.look_at = min(now + self._settle_s, max(now, waiting.met + self._give_up_s))

    def _why_it_waits(self, waiting: _Waiting) -> str:
        what = "it is still being written" if waiting.lack is None else str(waiting.lack)
        return f"{what}; it is waited for, {self._give_up_s:g} s after it was first met at most"

    def _given_up(self, waiting: _Waiting) -> AudioError:
        span = f"{self._give_up_s:g} s after it was first met"
        if waiting.lack is None:
            return AudioCorruptError(
                f"it was still being written {span}: it is scored once nobody has written to it for "
                f"{self._settle_s:g} s"
            )
        error = type(waiting.lack)(f"it did not become whole in time, {span}: {waiting.lack}")
        error.sample_rate_hz, error.duration_s = waiting.lack.sample_rate_hz, waiting.lack.duration_s
        return error
