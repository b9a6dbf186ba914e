"""Severities of the faults, from the committed file ``severities.json``."""

import functools
from importlib.resources import files
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from osscl.errors import ConfigError
from osscl.synth import faults, hard, passing_faults
from osscl.synth.fault_kind import Fault

Severity: TypeAlias = Literal["slight", "moderate", "severe"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
KINDS: tuple[type[Fault], ...] = (
    faults.Imbalance,
    faults.BearingDefect,
    faults.Looseness,
    faults.Leak,
    faults.Clogging,
    faults.Rubbing,
    passing_faults.Event,
    passing_faults.ChangedSpeed,
    passing_faults.MissingBeat,
    passing_faults.ReversedCycle,
)
"""All kinds of faults."""
FAULTS: tuple[str, ...] = tuple(kind.name for kind in KINDS)
"""Names of all faults."""


def fault(name: str, severity: str, *, fainter: bool = False) -> Fault:
    """A fault as the committed file sets it.

    Parameters
    ----------
    name : str
        One of `FAULTS`.
    severity : {"slight", "moderate", "severe"}
        How far it has gone.
    fainter : bool
        As the hard set has it, by 6 dB.

    Returns
    -------
    Fault
        The fault with its figures.

    Raises
    ------
    ConfigError
        If there is no such fault or severity.
    """
    for what, value, choices in (("fault", name, FAULTS), ("severity", severity, SEVERITIES)):
        if value not in choices:
            raise ConfigError(f"{what} is {value!r}; expected one of: {', '.join(choices)}")
    chosen = all_faults()[name][severity]
    return chosen.fainter(hard.FAINTER_DB) if fainter else chosen


@functools.cache
def all_faults() -> dict[str, dict[str, Fault]]:
    """Every fault at every severity, by name and severity."""
    text = files("osscl.synth").joinpath("severities.json").read_bytes()
    return parse_severities(text)


def parse_severities(text: bytes) -> dict[str, dict[str, Fault]]:
    """Read the file of severities strictly.

    Parameters
    ----------
    text : bytes
        JSON: for each fault and severity, all figures of the fault and no others.

    Returns
    -------
    dict of str to dict of str to Fault
        By name and severity.

    Raises
    ------
    ConfigError
        If a fault, a severity or a figure is missing, unknown or no number.
    """
    try:
        document: dict[str, dict[str, Any]] = msgspec.json.decode(text, type=dict[str, dict[str, Any]])
        if set(document) != set(FAULTS):
            raise ConfigError(f"severities stand for {sorted(document)}; expected {sorted(FAULTS)}")
        found: dict[str, dict[str, Fault]] = {}
        for kind in KINDS:
            levels = document[kind.name]
            if set(levels) != set(SEVERITIES):
                raise ConfigError(f"{kind.name} has {sorted(levels)}; expected {sorted(SEVERITIES)}")
            found[kind.name] = {name: msgspec.convert(levels[name], kind) for name in SEVERITIES}
    except msgspec.MsgspecError as error:
        raise ConfigError(f"severities cannot be read: {error}") from error
    return found
