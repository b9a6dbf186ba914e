"""Evaluation of scores: AUC and pAUC where the truth is known; and two models on the same clips."""

from osscl.evaluation.by_domain import evaluate_by_domain
from osscl.evaluation.challenge_rules import ChallengeRules, rules_of_year
from osscl.evaluation.compared import Scored, compare
from osscl.evaluation.comparison import Comparison
from osscl.evaluation.domain_figures import Domains
from osscl.evaluation.evaluating import evaluate
from osscl.evaluation.figures import Evaluation

__all__ = [
    "ChallengeRules",
    "Comparison",
    "Domains",
    "Evaluation",
    "Scored",
    "compare",
    "evaluate",
    "evaluate_by_domain",
    "rules_of_year",
]
