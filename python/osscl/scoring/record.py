"""One line of a result table: what became of one file, or of one window of it."""

from dataclasses import fields, make_dataclass
from typing import Any, ClassVar

import msgspec
import numpy as np


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file; its fields, in order, are the columns of every result table.

    Attributes
    ----------
    path : str
        The file as it was named.
    machine : str or None
        Machine ID that the clip was scored as; None where it is not known.
    status : str
        "ok", or "silent" for a dead channel (scored all the same); else why there is no score:
        "unreadable", "corrupt", "unfit", "unknown_machine" or "no_score".
    reason : str or None
        One sentence on a status other than "ok", or on why nothing was decided. In tables of a run it stands
        on a line only where it concerns this very clip: what holds for a whole machine, the run says once.
    score : float or None
        The anomaly score that decides, the shortest digits of a float32; higher is more anomalous. In nats by
        the rule "network"; else without a unit, in spreads of the machine's normal clips.
    p_value, threshold : float or None
        Share of normal recordings that score at least as high, and the score from which a clip counts as
        anomalous; None where nothing is decided.
    is_anomaly : bool or None
        The decision; None where there is none.
    start_s, duration_s : float or None
        Part of the recording that this line speaks of, seconds.
    sample_rate_hz : int or None
        Sample rate of the file.
    rule : str or None
        Which score decides: "network", "memory", "both" or "embedding"; None where there is no score.
    z_level, z_modulation, z_flutter, z_event : float or None
        What the blocks of the machine's memory say, as the score in the shortest digits of float32, in
        spreads of its normal clips; None where no memory was asked.
    recorded_at : str or None
        When the recording began, ISO 8601, as precise as it is known; None where nothing tells it.
    quality : str or None
        Why to doubt the recording itself; None where it is well. Such a clip is scored all the same.
    explanation : str or None
        What is heard beyond the machine's normal clips, in one sentence; None where it was not asked for, or
        the clip is not flagged.
    scope : str or None
        What of a recording that was cut into windows the line speaks of: "window"; or all of them,
        "file_max", "file_mean" or "file_q95", with an empty `start_s`. None where nothing was cut.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    path: str
    machine: str | None = None
    status: str = "ok"
    reason: str | None = None
    score: float | None = None
    p_value: float | None = None
    threshold: float | None = None
    is_anomaly: bool | None = None
    start_s: float | None = None
    duration_s: float | None = None
    sample_rate_hz: int | None = None
    rule: str | None = None
    z_level: float | None = None
    z_modulation: float | None = None
    z_flutter: float | None = None
    z_event: float | None = None
    recorded_at: str | None = None
    quality: str | None = None
    explanation: str | None = None
    scope: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the fields by their names.

        Returns
        -------
        dict
            In the order of the columns, ready for JSON or a row of a table.
        """
        return msgspec.structs.asdict(self)


WINDOW = "window"
FILE_SCOPES = ("file_max", "file_mean", "file_q95")
"""What is said of a recording as a whole that was cut into windows, in the order of its lines."""


def place_of(record: Record, path: str) -> str:
    """Say which recording a line speaks of, and from where on, if that is a window."""
    return f"{path} from {record.start_s:g} s" if record.scope == WINDOW else path


COLUMNS = Record.__struct_fields__
# pandas and others that tell the columns of rows know dataclasses, and no structs
Record.__dataclass_fields__ = {each.name: each for each in fields(make_dataclass("Record", COLUMNS))}
SCORED_STATUSES = frozenset({"ok", "silent"})


def ends_file(record: Record) -> bool:
    """Whether no more lines come of the file that a line speaks of."""
    return record.scope in (None, FILE_SCOPES[-1])


def status_so_far(before: str, record: Record) -> str:
    """Tell the status of a file while its lines come: that of the first failed one, or else of the last.

    Parameters
    ----------
    before : str
        Its status by the lines before; empty at its first one.
    record : Record
        The next line of it.

    Returns
    -------
    str
        Once the last line is there, the status that the file is counted by.
    """
    return before if before and before not in SCORED_STATUSES else record.status


def window_start(record: Record) -> float | None:
    """Where in its recording the window of a line begins; None of a line of a recording's beginning."""
    return record.start_s if record.scope == WINDOW else None


def undecided_by(record: Record, why: str | None) -> Record:
    """Say on a scored line why nothing was decided of its machine.

    Parameters
    ----------
    record : Record
        Any line.
    why : str or None
        Why nothing is decided of its machine; None where something is.

    Returns
    -------
    Record
        With the reason behind what it says already; the same line where there is a decision, or no score.
    """
    if why is None or record.score is None or record.is_anomaly is not None:
        return record
    said = f"no decision: {why}"
    return msgspec.structs.replace(
        record, reason=said if record.reason is None else f"{record.reason}; {said}"
    )


def short_float(number: Any) -> float:
    """A float32 as the float that is written with as few digits."""
    return float(str(np.float32(number)))
