"""Evaluation of scores: AUC and pAUC where the truth is known; and two models on the same clips."""

from osscl.evaluation.compared import Comparison, Scored, compare
from osscl.evaluation.evaluating import evaluate
from osscl.evaluation.figures import Evaluation

__all__ = ["Comparison", "Evaluation", "Scored", "compare", "evaluate"]
