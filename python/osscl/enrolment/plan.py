"""What is to be enrolled, known before any recording is read."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from osscl.audio.candidate import Candidate
from osscl.enrolment.recordings import recording_source
from osscl.errors import DecisionError, MachineError
from osscl.machines.dcase import ANOMALY_PREFIX
from osscl.machines.folders import ForTesting
from osscl.machines.label_table import LabelTable, unmet_rows
from osscl.machines.labels import MachineOf, check_one_way
from osscl.machines.layout import MachineFromLayout
from osscl.machines.pattern import MachineFromPattern
from osscl.machines.survey import Survey
from osscl.machines.telling import Telling
from osscl.machines.told import Told
from osscl.runs.featured import Unusable
from osscl.runs.folder import find_some_recordings
from osscl.runs.passed_over import PassedOver
from osscl.support.plurals import plural


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
        Paths of recordings that are said to be anomalous.
    unusable : list of Unusable
        Files whose machine is not told.
    notes : list of str
        What else lies there and is not taken.
    survey : Survey
        What places and names tell.
    """

    planned: list[Planned] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    unusable: list[Unusable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    survey: Survey = field(default_factory=Survey)

    @property
    def n_to_read(self) -> int:
        """Recordings that `read_normals` reads: those without a machine too, to say all that is wrong."""
        return len(self.planned) + sum(isinstance(each.problem, MachineError) for each in self.unusable)

    def refuse_mixed(self) -> None:
        """Refuse folders of one machine type that mix two layouts; raises `DecisionError`."""
        if self.survey.mixed is not None:
            raise DecisionError(self.survey.mixed)


def plan_of(
    normals: Sequence[str | os.PathLike[str]],
    machine: str | None = None,
    recording: str | None = None,
    labels: str | os.PathLike[str] | None = None,
    machine_pattern: str | None = None,
    *,
    for_memories: bool = False,
) -> Plan:
    """Walk through folders of normal recordings.

    Parameters
    ----------
    normals : sequence of path-like
        Folders, or files.
    machine : str, optional
        Machine of all; by default their places tell it, as `MachineFromLayout` says.
    recording : str, optional
        What belongs together, as `recording_source` says; by default as the layout of a data set or the table
        tells it.
    labels : path-like, optional
        A table of labels, which names machines instead of the places.
    machine_pattern : str, optional
        A pattern that finds machines in paths below each folder, see `MachinePattern`.
    for_memories : bool
        Leave out what is for testing, as `ForTesting` tells it, where no machine is named: a memory that
        holds those clips would be tested on them.

    Returns
    -------
    Plan
        Every recording in one of its parts.

    Raises
    ------
    NoRecordingsError
        A folder holds none.
    ConfigError
        The rule for recordings or the pattern cannot be used, or the rule says nothing of a path; or machines
        are named in two ways.
    LabelTableError
        The table cannot be used.
    """
    check_one_way(machine, labels, machine_pattern)
    table = None if labels is None else LabelTable.read(labels)
    plan, passed_over, telling, n_not_known, n_for_testing = Plan(), PassedOver(), Telling(), 0, 0
    for root in normals:
        machine_of = _machine_source(root, machine, table, machine_pattern)
        recording_of = recording_source(recording, root)
        is_for_testing = ForTesting(root) if for_memories and machine is None else _never
        for candidate in find_some_recordings([root], passed_over):
            path = os.fsdecode(candidate.path)
            try:
                told = _told_of(path, telling, plan.survey, table)
                if is_for_testing(path, told):
                    n_for_testing += 1
                elif told.is_anomaly or os.path.basename(path).startswith(ANOMALY_PREFIX):  # noqa: PTH119 - str
                    plan.left_out.append(path)
                elif machine is None and not _may_be_normal(told, table):
                    n_not_known += 1
                else:
                    own = recording_of(path) if recording else told.recording
                    plan.planned.append(Planned(candidate, machine_of(path), own))
            except MachineError as error:
                plan.unusable.append(Unusable(path, candidate.problem or error))
    if n_for_testing:
        plan.notes.append(
            f"left out, for testing: {n_for_testing} {plural(n_for_testing, 'clip')}, on which a memory that "
            "holds them could not be evaluated; name the test folder itself to take them, or --machine"
        )
    if n_not_known:
        plan.notes.append(
            f"left out, not known to be normal: {n_not_known} {plural(n_not_known, 'recording')} (test clips "
            f"without a label, or supplemental ones); {_takes_them(table is not None)}"
        )
    plan.notes += [*passed_over.notes(), *([] if table is None else unmet_rows(table))]
    return plan


def _takes_them(of_table: bool) -> str:
    """What takes recordings of which nobody knows whether they are normal; a table excludes --machine."""
    if of_table:
        return "a column label of the table that says normal takes them"
    return "--machine takes them all the same"


def _told_of(path: str, telling: Telling, survey: Survey, table: LabelTable | None) -> Told:
    """What the table tells of a recording, else its place and name; the place alone tells the purpose."""
    if table is not None:
        table.meet(path)  # also where place and name contradict each other
    found = telling.fittings(path)
    survey.add(path, found)
    told = found[0].told if found else Told()
    return told if table is None else table.told_of(path)._replace(purpose=told.purpose)


def _may_be_normal(told: Told, table: LabelTable | None) -> bool:
    """Whether nothing leaves open what a recording is that others are told to be."""
    if table is not None:
        return told.is_anomaly is False or not table.has_labels
    return told.is_anomaly is False or told.purpose not in ("test", "supplemental")


def _machine_source(
    root: str | os.PathLike[str], machine: str | None, table: LabelTable | None, pattern: str | None
) -> MachineOf:
    if table is not None:
        return table
    if pattern is not None:
        return MachineFromPattern(pattern, [root])
    return MachineFromLayout(root) if machine is None else _always(machine)


def _never(path: str, told: Told) -> bool:
    return False


def _always(machine: str) -> MachineOf:
    return lambda _: machine
