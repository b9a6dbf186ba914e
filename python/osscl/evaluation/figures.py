"""What an evaluation says: figures of merit of machine IDs, of types and in total."""

import msgspec

ENOUGH_CLIPS = 10
"""Clips of each label of a machine ID below which an interval by resampling means nothing: drawn from two
normal and two anomalous clips it reaches from 0 to 100 %, or from 100 to 100."""


class Figure(msgspec.Struct, frozen=True):
    """One figure, in [0, 1].

    Attributes
    ----------
    value : float
        The figure.
    low, high : float or None
        Ends of its bootstrap interval; None where no resamples were asked for.
    """

    value: float
    low: float | None = None
    high: float | None = None


class MachineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one machine ID.

    Attributes
    ----------
    machine : str
        Machine ID, such as "fan/id_00".
    n_normal, n_anomalous : int
        Clips of each label.
    auc, pauc : Figure or None
        None where a label is missing.
    reason : str or None
        Why they are None.
    """

    machine: str
    n_normal: int
    n_anomalous: int
    auc: Figure | None
    pauc: Figure | None
    reason: str | None = None

    @property
    def has_many_clips(self) -> bool:
        """Whether there are enough of each label for an interval to mean anything, where there is one."""
        return self.auc is None or min(self.n_normal, self.n_anomalous) >= ENOUGH_CLIPS


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of several machine IDs; each None where nothing defines it.

    Attributes
    ----------
    pooled_auc, pooled_pauc : Figure or None
        Of the clips of all IDs of a type in one list: the paper's figures.
    mean_auc, mean_pauc : Figure or None
        Plain mean over the IDs of a type: the official figures of DCASE 2020.
    worst_auc : Figure or None
        The lowest AUC of the IDs of a type, mAUC. Its interval is of the lowest AUC of each resample,
        whichever ID that is; it reaches below the value further than above.
    harmonic_mean : Figure or None
        Harmonic mean of all AUCs and all pAUCs of the IDs together.
    """

    pooled_auc: Figure | None
    pooled_pauc: Figure | None
    mean_auc: Figure | None
    mean_pauc: Figure | None
    worst_auc: Figure | None
    harmonic_mean: Figure | None


class TypeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one machine type.

    Attributes
    ----------
    machine_type : str
        Such as "fan".
    n_machines : int
        Its IDs, those without figures too.
    n_normal, n_anomalous : int
        Clips of each label.
    figures : Summary
        Over its IDs.
    worst_machine : str or None
        The ID that `worst_auc` speaks of.
    """

    machine_type: str
    n_machines: int
    n_normal: int
    n_anomalous: int
    figures: Summary
    worst_machine: str | None


class DecisionFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How decisions did on clips whose truth is known.

    Attributes
    ----------
    machine : str
        Machine ID, or "all".
    n_normal, n_false_alarms : int
        Normal clips that were decided, and those of them that were flagged.
    false_alarm_rate : Figure or None
        Their share, with its interval; None without normal clips.
    n_anomalous, n_detected : int
        Anomalous clips that were decided, and those of them that were flagged.
    detection_rate : Figure or None
        Their share, with its interval; None without anomalous clips. The challenge calls it recall.
    precision : Figure or None
        Share of anomalous clips among those that were flagged, 0 where none was; None without anomalous
        clips.
    f1 : Figure or None
        Harmonic mean of precision and detection rate, without an interval; None without anomalous clips.
    """

    machine: str
    n_normal: int
    n_false_alarms: int
    false_alarm_rate: Figure | None
    n_anomalous: int
    n_detected: int
    detection_rate: Figure | None
    precision: Figure | None = None
    f1: Figure | None = None


class Decisions(msgspec.Struct, frozen=True, kw_only=True):
    """How decisions did.

    Attributes
    ----------
    confidence : float
        Of the intervals, which are Wilson's and take clips as independent.
    machines : list of DecisionFigures
        By machine ID.
    total : DecisionFigures
        Of all clips that were decided.
    """

    confidence: float
    machines: list[DecisionFigures]
    total: DecisionFigures


class Evaluation(msgspec.Struct, frozen=True, kw_only=True):
    """How well scores tell anomalous clips from normal ones.

    Attributes
    ----------
    n_normal, n_anomalous : int
        Clips of each label.
    max_fpr : float
        Where pAUC ends.
    n_resamples : int
        Bootstrap resamples behind each interval; 0 means no intervals.
    confidence : float
        Share of resamples inside an interval.
    seed : int
        Of the resamples.
    total : Summary
        Plain means over the types that have the figure; `harmonic_mean` alone is over all IDs.
    types : list of TypeFigures
        In the paper's order, others after them.
    machines : list of MachineFigures
        By type and name.
    undefined : list of str
        What has no figures and is left out of the means, and why.
    decisions : Decisions or None
        False alarms and detections; None where nothing was decided.
    """

    n_normal: int
    n_anomalous: int
    max_fpr: float
    n_resamples: int
    confidence: float
    seed: int
    total: Summary
    types: list[TypeFigures]
    machines: list[MachineFigures]
    undefined: list[str]
    decisions: Decisions | None = None
