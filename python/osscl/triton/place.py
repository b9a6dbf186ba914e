"""Folders of models in a repository: each appears whole, and none but our own is ever replaced."""

import secrets
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from osscl.errors import OutputError
from osscl.support.outputs import cannot_be_written, check_output, check_output_folder
from osscl.support.paths import printable
from osscl.triton.configs import WRITTEN_BY

CONFIG = "config.pbtxt"
"""Name of a model's configuration."""

_OURS = {CONFIG, "1", "1/model.py", "1/model.onnx"}
_OF_PYTHON = "__pycache__"  # the Python backend leaves it beside a model


def check_place(repository: Path, names: Iterable[str], *, overwrite: bool) -> list[Path]:
    """Refuse a repository that cannot be written to, or where something would be lost.

    Parameters
    ----------
    repository : Path
        It need not exist, the folder around it must.
    names : iterable of str
        All models that an earlier call may have written under the same name.
    overwrite : bool
        Whether those are replaced; other models in the repository stay.

    Returns
    -------
    list of Path
        Folders that are there, and give way.

    Raises
    ------
    OutputError
        The place is taken, or closed.
    """
    check_output_folder(repository)
    if not repository.exists():
        check_output(repository, overwrite=False)  # whether a folder can be made there
        return []
    there = [
        folder for folder in (repository / name for name in names) if folder.is_symlink() or folder.exists()
    ]
    for folder in there:
        if not _is_ours(folder):
            raise OutputError(
                f"{printable(folder)} holds what osscl triton did not write; name another model (--name) or "
                "another repository (--output)"
            )
        if not overwrite:
            raise OutputError(f"{printable(folder)} exists; name another model (--name), or use --overwrite")
    return there


@contextmanager
def appearing(repository: Path, replaced: Sequence[Path]) -> Iterator[Path]:
    """Give a folder to write models to; they move into the repository when all are written.

    Parameters
    ----------
    repository : Path
        Where they shall be.
    replaced : sequence of Path
        Folders in it that give way.

    Yields
    ------
    Path
        A new folder, removed with all in it where something fails.

    Raises
    ------
    OutputError
        A folder or file cannot be made; then the repository is as it was.
    """
    try:
        work = _work_folder(repository)
    except OSError as error:
        raise cannot_be_written(repository, error) from error
    try:
        (work / "new").mkdir()
        (work / "old").mkdir()
        yield work / "new"
        _move(work, repository, replaced)
    except OSError as error:
        raise cannot_be_written(repository, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _work_folder(repository: Path) -> Path:
    """Make a folder from which others move into a repository at once.

    It lies beside the repository, where a server that polls does not look; and in it where nothing moves from
    there: the repository is a mount of its own, or the folder around it is closed.
    """
    name = f".osscl-{secrets.token_hex(8)}.part"
    beside = repository.absolute().parent / name
    if not repository.exists():
        beside.mkdir()
        return beside
    inside = repository / name
    try:
        beside.mkdir()
        return beside.replace(inside).replace(beside)
    except OSError:
        with suppress(OSError):
            beside.rmdir()
        inside.mkdir()
        return inside


def _move(work: Path, repository: Path, replaced: Sequence[Path]) -> None:
    """Let old folders give way to new ones; where one cannot be moved, all go back."""
    if not repository.exists():
        (work / "new").replace(repository)
        return
    moves = [(folder, work / "old" / folder.name) for folder in replaced]
    moves += [(folder, repository / folder.name) for folder in sorted((work / "new").iterdir())]
    done: list[tuple[Path, Path]] = []
    try:
        for start, end in moves:
            start.replace(end)
            done.append((start, end))
    except OSError:
        for start, end in reversed(done):
            end.replace(start)
        raise


def _is_ours(folder: Path) -> bool:
    """Whether a folder holds nothing but what an earlier call wrote."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    try:
        with (folder / CONFIG).open("rb") as config:
            if config.readline() != WRITTEN_BY.encode():
                return False
    except OSError:
        return False
    names = (path.relative_to(folder) for path in folder.rglob("*"))
    return all(
        name.as_posix() in _OURS or name.match("1/model_*.plan") or _OF_PYTHON in name.parts for name in names
    )
