"""Tables of scores of machines over time, and the model file that they are compared with."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from osscl.decisions import threshold
from osscl.runs.tables import OutputTable
from osscl.scoring.record import Record
from support.remembering import calibration, write_model

MACHINE = "fan/id_00"
N_CALIBRATION = 200
START = datetime.datetime(2026, 11, 3)

Array = npt.NDArray[np.float64]


def normal_scores(seed: int, n: int) -> Array:
    """Scores of a healthy machine: right-skewed, of spread 1."""
    return np.random.default_rng(seed).gamma(4.0, 0.5, n).astype(np.float32).astype(np.float64)


def write_calibrated(path: Path, n: int = N_CALIBRATION) -> Path:
    """A model file whose network is calibrated for one machine by n normal scores."""
    of_fan = calibration(MACHINE, "network", normal_scores(0, n))
    return write_model(path, [], [of_fan], {MACHINE: "network"})


def records(
    scores: Sequence[float] | Array,
    machine: str = MACHINE,
    *,
    every_s: float | None = 10,
    rate: float | None = 0.05,
) -> list[Record]:
    """Lines of a table, of clips that came one after another, decided at a rate."""
    least = None if rate is None else threshold(normal_scores(0, N_CALIBRATION), rate)
    return [
        Record(
            path=f"{machine}/{number:06}.wav",
            machine=machine,
            score=float(score),
            threshold=least,
            is_anomaly=None if least is None else bool(score >= least),
            rule="network",
            recorded_at=None
            if every_s is None
            else (START + datetime.timedelta(seconds=every_s * number)).isoformat(),
        )
        for number, score in enumerate(scores)
    ]


def write_table(path: Path, lines: Sequence[Record]) -> Path:
    """Write lines as `osscl score` does, without the record of the run."""
    table = OutputTable(path, overwrite=True)
    for line in lines:
        table.write(line)
    table.finish({})
    return path
