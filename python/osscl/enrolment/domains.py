"""Which domain's memory each clip goes into, where machines are enrolled by domain."""

import os
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from osscl.enrolment.normals import Normal, Normals
from osscl.enrolment.plan import Plan
from osscl.errors import DecisionError, MachineError
from osscl.machines.domains import DOMAINS, Domain, domain_of
from osscl.model_file.decisions import StoredDecisions, owner_of
from osscl.support.listing import listed
from osscl.support.paths import printable
from osscl.support.plurals import plural


class Owner(NamedTuple):
    """Whose a memory is.

    Attributes
    ----------
    machine : str
        Its ID.
    domain : {"source", "target"} or None
        None where the machine has one memory for all clips.
    """

    machine: str
    domain: Domain | None = None

    def __str__(self) -> str:
        return owner_of(*self)


def check_domains(plan: Plan, held: StoredDecisions, *, by_domain: bool, adds: bool) -> None:
    """Refuse recordings that cannot be enrolled by domain, or without, before any is read.

    Parameters
    ----------
    plan : Plan
        The recordings.
    held : StoredDecisions
        What the model file holds so far.
    by_domain : bool
        Whether each domain gets a memory.
    adds : bool
        Whether they go into memories that are there.

    Raises
    ------
    DecisionError
        Names tell no domain, or two; a machine has recordings of one domain alone; or memories that are to be
        added to are not as asked for. All flaws are said at once.
    """
    paths_of: dict[str, list[str]] = {}
    for planned in plan.planned:
        paths_of.setdefault(planned.machine, []).append(os.fsdecode(planned.candidate.path))
    flaws = list(_flaws_of_adding(paths_of, held, by_domain=by_domain)) if adds else []
    for machine, paths in paths_of.items() if by_domain else ():
        flaws += _flaws_of_names(machine, paths, may_be_one=adds)
    if flaws:
        raise DecisionError("; ".join(flaws))


def by_owner(normals: Normals, *, by_domain: bool, adds: bool) -> dict[Owner, list[Normal]]:
    """Share out normal clips among memories.

    Parameters
    ----------
    normals : Normals
        Clips by machine; where it is done by domain, `check_domains` has seen them.
    by_domain : bool
        Whether each domain gets a memory.
    adds : bool
        Whether they go into memories that are there.

    Returns
    -------
    dict of Owner to list of Normal
        Clips of each memory.

    Raises
    ------
    DecisionError
        None of the recordings of a domain gave a clip.
    """
    found: dict[Owner, list[Normal]] = {}
    for machine, of_machine in normals.by_machine.items():
        for normal in of_machine:
            owner = Owner(machine, domain_of(normal.clip.path) if by_domain else None)
            found.setdefault(owner, []).append(normal)
    if by_domain and not adds:
        unread = [
            str(Owner(machine, domain))
            for machine in normals.by_machine
            for domain in DOMAINS
            if (machine, domain) not in found
        ]
        if unread:
            raise DecisionError(
                f"no recording of {listed(unread, len(unread))} can be used, and --by-domain makes a memory "
                f"of each of {' and '.join(DOMAINS)}: give others, or leave --by-domain out"
            )
    return found


def _flaws_of_names(machine: str, paths: list[str], *, may_be_one: bool) -> Iterator[str]:
    """What the names of a machine's recordings lack; may they be of one domain alone?"""
    silent, found = [], set()
    for path in paths:
        try:
            domain = domain_of(path)
        except MachineError as error:
            yield f"{printable(path)}: {error}"
            return
        if domain is None:
            silent.append(path)
        else:
            found.add(domain)
    if silent:
        yield (
            f"{machine}: {len(silent)} of {len(paths)} {plural(len(paths), 'recording')} "
            f"{'tells' if len(silent) == 1 else 'tell'} no domain, first {printable(silent[0])}; "
            "--by-domain takes it from the word source or target in the name of each file or of its folder"
        )
    elif len(found) < len(DOMAINS) and not may_be_one:
        yield (
            f"{machine}: all its recordings are of the domain {next(iter(found))}; --by-domain makes a "
            f"memory of each of {' and '.join(DOMAINS)}: give recordings of both, or leave --by-domain out"
        )


def _flaws_of_adding(
    machines: Mapping[str, object], held: StoredDecisions, *, by_domain: bool
) -> Iterator[str]:
    for machine in machines:
        if not held.memories_of(machine) or held.is_by_domain(machine) == by_domain:
            continue  # that there is none is said where it is added to
        if by_domain:
            yield (
                f"{machine}: it has one memory for all clips, and nothing tells the domains of those; enroll "
                "all its recordings again with --by-domain and without --add"
            )
        else:
            yield f"{machine}: its memories are by domain; give --by-domain with --add"
