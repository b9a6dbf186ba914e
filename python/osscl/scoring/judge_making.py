"""A judge made from what a model file holds of a machine, or why none can be made."""

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from osscl.audio.doubts import BY_FIXED_BOUNDS, Doubter
from osscl.config import FEATURES, Padding
from osscl.decisions import Memory
from osscl.decisions.blocks import BLOCKS
from osscl.decisions.conformal import check_rate
from osscl.errors import ConfigError, MachineError
from osscl.machines.domains import DOMAINS, Domain, domain_of
from osscl.model_file.decisions import Rule, StoredDecisions
from osscl.model_file.manifest import Manifest
from osscl.model_file.restored import restored_measures, restored_memory
from osscl.scoring.by_embeddings import MAY_BE_TRAINED_ON, judge_by_embeddings, lacking_of_embeddings
from osscl.scoring.calibrated import calibration_for, network_scale_of
from osscl.scoring.either_domain import EitherDomain
from osscl.scoring.judge import Judge, NormalScores
from osscl.scoring.undecided import OF_MEMORIES, undecided_machines

DomainChoice: TypeAlias = Literal["auto", "unknown", "source", "target"]
DOMAIN_CHOICES: tuple[DomainChoice, ...] = get_args(DomainChoice)
AUTO: DomainChoice = "auto"
"""Names of recordings and of their folders tell the domain; where they do not, it is not known."""

RULES: tuple[Rule, ...] = ("network", "memory", "both", "embedding")


class JudgeMaker:
    """What a model file holds to judge by, and what is asked of it.

    Parameters
    ----------
    manifest : Manifest
        What the file says of itself.
    rule : {"network", "memory", "both", "embedding"}, optional
        The rule of all machines; by default each has its own.
    false_alarm_rate : float, optional
        As asked for.
    domain : {"auto", "unknown", "source", "target"}
        Domain of all clips; "auto" takes it from names, "unknown" from nowhere.

    Attributes
    ----------
    machines : tuple of str
        Machine IDs that the file can score.
    held : StoredDecisions
        What the file holds to decide by.
    graph_sha256 : str
        Hash of its graph.

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
        if rule is not None and rule not in RULES:
            raise ConfigError(f"rule is {rule!r}; expected one of: {', '.join(RULES)}")
        if false_alarm_rate is not None:
            check_rate(false_alarm_rate)
        self.held = manifest.decisions or StoredDecisions()
        # asked for with each clip: a file may hold the memories of a thousand machines
        self._remembered = {memory.machine: memory.domain is not None for memory in self.held.memories}
        self._embedded = {each.machine for each in self.held.embeddings}
        self._labels = manifest.classes_of_machines
        self._precision = manifest.precision
        checkpoint = manifest.checkpoint
        self._network = None if checkpoint is None else checkpoint.sha256, manifest.precision
        self.graph_sha256 = manifest.graph_sha256
        self.machines = manifest.machines
        self._rule, self._rate = rule, false_alarm_rate
        if rule in ("memory", "both") and not self.held.memories:
            raise ConfigError(
                f"the rule {rule} needs memories of machines, and the model file holds none: make one from "
                "normal recordings by osscl enroll"
            )
        if rule == "embedding" and not self.held.embeddings:
            raise ConfigError(
                "the rule embedding needs memories of embeddings, and the model file holds none: make one "
                "from normal recordings by osscl enroll --rule embedding"
            )
        self.domain = domain
        if domain not in DOMAIN_CHOICES:
            raise ConfigError(f"domain is {domain!r}; expected one of: {', '.join(DOMAIN_CHOICES)}")
        if domain in DOMAINS and not any(memory.domain for memory in self.held.memories):
            raise ConfigError(
                f"the domain {domain} is asked for, and the model file holds no memory of a domain: leave "
                "--domain out, or make them by osscl enroll --by-domain"
            )
        if rule == "network":
            manifest.network  # noqa: B018 - raises where there is none

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
        own: Rule = "network" if machine in self._labels else "memory"
        if own == "memory" and machine in self._embedded and machine not in self._remembered:
            own = "embedding"
        return self._rule or self.held.rules.get(machine, own)

    def undecided(self) -> Iterator[tuple[str, str]]:
        """Name the machines of which nothing will be decided, and why; no judge is made for it."""
        rules = ((machine, self.rule_of(machine)) for machine in self.machines)
        # what cannot be scored at all its lines tell
        scored = ((each, rule) for each, rule in rules if rule in OF_MEMORIES or each in self._labels)
        return undecided_machines(self.held, scored, self._rate, self.domain, self._precision)

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
        rule = self.rule_of(machine)
        if rule == "embedding":
            return lacking_of_embeddings(self.held.embeddings_of(machine), *self._network)
        if rule != "memory" and machine not in self._labels:
            return (
                f"the network does not know it, and the rule {rule} needs that; choose another rule, or "
                "train it"
            )
        if rule == "network":
            return None
        memories = self.held.memories_of(machine)
        if not memories:
            return "it has no memory; make one from its normal recordings by osscl enroll"
        if rule == "both" and self.held.is_by_domain(machine):
            return "its memories are by domain, which the rule both does not know: take memory or network"
        if self.domain in DOMAINS and not self.held.is_by_domain(machine):
            return (
                f"the domain {self.domain} is asked for, and it has one memory for all clips: leave --domain "
                "out, or enroll it again by osscl enroll --by-domain"
            )
        if any(memory.features_sha256 != FEATURES.sha256 for memory in memories):
            return "its memory was made of other features than this osscl computes: enroll it again"
        calibration = self.held.calibration_of(machine, "both")
        if rule == "both" and (calibration is None or calibration.log_median is None):
            return "it is not calibrated for the rule both: run osscl calibrate"
        return None

    def domain_of(self, machine: str, path: str | os.PathLike[str] | None) -> Domain | None:
        """Tell the domain whose memory judges a recording.

        Parameters
        ----------
        machine : str
            One that the file can score.
        path : path-like or None
            The recording, where it has a place or a name.

        Returns
        -------
        {"source", "target"} or None
            None where it is not known, or does not matter.

        Raises
        ------
        MachineError
            Name and folder contradict each other.
        """
        if self.rule_of(machine) != "memory" or not self._remembered.get(machine):
            return None
        if self.domain == "auto":
            return None if path is None else domain_of(path)
        return None if self.domain == "unknown" else self.domain

    def make(self, machine: str, domain: Domain | None = None) -> Judge:
        """Make the judge of a machine.

        Parameters
        ----------
        machine : str
            One that the file can score.
        domain : {"source", "target"}, optional
            Domain of what is judged; None where it is not known, or does not matter.

        Returns
        -------
        Judge
            A new one.

        Raises
        ------
        MachineError
            The rule has nothing to go by.
        """
        rule = self.rule_of(machine)
        labels = self._labels.get(machine, ())
        lacking = self.lacking(machine)
        if lacking is not None:
            raise MachineError(f"{machine}: {lacking}")
        if rule == "memory" and domain is None and self.held.is_by_domain(machine):
            of_each = tuple(self._by_memory(machine, each) for each in DOMAINS)
            return EitherDomain(machine, rule, asked_rate=self._rate, domains=of_each)
        if rule == "memory":
            return self._by_memory(machine, domain)
        if rule == "embedding":
            return self._by_embeddings(machine)
        calibration, reason = calibration_for(self.held, machine, rule, self._precision)
        normal_scores, caveat = None, None
        if calibration is not None:
            scores = np.frombuffer(calibration.scores, "<f8")
            normal_scores = NormalScores(scores, [clip.recording for clip in calibration.clips])
            caveat = None if calibration.is_guaranteed else MAY_BE_TRAINED_ON
        of_memory: dict[str, Any] = {"doubter": self._doubter(machine)}
        if rule == "both":
            memory = self._memory(machine)
            of_memory = {
                "memory": memory,
                "network_scale": network_scale_of(self.held, machine),
                "padding": self._padding(machine),
                "doubter": self._doubter(machine, memory),
            }
        return Judge(
            machine,
            rule,
            labels,
            normal=normal_scores,
            asked_rate=self._rate,
            uncalibrated=reason,
            caveat=caveat,
            **of_memory,
        )

    def memory_of(self, machine: str) -> Memory | None:
        """Restore the memory of a machine, whatever its rule.

        Parameters
        ----------
        machine : str
            One that the file can score.

        Returns
        -------
        Memory or None
            None where the file holds none, or one of other features than this osscl computes.
        """
        stored = self.held.memory_of(machine)
        if stored is None or stored.features_sha256 != FEATURES.sha256:
            return None
        return restored_memory(stored, self.held.background)

    def _by_memory(self, machine: str, domain: Domain | None) -> Judge:
        memory = self._memory(machine, domain)
        return Judge(
            machine,
            "memory",
            memory=memory,
            normal=NormalScores(memory.calibration_scores, memory.calibration_recordings),
            asked_rate=self._rate,
            padding=self._padding(machine, domain),
            doubter=self._doubter(machine, memory, domain),
            domain=domain,
        )

    def _by_embeddings(self, machine: str) -> Judge:
        judge = judge_by_embeddings(machine, self.held, is_class=machine in self._labels)
        return replace(judge, asked_rate=self._rate, doubter=self._doubter(machine))

    def _doubter(self, machine: str, memory: Memory | None = None, domain: Domain | None = None) -> Doubter:
        """Who knows the machine's normal recordings: their levels too, where clips' features are made."""
        stored = self.held.memory_of(machine, domain)
        if stored is None:
            return BY_FIXED_BOUNDS
        levels = None if memory is None else memory.features[:, BLOCKS["level"].columns]
        return Doubter(restored_measures(stored), levels)

    def _padding(self, machine: str, domain: Domain | None = None) -> Padding | None:
        stored = self.held.memory_of(machine, domain)
        return stored.fit.pad if stored is not None and stored.is_padded else None

    def _memory(self, machine: str, domain: Domain | None = None) -> Memory:
        stored = self.held.memory_of(machine, domain)
        assert stored is not None
        return restored_memory(stored, self.held.background)
