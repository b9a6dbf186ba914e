"""The folder that a commissioning writes: it gets its name, or its files, when all is done."""

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from osscl.support.outputs import cannot_be_written, check_output, check_output_folder

MODEL, PAGE, TABLE = "model.onnx", "report.html", "normals.csv"
FILES = (MODEL, PAGE, TABLE, f"{TABLE}.run.json")


def check_place(folder: Path, *, overwrite: bool, inputs: Iterable[str | os.PathLike[str] | None]) -> None:
    """Refuse a folder that cannot be written to, or where something would be lost.

    Parameters
    ----------
    folder : Path
        It need not exist, the one around it must.
    overwrite : bool
        Whether files of an earlier commissioning are replaced; others in the folder stay.
    inputs : iterable of path-like or None
        What is read, which is never replaced.

    Raises
    ------
    OutputError
        The place is taken, or closed.
    """
    check_output_folder(folder)
    if not folder.exists():
        check_output(folder, overwrite=False)  # whether a folder can be made there
        return
    read = list(inputs)
    for name in FILES:
        check_output(folder / name, overwrite=overwrite, inputs=read)


@contextmanager
def appearing_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write to beside the one that is wanted; its files move there when all are written.

    Parameters
    ----------
    folder : Path
        Where the files shall be.

    Yields
    ------
    Path
        A new folder at the same depth, so that relative links stay right; removed with all in it where
        something fails.

    Raises
    ------
    OutputError
        A folder or file cannot be made.
    """
    work = folder.absolute().parent / f".osscl-{secrets.token_hex(8)}.part"
    try:
        work.mkdir()
        yield work
        folder.mkdir(exist_ok=True)
        for name in FILES:
            (work / name).replace(folder / name)
    except OSError as error:
        raise cannot_be_written(folder, error) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
