"""Whether the clips of a machine are still like its calibration."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.decisions.martingale import began_at, log_martingale, online_p_values
from osscl.decisions.thinning import Spacing, calibration_distance, independent_clips, stream_distance
from osscl.scoring.judge import NormalScores

SEED = 0
"""Of the draw that breaks ties."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the scores of one machine say against "still like its calibration".

    Attributes
    ----------
    n_calibration : int
        Normal scores that are independent of one another, and compared with.
    spacing : Spacing
        How far apart clips are taken.
    used : ndarray of int, [n_used]
        Clips that were taken.
    log10_martingale : ndarray of float64, [n_used]
        Evidence after each.
    alarmed_at, began_at : int or None
        Clip at which it was certain, and from which on it is so; None where it never was.
    """

    n_calibration: int
    spacing: Spacing
    used: npt.NDArray[np.intp]
    log10_martingale: npt.NDArray[np.float64]
    alarmed_at: int | None
    began_at: int | None


def evidence_of(
    normal: NormalScores, scores: npt.NDArray[np.float64], log10_limit: float, distance: int | None
) -> Evidence:
    """Hold scores of a machine against those of its normal clips.

    Parameters
    ----------
    normal : NormalScores
        What decides of the machine, in the order of the recordings.
    scores : ndarray of float64, [N]
        Scores in the order of time.
    log10_limit : float
        Where it is certain.
    distance : int or None
        Every so many clips one is taken; None to estimate it.

    Returns
    -------
    Evidence
        Of this machine.
    """
    known = np.asarray(normal.scores, np.float64)
    of_calibration, of_stream = calibration_distance(known), stream_distance(scores)
    spacing = Spacing(distance or max(of_calibration, of_stream), of_calibration, of_stream)
    known = known[independent_clips(known, normal.recordings, of_calibration)]
    used = np.arange(0, len(scores), spacing.distance)
    evidence = log_martingale(online_p_values(known, scores[used], SEED)) / math.log(10)
    certain = np.flatnonzero(evidence >= log10_limit)
    if not certain.size:
        return Evidence(len(known), spacing, used, evidence, None, None)
    alarmed = int(used[certain[0]])
    return Evidence(len(known), spacing, used, evidence, alarmed, began_at(known, scores[: alarmed + 1]))
