"""The recordings below a URL, found as those below a folder are."""

from collections.abc import Iterator

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AUDIO_SUFFIXES
from osscl.errors import FolderReadError, StorageError
from osscl.runs.passed_over import COMPANION_PREFIX, PassedOver
from osscl.storage.listing import objects_at
from osscl.support.paths import printable
from osscl.support.plurals import plural


def recordings_at(url: str, passed_over: PassedOver) -> Iterator[Candidate]:
    """Walk through what a store lists below a URL.

    Parameters
    ----------
    url : str
        A place in a store; or an object, which is taken whatever its name is.
    passed_over : PassedOver
        Counts what lies there and is not taken.

    Yields
    ------
    Candidate
        Each recording, in the order of keys; where the listing breaks off behind some of them, a last one
        that says so.

    Raises
    ------
    StorageError
        Nothing can be listed.
    """
    n_listed = 0
    try:
        for listed in objects_at(url):
            n_listed += 1
            if listed.url == url or _is_taken(listed.name, passed_over):
                yield Candidate(listed.url, stored=listed.stored)
    except StorageError as error:
        if not n_listed:
            raise StorageError(
                f"{printable(url)} cannot be listed: {error}", is_missing=error.is_missing
            ) from error
        reason = f"what lies behind {n_listed:,} {plural(n_listed, 'object')} of it cannot be listed: {error}"
        yield Candidate(url, FolderReadError(reason))


def _is_taken(name: str, passed_over: PassedOver) -> bool:
    if not name.lower().endswith(AUDIO_SUFFIXES):
        passed_over.count_other(name)
    elif name.startswith(COMPANION_PREFIX):
        passed_over.n_companions += 1
    else:
        return True
    return False
