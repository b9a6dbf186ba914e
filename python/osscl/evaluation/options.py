"""Options that evaluations share, and what each of them refuses."""

import math

from osscl.errors import ConfigError, EvaluationError
from osscl.evaluation.labelled import LabelledScore

DEFAULT_RESAMPLES = 1000
MAX_RESAMPLES = 1_000_000  # more tell nothing further, and would fill the memory
CONFIDENCE = 0.95


def check_options(max_fpr: float, n_resamples: int, seed: int) -> None:
    """Refuse options that no evaluation can go by.

    Parameters
    ----------
    max_fpr : float
        In (0, 1].
    n_resamples : int
        From 0 to 1,000,000.
    seed : int
        At least 0.

    Raises
    ------
    ConfigError
        One of them is not.
    """
    if not 0 < max_fpr <= 1:
        raise ConfigError(f"max_fpr is {max_fpr:g}; it must be above 0 and at most 1")
    check_resamples(n_resamples, seed)


def check_resamples(n_resamples: int, seed: int) -> None:
    """Refuse numbers that no bootstrap can go by.

    Parameters
    ----------
    n_resamples : int
        From 0 to 1,000,000.
    seed : int
        At least 0.

    Raises
    ------
    ConfigError
        One of them is not.
    """
    if not 0 <= n_resamples <= MAX_RESAMPLES:
        raise ConfigError(
            f"the number of bootstrap resamples is {n_resamples}; it must be from 0 to {MAX_RESAMPLES}"
        )
    if seed < 0:
        raise ConfigError(f"seed is {seed}; it must be at least 0")


def refuse_not_finite(clip: LabelledScore) -> None:
    """Refuse a score that no order holds.

    Parameters
    ----------
    clip : LabelledScore
        A clip.

    Raises
    ------
    EvaluationError
        Its score is not finite.
    """
    if not math.isfinite(clip.score):
        raise EvaluationError(f"the score of {clip.name} ({clip.machine}) is {clip.score}; leave it out")
