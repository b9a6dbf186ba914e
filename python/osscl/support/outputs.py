"""Places that a command shall write a file to, looked at before hours of work go into what stands there."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from osscl.errors import OutputError
from osscl.support.paths import printable


def check_output(
    path: Path, *, overwrite: bool, inputs: Iterable[str | os.PathLike[str] | None] = ()
) -> None:
    """Refuse a place where a file cannot be written, or where something would be lost.

    A link is an output of an earlier run as a file is. With `overwrite` the link itself is replaced, and what
    it leads to stays as it is.

    Parameters
    ----------
    path : Path
        File to write.
    overwrite : bool
        Whether a file or a link may be there already.
    inputs : iterable of path-like or None
        What the command reads. None of it is ever replaced.

    Raises
    ------
    OutputError
        The place is taken, or its folder is missing or closed.
    """
    refuse_inputs(path, inputs)
    _check_folder(path)
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise cannot_be_written(path, error) from error
    if stat.S_ISDIR(kind):
        raise OutputError(f"{printable(path)} is a folder; expected the name of a file to write")
    if not (stat.S_ISREG(kind) or stat.S_ISLNK(kind)):
        raise OutputError(
            f"{printable(path)} is a device, pipe or socket; expected the name of a file to write"
        )
    if not overwrite:
        raise OutputError(f"{printable(path)} exists; name another file, or use overwrite=True (--overwrite)")


def check_output_folder(path: Path) -> None:
    """Refuse a place where no folder of files can be written.

    Parameters
    ----------
    path : Path
        Folder to write into, which need not exist.

    Raises
    ------
    OutputError
        It is none, or it is closed.
    """
    try:
        kind = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if not path.is_symlink():
            return
        what = "a link that leads nowhere"
    except OSError as error:
        raise cannot_be_written(path, error) from error
    else:
        if stat.S_ISDIR(kind):
            _check_open(path, path)
            return
        what = "a file" if stat.S_ISREG(kind) else "a device, pipe or socket"
    raise OutputError(f"{printable(path)} is {what}; expected a folder, or none yet")


def refuse_used_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something already.

    Parameters
    ----------
    folder : Path
        Folder to write into; it need not be there.
    overwrite : bool
        Take it all the same.

    Raises
    ------
    OutputError
        It is not empty, or cannot be looked into.
    """
    try:
        is_used = not overwrite and any(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise cannot_be_written(folder, error) from error
    if is_used:
        raise OutputError(f"{printable(folder)} is not empty; name another folder, or use --overwrite")


def refuse_inputs(path: Path, inputs: Iterable[str | os.PathLike[str] | None]) -> None:
    """Refuse to replace what is read, by whatever name it is called.

    Parameters
    ----------
    path : Path
        File or folder to write.
    inputs : iterable of path-like or None
        What is read.

    Raises
    ------
    OutputError
        It is one of them.
    """
    for read in inputs:
        if read is not None and _is_same(path, read):
            raise OutputError(
                f"{printable(path)} is read by this very command and would be replaced; name another output"
            )


def cannot_be_written(path: Path, error: OSError) -> OutputError:
    """Put into a sentence what the system says."""
    return OutputError(f"{printable(path)} cannot be written: {error.strerror}")


def _check_folder(path: Path) -> None:
    folder = path.absolute().parent
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        is_folder = False
    except OSError as error:
        raise cannot_be_written(path, error) from error
    if not is_folder:
        raise OutputError(
            f"{printable(path)} cannot be written: there is no folder {printable(path.parent)}; make it first"
        )
    _check_open(path, path.parent)


def _check_open(path: Path, folder: Path) -> None:
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
        raise OutputError(
            f"{printable(path)} cannot be written: no file can be made in the folder {printable(folder)}"
            + (
                ", whose file system is read-only; name a place on another one"
                if _is_read_only(folder)
                else ""
            )
        )


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:  # then its leave to be written is what is told
        return False


def _is_same(path: Path, other: str | os.PathLike[str]) -> bool:
    try:
        return path.samefile(other)
    except OSError:  # one of them is not there, or cannot be looked at
        return False
