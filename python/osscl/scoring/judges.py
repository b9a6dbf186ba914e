"""The judge of each machine, from what a model file holds: made when the first clip of the machine comes."""

import os
import threading
from collections.abc import Iterable, Iterator

from osscl.decisions import Memory
from osscl.errors import MachineError
from osscl.machines.domains import Domain
from osscl.model_file.decisions import Rule, owner_of
from osscl.model_file.manifest import Manifest
from osscl.scoring.fingerprints import Fingerprints
from osscl.scoring.judge import Judge
from osscl.scoring.judge_making import AUTO, DomainChoice, JudgeMaker
from osscl.scoring.judge_making import RULES as RULES
from osscl.scoring.record import Record
from osscl.support.listing import listed_by_reason

_MAX_NAMED = 3


class Judges:
    """Judges of the machines of a model file.

    Parameters
    ----------
    manifest : Manifest
        What the file says of itself.
    rule : {"network", "memory", "both", "embedding"}, optional
        The rule of all machines; by default each has its own.
    false_alarm_rate : float, optional
        In (0, 1); by default 5 %, or the smallest that a machine's recordings can speak of.
    domain : {"auto", "unknown", "source", "target"}
        Of all clips, for machines whose memories are by domain: "auto" takes it from names, "unknown" from
        nowhere.

    Attributes
    ----------
    machines : tuple of str
        Machine IDs that the file can score.

    Raises
    ------
    ConfigError
        There is no such rule or domain, no machine has what it needs, or the rate lies outside (0, 1).
    """

    def __init__(
        self,
        manifest: Manifest,
        rule: Rule | None = None,
        false_alarm_rate: float | None = None,
        domain: DomainChoice = AUTO,
    ) -> None:
        self._maker = JudgeMaker(manifest, rule, false_alarm_rate, domain)
        self._fingerprints = Fingerprints(self._maker)
        self.machines = self._maker.machines
        self._judges: dict[tuple[str, Domain | None], Judge] = {}
        self._unasked: dict[str, Memory | None] = {}  # memories that no rule asks for
        self._lock = threading.Lock()

    @property
    def can_decide(self) -> bool:
        """Whether the file holds anything to decide by."""
        held = self._maker.held
        return bool(held.memories or held.calibrations or held.embeddings)

    @property
    def may_need_network(self) -> bool:
        """Whether a clip of some machine asks for the network."""
        return any(self.rule_of(machine) != "memory" for machine in self.machines)

    def rule_of(self, machine: str) -> Rule:
        """Rule that decides of a machine.

        Parameters
        ----------
        machine : str
            One that the file can score.

        Returns
        -------
        str
            As asked for, as the file says, or else by the network where it knows the machine.
        """
        return self._maker.rule_of(machine)

    def of(self, machine: str, path: str | os.PathLike[str] | None = None) -> Judge:
        """Give the judge of a machine.

        Parameters
        ----------
        machine : str
            One that the file can score.
        path : path-like, optional
            The recording, which tells its domain where the machine's memories are by domain.

        Returns
        -------
        Judge
            The same for all its clips, or for all of one domain.

        Raises
        ------
        MachineError
            The rule asked for has nothing to go by: no memory, or a class that the network lacks. Or name and
            folder of the recording tell two domains.
        """
        key = machine, self._maker.domain_of(machine, path)
        with self._lock:  # readers ask at once, and a memory is worth making once
            judge = self._judges.get(key)
            if judge is None:
                judge = self._judges[key] = self._maker.make(*key)
        return judge

    def memory_of(self, machine: str) -> Memory | None:
        """Give the memory of a machine, whether its rule asks for it or not.

        Parameters
        ----------
        machine : str
            One that the file can score.

        Returns
        -------
        Memory or None
            None where the file holds none for all clips, or one of other features than this osscl computes.
        """
        judge = self.of(machine)
        if judge.memory is not None:
            return judge.memory
        with self._lock:
            if machine not in self._unasked:
                self._unasked[machine] = self._maker.memory_of(machine)
            return self._unasked[machine]

    def lacking(self, machine: str) -> str | None:
        """Say what the rule of a machine would need and the file does not hold.

        Parameters
        ----------
        machine : str
            Any ID.

        Returns
        -------
        str or None
            One sentence; None where its clips can be scored.
        """
        return self._maker.lacking(machine)

    def rate_of(self, record: Record) -> float | None:
        """False-alarm rate that a clip was decided at; None where it was not decided."""
        if record.machine is None or record.is_anomaly is None:
            return None
        try:
            return self.of(record.machine, record.path).rate
        except MachineError:  # it was decided by what the file no longer holds
            return None

    def notes(self) -> Iterator[str]:
        """Say of the machines met so far why nothing is decided or guaranteed, once for each reason."""
        yield from notes_of("no decision", self.undecided())
        decided = ((key, judge) for key, judge in self._judges.items() if judge.undecided is None)
        yield from notes_of("no guarantee", ((owner_of(*key), judge.caveat) for key, judge in decided))

    def warnings(self) -> Iterator[str]:
        """Say of all machines of the file why nothing will be decided, once for each reason."""
        return notes_of("no decision", self.undecidable())

    def undecidable(self) -> Iterator[tuple[str, str]]:
        """Name all machines of the file of which nothing will be decided, and why, before any clip comes."""
        return self._maker.undecided()

    def why_undecided(self, record: Record) -> str | None:
        """Say why nothing is decided of the machine of a scored line; None where something is."""
        if record.machine is None or record.score is None or record.is_anomaly is not None:
            return None
        return self.of(record.machine, record.path).undecided

    def undecided(self) -> list[tuple[str, str]]:
        """Name the machines met so far of which nothing is decided, with their domains, and why."""
        reasons = ((owner_of(*key), judge.undecided) for key, judge in self._judges.items())
        return [(name, why) for name, why in reasons if why is not None]

    def fingerprints(self) -> dict[str, str]:
        """Tell the machines met so far, and for each what its scores depend on.

        Returns
        -------
        dict of str to str
            16 hex digits a machine: scores of equal ones may be decided by one another's calibration.
        """
        return {machine: self.fingerprint(machine) for machine, _ in self._judges}

    def fingerprint(self, machine: str) -> str:
        """Tell in 16 hex digits what the scores of a machine depend on.

        Parameters
        ----------
        machine : str
            One that the file can score by its rule.

        Returns
        -------
        str
            It changes with the rule, and with the network, the memory, the background and the scale that the
            rule needs.
        """
        return self._fingerprints.of(machine)

    def parts(self, machine: str) -> dict[str, str]:
        """Tell what the scores of a machine depend on beside the network, part by part.

        Parameters
        ----------
        machine : str
            One that the file can score by its rule.

        Returns
        -------
        dict of str to str
            "rule"; and where the rule needs them, 16 hex digits of "memory" and of "embeddings" (each with
            its background), and of "scale" (which sums up both scores).
        """
        return self._fingerprints.parts(machine)


def notes_of(what: str, reasons: Iterable[tuple[str, str | None]]) -> Iterator[str]:
    """Say what is lacking and why, once for each reason.

    Parameters
    ----------
    what : str
        Such as "no decision".
    reasons : iterable of (str, str or None)
        A machine and its reason; None where nothing is lacking.

    Yields
    ------
    str
        One sentence, with the machines that it holds for.
    """
    for note in listed_by_reason(reasons, _MAX_NAMED):
        yield f"{what} for {note}"
