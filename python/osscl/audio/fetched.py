"""Recordings behind URLs, read ahead of what scores them: several requests at once, and bounded memory."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from typing import NamedTuple

from osscl.audio.candidate import Candidate
from osscl.errors import AudioReadError, StorageError
from osscl.storage.listing import stat
from osscl.storage.reading import WHOLE_BYTES, read_whole
from osscl.storage.stored import Stored, stored_of
from osscl.support.urls import is_url

AT_ONCE = 16
"""Requests that are on their way at the same time."""
MOST_AHEAD = 64
MOST_BYTES_AHEAD = 64 << 20
"""Recordings, and bytes of them, that are read before they are asked for; one is, however large it is."""


class _Coming(NamedTuple):
    candidate: Candidate
    content: "Future[bytes | None] | None"  # None where nothing is to be read
    n_bytes: int


def fetched_ahead(candidates: Iterable[Candidate]) -> Generator[Candidate, None, None]:
    """Read what lies behind URLs into `Candidate.content`.

    Files of this machine come through as they are, and nothing is taken of `candidates` before it is asked
    for, until the first URL is met. Objects larger than `osscl.storage.reading.WHOLE_BYTES` come through too:
    they are read piece by piece, where they are decoded.

    Parameters
    ----------
    candidates : iterable of Candidate
        In order.

    Yields
    ------
    Candidate
        The same in the same order; one that cannot be read has a problem.
    """
    given_up = Event()
    pool = ThreadPoolExecutor(AT_ONCE, "osscl-fetch")  # starts no thread before there is something to do
    ahead: deque[_Coming] = deque()
    n_bytes = 0
    try:
        for candidate in candidates:
            content = pool.submit(_read, candidate, given_up) if _is_fetched(candidate) else None
            if content is None and not ahead:
                yield candidate
                continue
            ahead.append(_Coming(candidate, content, _size(candidate) if content else 0))
            n_bytes += ahead[-1].n_bytes
            while len(ahead) > MOST_AHEAD or (n_bytes > MOST_BYTES_AHEAD and len(ahead) > 1):
                n_bytes -= ahead[0].n_bytes
                yield _arrived(ahead.popleft())
        while ahead:
            yield _arrived(ahead.popleft())
    finally:
        given_up.set()
        pool.shutdown(cancel_futures=True)


def _is_fetched(candidate: Candidate) -> bool:
    if candidate.problem is not None or candidate.content is not None or not is_url(candidate.path):
        return False
    return _size(candidate) <= WHOLE_BYTES


def _size(candidate: Candidate) -> int:
    """Bytes of an object; of an unknown size, the most that are read."""
    size = (candidate.stored or Stored()).size
    return WHOLE_BYTES if size is None else size


def _read(candidate: Candidate, given_up: Event) -> bytes | None:
    """What an object holds; None of one that turns out to be large."""
    if candidate.stored is None or candidate.stored.size is None:
        found = stat(candidate.path)
        if found is not None and (stored_of(found).size or 0) > WHOLE_BYTES:
            return None
    return read_whole(candidate.path, given_up)


def _arrived(coming: _Coming) -> Candidate:
    if coming.content is None:
        return coming.candidate
    try:
        return coming.candidate._replace(content=coming.content.result())
    except StorageError as error:
        return coming.candidate._replace(problem=AudioReadError(f"it cannot be read: {error}"))
