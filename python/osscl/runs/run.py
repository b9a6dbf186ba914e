"""A folder run: every recording below some folders, scored into one table, with a record of how."""

import platform
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from osscl.errors import OutputError
from osscl.model_file.bundle import Bundle
from osscl.runs.parquet_parts import PartsTable
from osscl.runs.tables import OutputTable, record_of
from osscl.runs.tally import Tally
from osscl.scoring.judges import Judges
from osscl.scoring.record import Record
from osscl.storage.urls import Place, Url
from osscl.storage.writing import put
from osscl.support.atomic import write_atomically
from osscl.support.installed import version_of
from osscl.support.paths import printable
from osscl.support.utc import utc_now

_RECORDED_PACKAGES = (
    "osscl",
    "numpy",
    "onnxruntime",
    "onnxruntime-gpu",
    "openvino",
    "tensorrt",
    "cuda-bindings",
    "soundfile",
    "soxr",
    "pyarrow",
)


class Scorer(Protocol):
    """What scores, as a run is described by it: a `Detector`, or what stands for many of them."""

    @property
    def bundle(self) -> Bundle:
        """The model file."""

    @property
    def judges(self) -> Judges:
        """How each machine is scored and decided."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """What really computes."""


def score_to_table(
    detector: Scorer,
    records: Iterable[Record],
    table: OutputTable | PartsTable,
    *,
    options: dict[str, Any],
    tally: Tally,
    keeps: Callable[[Record], bool] | None = None,
    explains: Callable[[Record], Record] | None = None,
    on_record: Callable[[Record], None],
    on_run: Callable[[dict[str, Any]], None],
) -> None:
    """Write what is scored into a table, and how.

    Parameters
    ----------
    detector : Scorer
        What scores.
    records : iterable of Record
        Its records, lazily: they are scored while they are written.
    table : OutputTable
        Where the lines go. Interrupted, a stream has all lines so far, and a file is not written.
    options : dict
        What the user asked for, for the record of the run.
    tally : Tally
        Counts each line.
    keeps : callable, optional
        Tells the lines that are written; by default all are.
    explains : callable, optional
        Puts its explanation on the line of a flagged clip, such as `Explainer.explained`.
    on_record : callable
        Called after each line.
    on_run : callable
        Takes the record of the run where no output file has it beside itself.

    Raises
    ------
    KeyboardInterrupt
        The run was interrupted.
    OutputError
        Lines or record cannot be written.
    """
    started = utc_now()
    if isinstance(table.output, Url):  # a place that takes nothing refuses before hours of work, not after
        write_run_record(table.output, {"completed": False, "started": started})
    try:
        for record in records:
            if keeps is None or keeps(record):
                table.write(record if explains is None else explains(record))
            tally.add(record, detector.judges.rate_of(record))
            on_record(record)
        run = describe_run(detector, options, started, tally, completed=True)
        table.finish(run)
    except BaseException:
        table.abandon()
        if table.output is None:
            on_run(describe_run(detector, options, started, tally, completed=False))
        raise
    if table.output is None:
        on_run(run)
    else:
        write_run_record(table.output, run)


def describe_run(
    detector: Scorer, options: dict[str, Any], started: str, tally: Tally, *, completed: bool
) -> dict[str, Any]:
    """Say how a table of scores came about.

    Parameters
    ----------
    detector : Scorer
        What scored.
    options : dict
        What was asked for.
    started : str
        When it began.
    tally : Tally
        What is in the table.
    completed : bool
        Whether it was not interrupted.

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {
        "completed": completed,
        "started": started,
        "ended": utc_now(),
        **how_scored(detector, options),
        **tally.facts(),
        "scored_by": detector.judges.fingerprints(),
    }


def how_scored(detector: Scorer, options: dict[str, Any]) -> dict[str, Any]:
    """Say what scores a table, and what it was asked for.

    Parameters
    ----------
    detector : Scorer
        What scores.
    options : dict
        What was asked for.

    Returns
    -------
    dict
        Ready for JSON.
    """
    bundle = detector.bundle
    return {
        "model": printable(bundle.path.absolute()),
        "model_sha256": bundle.file_sha256,
        "graph_sha256": bundle.graph_sha256,
        **detector.facts,
        "options": options,
        "versions": {"python": platform.python_version(), **installed_versions()},
    }


def installed_versions() -> dict[str, str]:
    """Versions of the packages that results may depend on.

    Returns
    -------
    dict of str to str
        Those that are installed.
    """
    found = {name: version_of(name) for name in _RECORDED_PACKAGES}
    return {name: version for name, version in found.items() if version is not None}


def write_run_record(output: Place, run: dict[str, Any]) -> None:
    """Write down how an output came about, beside it.

    Parameters
    ----------
    output : Path or Url
        The table.
    run : dict
        What to say; ``completed`` is among it.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    write_run_record_at(record_of(output), run)


def write_run_record_at(path: Place, run: dict[str, Any]) -> None:
    """Write down how an output came about, in a file of this name; otherwise as `write_run_record`."""
    content = msgspec.json.format(msgspec.json.encode(run)) + b"\n"
    if isinstance(path, Url):
        put(path, content)
        return
    try:
        write_atomically(path, [content])
    except OSError as error:
        raise OutputError(f"{printable(path)} cannot be written: {error.strerror}") from error
