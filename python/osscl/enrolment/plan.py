"""What is to be enrolled, known before any recording is read."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from osscl.audio.candidate import Candidate
from osscl.enrolment.recordings import recording_source
from osscl.errors import MachineError
from osscl.machines.dcase import ANOMALY_PREFIX
from osscl.machines.labels import MachineOf
from osscl.machines.layout import MachineFromLayout
from osscl.runs.featured import Unusable
from osscl.runs.folder import find_some_recordings
from osscl.runs.passed_over import PassedOver


class Planned(NamedTuple):
    """A recording to enroll.

    Attributes
    ----------
    candidate : Candidate
        The file.
    machine : str
        What it is of.
    recording : str or None
        What it is a part of; None where it is a recording of its own.
    """

    candidate: Candidate
    machine: str
    recording: str | None


@dataclass(slots=True)
class Plan:
    """What the folders hold.

    Attributes
    ----------
    planned : list of Planned
        To be enrolled.
    left_out : list of str
        Paths whose names say that they are anomalous.
    unusable : list of Unusable
        Files whose machine is not told.
    notes : list of str
        What else lies there and is not taken.
    """

    planned: list[Planned] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def plan_of(
    normals: Sequence[str | os.PathLike[str]], machine: str | None = None, recording: str | None = None
) -> Plan:
    """Walk through folders of normal recordings.

    Parameters
    ----------
    normals : sequence of path-like
        Folders, or files.
    machine : str, optional
        Machine of all; by default their places tell it, as `MachineFromLayout` says.
    recording : str, optional
        What belongs together, as `recording_source` says.

    Returns
    -------
    Plan
        Every recording in one of its parts.

    Raises
    ------
    NoRecordingsError
        A folder holds none.
    ConfigError
        The rule for recordings cannot be used, or says nothing of a path.
    """
    plan, passed_over = Plan(), PassedOver()
    for root in normals:
        machine_of = MachineFromLayout(root) if machine is None else _always(machine)
        recording_of = recording_source(recording, root)
        for candidate in find_some_recordings([root], passed_over):
            path = os.fsdecode(candidate.path)
            if os.path.basename(path).startswith(ANOMALY_PREFIX):  # noqa: PTH119 - a str, as all of a walk
                plan.left_out.append(path)
                continue
            try:
                name = machine_of(path)
            except MachineError as error:
                plan.unusable.append(Unusable(path, candidate.problem or error))
                continue
            plan.planned.append(Planned(candidate, name, recording_of(path)))
    plan.notes += passed_over.notes()
    return plan


def _always(machine: str) -> MachineOf:
    return lambda _: machine
