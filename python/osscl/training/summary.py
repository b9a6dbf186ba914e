"""How one seed or several did, as a file."""

import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import asdict

from osscl.errors import OutputError
from osscl.support.atomic import write_atomically
from osscl.support.paths import printable
from osscl.training.run_files import SUMMARY_FILE
from osscl.training.runs import Outcome
from osscl.training.separation import most_confused


def summarise(outcomes: Sequence[Outcome], folder: Path) -> dict[str, Any]:
    """Write down how several seeds did: each, the mean and the spread.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of complete trainings.
    folder : Path
        Where ``summary.json`` is written.

    Returns
    -------
    dict
        What was written; the spread is the standard deviation of a sample, None for a single seed.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    best = [(outcome, outcome.best) for outcome in outcomes if outcome.best is not None]
    summary: dict[str, object] = {
        "weights": "ema, lowest hold-out loss",
        "classes": outcomes[0].classes,
        "seeds": [
            {
                "seed": outcome.seed,
                "folder": str(outcome.folder),
                **asdict(figures),
                "epoch": figures.n_epochs,
                "most_confused": [
                    each._asdict() for each in most_confused(outcome.classes, figures.confusion)
                ],
                "verdict": outcome.verdict,
            }
            for outcome, figures in best
        ],
    }
    for name in ("hold_out_loss", "hold_out_accuracy"):
        values = [getattr(figures, name) for _, figures in best]
        summary[name] = {
            "mean": math.fsum(values) / len(values),
            "spread": statistics.stdev(values) if len(values) > 1 else None,
        }
    document = msgspec.json.encode(summary)
    path = folder / SUMMARY_FILE
    try:
        write_atomically(path, [msgspec.json.format(document), b"\n"])
    except OSError as error:
        raise OutputError(f"{printable(path)} cannot be written: {error.strerror}") from error
    return msgspec.json.decode(document, type=dict[str, Any])
