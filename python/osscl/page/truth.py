"""What is known of the truth: how well the scores of a machine tell anomalous clips from normal ones."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeAlias

import numpy as np

from osscl.errors import EvaluationError
from osscl.evaluation.evaluating import evaluate
from osscl.evaluation.figures import DecisionFigures, MachineFigures
from osscl.evaluation.labelled import Labelled
from osscl.evaluation.options import DEFAULT_RESAMPLES
from osscl.evaluation.testset import is_for_training
from osscl.metrics import MAX_FPR
from osscl.page.charts import Roc, roc
from osscl.page.scored import MachineScores
from osscl.scoring.record import Record

Label: TypeAlias = Callable[[Iterable[Record]], Labelled]
"""Puts labels beside scores, as `osscl.evaluation.labelled.label_by_names` does."""
_MAX_DRAWN = 5_000_000  # resamples times clips


class Truth(NamedTuple):
    """How well a machine's scores did.

    Attributes
    ----------
    chart : Roc
        Its curve.
    figures : MachineFigures
        AUC and pAUC.
    decisions : DecisionFigures or None
        False alarms and detections; None where nothing was decided.
    """

    chart: Roc
    figures: MachineFigures
    decisions: DecisionFigures | None


def truth_of(scores: MachineScores, records: list[Record], label: Label) -> Truth | str | None:
    """Hold the scores of a machine against what is known.

    Parameters
    ----------
    scores : MachineScores
        Its clips.
    records : list of Record
        All lines of the table.
    label : callable
        Labels them.

    Returns
    -------
    Truth, str or None
        None where no clip has a label, or all have the same; a sentence where labels cannot be used.
    """
    lines = (records[line] for line in scores.lines)
    try:
        clips = label(line for line in lines if not is_for_training(line.path)).scores
    except EvaluationError as error:
        return f"no ROC curve: {error}"
    if len({clip.is_anomaly for clip in clips}) < 2:
        return None
    n_resamples = min(DEFAULT_RESAMPLES, _MAX_DRAWN // len(clips))
    found = evaluate(clips, n_resamples=n_resamples if n_resamples >= 100 else 0)
    was_flagged = [clip.was_flagged for clip in clips]
    chart = roc(
        np.array([clip.is_anomaly for clip in clips]),
        np.array([clip.score for clip in clips]),
        None if None in was_flagged else np.array(was_flagged, bool),
        MAX_FPR,
    )
    decisions = None if found.decisions is None else found.decisions.machines[0]
    return Truth(chart, found.machines[0], decisions)
