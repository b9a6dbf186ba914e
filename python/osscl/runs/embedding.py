"""Recordings as numbers: features and embeddings of a folder, in one Parquet or NPZ file."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.config import EMBEDDING_SIZE
from osscl.errors import ConfigError, OutputError
from osscl.features import N_FEATURES
from osscl.support.atomic import appearing_whole
from osscl.support.failed_import import needing
from osscl.support.outputs import cannot_be_written
from osscl.support.paths import printable

FORMATS = (".parquet", ".npz")
SIZES = {"features": N_FEATURES, "embedding": EMBEDDING_SIZE}
"""Numbers of a clip, by the name of the column."""
_ROWS_OF_A_GROUP = 1024


class NumberedClip(NamedTuple):
    """A clip and what was computed of it.

    Attributes
    ----------
    path : str
        The recording.
    machine : str or None
        Its machine; None where its place does not tell.
    sha256 : str
        First 16 digits of the hash of its waveform.
    numbers : dict of str to ndarray of float32
        By column, as `SIZES` names them.
    """

    path: str
    machine: str | None
    sha256: str
    numbers: dict[str, npt.NDArray[np.float32]]


def check_format(output: Path) -> None:
    """Refuse a file whose ending names no format, before anything is computed.

    Parameters
    ----------
    output : Path
        File to write.

    Raises
    ------
    ConfigError
        It ends in neither ``.parquet`` nor ``.npz``.
    MissingExtraError
        Parquet, and pyarrow is not installed.
    """
    if output.suffix.lower() not in FORMATS:
        raise ConfigError(
            f"{printable(output)}: no table of numbers ends in '{output.suffix}'; choose one of: "
            f"{', '.join(FORMATS)}"
        )
    if output.suffix.lower() == ".parquet":
        with needing("Parquet", "parquet"):
            import pyarrow.parquet  # noqa: F401


def write_numbers(clips: Iterable[NumberedClip], output: Path, columns: Iterable[str]) -> int:
    """Write a file of numbers, whole or not at all.

    Parameters
    ----------
    clips : iterable of NumberedClip
        Its lines. For Parquet they are never held in memory as a whole.
    output : Path
        File that ends in ``.parquet`` or ``.npz``; it is replaced where it is there.
    columns : iterable of str
        Those of `SIZES` that every clip has.

    Returns
    -------
    int
        Lines written.

    Raises
    ------
    OutputError
        It cannot be written, or there is no line.
    """
    write = _write_parquet if output.suffix.lower() == ".parquet" else _write_npz
    try:
        with appearing_whole(output) as file:
            n_lines = write(clips, file, list(columns))
            if not n_lines:
                raise OutputError(f"{printable(output)} was not written: no recording could be used")
    except OSError as error:
        raise cannot_be_written(output, error) from error
    return n_lines


def _write_parquet(clips: Iterable[NumberedClip], file: IO[bytes], columns: list[str]) -> int:
    import pyarrow
    import pyarrow.parquet

    texts = [pyarrow.field(name, pyarrow.string()) for name in ("path", "machine", "sha256")]
    types = {name: pyarrow.list_(pyarrow.float32(), SIZES[name]) for name in columns}
    schema = pyarrow.schema([*texts, *types.items()])
    n_lines = 0
    with pyarrow.parquet.ParquetWriter(file, schema) as writer:
        remaining = iter(clips)
        while group := list(islice(remaining, _ROWS_OF_A_GROUP)):
            n_lines += len(group)
            arrays: list[Any] = [
                pyarrow.array(cells, pyarrow.string()) for cells in zip(*map(_texts, group), strict=True)
            ]
            for name in columns:
                flat = np.concatenate([clip.numbers[name] for clip in group])  # [lines * size]
                arrays.append(pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(flat), SIZES[name]))
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
    return n_lines


def _write_npz(clips: Iterable[NumberedClip], file: IO[bytes], columns: list[str]) -> int:
    lines = list(clips)
    if lines:
        path, machine, sha256 = (
            np.array([cell or "" for cell in cells], np.str_)
            for cells in zip(*map(_texts, lines), strict=True)
        )
        numbers = {name: np.stack([clip.numbers[name] for clip in lines]) for name in columns}
        np.savez(file, path=path, machine=machine, sha256=sha256, **numbers)  # type: ignore[arg-type]
    return len(lines)


def _texts(clip: NumberedClip) -> Iterator[str | None]:
    yield printable(clip.path)
    yield clip.machine
    yield clip.sha256
