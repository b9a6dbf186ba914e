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
        return _hash([rule, *network, *self._of_memory(machine), *self._of_scale(machine)])

    def parts(self, machine: str) -> dict[str, str]:
        """Tell what the scores of a machine depend on beside the network, part by part.

        Parameters
        ----------
        machine : str
            One that the file can score by its rule.

        Returns
        -------
        dict of str to str
            "rule"; and where the rule needs them, 16 hex digits of "memory" (with its background) and of
            "scale" (which sums up both scores).
        """
        parts = {"memory": self._of_memory(machine), "scale": self._of_scale(machine)}
        return {"rule": self._maker.rule_of(machine)} | {
            name: _hash(part) for name, part in parts.items() if part
        }

    def _of_memory(self, machine: str) -> list[object]:
        memory = self._maker.held.memory_of(machine)
        if self._maker.rule_of(machine) == "network" or memory is None:
            return []
        told: list[object] = [
            self._maker.held.background,
            memory.mean,
            memory.deviations,
            memory.held_out_scores,
        ]
        return [*told, [clip.recording for clip in memory.clips]]

    def _of_scale(self, machine: str) -> list[object]:
        rule = self._maker.rule_of(machine)
        calibration = self._maker.held.calibration_of(machine, rule)
        return [] if rule != "both" or calibration is None else [calibration.log_median, calibration.log_mad]


def _hash(told: list[object]) -> str:
    return sha256(msgspec.json.encode(told)).hexdigest()[:16]
