"""A folder of recordings summed up by machine, before anything is trained or enrolled."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from osscl.audio.candidate import Candidate
from osscl.audio.doubts import BY_FIXED_BOUNDS, Doubter
from osscl.audio.quality import Measured
from osscl.decisions.fitted_normals import MIN_CLIPS
from osscl.decisions.how_many import HOW_MANY
from osscl.enrolment.plan import plan_of
from osscl.errors import MachineError
from osscl.health.recordings import LookedAt, Sound, look_at
from osscl.machines.labels import BY_PATHS, MachineNames
from osscl.runs.featured import Unusable
from osscl.support.plurals import counted
from osscl.support.threads import usable_cpus

_FEWEST_PEERS = 10
_Counted = TypeVar("_Counted", int, str)
_Ordered = TypeVar("_Ordered", float, str)


@dataclass(frozen=True, slots=True)
class NamedRecording:
    """A recording, and what is to be said of it.

    Attributes
    ----------
    path : str
        The file.
    what : str
        A clause or a sentence.
    """

    path: str
    what: str


@dataclass(frozen=True, slots=True)
class MachineRecordings:
    """The recordings of one machine.

    Attributes
    ----------
    machine : str or None
        As `osscl enroll` would name it; None of all those whose machine nothing tells.
    n_recordings : int
        Files.
    sample_rates_hz, n_channels, formats : dict
        How many files have each.
    duration_s : tuple of float or None
        Shortest and longest, seconds.
    level_db : tuple of float or None
        Quietest and loudest, dB of full scale.
    recorded_at : tuple of str or None
        Earliest and latest time that is known.
    n_untimed : int
        Files whose time nothing tells.
    earlier : tuple of NamedRecording
        Files that began before the one before them, by their names.
    equal : tuple of NamedRecording
        Files whose sound is that of another one.
    to_doubt : tuple of NamedRecording
        Files of poor quality, by fixed bounds or beside the others.
    refused : tuple of NamedRecording
        Files that `osscl enroll` would refuse, with the reason.
    options : dict of str to int
        Options that would mend it, and for how many files.
    note : str or None
        Why no memory could be made of them at all.
    """

    machine: str | None
    n_recordings: int
    sample_rates_hz: dict[int, int]
    n_channels: dict[int, int]
    formats: dict[str, int]
    duration_s: tuple[float, float] | None
    level_db: tuple[float, float] | None
    recorded_at: tuple[str, str] | None
    n_untimed: int
    earlier: tuple[NamedRecording, ...]
    equal: tuple[NamedRecording, ...]
    to_doubt: tuple[NamedRecording, ...]
    refused: tuple[NamedRecording, ...]
    options: dict[str, int]
    note: str | None


@dataclass(frozen=True, slots=True)
class RecordingsReport:
    """What a folder holds.

    Attributes
    ----------
    machines : tuple of MachineRecordings
        In the order in which they are met.
    unnamed : tuple of NamedRecording
        Files whose machine nothing tells.
    of_unnamed : MachineRecordings or None
        Their sound, summed up all the same; None where there are none.
    left_out : tuple of str
        Files whose names say that they are anomalous: `osscl enroll` takes none of them.
    notes : tuple of str
        What else lies there.
    """

    machines: tuple[MachineRecordings, ...]
    unnamed: tuple[NamedRecording, ...]
    of_unnamed: MachineRecordings | None
    left_out: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        """Whether all would be enrolled as they are."""
        return not self.unnamed and not any(each.refused or each.note for each in self.machines)


def check_recordings(
    folders: Sequence[str | os.PathLike[str]],
    names: MachineNames = BY_PATHS,
    *,
    threads: int | None = None,
    on_total: Callable[[int], object] = lambda _: None,
    on_recording: Callable[[], object] = lambda: None,
) -> RecordingsReport:
    """Sum up recordings; nothing is written.

    Parameters
    ----------
    folders : sequence of path-like
        Folders, searched at any depth, or files.
    names : MachineNames
        How machines are named, where folders and file names do not say it.
    threads : int, optional
        Processors to use; by default all that the process may use.
    on_total : callable
        Takes the number of recordings, once it is known.
    on_recording : callable
        Called after each.

    Returns
    -------
    RecordingsReport
        By machine, as `osscl enroll` would name them.

    Raises
    ------
    NoRecordingsError
        A folder holds none.
    ConfigError
        The pattern cannot be used.
    LabelTableError
        The table cannot be used.
    """
    plan = plan_of(
        folders, names.machine, labels=names.labels, machine_pattern=names.machine_pattern, for_memories=True
    )
    given: list[tuple[str | None, Candidate]] = [(each.machine, each.candidate) for each in plan.planned]
    given += [(None, _as_met(each)) for each in plan.unusable]
    on_total(len(given))
    found: dict[str | None, list[LookedAt]] = {}
    with ThreadPoolExecutor(threads or usable_cpus(), "osscl-reader") as pool:
        looked = pool.map(look_at, (candidate for _, candidate in given))
        for (machine, _), each in zip(given, looked, strict=True):
            found.setdefault(machine, []).append(each)
            on_recording()
    unnamed = found.pop(None, None)
    return RecordingsReport(
        tuple(_summed_up(machine, of_machine) for machine, of_machine in found.items()),
        tuple(NamedRecording(each.path, str(each.problem)) for each in plan.unusable),
        None if unnamed is None else _summed_up(None, unnamed),
        tuple(plan.left_out),
        tuple(plan.notes),
    )


def _as_met(unnamed: Unusable) -> Candidate:
    """A recording as the walk met it: that nothing tells its machine keeps nobody from hearing it."""
    return Candidate(unnamed.path, None if isinstance(unnamed.problem, MachineError) else unnamed.problem)


def _summed_up(machine: str | None, recordings: list[LookedAt]) -> MachineRecordings:
    headers = [each.header for each in recordings if each.header is not None]
    sounds = [each.sound for each in recordings if each.sound is not None]
    times = [each.recorded_at for each in recordings if each.recorded_at is not None]
    refused = [each for each in recordings if each.problem is not None]
    needed = Counter(option for each in refused if each.header for option in each.header.needs())
    n_different = len({each.sha256 for each in sounds})
    heard = counted(n_different, "different recording")
    few = f"{heard} can be heard; a memory needs {MIN_CLIPS}; {HOW_MANY}"
    return MachineRecordings(
        machine=machine,
        n_recordings=len(recordings),
        sample_rates_hz=_counted(header.sample_rate_hz for header in headers),
        n_channels=_counted(header.n_channels for header in headers),
        formats=_counted(header.format for header in headers),
        duration_s=_span([header.duration_s for header in headers]),
        level_db=_span([round(float(each.measured.level_db[0]), 1) for each in sounds]),
        recorded_at=_span(times),
        n_untimed=len(recordings) - len(times),
        earlier=tuple(_earlier(recordings)) if machine is not None else (),
        equal=tuple(_equal(recordings)),
        to_doubt=tuple(_to_doubt(recordings, are_peers=machine is not None)),
        refused=tuple(NamedRecording(each.path, str(each.problem)) for each in refused),
        options=dict(needed),
        note=few if machine is not None and n_different < MIN_CLIPS else None,
    )


def _counted(things: Iterable[_Counted]) -> dict[_Counted, int]:
    return dict(Counter(things).most_common())


def _span(values: list[_Ordered]) -> tuple[_Ordered, _Ordered] | None:
    return (min(values), max(values)) if values else None


def _earlier(recordings: list[LookedAt]) -> Iterator[NamedRecording]:
    """Recordings whose time goes back: times of one zone compare as they are written."""
    last: LookedAt | None = None
    for each in recordings:
        if each.recorded_at is None:
            continue
        if last is not None and last.recorded_at is not None and each.recorded_at < last.recorded_at:
            yield NamedRecording(each.path, f"{each.recorded_at}, after {last.recorded_at}")
        last = each


def _equal(recordings: list[LookedAt]) -> Iterator[NamedRecording]:
    first: dict[str, str] = {}
    for each in recordings:
        if each.sound is not None and first.setdefault(each.sound.sha256, each.path) != each.path:
            yield NamedRecording(each.path, first[each.sound.sha256])


def _to_doubt(recordings: list[LookedAt], *, are_peers: bool) -> Iterator[NamedRecording]:
    """Recordings of poor quality: by fixed bounds, and beside enough others of the same machine."""
    heard = [(each, each.sound) for each in recordings if each.sound is not None]
    if not heard:
        return
    sounds: list[Sound] = [sound for _, sound in heard]
    measured = Measured(*(np.concatenate(each) for each in zip(*(s.measured for s in sounds), strict=True)))
    levels = np.stack([sound.levels for sound in sounds])  # [B, 32]
    said = BY_FIXED_BOUNDS.of(measured, levels)
    if are_peers and len(sounds) >= _FEWEST_PEERS:
        beside = Doubter(measured.stored, levels).of(measured, levels)
        said = [fixed or of_peers for fixed, of_peers in zip(said, beside, strict=True)]
    for (each, _), clauses in zip(heard, said, strict=True):
        if clauses is not None:
            yield NamedRecording(each.path, clauses)
