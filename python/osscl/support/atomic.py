"""Files that appear whole or not at all."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def write_atomically(path: Path, contents: Iterable[bytes | memoryview], mode: int | None = None) -> None:
    """Write a file under another name in the same folder, force it to disk, then rename it.

    Parameters
    ----------
    path : Path
        Where the file shall be; an existing file is replaced.
    contents : iterable of bytes
        What it shall hold, in pieces.
    mode : int, optional
        Its permissions; by default those that new files get.

    Raises
    ------
    OSError
        It cannot be written; nothing is left behind, and an existing file is as it was.
    """
    with appearing_whole(path, mode) as file:
        file.writelines(contents)


@contextmanager
def appearing_whole(path: Path, mode: int | None = None) -> Iterator[IO[bytes]]:
    """Open a file for writing under another name; it gets its own once all is written.

    Parameters
    ----------
    path : Path
        Where the file shall be; an existing file is replaced.
    mode : int, optional
        Its permissions; by default those that new files get.

    Yields
    ------
    binary file
        What takes the contents.

    Raises
    ------
    OSError
        It cannot be written; nothing is left behind, and an existing file is as it was.
    """
    temporary = path.parent / f".osscl-{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), mode)
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
