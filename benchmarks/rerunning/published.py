"""Published figures that stand beside those of a rerun, in per cent, each with where it stands.

Only what was checked is here: a year without an entry has none, and its table says so.
"""

from typing import NamedTuple

from osscl.evaluation.published_figures import PAPER

BASELINE_2020 = "Koizumi et al., arXiv 2006.05822; autoencoder of the organisers, development test set"
_TYPES_2020 = {
    "fan": (65.83, 52.45),
    "pump": (72.89, 59.99),
    "slider": (84.76, 66.53),
    "ToyCar": (78.77, 67.58),
    "ToyConveyor": (72.53, 60.43),
    "valve": (66.28, 50.98),
}
"""AUC and pAUC of the baseline, means over IDs."""


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
    return [*rows, PublishedRow("official baseline", means, BASELINE_2020)]
