"""What the scores of a machine depend on, in a few digits: equal ones may be decided alike."""

from hashlib import sha256

import msgspec

from osscl.scoring.judge_making import JudgeMaker


class Fingerprints:
    """What the scores of each machine depend on.

    Parameters
    ----------
    maker : JudgeMaker
        What they are scored by.
    """

    def __init__(self, maker: JudgeMaker) -> None:
        self._maker = maker

    def of(self, machine: str) -> str:
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
        rule = self._maker.rule_of(machine)
        network = [] if rule == "memory" else [self._maker.graph_sha256]
        of_domain = [each for each in [self._domain(machine)] if each is not None]
        of_memories = [*self._of_memory(machine), *self._of_embeddings(machine)]
        return _hash([rule, *network, *of_memories, *self._of_scale(machine), *of_domain])

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
            its background), and of "scale" (which sums up both scores); "domain" where memories are by
            domain, how it is told.
        """
        parts = {
            "memory": self._of_memory(machine),
            "embeddings": self._of_embeddings(machine),
            "scale": self._of_scale(machine),
        }
        hashes = {name: _hash(part) for name, part in parts.items() if part}
        domain = self._domain(machine)
        return (
            {"rule": self._maker.rule_of(machine)} | hashes | ({} if domain is None else {"domain": domain})
        )

    def _domain(self, machine: str) -> str | None:
        """How the domain of its clips is told; None where nothing depends on it."""
        is_asked = self._maker.rule_of(machine) == "memory" and self._maker.held.is_by_domain(machine)
        return self._maker.domain if is_asked else None

    def _of_memory(self, machine: str) -> list[object]:
        held = self._maker.held
        if self._maker.rule_of(machine) not in ("memory", "both") or not held.memories_of(machine):
            return []
        told: list[object] = [held.background]
        for memory in held.memories_of(machine):
            told += [memory.mean, memory.deviations, memory.held_out_scores]
            told += [[clip.recording for clip in memory.clips]]
            told += [] if memory.domain is None else [memory.domain]
        return told

    def _of_embeddings(self, machine: str) -> list[object]:
        held = self._maker.held
        stored = held.embeddings_of(machine)
        if self._maker.rule_of(machine) != "embedding" or stored is None:
            return []
        told = [held.embedding_background, stored.mean, stored.deviations, stored.held_out_scores]
        return [*told, [clip.recording for clip in stored.clips]]

    def _of_scale(self, machine: str) -> list[object]:
        rule = self._maker.rule_of(machine)
        calibration = self._maker.held.calibration_of(machine, rule)
        return [] if rule != "both" or calibration is None else [calibration.log_median, calibration.log_mad]


def _hash(told: list[object]) -> str:
    return sha256(msgspec.json.encode(told)).hexdigest()[:16]
