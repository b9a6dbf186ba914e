"""Long recordings in one request: how long they may be, and the answer about all their windows."""

from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import msgspec
from msgspec.structs import asdict, replace

from osscl.audio.candidate import Candidate
from osscl.audio.windows import open_windows
from osscl.detector import Detector
from osscl.errors import AudioError
from osscl.scoring.left_out import LeftOut
from osscl.scoring.record import FILE_SCOPES, Record
from osscl.serving.answers import Answered, asked_by_http, explained, note_of, undecided_note
from osscl.serving.problems import RequestError
from osscl.serving.requests import Question
from osscl.support.plurals import counted


class WindowsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a recording in windows: the lines that a result table has of it, and their counts.

    Attributes
    ----------
    id : str
        Of the request.
    path : str
        Name of the file, as it was given.
    machine : str
        Machine ID that it claims to be.
    hop_s : float
        Seconds from the beginning of one window to that of the next.
    n_windows : int
        Windows, those included that could not be scored.
    n_flagged : int
        Windows that are called anomalous.
    false_alarm_rate : float or None
        Share of normal windows that is called anomalous; None where nothing is decided.
    note : str or None
        What of the recording was not scored, and why nothing was decided; None where all was, and something.
    windows : tuple of Record
        A line a window, in order.
    file_max, file_mean, file_q95 : Record
        Lines of the whole recording: largest score, mean and 95 % quantile. Nothing is decided of them.
    """

    id: str
    path: str
    machine: str
    hop_s: float
    n_windows: int
    n_flagged: int
    false_alarm_rate: float | None
    note: str | None
    windows: tuple[Record, ...]
    file_max: Record
    file_mean: Record
    file_q95: Record


def check_length(detector: Detector, question: Question, max_windows: int) -> None:
    """Refuse a recording that is too long to be scored at once; nothing but its header is read.

    Parameters
    ----------
    detector : Detector
        What shall score it.
    question : Question
        With a hop.
    max_windows : int
        Windows that there may be.

    Raises
    ------
    RequestError
        There are more, or what lies between them lasts too long (413).
    """
    assert question.hop_s is not None
    manifest = detector.manifest
    rate_hz = manifest.front_end.settings.sample_rate_hz
    try:
        with open_windows(question.content, question.hop_s, question.fit, manifest.clip, rate_hz) as windows:
            duration_s, n_windows = windows.duration_s, windows.n_windows
    except AudioError:  # which is told where it is scored, as of a folder run
        return
    longest_s = max_windows * detector.clip_s
    if n_windows > max_windows or duration_s > longest_s:
        raise RequestError(
            413,
            "too_large",
            f"the recording lasts {duration_s:.6g} s and has {counted(n_windows, 'window')}; a request may "
            f"have {max_windows}, and {longest_s:g} s of sound (--max-windows): send it in parts"
            + (", or with a larger hop_s" if duration_s <= longest_s else ""),
        )


def answer_windows(detector: Detector, question: Question, is_wanted: Callable[[], bool]) -> Answered | None:
    """Score a recording window by window, and answer.

    Parameters
    ----------
    detector : Detector
        The model.
    question : Question
        With a hop.
    is_wanted : callable
        Whether somebody still waits for the answer; asked at each window.

    Returns
    -------
    Answered or None
        None where nobody waits any more.

    Raises
    ------
    RequestError
        No window of it can be scored (422).
    """
    left_out = LeftOut()
    lines = detector.score_candidates(
        [Candidate(question.name, content=question.content)],
        lambda _: question.machine,
        question.fit,
        hop_s=question.hop_s,
        left_out=left_out,
    )
    records = _while_wanted(lines, detector, question, is_wanted)
    if records is None:
        return None
    by_scope = {record.scope: record for record in records if record.scope in FILE_SCOPES}
    whole = by_scope.get("file_max", records[-1])
    if whole.score is None:
        raise RequestError(422, whole.status, whole.reason or "", facts=asdict(whole))
    return _answered(detector, question, records[: -len(FILE_SCOPES)], by_scope, left_out)


def _while_wanted(
    lines: Iterable[Record], detector: Detector, question: Question, is_wanted: Callable[[], bool]
) -> list[Record] | None:
    """The lines, flagged ones explained where that is wanted."""
    records = []
    with closing(lines) as lines:  # type: ignore[type-var]
        for record in map(asked_by_http, lines):
            if not is_wanted():
                return None
            found = explained(detector, question, record)
            records.append(record if found is None else replace(record, explanation=found.sentence))
    return records


def _answered(
    detector: Detector,
    question: Question,
    windows: list[Record],
    by_scope: dict[Any, Record],
    left_out: LeftOut,
) -> Answered:
    assert question.hop_s is not None
    flagged = [window for window in windows if window.is_anomaly]
    notes = list(left_out.notes(detector.clip_s, "hop_s =", "pad=repeat or zero"))
    undecided = next(filter(None, (undecided_note(detector, window) for window in windows)), None)
    told = WindowsAnswer(
        id=question.request_id,
        path=question.name,
        machine=question.machine,
        hop_s=question.hop_s,
        n_windows=len(windows),
        n_flagged=len(flagged),
        false_alarm_rate=next(
            (detector.judges.rate_of(window) for window in windows if window.is_anomaly is not None), None
        ),
        note=note_of(*notes, undecided),
        windows=tuple(windows),
        **{scope: by_scope[scope] for scope in FILE_SCOPES},
    )
    return Answered(flagged[0] if flagged else by_scope["file_max"], msgspec.json.encode(told))
