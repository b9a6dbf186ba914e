"""How detection limits are measured."""

import os
from dataclasses import dataclass

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.decisions.conformal import check_rate
from osscl.errors import ConfigError
from osscl.model_file.named import Rule
from osscl.scoring.judges import RULES


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityOptions:
    """How detection limits are measured.

    Attributes
    ----------
    rule : {"network", "memory", "both"} or None
        Which score decides; None for the rule that the model file names for each machine.
    false_alarm_rate : float or None
        Share of normal clips that may be called anomalous, in (0, 1); None for 5 %, or the smallest that a
        machine's recordings can speak of when one of them is left out.
    machine : str or None
        Machine of all recordings; None where their places tell it.
    recording : str or None
        Which clips belong together: a regular expression with one group, on the path, or the word "folder";
        None where each clip is a recording of its own.
    fit : Fit
        How recordings that do not fit are made to fit.
    labels : path-like or None
        A table of labels that names machines, instead of places.
    machine_pattern : str or None
        A pattern that finds machines in paths, see `osscl.machines.pattern.MachinePattern`.
    coarse : bool
        Lay in fewer changes, which takes a quarter of the time; rules that use the network always do.

    Raises
    ------
    ConfigError
        There is no such rule, or the rate lies outside (0, 1).
    """

    rule: Rule | None = None
    false_alarm_rate: float | None = None
    machine: str | None = None
    recording: str | None = None
    fit: Fit = AS_THEY_ARE
    labels: str | os.PathLike[str] | None = None
    machine_pattern: str | None = None
    coarse: bool = False

    def __post_init__(self) -> None:
        if self.rule is not None and self.rule not in RULES:
            raise ConfigError(f"rule is {self.rule!r}; expected one of: {', '.join(RULES)}")
        if self.false_alarm_rate is not None:
            check_rate(self.false_alarm_rate)
