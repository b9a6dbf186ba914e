"""How well decisions do: false alarms and detections per machine ID, with their intervals."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable
from statistics import NormalDist

from osscl.evaluation.figures import DecisionFigures, Decisions, Figure
from osscl.evaluation.labelled import LabelledScore


def decision_figures(clips: Iterable[LabelledScore], confidence: float) -> Decisions | None:
    """Count false alarms and detections.

    Parameters
    ----------
    clips : iterable of LabelledScore
        Clips; those that were not decided do not count.
    confidence : float
        Of the intervals, in (0, 1).

    Returns
    -------
    Decisions or None
        Per machine ID, by name, and of all clips; None where nothing was decided.
    """
    decided: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for clip in clips:
        if clip.was_flagged is not None:
            decided[clip.machine].append((clip.is_anomaly, clip.was_flagged))
    if not decided:
        return None
    machines = [_figures(machine, decided[machine], confidence) for machine in sorted(decided)]
    total = _figures("all", [clip for of_one in decided.values() for clip in of_one], confidence)
    return Decisions(confidence=confidence, machines=machines, total=total)


def wilson_interval(count: int, n: int, confidence: float) -> tuple[float, float]:
    """Interval of a share that was found as `count` of `n` independent clips.

    Parameters
    ----------
    count : int
        Clips that are counted, from 0 to n.
    n : int
        All clips, at least 1.
    confidence : float
        In (0, 1).

    Returns
    -------
    low, high : float
        Ends of the interval, in [0, 1].

    References
    ----------
    Wilson: "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927); Brown, Cai, DasGupta: "Interval estimation for a binomial proportion",
    Statistical Science 16 (2001).
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = count / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # at the ends the formula is exact, its rounding is not
    return 0.0 if count == 0 else middle - half, 1.0 if count == n else middle + half


def _figures(machine: str, clips: list[tuple[bool, bool]], confidence: float) -> DecisionFigures:
    normal = [flagged for is_anomaly, flagged in clips if not is_anomaly]
    anomalous = [flagged for is_anomaly, flagged in clips if is_anomaly]
    precision, _, f1 = precision_recall_f1(clips) or (None, None, None)
    of_flagged = [is_anomaly for is_anomaly, flagged in clips if flagged]
    return DecisionFigures(
        machine=machine,
        n_normal=len(normal),
        n_false_alarms=sum(normal),
        false_alarm_rate=_rate(normal, confidence),
        n_anomalous=len(anomalous),
        n_detected=sum(anomalous),
        detection_rate=_rate(anomalous, confidence),
        precision=None if precision is None else _rate(of_flagged, confidence) or Figure(precision),
        f1=None if f1 is None else Figure(f1),
    )


def precision_recall_f1(clips: Collection[tuple[bool, bool]]) -> tuple[float, float, float] | None:
    """Sum up decisions as the challenge does.

    Parameters
    ----------
    clips : collection of tuples of bool
        Whether each clip is anomalous, and whether it was flagged.

    Returns
    -------
    tuple of three floats or None
        Precision, recall and their harmonic mean F1, each 0 where nothing anomalous was flagged; None without
        anomalous clips.

    References
    ----------
    Evaluators of DCASE Challenge Task 2, 2021 to 2025.
    """
    n_anomalous = sum(is_anomaly for is_anomaly, _ in clips)
    n_flagged = sum(flagged for _, flagged in clips)
    n_found = sum(is_anomaly and flagged for is_anomaly, flagged in clips)
    if not n_anomalous:
        return None
    return n_found / max(n_flagged, 1), n_found / n_anomalous, 2 * n_found / (n_flagged + n_anomalous)


def _rate(flagged: list[bool], confidence: float) -> Figure | None:
    if not flagged:
        return None
    return Figure(sum(flagged) / len(flagged), *wilson_interval(sum(flagged), len(flagged), confidence))
