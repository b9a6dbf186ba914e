"""What became of the machines of a table, as one JSON document."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from osscl.monitoring.options import WatchOptions
from osscl.monitoring.watched import Watched
from osscl.monitoring.watching import Watching
from osscl.support.paths import printable

FORMAT = "osscl.monitor/1"
_DIGITS = 3


def document_of(watching: Watching, options: WatchOptions, scores: Path, model: Path) -> dict[str, Any]:
    """Write down what was found.

    Parameters
    ----------
    watching : Watching
        What became of the machines.
    options : WatchOptions
        How they were watched.
    scores, model : Path
        What was read.

    Returns
    -------
    dict
        Built of what JSON knows. Clips count from 0 in the order of time; lines from 0 in the table.
    """
    return {
        "format": FORMAT,
        "scores": printable(scores),
        "model": printable(model),
        "drift_rate": options.drift_rate,
        "n_lines": watching.n_lines,
        "machines": [_machine(each, watching) for each in watching.machines],
        "notes": list(watching.notes),
    }


def _machine(watched: Watched, watching: Watching) -> dict[str, Any]:
    facts = watching.alarm_facts.get(watched.machine)
    return {
        "machine": watched.machine,
        "n_clips": watched.n_clips,
        "first": watched.times[0] if watched.times else None,
        "last": watched.times[-1] if watched.times else None,
        "n_calibration": watched.n_calibration,
        "distance": watched.distance,
        "log10_limit": watched.log10_limit,
        "used": watched.used.tolist(),
        "log10_martingale": np.round(watched.log10_martingale, _DIGITS).tolist(),
        "drift": msgspec.to_builtins(watched.drift),
        "alarm_rule": msgspec.to_builtins(facts),
        "alarms": msgspec.to_builtins(watched.alarms),
        "note": watched.note,
    }
