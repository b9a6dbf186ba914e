"""Lines of recordings before they have a score: named, described, or refused."""

from msgspec.structs import replace

from osscl.audio.candidate import Candidate
from osscl.audio.fitting import all_reasons
from osscl.audio.reading import Clip
from osscl.audio.recorded_at import moved
from osscl.errors import AudioError, ClipError, MachineError
from osscl.machines.dcase import check_machine
from osscl.scoring.judge import Judge
from osscl.scoring.record import WINDOW, Record
from osscl.scoring.task import Task


def named(candidate: Candidate, task: Task, number: int) -> tuple[Record, Judge | None]:
    """The line of a file before it is read, and what judges it; `number` files come before it."""
    path = candidate.path
    blank = Record(path=path, recorded_at=task.times.of(path, number, candidate.content, candidate.stored))
    try:
        machine = _machine_of(candidate, task)
    except MachineError as error:
        return replace(blank, status=error.status, reason=str(error)), None
    try:
        return replace(blank, machine=machine), task.judges.of(machine, path)
    except MachineError as error:
        return replace(blank, machine=machine, status="no_score", reason=str(error)), None


def _machine_of(candidate: Candidate, task: Task) -> str:
    if candidate.machine is None:
        return task.machine_of(candidate.path)
    check_machine(candidate.machine, task.judges.machines)
    return candidate.machine


def window_line(record: Record, start_s: float) -> Record:
    """The line of a window, of that of its recording."""
    recorded_at = None if record.recorded_at is None else moved(record.recorded_at, start_s)
    return replace(record, scope=WINDOW, start_s=start_s, recorded_at=recorded_at)


def described(record: Record, clip: Clip) -> Record:
    """The line of a clip that was read; of a window, the line says already where it begins."""
    heard = {}
    if clip.silence is not None and record.status == "ok":
        heard = {"status": "silent", "reason": f"{clip.silence}: a dead microphone or channel?"}
    return replace(
        record,
        start_s=record.start_s or 0.0,
        duration_s=clip.duration_s,
        sample_rate_hz=clip.sample_rate_hz,
        **heard,
    )


def refused(record: Record, error: ClipError) -> Record:
    """A file that cannot be read says so; of one that could be made to fit, all that is wrong is told."""
    of_machine = record.reason if record.status in ("unknown_machine", "no_score") else None
    known = {}
    if isinstance(error, AudioError) and error.duration_s is not None and record.scope != WINDOW:
        known = {"start_s": 0.0, "duration_s": error.duration_s}
    return replace(
        record,
        status=error.status,
        reason=all_reasons(error, of_machine),
        sample_rate_hz=getattr(error, "sample_rate_hz", None) or record.sample_rate_hz,
        **known,
    )
