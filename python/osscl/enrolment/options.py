"""How normal recordings become memories."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from osscl.audio.reading import AS_THEY_ARE, Fit
from osscl.audio.windows import check_hop
from osscl.errors import ConfigError

MAX_NAME = 4096
EnrolledRule: TypeAlias = Literal["memory", "embedding"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolOptions:
    """How normal recordings become memories.

    Attributes
    ----------
    machine : str or None
        Machine of all recordings; None where their places tell it.
    recording : str or None
        What clips belong together: a regular expression with one group, on the path, or the word "folder";
        None where the layout of a data set or the table tells it, and else each clip is one of its own.
    fit : Fit
        How recordings that do not fit are made to fit.
    hop_s : float or None
        Seconds from the beginning of one window of a long recording to that of the next; all of them are one
        recording. None takes the beginnings of recordings alone.
    by_domain : bool
        Make a memory of each domain of a machine, source and target, as names of files or of their
        folders tell.
    add : bool
        Put the clips into memories that are there, instead of making new ones.
    forget : sequence of path-like
        Clips that memories give up: their files, or their hashes.
    background : path-like or None
        Folder of normal recordings of at least 4 machines, 4 clips each, that a background is made from.
    false_alarm_rate : float or None
        Rate that every machine must be able to speak of, in (0, 1).
    labels : path-like or None
        A table of labels that names machines, instead of places; see `osscl.machines.label_table.LabelTable`.
    machine_pattern : str or None
        A pattern that finds machines in paths, see `osscl.machines.pattern.MachinePattern`.
    rule : {"memory", "embedding"}
        What is kept of clips: their features, or where the model file's network puts them.

    Raises
    ------
    ConfigError
        There is no such hop, `fit` is no `Fit`, or nothing is enrolled for the rule, or not by domain. A name
        is empty or too long, or the rate lies outside (0, 1).
    """

    machine: str | None = None
    recording: str | None = None
    fit: Fit = AS_THEY_ARE
    hop_s: float | None = None
    by_domain: bool = False
    add: bool = False
    forget: Sequence[str | os.PathLike[str]] = ()
    background: str | os.PathLike[str] | None = None
    false_alarm_rate: float | None = None
    labels: str | os.PathLike[str] | None = None
    machine_pattern: str | None = None
    rule: EnrolledRule = "memory"

    def __post_init__(self) -> None:
        if self.rule not in get_args(EnrolledRule):
            raise ConfigError(
                f"rule is {self.rule!r}; recordings are enrolled for one of: "
                f"{', '.join(get_args(EnrolledRule))} (osscl calibrate makes the network's score decide)"
            )
        if not isinstance(self.fit, Fit):
            raise ConfigError(
                f"fit is an object of type {type(self.fit).__name__}; expected an osscl.Fit, such as "
                "osscl.Fit(resample=True, channel='mean', pad='repeat')"
            )
        if self.by_domain and self.rule != "memory":
            raise ConfigError(
                f"by_domain (--by-domain) makes memories of features, and the rule {self.rule} knows no "
                "domains: leave one of them out"
            )
        if self.hop_s is not None:
            check_hop(self.hop_s)
        if self.machine is not None and not (
            self.machine.isprintable() and 0 < len(self.machine) <= MAX_NAME
        ):
            raise ConfigError(f"machine is {self.machine!r}; expected a name such as press/id_09")
        rate = self.false_alarm_rate
        if rate is not None and not 0.0 < rate < 1.0:
            raise ConfigError(
                f"false_alarm_rate is {rate}; it must lie between 0 and 1, such as 0.05 for 5 %"
            )
