"""The anomaly score: cross-entropy of the ArcFace logits, with the margin on the claimed machine."""

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.errors import InputError

FloatArray: TypeAlias = npt.NDArray[np.float32] | npt.NDArray[np.float64]
MIN_SQUARED_SINE = 1e-12


def arcface_logits(
    cosine: FloatArray, labels: npt.NDArray[np.integer[Any]], *, margin: float, scale: float
) -> npt.NDArray[np.float64]:
    """Put the angular margin on the claimed class and scale all cosines.

    Parameters
    ----------
    cosine : ndarray of float, shape [B, K]
        Cosines between embeddings and class weights, in [-1, 1] up to rounding. A NaN stays NaN.
    labels : ndarray of int, shape [B]
        Index of the claimed class of each clip, in [0, K).
    margin : float
        Angular margin m, radians, in [0, pi/2).
    scale : float
        Scale s of the logits.

    Returns
    -------
    ndarray of float64, shape [B, K]
        Logits, computed in float64 whatever the type of the cosines.

    Raises
    ------
    InputError
        The shapes do not fit each other, or a label is no index of a class.

    References
    ----------
    J. Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019, Section 3,
    with the straight continuation beyond the angle pi - m that keeps the logit falling with the angle.
    """
    _check_labels(cosine, labels)
    logits = cosine.astype(np.float64)  # [B, K], a copy
    clips = np.arange(len(labels))
    claimed = logits[clips, labels]  # [B]
    sine = np.sqrt(np.maximum(1.0 - claimed**2, MIN_SQUARED_SINE))
    within_reach = claimed > math.cos(math.pi - margin)  # angle + margin stays below pi
    logits[clips, labels] = np.where(
        within_reach,
        claimed * math.cos(margin) - sine * math.sin(margin),
        claimed - margin * math.sin(math.pi - margin),
    )
    return scale * logits


def anomaly_score(
    cosine: FloatArray, labels: npt.NDArray[np.integer[Any]], *, margin: float, scale: float
) -> npt.NDArray[np.float64]:
    """Score clips against the machine each claims to be: -log softmax(logits)[label].

    Parameters
    ----------
    cosine : ndarray of float, shape [B, K]
        Cosines between embeddings and class weights, in [-1, 1] up to rounding. A NaN makes the score NaN.
    labels : ndarray of int, shape [B]
        Index of the claimed class of each clip, in [0, K).
    margin : float
        Angular margin m, radians, in [0, pi/2).
    scale : float
        Scale s of the logits.

    Returns
    -------
    ndarray of float64, shape [B]
        Anomaly scores in nats, zero or more; higher is more anomalous.

    Raises
    ------
    InputError
        The shapes do not fit each other, or a label is no index of a class.

    References
    ----------
    H. Huang et al., "One-Stage Supervised Contrastive Learning for anomalous sound detection", ICASSP 2025,
    arXiv 2509.13853.
    """
    logits = arcface_logits(cosine, labels, margin=margin, scale=scale)
    claimed = logits[np.arange(len(logits)), labels]  # [B]
    # As differences to the claimed logit, no exponential overflows and scores near zero keep their digits.
    with np.errstate(invalid="ignore"):  # of a NaN, which the score says itself
        scores: npt.NDArray[np.float64] = np.logaddexp.reduce(logits - claimed[:, np.newaxis], axis=1)
    return scores


def machine_score(
    cosine: FloatArray, claimed: Sequence[Sequence[int]], *, margin: float, scale: float
) -> npt.NDArray[np.float64]:
    """Score clips against machines that may have several classes each: the smallest of their scores.

    Parameters
    ----------
    cosine : ndarray of float, shape [B, K]
        As `anomaly_score` takes them.
    claimed : sequence of sequence of int, length B
        Classes of the machine that each clip claims to be, at least one each.
    margin, scale : float
        As `anomaly_score` takes them.

    Returns
    -------
    ndarray of float64, shape [B]
        Anomaly scores in nats. Where a machine has one class, exactly what `anomaly_score` gives.

    Raises
    ------
    InputError
        As `anomaly_score`.
    """
    scores = anomaly_score(
        cosine, np.array([each[0] for each in claimed], np.intp), margin=margin, scale=scale
    )
    for nth in range(1, max(map(len, claimed), default=0)):
        clips = [clip for clip, each in enumerate(claimed) if len(each) > nth]
        labels = np.array([claimed[clip][nth] for clip in clips], np.intp)
        again = anomaly_score(cosine[clips], labels, margin=margin, scale=scale)
        scores[clips] = np.minimum(scores[clips], again)  # of a NaN it is NaN
    return scores


def _check_labels(cosine: npt.NDArray[Any], labels: npt.NDArray[Any]) -> None:
    if cosine.ndim != 2 or not np.issubdtype(cosine.dtype, np.floating):
        raise InputError(f"cosine is {cosine.dtype} {list(cosine.shape)}; expected float [clips, classes]")
    if labels.shape != cosine.shape[:1] or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"labels are {labels.dtype} {list(labels.shape)}; "
            f"expected one class index a clip, int [{len(cosine)}]"
        )
    n_classes = cosine.shape[1]
    strangers = labels[(labels < 0) | (labels >= n_classes)]
    if strangers.size:
        raise InputError(f"label {strangers[0]} is no class index; expected 0 to {n_classes - 1}")
