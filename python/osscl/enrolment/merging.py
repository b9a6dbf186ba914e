"""Memories that are new or changed, put into what a model file holds; and what holds no longer with them."""

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import NamedTuple

from msgspec.structs import replace

from osscl.enrolment.domains import Owner
from osscl.enrolment.dropped_limits import without_limits
from osscl.enrolment.kinds import Kind, owner_of_stored
from osscl.enrolment.remembered import Remembered
from osscl.enrolment.rules import rule_once_enrolled
from osscl.model_file.decisions import Calibration, Rule, StoredDecisions
from osscl.model_file.manifest import Manifest


class Changed(NamedTuple):
    """Memories of one kind that are new or changed.

    Attributes
    ----------
    kind : Kind
        Which kind.
    memories : mapping of Owner to Remembered
        By whose they are.
    new : set of str
        Machines whose memories were made new, not added to or cut: they keep none of before.
    """

    kind: Kind
    memories: Mapping[Owner, Remembered]
    new: Set[str] = frozenset()


def merged(
    manifest: Manifest | None, decisions: StoredDecisions, changes: Sequence[Changed]
) -> StoredDecisions:
    """Put memories that are new or changed into what a model file holds.

    Parameters
    ----------
    manifest : Manifest or None
        What the model file says so far; None for one without a network.
    decisions : StoredDecisions
        What it holds so far.
    changes : sequence of Changed
        The memories.

    Returns
    -------
    StoredDecisions
        What it holds to decide by from now on, without what was made with their earlier memories.
    """
    classes = () if manifest is None else tuple(manifest.classes_of_machines)
    stale = _stale(decisions, changes)
    made = replace(
        decisions,
        calibrations=tuple(each for each in decisions.calibrations if each not in stale),
        limits=without_limits(decisions.limits, stale_limits(decisions, changes)),
    )
    for kind, changed, new in changes:
        held = {owner_of_stored(memory): memory for memory in kind.held(made)}
        memories = {  # one told otherwise by domain than before is no longer the machine's
            owner: memory for owner, memory in held.items() if owner.machine not in new or owner in changed
        }
        memories |= {owner: each.stored for owner, each in changed.items()}
        rules = {
            machine: rule_once_enrolled(machine, classes, made.rules, kind.rule, is_new=machine in new)
            for machine in {owner.machine for owner in changed}
        }
        made = replace(kind.holding(made, memories.values()), rules=made.rules | rules)
    return made


def _of_features(changes: Sequence[Changed]) -> set[str]:
    """Machines whose memory of features is another one now."""
    return {owner.machine for each in changes if each.kind.rule == "memory" for owner in each.memories}


def _stale(decisions: StoredDecisions, changes: Sequence[Changed]) -> list[Calibration]:
    """Calibrations that were made with a memory which is another one now."""
    changed = _of_features(changes)
    return [each for each in decisions.calibrations if each.rule == "both" and each.machine in changed]


def stale_limits(decisions: StoredDecisions, changes: Sequence[Changed]) -> set[tuple[str, Rule]]:
    """Find limits that were measured with a memory which is another one now, or with a calibration that goes.

    Parameters
    ----------
    decisions : StoredDecisions
        What the model file held.
    changes : sequence of Changed
        The memories.

    Returns
    -------
    set of (str, str)
        Machines and rules.
    """
    changed = _of_features(changes)
    return {(each.machine, each.rule) for each in decisions.limits if each.machine in changed} - {
        (machine, "network") for machine in changed
    }


def dropped_calibrations(decisions: StoredDecisions, changes: Sequence[Changed]) -> Iterator[str]:
    """Say which calibrations are left out.

    Parameters
    ----------
    decisions : StoredDecisions
        What the model file held.
    changes : sequence of Changed
        The memories.

    Yields
    ------
    str
        One sentence each.
    """
    for each in _stale(decisions, changes):
        yield (
            f"{each.machine}: its calibration of the rule both was made with its earlier memory and is left "
            "out; run osscl calibrate again"
        )
