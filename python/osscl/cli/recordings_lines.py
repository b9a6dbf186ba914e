"""A folder of recordings in words: what `osscl doctor --recordings` prints."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from osscl.health.recordings_report import MachineRecordings, NamedRecording, RecordingsReport
from osscl.support.listing import and_more, first_of, listed, listed_by_reason
from osscl.support.paths import printable
from osscl.support.plurals import plural
from osscl.support.two_spellings import in_options

_MAX_NAMED = 3


def lines_of(report: RecordingsReport) -> Iterator[str]:
    """Say what a folder holds.

    Parameters
    ----------
    report : RecordingsReport
        The folder.

    Yields
    ------
    str
        One line each.
    """
    for machine in report.machines:
        yield f"{machine.machine}: {_n(machine.n_recordings, 'recording')}"
        for name, text in _facts_of(machine):
            yield f"  {name:9} {text}"
    if report.unnamed:
        yield from _of_unnamed(report)
    if report.left_out:
        named = listed(report.left_out, _MAX_NAMED)
        yield f"said to be anomalous and never enrolled: {len(report.left_out)} ({named})"
    yield from report.notes


def _of_unnamed(report: RecordingsReport) -> Iterator[str]:
    """Why nothing tells the machine, each reason once, and the sound all the same."""
    yield f"of no known machine: {_n(len(report.unnamed), 'recording')}"
    reasons = listed_by_reason(((each.path, each.what) for each in report.unnamed), _MAX_NAMED)
    told = list(islice(reasons, _MAX_NAMED + 1))
    yield from (f"  {in_options(reason)}" for reason in told[:_MAX_NAMED])
    if len(told) > _MAX_NAMED:
        yield "  and more reasons; --json names all"
    if report.of_unnamed is not None:
        for name, text in _facts_of(report.of_unnamed):
            yield f"  {name:9} {text}"


def _facts_of(machine: MachineRecordings) -> Iterator[tuple[str, str]]:
    if machine.formats:
        yield (
            "sound",
            "; ".join(
                (
                    _counts({f"{rate} Hz": count for rate, count in machine.sample_rates_hz.items()}),
                    _counts({_n(number, "channel"): count for number, count in machine.n_channels.items()}),
                    _range(machine.duration_s, "s"),
                    _counts(machine.formats),
                )
            ),
        )
    if machine.level_db is not None:
        yield "level", f"{_range(machine.level_db, 'dB')} of full scale"
    yield "recorded", _times(machine)
    if machine.earlier:
        yield "", f"{len(machine.earlier)} began before the one before them:"
        yield from _named(machine.earlier)
    if machine.equal:
        yield "equal", f"{len(machine.equal)} have the sound of another one and count once:"
        yield from _named(machine.equal)
    yield "quality", "all well" if not machine.to_doubt else f"{len(machine.to_doubt)} to doubt:"
    yield from _named(machine.to_doubt)
    yield from _refusals(machine)


def _refusals(machine: MachineRecordings) -> Iterator[tuple[str, str]]:
    if machine.refused:
        yield "refused", f"osscl enroll would not take {len(machine.refused)}:"
        yield from _named(machine.refused)
    for option, count in machine.options.items():
        yield "", f"{option} would mend {count}"
    if machine.note is not None:
        yield "refused", machine.note
    if machine.machine is not None and not machine.refused and machine.note is None:
        yield "enroll", "takes all of them as they are"


def _times(machine: MachineRecordings) -> str:
    if machine.recorded_at is None:
        return "nothing tells when; osscl score --start-time does"
    known = " to ".join(dict.fromkeys(machine.recorded_at))
    return known + (f"; {machine.n_untimed} without a time" if machine.n_untimed else "")


def _named(recordings: Sequence[NamedRecording]) -> Iterator[tuple[str, str]]:
    for line in _each(recordings):
        yield "", line.strip()


def _each(recordings: Sequence[NamedRecording]) -> Iterator[str]:
    first, n_left = first_of(recordings, _MAX_NAMED)
    for each in first:
        yield f"  {printable(each.path)}: {in_options(each.what)}"
    if n_left:
        yield f" {and_more(n_left)}; --json names all"


def _n(number: int, noun: str) -> str:
    return f"{number} {plural(number, noun)}"


def _counts(counted: dict[str, int]) -> str:
    if len(counted) == 1:
        return next(iter(counted))
    return ", ".join(f"{thing} ({count})" for thing, count in counted.items())


def _range(ends: tuple[Any, Any] | None, unit: str) -> str:
    assert ends is not None
    return " to ".join(dict.fromkeys(f"{end:.4g}" for end in ends)) + f" {unit}"
