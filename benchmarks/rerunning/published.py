"""Published figures that stand beside those of a rerun, in per cent, each with where it stands.

Only what was checked is here: a year without an entry has none, and its table says so.
"""

from typing import NamedTuple

from osscl.evaluation.published_figures import PAPER

BASELINE_2020 = (
    "result.csv in the README of y-kawagu/dcase2020_task2_baseline (commit 01f0f339); one run of the "
    "organisers' autoencoder on the development test set"
)
_TYPES_2020 = {
    "fan": (65.1585, 52.591),
    "pump": (72.591, 60.0019),
    "slider": (84.9916, 66.9254),
    "ToyCar": (80.0914, 67.2218),
    "ToyConveyor": (72.6835, 60.6582),
    "valve": (66.4557, 50.6004),
}
"""AUC and pAUC of the baseline, means over IDs, as its README has them."""


class PublishedRow(NamedTuple):
    """A line of the table: figures by the names of its columns; source is said below it."""

    name: str
    figures: dict[str, float]
    source: str


def published(year: int) -> list[PublishedRow]:
    """What is published on the development test set of a year."""
    if year != 2020:
        return []
    rows = [
        PublishedRow(
            row.name,
            {"AUC": 100 * row.auc, "pAUC": 100 * row.pauc, "mAUC": 100 * row.worst_auc},
            PAPER.source,
        )
        for row in PAPER.averages
    ]
    aucs, paucs = zip(*_TYPES_2020.values(), strict=True)
    means = {"AUC, ID mean": sum(aucs) / len(aucs), "pAUC, ID mean": sum(paucs) / len(paucs)}
    return [*rows, PublishedRow("official baseline (one run)", means, BASELINE_2020)]
