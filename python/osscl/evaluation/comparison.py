"""What a comparison of two models says: figures of machines, decisions that flip, clips in no figure."""

from typing import Literal

import msgspec

from osscl.evaluation.figures import Figure


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What one of two models makes of a machine's clips.

    Attributes
    ----------
    rule : str or None
        Which score decides; None of several machines together.
    rate : float or None
        False-alarm rate that was decided at; None where nothing was, and of several machines together.
    n_flagged : int
        Clips that were called anomalous, of those that both models decided.
    n_false_alarms, n_detected : int
        Those of them that are known to be normal, and to be anomalous.
    auc : float or None
        None where a label is missing; the mean of several machines together.
    """

    rule: str | None
    rate: float | None
    n_flagged: int
    n_false_alarms: int
    n_detected: int
    auc: float | None


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Two models on the clips of a machine that both scored.

    Attributes
    ----------
    machine : str
        Machine ID, or "all".
    n_clips : int
        Clips that both scored.
    n_normal, n_anomalous : int
        Those of which it is known.
    same_scorer : bool
        Whether network, memory and rule are the same in both, so that calibrations alone can differ.
    rank_correlation : float or None
        Spearman's, of the scores; None where it is not defined. Of several machines their mean.
    n_decided : int
        Clips that both decided.
    n_newly_flagged, n_no_longer_flagged : int
        Those of them that B alone called anomalous, and that A alone did.
    a, b : Judged
        Each model.
    auc_change : Figure or None
        AUC of B less that of A, with the bootstrap interval of the difference, both from the same resamples.
    """

    machine: str
    n_clips: int
    n_normal: int
    n_anomalous: int
    same_scorer: bool
    rank_correlation: float | None
    n_decided: int
    n_newly_flagged: int
    n_no_longer_flagged: int
    a: Judged
    b: Judged
    auc_change: Figure | None


class Flip(msgspec.Struct, frozen=True, kw_only=True):
    """A clip of which the two models decide differently.

    Attributes
    ----------
    path, machine : str
        The clip.
    flagged_by : {"a", "b"}
        Which of the two calls it anomalous.
    is_anomaly : bool or None
        The truth, where it is known.
    score_a, score_b : float
        Its scores.
    threshold_a, threshold_b : float
        From where each model flags.
    """

    path: str
    machine: str
    flagged_by: Literal["a", "b"]
    is_anomaly: bool | None
    score_a: float
    score_b: float
    threshold_a: float
    threshold_b: float


class Apart(msgspec.Struct, frozen=True, kw_only=True):
    """A clip that is in no figure: the two have no scores of it that can be compared.

    Attributes
    ----------
    path : str
        The clip.
    a, b : str
        What each model says of it.
    """

    path: str
    a: str
    b: str


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What changes between two models.

    Attributes
    ----------
    confidence : float
        Share of resamples inside an interval.
    n_resamples : int
        Bootstrap resamples, of the normal and of the anomalous clips of each machine.
    seed : int
        Of the resamples.
    machines : list of Compared
        By machine ID.
    total : Compared
        Sums over the machines; of rank correlation and AUC the mean.
    flips : list of Flip
        Every decision that differs, in the order of the clips.
    apart : list of Apart
        Clips in no figure.
    n_unlabelled : int
        Clips in no AUC, because it is not known whether they are anomalous.
    """

    confidence: float
    n_resamples: int
    seed: int
    machines: list[Compared]
    total: Compared
    flips: list[Flip]
    apart: list[Apart]
    n_unlabelled: int
