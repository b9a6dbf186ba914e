"""How rules that use the network are calibrated."""

import os
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.audio.windows import check_hop
from osscl.decisions.conformal import check_rate
from osscl.errors import ConfigError

CalibratedRule: TypeAlias = Literal["network", "both"]
CALIBRATED_RULES: tuple[CalibratedRule, ...] = get_args(CalibratedRule)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrateOptions:
    """How rules that use the network are calibrated.

    Attributes
    ----------
    rule : {"network", "both"}
        Which score: the network's, or the larger of the network's and the memory's.
    machine : str or None
        Machine of all recordings; None where their places tell it.
    recording : str or None
        Which clips belong together: a regular expression with one group, on the path, or the word "folder";
        None where each clip is a recording of its own.
    fit : Fit
        How recordings that do not fit are made to fit.
    hop_s : float or None
        Seconds from the beginning of one window of a long recording to that of the next; all of them are one
        recording. None takes the beginnings of recordings alone.
    false_alarm_rate : float or None
        Rate that every machine must be able to speak of, in (0, 1); None for 5 %, or the smallest that a
        machine's recordings can speak of.
    allow_training_clips : bool
        Take clips that the network was trained on, too: no rate is guaranteed then.
    skip_training_clips : bool
        Leave out recordings of which the network was trained on a clip, and calibrate by the others.
    labels : path-like or None
        A table of labels that names machines, instead of places; see `osscl.machines.label_table.LabelTable`.
    machine_pattern : str or None
        A pattern that finds machines in paths, see `osscl.machines.pattern.MachinePattern`.

    Raises
    ------
    ConfigError
        There is no such rule, or no such hop, the rate lies outside (0, 1), or training clips shall both be
        taken and left out.
    """

    rule: CalibratedRule = "network"
    machine: str | None = None
    recording: str | None = None
    fit: Fit = AS_THEY_ARE
    hop_s: float | None = None
    false_alarm_rate: float | None = None
    allow_training_clips: bool = False
    skip_training_clips: bool = False
    labels: str | os.PathLike[str] | None = None
    machine_pattern: str | None = None

    def __post_init__(self) -> None:
        if self.hop_s is not None:
            check_hop(self.hop_s)
        if self.allow_training_clips and self.skip_training_clips:
            raise ConfigError(
                "--skip-training-clips leaves out the clips that --allow-training-clips takes: choose one"
            )
        if self.rule not in CALIBRATED_RULES:
            raise ConfigError(
                f"rule is {self.rule!r}; expected one of: {', '.join(CALIBRATED_RULES)} (a memory, of "
                "features or of embeddings, is calibrated by its own recordings)"
            )
        if self.false_alarm_rate is not None:
            check_rate(self.false_alarm_rate)
