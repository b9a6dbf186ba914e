"""The judge of each machine, from what a model file holds: made when the first clip of the machine comes."""

import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from typing import Any

import msgspec
import numpy as np

from osscl.audio.doubts import BY_FIXED_BOUNDS, Doubter
from osscl.config import FEATURES, Padding
from osscl.decisions import Memory, RobustScale
from osscl.decisions.blocks import BLOCKS
from osscl.decisions.conformal import check_rate
from osscl.errors import ConfigError, MachineError
from osscl.model_file.decisions import Calibration, Rule, StoredDecisions
from osscl.model_file.manifest import Manifest
from osscl.model_file.restored import restored_measures, restored_memory
from osscl.scoring.by_embeddings import MAY_BE_TRAINED_ON, judge_by_embeddings, lacking_of_embeddings
from osscl.scoring.judge import Judge, NormalScores
from osscl.scoring.record import Record
from osscl.support.listing import listed

RULES: tuple[Rule, ...] = ("network", "memory", "both", "embedding")
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

    Attributes
    ----------
    machines : tuple of str
        Machine IDs that the file can score.

    Raises
    ------
    ConfigError
        There is no such rule, or no machine has what it needs.
    DecisionError
        The rate lies outside (0, 1).
    """

    def __init__(
        self, manifest: Manifest, rule: Rule | None = None, false_alarm_rate: float | None = None
    ) -> None:
        if rule is not None and rule not in RULES:
            raise ConfigError(f"rule is {rule!r}; expected one of: {', '.join(RULES)}")
        if false_alarm_rate is not None:
            check_rate(false_alarm_rate)
        self._stored = manifest.decisions or StoredDecisions()
        self._labels = {} if manifest.model is None else {
            name: label for label, name in enumerate(manifest.model.classes)
        }  # fmt: skip
        self._precision = manifest.precision
        checkpoint = manifest.checkpoint
        self._network = None if checkpoint is None else checkpoint.sha256, manifest.precision
        self._graph_sha256 = manifest.graph_sha256
        self.machines = manifest.machines
        self._rule, self._rate = rule, false_alarm_rate
        self._judges: dict[str, Judge] = {}
        self._unasked: dict[str, Memory] = {}  # memories that no rule asks for
        self._lock = threading.Lock()
        if rule in ("memory", "both") and not self._stored.memories:
            raise ConfigError(
                f"the rule {rule} needs memories of machines, and the model file holds none: make one from "
                "normal recordings by osscl enroll"
            )
        if rule == "embedding" and not self._stored.embeddings:
            raise ConfigError(
                "the rule embedding needs memories of embeddings, and the model file holds none: make one "
                "from normal recordings by osscl enroll --rule embedding"
            )
        if rule == "network":
            manifest.network  # noqa: B018 - raises where there is none

    @property
    def can_decide(self) -> bool:
        """Whether the file holds anything to decide by."""
        held = self._stored
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
        own: Rule = "network" if machine in self._labels else "memory"
        if own == "memory" and self._stored.memory_of(machine) is None:
            own = "embedding" if self._stored.embeddings_of(machine) is not None else own
        return self._rule or self._stored.rules.get(machine, own)

    def of(self, machine: str) -> Judge:
        """Give the judge of a machine.

        Parameters
        ----------
        machine : str
            One that the file can score.

        Returns
        -------
        Judge
            The same for all its clips.

        Raises
        ------
        MachineError
            The rule asked for has nothing to go by: no memory, or a class that the network lacks.
        """
        with self._lock:  # readers ask at once, and a memory is worth making once
            judge = self._judges.get(machine)
            if judge is None:
                judge = self._judges[machine] = self._make(machine)
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
            None where the file holds none, or one of other features than this osscl computes.
        """
        judge = self.of(machine)
        if judge.memory is not None:
            return judge.memory
        stored = self._stored.memory_of(machine)
        if stored is None or stored.features_sha256 != FEATURES.sha256:
            return None
        with self._lock:
            if machine not in self._unasked:
                self._unasked[machine] = restored_memory(stored, self._stored.background)
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
        rule = self.rule_of(machine)
        if rule == "embedding":
            return lacking_of_embeddings(self._stored.embeddings_of(machine), *self._network)
        if rule != "memory" and machine not in self._labels:
            return (
                f"the network does not know it, and the rule {rule} needs that; choose another rule, or "
                "train it"
            )
        if rule == "network":
            return None
        memory = self._stored.memory_of(machine)
        if memory is None:
            return "it has no memory; make one from its normal recordings by osscl enroll"
        if memory.features_sha256 != FEATURES.sha256:
            return "its memory was made of other features than this osscl computes: enroll it again"
        calibration = self._stored.calibration_of(machine, "both")
        if rule == "both" and (calibration is None or calibration.log_median is None):
            return "it is not calibrated for the rule both: run osscl calibrate"
        return None

    def rate_of(self, record: Record) -> float | None:
        """False-alarm rate that a clip was decided at; None where it was not decided."""
        judge = self._judges.get(record.machine or "")
        return None if judge is None or record.is_anomaly is None else judge.rate

    def notes(self) -> Iterator[str]:
        """Say of the machines met so far why nothing is decided or guaranteed, once for each reason."""
        undecided = ((name, judge.undecided) for name, judge in self._judges.items())
        yield from notes_of("no decision", undecided)
        decided = ((name, judge) for name, judge in self._judges.items() if judge.undecided is None)
        yield from notes_of("no guarantee", ((name, judge.caveat) for name, judge in decided))

    def fingerprints(self) -> dict[str, str]:
        """Tell the machines met so far, and for each what its scores depend on.

        Returns
        -------
        dict of str to str
            16 hex digits a machine: scores of equal ones may be decided by one another's calibration.
        """
        return {machine: self.fingerprint(machine) for machine in self._judges}

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
        rule = self.rule_of(machine)
        network = [] if rule == "memory" else [self._graph_sha256]
        embeddings = self._of_embeddings(machine)
        return _hash([rule, *network, *self._of_memory(machine), *embeddings, *self._of_scale(machine)])

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
        parts = {
            "memory": self._of_memory(machine),
            "embeddings": self._of_embeddings(machine),
            "scale": self._of_scale(machine),
        }
        return {"rule": self.rule_of(machine)} | {name: _hash(part) for name, part in parts.items() if part}

    def _of_memory(self, machine: str) -> list[object]:
        memory = self._stored.memory_of(machine)
        if self.rule_of(machine) not in ("memory", "both") or memory is None:
            return []
        told: list[object] = [self._stored.background, memory.mean, memory.deviations, memory.held_out_scores]
        return [*told, [clip.recording for clip in memory.clips]]

    def _of_embeddings(self, machine: str) -> list[object]:
        stored = self._stored.embeddings_of(machine)
        if self.rule_of(machine) != "embedding" or stored is None:
            return []
        told = [self._stored.embedding_background, stored.mean, stored.deviations, stored.held_out_scores]
        return [*told, [clip.recording for clip in stored.clips]]

    def _of_scale(self, machine: str) -> list[object]:
        rule = self.rule_of(machine)
        calibration = self._stored.calibration_of(machine, rule)
        return [] if rule != "both" or calibration is None else [calibration.log_median, calibration.log_mad]

    def _make(self, machine: str) -> Judge:
        rule = self.rule_of(machine)
        label = self._labels.get(machine)
        lacking = self.lacking(machine)
        if lacking is not None:
            raise MachineError(f"{machine}: {lacking}")
        if rule == "embedding":
            return self._judge_by_embedding(machine)
        if rule == "memory":
            memory = self._memory(machine)
            normal = NormalScores(memory.calibration_scores, memory.calibration_recordings)
            return Judge(
                machine,
                rule,
                memory=memory,
                normal=normal,
                asked_rate=self._rate,
                padding=self._padding(machine),
                doubter=self._doubter(machine, memory),
            )
        calibration, reason = self._calibration(machine, rule)
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
                "network_scale": self._network_scale(machine),
                "padding": self._padding(machine),
                "doubter": self._doubter(machine, memory),
            }
        return Judge(
            machine,
            rule,
            label,
            normal=normal_scores,
            asked_rate=self._rate,
            uncalibrated=reason,
            caveat=caveat,
            **of_memory,
        )

    def _judge_by_embedding(self, machine: str) -> Judge:
        judge = judge_by_embeddings(machine, self._stored, is_class=machine in self._labels)
        return replace(judge, asked_rate=self._rate, doubter=self._doubter(machine))

    def _doubter(self, machine: str, memory: Memory | None = None) -> Doubter:
        """Who knows the machine's normal recordings: their levels too, where clips' features are made."""
        stored = self._stored.memory_of(machine)
        if stored is None:
            return BY_FIXED_BOUNDS
        levels = None if memory is None else memory.features[:, BLOCKS["level"].columns]
        return Doubter(restored_measures(stored), levels)

    def _network_scale(self, machine: str) -> RobustScale:
        """Scale of the network's score for the rule both; of another precision it still gives scores."""
        found = self._stored.calibration_of(machine, "both")
        assert found is not None, "`lacking` tells"
        assert found.log_median is not None
        assert found.log_mad is not None
        return RobustScale(found.log_median, found.log_mad)

    def _padding(self, machine: str) -> Padding | None:
        stored = self._stored.memory_of(machine)
        return stored.fit.pad if stored is not None and stored.is_padded else None

    def _memory(self, machine: str) -> Memory:
        stored = self._stored.memory_of(machine)
        assert stored is not None
        return restored_memory(stored, self._stored.background)

    def _calibration(self, machine: str, rule: Rule) -> tuple[Calibration | None, str | None]:
        """The calibration that holds for what computes the network, or why there is none."""
        found = self._stored.calibration_of(machine, rule)
        if found is None:
            return None, "it is not calibrated: osscl calibrate on normal recordings that were not trained on"
        if found.precision != self._precision:
            return None, (
                f"it was calibrated in {found.precision} and the model is {self._precision}: calibrate it "
                "again"
            )
        return found, None


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
    machines: dict[str, list[str]] = {}
    for machine, reason in reasons:
        if reason is not None:
            machines.setdefault(reason, []).append(machine)
    for reason, named in machines.items():
        yield f"{what} for {listed(named, _MAX_NAMED)}: {reason}"


def _hash(told: list[object]) -> str:
    return sha256(msgspec.json.encode(told)).hexdigest()[:16]
