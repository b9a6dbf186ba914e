"""Evaluation of scores whose truth is known: AUC and pAUC per machine ID, per type and in total."""

from osscl.evaluation.evaluating import evaluate
from osscl.evaluation.figures import Evaluation

__all__ = ["Evaluation", "evaluate"]
