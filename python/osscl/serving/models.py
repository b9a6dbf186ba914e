"""What the server says of its model and of the machines that it knows."""

from typing import Any

from osscl.detector import Detector
from osscl.errors import MachineError
from osscl.serving.limits import Limits, facts
from osscl.support.installed import version_of
from osscl.support.paths import printable


def model_facts(detector: Detector, limits: Limits) -> dict[str, Any]:
    """Say which model answers.

    Parameters
    ----------
    detector : Detector
        The model.
    limits : Limits
        What requests may cost.

    Returns
    -------
    dict
        Ready for JSON.
    """
    manifest, bundle = detector.manifest, detector.bundle
    rate_hz = manifest.front_end.settings.sample_rate_hz
    return {
        "osscl": version_of("osscl"),
        "model": printable(bundle.path.name),
        "model_sha256": bundle.file_sha256,
        "graph_sha256": bundle.graph_sha256,
        "sample_rate_hz": rate_hz,
        "clip_s": manifest.clip.n_samples / rate_hz,
        "n_machines": len(detector.machines),
        "computing": detector.facts,
        "limits": facts(limits),
    }


def machine_facts(detector: Detector) -> list[dict[str, Any]]:
    """Say how each machine is scored and decided.

    Parameters
    ----------
    detector : Detector
        The model.

    Returns
    -------
    list of dict
        One a machine, ready for JSON: ``machine``, ``rule``, ``false_alarm_rate`` (None where nothing is
        decided) and ``undecided`` (why; None where something is).
    """
    return [_facts(detector, machine) for machine in detector.machines]


def _facts(detector: Detector, machine: str) -> dict[str, Any]:
    rule = detector.judges.rule_of(machine)
    try:
        judge = detector.judges.of(machine)
    except MachineError as error:
        return {"machine": machine, "rule": rule, "false_alarm_rate": None, "undecided": str(error)}
    undecided = judge.undecided
    rate = judge.rate if undecided is None else None
    return {"machine": machine, "rule": rule, "false_alarm_rate": rate, "undecided": undecided}
