"""How well scores tell anomalous clips from normal ones: AUC, pAUC, and bootstrap resamples of both."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.errors import InputError
from osscl.support.plurals import plural

MAX_FPR = 0.1
"""False-positive rate up to which the challenge integrates its partial AUC."""


def auc(is_anomaly: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Area under the ROC curve: the chance that an anomalous clip scores above a normal one.

    Parameters
    ----------
    is_anomaly : array_like of bool, [N]
        Which clips are anomalous; both labels must occur.
    score : array_like of float, [N]
        Anomaly scores, finite; higher is more anomalous.

    Returns
    -------
    float
        In [0, 1]; a tie counts half.

    Raises
    ------
    InputError
        Labels and scores are not two lists of one length, a score is not finite, or a label is missing.

    References
    ----------
    Hanley, McNeil: "The meaning and use of the area under a receiver operating characteristic (ROC)
    curve", Radiology 143 (1982).
    """
    return float(_areas_once(is_anomaly, score, MAX_FPR).auc[0])


def pauc(is_anomaly: npt.ArrayLike, score: npt.ArrayLike, max_fpr: float = MAX_FPR) -> float:
    """Partial area under the ROC curve up to a false-positive rate, standardised.

    Parameters
    ----------
    is_anomaly : array_like of bool, [N]
        Which clips are anomalous; both labels must occur.
    score : array_like of float, [N]
        Anomaly scores, finite; higher is more anomalous.
    max_fpr : float
        Where the integral ends, in (0, 1]; between two points the ROC curve is a straight line.

    Returns
    -------
    float
        1 for a perfect score, 0.5 for one that knows nothing; McClish's correction, as in scikit-learn.

    Raises
    ------
    InputError
        As `auc`; or `max_fpr` lies outside its range.

    References
    ----------
    McClish: "Analyzing a portion of the ROC curve", Medical Decision Making 9 (1989).
    """
    return float(_areas_once(is_anomaly, score, max_fpr).pauc[0])


def rank_correlation(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Spearman's correlation of two lists of scores.

    Parameters
    ----------
    a, b : array_like of float, [N]
        Scores of the same clips, at least two and not all equal.

    Returns
    -------
    float
        In [-1, 1]; 1 where both rank the clips alike. Equal scores share the mean of their ranks. NaN where
        one list holds a single value throughout.

    References
    ----------
    Spearman: "The proof and measurement of association between two things", American Journal of
    Psychology 15 (1904).
    """
    ranks = [_mean_ranks(np.asarray(scores, np.float64)) for scores in (a, b)]
    centred = [rank - rank.mean() for rank in ranks]
    norm = np.sqrt(np.prod([(rank**2).sum() for rank in centred]))
    return float((centred[0] * centred[1]).sum() / norm) if norm else float("nan")


def _mean_ranks(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)  # rank of the last clip of each value, from 1
    ranks: npt.NDArray[np.float64] = (last - (counts - 1) / 2.0)[place]
    return ranks


class Areas(NamedTuple):
    """AUC and pAUC of R resamples of the same clips.

    Attributes
    ----------
    auc, pauc : ndarray of float64, [R]
        Areas under the ROC curve; pAUC standardised.
    """

    auc: npt.NDArray[np.float64]
    pauc: npt.NDArray[np.float64]


def roc_areas(
    is_anomaly: npt.NDArray[np.bool_],
    score: npt.NDArray[np.float64],
    counts: npt.NDArray[np.integer],
    max_fpr: float = MAX_FPR,
) -> Areas:
    """AUC and pAUC of clips that are drawn several times, or not at all.

    Parameters
    ----------
    is_anomaly : ndarray of bool, [N]
        Which clips are anomalous.
    score : ndarray of float64, [N]
        Anomaly scores, finite.
    counts : ndarray of int, [R, N]
        How often each resample holds each clip; each must hold both labels.
    max_fpr : float
        Where the partial area ends, in (0, 1].

    Returns
    -------
    Areas
        One of each a resample.
    """
    order = np.argsort(-score, kind="stable")
    # clips of one score pass a threshold together: the curve has a corner after the last of them
    last = np.flatnonzero(np.diff(score[order], append=np.nan))
    drawn = counts[:, order].astype(np.float64)
    anomalous = is_anomaly[order]
    tp = _from_zero(np.cumsum(drawn * anomalous, axis=1)[:, last])  # [R, corners]
    fp = _from_zero(np.cumsum(drawn * ~anomalous, axis=1)[:, last])
    tpr = tp / tp[:, -1:]
    fpr = fp / fp[:, -1:]
    area = np.diff(fpr, axis=1) * (tpr[:, 1:] + tpr[:, :-1]) / 2
    partial = np.sum(area, axis=1, where=fpr[:, 1:] <= max_fpr) + _area_of_cut_step(fpr, tpr, max_fpr)
    chance, perfect = max_fpr**2 / 2, max_fpr
    return Areas(area.sum(axis=1), (1 + (partial - chance) / (perfect - chance)) / 2)


def harmonic_mean(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Harmonic mean along the first axis; 0 where a value is 0.

    Parameters
    ----------
    values : ndarray of float64, [M, ...]
        Figures of at least 0.

    Returns
    -------
    ndarray of float64, [...]
        Their harmonic means.
    """
    with np.errstate(divide="ignore"):  # 1 / 0 is infinite here, and the mean 0
        return np.asarray(len(values) / (1 / values).sum(axis=0))


def percentile_interval(replicates: npt.NDArray[np.float64], confidence: float) -> tuple[float, float]:
    """Bootstrap interval between two percentiles.

    Parameters
    ----------
    replicates : ndarray of float64, [R]
        The figure in each resample.
    confidence : float
        Share of resamples inside, in (0, 1).

    Returns
    -------
    tuple of two floats
        Lower and upper end.

    References
    ----------
    Efron, Tibshirani: "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, (tail, 1 - tail))
    return float(low), float(high)


class StratifiedResampler:
    """Draws clips with replacement, as many normal and as many anomalous ones as there are.

    The draws depend on seed, name and the number of clips of each label alone: not on what else is
    evaluated, nor on how many resamples are asked for at once.

    Parameters
    ----------
    is_anomaly : ndarray of bool, [N]
        Which clips are anomalous.
    seed : int
        At least 0.
    name : str
        Whose clips these are; each name has draws of its own.
    """

    def __init__(self, is_anomaly: npt.NDArray[np.bool_], seed: int, name: str) -> None:
        self._n_clips = len(is_anomaly)
        self._strata = [
            (np.flatnonzero(is_anomaly == label), np.random.default_rng([seed, label, *name.encode()]))
            for label in (False, True)
        ]

    def draw(self, n_resamples: int) -> npt.NDArray[np.int64]:
        """Draw the next resamples.

        Parameters
        ----------
        n_resamples : int
            How many, R.

        Returns
        -------
        ndarray of int64, [R, N]
            How often each of them holds each clip.
        """
        counts = np.zeros((n_resamples, self._n_clips), np.int64)
        row_start = np.arange(n_resamples)[:, None]
        for clips, generator in self._strata:
            n = len(clips)
            if n:
                drawn = generator.integers(n, size=(n_resamples, n)) + row_start * n
                counts[:, clips] = np.bincount(drawn.ravel(), minlength=n_resamples * n).reshape(-1, n)
        return counts


def _areas_once(is_anomaly: npt.ArrayLike, score: npt.ArrayLike, max_fpr: float) -> Areas:
    labels, scores = np.asarray(is_anomaly, bool), np.asarray(score, np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape:
        raise InputError(
            f"labels have shape {list(labels.shape)} and scores {list(scores.shape)}; expected [N] and [N]"
        )
    if not np.isfinite(scores).all():
        raise InputError("a score is NaN or infinite; leave such clips out")
    n_anomalous = int(labels.sum())
    if not 0 < n_anomalous < len(labels):
        raise InputError(
            f"there are {len(labels) - n_anomalous} normal and {n_anomalous} anomalous "
            f"{plural(n_anomalous, 'clip')}; "
            "AUC needs at least one of each"
        )
    if not 0 < max_fpr <= 1:
        raise InputError(f"max_fpr is {max_fpr:g}; it must be above 0 and at most 1")
    return roc_areas(labels, scores, np.ones((1, len(scores)), np.int64), max_fpr)


def _area_of_cut_step(
    fpr: npt.NDArray[np.float64], tpr: npt.NDArray[np.float64], max_fpr: float
) -> npt.NDArray[np.float64]:
    """Area below the step that `max_fpr` cuts in two, left of the cut, [R]."""
    before = np.sum(fpr <= max_fpr, axis=1, keepdims=True) - 1  # fpr rises from 0: its last corner left
    after = np.minimum(before + 1, fpr.shape[1] - 1)
    x0, x1 = np.take_along_axis(fpr, before, 1)[:, 0], np.take_along_axis(fpr, after, 1)[:, 0]
    y0, y1 = np.take_along_axis(tpr, before, 1)[:, 0], np.take_along_axis(tpr, after, 1)[:, 0]
    width = np.where(x1 > x0, max_fpr - x0, 0.0)
    slope = (y1 - y0) / np.where(x1 > x0, x1 - x0, 1.0)
    return np.asarray(width * (y0 + slope * width / 2))


def _from_zero(cumulated: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.pad(cumulated, ((0, 0), (1, 0)))
