"""Symbolic links in paths: the names one walked by, and links that lead nowhere."""

import os
from pathlib import Path

from osscl.support.paths import printable
from osscl.support.urls import is_url


def as_walked(path: str | os.PathLike[str]) -> str:
    """Make a path absolute and leave its links as they are, so that its names are those it was walked by.

    Links are followed only as far as ``..`` goes up from them: no name says what lies above a link's target.
    """
    if is_url(path):
        return os.fsdecode(path)
    given = Path(os.fsdecode(path))
    if os.pardir not in given.parts:
        return str(given.absolute())
    n_below = given.parts[::-1].index(os.pardir)  # names below the last ".."
    up_to, below = given.parts[: len(given.parts) - n_below], given.parts[len(given.parts) - n_below :]
    return str(Path(os.path.realpath(Path(*up_to)), *below))


def real_path(path: str | os.PathLike[str]) -> str:
    """Make a path absolute, all links followed; a URL stays as it is."""
    return os.fsdecode(path) if is_url(path) else os.path.realpath(os.fsdecode(path))


def dead_link(path: str | os.PathLike[str]) -> str | None:
    """Say of a link whose target is missing what it is and what mends it; None for everything else."""
    try:
        os.stat(path)  # noqa: PTH116 - a path of any kind
    except FileNotFoundError:
        try:
            target = os.readlink(path)  # noqa: PTH115 - as above
        except OSError:
            return None
        return (
            f"it is a link to {printable(target)}, and nothing is there; fetch what it stands for "
            "(git annex get, dvc pull), or mend the link"
        )
    except (OSError, ValueError):  # there is something, or it cannot be told
        return None
    return None


def missing(path: str | os.PathLike[str], what: str | None = None) -> str | None:
    """Say that there is nothing at a path, or that it is a link to nothing; None where there is something.

    What is at a URL is told where it is listed or read, and not here.

    Parameters
    ----------
    path : path-like
        What was named.
    what : str, optional
        What should be there, such as "table"; without it a file where the name has an ending, else a folder.

    Returns
    -------
    str or None
        Such as "there is no folder recordings".
    """
    if is_url(path):
        return None
    try:
        os.stat(path)  # noqa: PTH116 - a path of any kind
    except (FileNotFoundError, NotADirectoryError):
        problem = dead_link(path)
        expected = what or ("file" if os.path.splitext(path)[1] else "folder")  # noqa: PTH122 - any path
        return f"there is no {expected} {printable(path)}" + (f": {problem}" if problem else "")
    except (OSError, ValueError):  # there is something, or it cannot be told
        return None
    return None


def unreadable(path: str | os.PathLike[str], what: str, error: OSError) -> str:
    """Say why a file could not be opened or read: that it is not there, or what the system says.

    Parameters
    ----------
    path : path-like
        The file.
    what : str
        What should be there, such as "table".
    error : OSError
        What came of reading it.

    Returns
    -------
    str
        Such as "there is no table scores.csv".
    """
    gone = missing(path, what) if isinstance(error, FileNotFoundError | NotADirectoryError) else None
    return gone or f"{printable(path)}: the {what} cannot be read: {error.strerror or error}"
