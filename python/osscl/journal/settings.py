"""What the scores of a run depend on, beside the recordings themselves: equal settings, equal scores."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from osscl.audio.reading import Fit
from osscl.audio.recorded_at import AS_RECORDED, RecordingTimes
from osscl.errors import LabelTableError
from osscl.machines.labels import BY_PATHS, MachineNames
from osscl.model_file.manifest import Manifest
from osscl.scoring.judges import Judges
from osscl.support.links import as_walked, unreadable
from osscl.support.paths import printable
from osscl.support.regular_file import read_regular

Settings = Mapping[str, Any]
"""By name, each ready for JSON: what is told apart is named by its key."""


def settings_of(
    manifest: Manifest,
    judges: Judges,
    facts: Mapping[str, Any],
    roots: Iterable[str],
    *,
    fit: Fit,
    names: MachineNames = BY_PATHS,
    times: RecordingTimes = AS_RECORDED,
    hop_s: float | None = None,
) -> dict[str, Any]:
    """Collect what the scores of a run depend on.

    Calibrations are not among it: they decide scores, and change none.

    Parameters
    ----------
    manifest : Manifest
        What the model file says of itself.
    judges : Judges
        How its machines are scored.
    facts : mapping of str to str or int
        What computes it, `Detector.facts`.
    roots : iterable of str
        Folders and files that the recordings are found in.
    fit : Fit
        How recordings are made to fit.
    names : MachineNames
        How machines are named. A table of labels counts by what it holds.
    times : RecordingTimes
        What tells when recordings began.
    hop_s : float, optional
        Seconds from window to window; None where recordings are not cut into windows.

    Returns
    -------
    dict
        Settings, for `Journal.open`.

    Raises
    ------
    LabelTableError
        The table of labels cannot be read.
    """
    asked = {"resample": fit.resample, "channel": fit.channel, "pad": fit.pad, **times.facts()}
    return {
        "folders": [printable(as_walked(root)) for root in roots],
        "machine": names.machine,
        "labels": None if names.labels is None else _hash_of_labels(names),
        "machine_pattern": None if names.machine_pattern is None else printable(names.machine_pattern),
        **asked,
        "hop": hop_s,
        "graph": manifest.graph_sha256,
        "precision": manifest.precision,
        "backend": facts["backend"],
        "processor": "cpu" if facts["device"] == "cpu" else "gpu",
        **scorers_of(manifest, judges),
    }


def scorers_of(manifest: Manifest, judges: Judges) -> dict[str, Any]:
    """Tell what the scores of the machines come from.

    Parameters
    ----------
    manifest : Manifest
        What the model file says of itself.
    judges : Judges
        How its machines are scored.

    Returns
    -------
    dict
        The part of `settings_of` that a model file tells alone.
    """
    machines = {machine: _parts_of_judge(manifest, judges, machine) for machine in judges.machines}
    needs_network = any(parts["rule"] != "memory" for parts in machines.values())
    return ({"graph": manifest.graph_sha256} if needs_network else {}) | {"machines": machines}


def _parts_of_judge(manifest: Manifest, judges: Judges, machine: str) -> dict[str, str]:
    """What a machine's scores and the doubts about its recordings come from."""
    memories = () if manifest.decisions is None else manifest.decisions.memories_of(machine)
    measures = b"".join(memory.measures for memory in memories)
    doubts = {"doubts": hashlib.sha256(measures).hexdigest()[:16]} if memories else {}
    return judges.parts(machine) | doubts


def _hash_of_labels(names: MachineNames) -> str:
    assert names.labels is not None
    try:
        return hashlib.sha256(read_regular(names.labels)).hexdigest()[:16]
    except OSError as error:
        raise LabelTableError(unreadable(names.labels, "table", error)) from error
