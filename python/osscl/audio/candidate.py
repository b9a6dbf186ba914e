"""What a walk or a list names, before anything of it is read."""

from typing import NamedTuple

from osscl.errors import ClipError
from osscl.storage.stored import Stored


class Candidate(NamedTuple):
    """A recording to read, or one that is known to be unusable before it is opened.

    Attributes
    ----------
    path : str
        The file, or the folder that cannot be listed; of a recording in memory, what it is called.
    problem : ClipError or None
        Why it is unusable; None where nothing is known against it.
    start_s : float or None
        Where in it the window begins that is meant, seconds; None means its beginning.
    content : bytes or None
        What the file holds, where that came by another way: nothing is then opened at `path`.
    stored : Stored or None
        What the listing of a store told of it, where `path` is a URL.
    machine : str or None
        Machine ID that it was given with; None where that is asked of its path.
    """

    path: str
    problem: ClipError | None = None
    start_s: float | None = None
    content: bytes | None = None
    stored: Stored | None = None
    machine: str | None = None

    @property
    def source(self) -> str | bytes:
        """What to read."""
        return self.path if self.content is None else self.content
