"""What is said of a recording: a line of a result table as JSON, with an explanation where it is wanted."""

from typing import Any, NamedTuple

import msgspec
from msgspec.structs import asdict, replace

from osscl.audio.bytestream import open_source
from osscl.audio.decoder import open_recording
from osscl.detector import Detector
from osscl.errors import AudioError, InputError, MachineError
from osscl.explanation.explained import Explanation, Finding, Occlusion
from osscl.scoring.record import SCORED_STATUSES, Record, window_start
from osscl.serving.problems import RequestError
from osscl.serving.requests import Question
from osscl.support.two_spellings import in_query

_ROUNDING_S = 1e-6


class Answer(Record, frozen=True, kw_only=True):
    """What became of a recording: the columns of a result table, and more.

    Attributes
    ----------
    id : str
        Of the request.
    false_alarm_rate : float or None
        Share of normal recordings that is called anomalous; None where nothing is decided.
    note : str or None
        What of the recording was not scored, and why nothing was decided; None where all was, and something.
    """

    id: str
    false_alarm_rate: float | None = None
    note: str | None = None


class Explained(Answer, frozen=True, kw_only=True):
    """An answer with all that is heard.

    Attributes
    ----------
    findings : tuple of Finding
        What is heard beyond the machine's normal recordings, the most unusual first.
    occlusion : Occlusion or None
        What the network's score rests on, where that decides.
    """

    findings: tuple[Finding, ...] = ()
    occlusion: Occlusion | None = None


class Answered(NamedTuple):
    """The answer of a question.

    Attributes
    ----------
    record : Record
        What became of the recording; of one in windows, a flagged window, or else its largest score.
    body : bytes
        The answer, JSON.
    """

    record: Record
    body: bytes


def asked_by_http(record: Record) -> Record:
    """Say its reason to whoever asked by HTTP."""
    return record if record.reason is None else replace(record, reason=in_query(record.reason))


def answer(detector: Detector, question: Question, record: Record) -> Answered:
    """Answer a question whose recording was scored.

    Parameters
    ----------
    detector : Detector
        What scored it.
    question : Question
        What was asked.
    record : Record
        What became of it.

    Returns
    -------
    Answered
        The answer.

    Raises
    ------
    RequestError
        The recording cannot be scored, or not explained (422).
    """
    record = asked_by_http(replace(record, path=question.name))
    if record.status not in SCORED_STATUSES:
        raise RequestError(422, record.status, record.reason or "", facts=asdict(record))
    found = explained(detector, question, record)
    if question.explaining == "flagged" and found is not None:
        record = replace(record, explanation=found.sentence)
    facts: dict[str, Any] = {
        **asdict(record),
        "id": question.request_id,
        "false_alarm_rate": detector.judges.rate_of(record),
        "note": note_of(_unheard(question, record), undecided_note(detector, record)),
    }
    if question.explaining != "always" or found is None:
        return Answered(record, msgspec.json.encode(Answer(**facts)))
    facts["explanation"] = found.sentence
    return Answered(
        record, msgspec.json.encode(Explained(**facts, findings=found.findings, occlusion=found.occlusion))
    )


def undecided_note(detector: Detector, record: Record) -> str | None:
    """Say why nothing is decided of the machine of a scored line, which a folder run says at its end."""
    why = detector.judges.why_undecided(record)
    return None if why is None else f"no decision: {in_query(why)}"


def note_of(*notes: str | None) -> str | None:
    """Put notes behind one another."""
    return "; ".join(filter(None, notes)) or None


def _unheard(question: Question, record: Record) -> str | None:
    """Say how much lies behind the part that was scored."""
    try:
        with open_source(question.content) as stream, open_recording(stream) as recording:
            whole_s = recording.duration_s
    except AudioError:  # it was read, as far as it was scored
        return None
    scored_s = record.duration_s or 0.0
    if whole_s <= scored_s + _ROUNDING_S:
        return None
    return (
        f"the recording lasts {whole_s:.6g} s, and its first {scored_s:g} s were scored; "
        f"hop_s={scored_s:g} scores all of it, window by window"
    )


def explained(detector: Detector, question: Question, record: Record) -> Explanation | None:
    """Explain a recording, or a window of it, where that was asked for.

    Parameters
    ----------
    detector : Detector
        What scored it.
    question : Question
        What was asked.
    record : Record
        What became of it.

    Returns
    -------
    Explanation or None
        None where it is not wanted, or of a flagged one cannot be had.

    Raises
    ------
    RequestError
        It was to be explained in any case, and cannot be (422).
    """
    wanted = question.explaining == "always" or (
        question.explaining == "flagged" and record.is_anomaly is True
    )
    if not wanted:
        return None
    try:
        return detector.explain_recording(
            question.content, question.machine, question.fit, window_start(record), question.name
        )
    except (AudioError, InputError, MachineError) as error:
        if question.explaining == "flagged":  # as of a folder run: its line stands without an explanation
            return None
        raise RequestError(422, "not_explained", in_query(str(error)), facts=asdict(record)) from error
