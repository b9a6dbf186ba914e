"""Parquet tables: made of a run's lines once they are complete, since half a Parquet file cannot be read."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, TypeAlias

import msgspec

from osscl.errors import MissingExtraError
from osscl.scoring.record import COLUMNS

ParquetMaker: TypeAlias = Callable[[Iterable[bytes], dict[str, Any], IO[bytes]], None]
"""Takes lines of JSON, the description of the run, and the file to write."""

_ROWS_OF_A_GROUP = 8192
_RUN_KEY = "osscl.run"


def parquet_maker() -> ParquetMaker:
    """Load what writes Parquet, before a run of hours needs it at its end.

    Returns
    -------
    callable
        Writes a table: columns of fixed types, the description of the run in the file's metadata.

    Raises
    ------
    MissingExtraError
        pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(
            'Parquet needs the package pyarrow, which is not installed: pip install "osscl[parquet]"'
        ) from error
    types: dict[str, Any] = {
        "score": pyarrow.float32(),
        "p_value": pyarrow.float64(),
        "threshold": pyarrow.float64(),
        "is_anomaly": pyarrow.bool_(),
        "start_s": pyarrow.float64(),
        "duration_s": pyarrow.float64(),
        "sample_rate_hz": pyarrow.int32(),
        **{name: pyarrow.float32() for name in ("z_level", "z_modulation", "z_flutter", "z_event")},
    }
    schema = pyarrow.schema([(name, types.get(name, pyarrow.string())) for name in COLUMNS])

    def make(lines: Iterable[bytes], run: dict[str, Any], file: IO[bytes]) -> None:
        with pyarrow.parquet.ParquetWriter(file, schema) as writer:
            for rows in _groups(lines):
                writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
            writer.add_key_value_metadata({_RUN_KEY: msgspec.json.encode(run).decode()})

    return make


def _groups(lines: Iterable[bytes]) -> Iterator[list[dict[str, Any]]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    rows: list[dict[str, Any]] = []
    for line in lines:
        rows.append(decoder.decode(line))
        if len(rows) == _ROWS_OF_A_GROUP:
            yield rows
            rows = []
    if rows:
        yield rows
