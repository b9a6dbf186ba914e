"""How far a reduced precision may lie from fp32 on the accuracy gate, and how many clips it takes to tell."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from osscl.errors import ConfigError, MachineError
from osscl.evaluation.labelled import label_in_name
from osscl.machines.labels import machine_source
from osscl.model_file.manifest import Manifest
from osscl.support.plurals import plural


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What a reduced precision must keep to.

    Attributes
    ----------
    min_rank_correlation : float
        Least rank correlation (Spearman's) of a clip's score in both precisions, in [0, 1]; 1 asks for the
        same order of all clips.
    max_auc_change : float
        How far the AUCs of both precisions may lie apart, in [0, 1].

    Raises
    ------
    ConfigError
        A value lies outside its range.
    """

    min_rank_correlation: float = 0.999
    max_auc_change: float = 0.002

    def __post_init__(self) -> None:
        for name in ("min_rank_correlation", "max_auc_change"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigError(f"{name} is {getattr(self, name)}; it must lie in [0, 1]")

    @property
    def n_clips(self) -> int | None:
        """Clips of which two neighbours may swap their ranks; None where no swap at all is allowed.

        Among n clips such a swap leaves a rank correlation of 1 - 12 / (n**3 - n).
        """
        if self.min_rank_correlation >= 1.0:
            return None
        n = max(2, int((12.0 / (1.0 - self.min_rank_correlation)) ** (1 / 3)) - 1)
        while 1.0 - 12.0 / (n**3 - n) < self.min_rank_correlation:
            n += 1
        return n

    def n_of_each_label(self, n_machines: int) -> int | None:
        """Normal clips of each machine, and as many anomalous ones, of which two may swap their places.

        Among n and n clips such a swap changes the AUC of a machine by 1 / n**2.

        Parameters
        ----------
        n_machines : int
            Machines, over which the AUC is averaged.

        Returns
        -------
        int or None
            None where no swap at all is allowed.
        """
        if self.max_auc_change <= 0.0:
            return None
        return math.ceil(round(math.sqrt(1.0 / (self.max_auc_change * n_machines)), 9))


@dataclass(frozen=True, slots=True)
class GateSize:
    """Clips of an accuracy gate that a model can score.

    Attributes
    ----------
    n_clips : int
        All of them.
    of_machine : dict of str to tuple of int
        Normal and anomalous ones of each machine that has both.
    """

    n_clips: int
    of_machine: dict[str, tuple[int, int]]

    def doubt(self, limits: GateLimits) -> str | None:
        """Say what a gate so small cannot tell.

        Parameters
        ----------
        limits : GateLimits
            What it shall tell.

        Returns
        -------
        str or None
            A sentence with how many clips it takes; None where there are enough.
        """
        reasons = [*self._too_few_in_all(limits), *self._too_few_of_a_machine(limits)]
        if not reasons:
            return None
        return f"the accuracy gate has few clips, and chance may fail it: {'; '.join(reasons)}"

    def _too_few_in_all(self, limits: GateLimits) -> Iterable[str]:
        needed = limits.n_clips
        if needed is not None and self.n_clips < needed:
            yield (
                f"with {self.n_clips} in all, two neighbours that swap ranks take the rank correlation "
                f"below {limits.min_rank_correlation:g}; it takes {needed}"
            )

    def _too_few_of_a_machine(self, limits: GateLimits) -> Iterable[str]:
        if not self.of_machine:
            return
        needed = limits.n_of_each_label(len(self.of_machine))
        machine, (normal, anomalous) = min(self.of_machine.items(), key=lambda each: math.prod(each[1]))
        change = 1.0 / (normal * anomalous * len(self.of_machine))
        if needed is not None and change > limits.max_auc_change:
            yield (
                f"with {normal} normal and {anomalous} anomalous ones of {machine}, two that swap places "
                f"change the AUC by {change:.2g}, and {limits.max_auc_change:g} is allowed; it takes "
                f"{needed} and {needed} of each of {self._machines()}"
            )

    def _machines(self) -> str:
        return f"{len(self.of_machine)} {plural(len(self.of_machine), 'machine')}"


def gate_size(paths: Iterable[str], manifest: Manifest) -> GateSize:
    """Count the clips of an accuracy gate by their names.

    Parameters
    ----------
    paths : iterable of str
        Recordings.
    manifest : Manifest
        Of the model, which knows some of their machines.

    Returns
    -------
    GateSize
        Those of machines that the network knows.
    """
    machine_of = machine_source(manifest.classes_of_machines)
    n_clips = 0
    labels: dict[str, Counter[bool]] = {}
    for path in paths:
        try:
            machine = machine_of(path)
        except MachineError:
            continue
        if machine not in manifest.classes_of_machines:
            continue
        n_clips += 1
        if (label := label_in_name(path)) is not None:
            labels.setdefault(machine, Counter())[label] += 1
    both = {
        machine: (of[False], of[True]) for machine, of in sorted(labels.items()) if of[False] and of[True]
    }
    return GateSize(n_clips, both)
