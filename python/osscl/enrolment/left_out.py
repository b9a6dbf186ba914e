"""What a threshold does to a recording that it was not set from: each recording left out in turn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.decisions import p_values, smallest_rate
from osscl.decisions.staircase import MIN_RECORDINGS

_ROUNDING = 1e-9
"""p-values are fractions of small whole numbers: they differ by more."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A recording, judged by all others.

    Attributes
    ----------
    recording : str
        Its name.
    n_clips : int
        Its clips.
    false_alarm_rate : float
        Share of them that lies above the threshold of all other recordings.
    """

    recording: str
    n_clips: int
    false_alarm_rate: float


def left_out_recordings(
    scores: npt.NDArray[np.float64], recordings: Sequence[str], false_alarm_rate: float
) -> tuple[LeftOut, ...]:
    """Judge each recording by a threshold from all others.

    Parameters
    ----------
    scores : ndarray of float64, [N]
        Scores of normal clips.
    recordings : sequence of str, [N]
        Recording of each.
    false_alarm_rate : float
        Of the thresholds; where the others are too few for it, the smallest that they can speak of.

    Returns
    -------
    tuple of LeftOut
        Highest rate first; empty where fewer than 4 recordings leave too few.

    Notes
    -----
    A clip of recording r lies above the threshold from the others where its p-value by them,
    (1 + sum of the others' shares) / R, is the rate or less. The sum over all recordings, from the p-value by
    all, less the share of r itself, is that sum: one pass instead of R thresholds.
    """
    names = list(dict.fromkeys(recordings))
    n_others = len(names) - 1
    if n_others < MIN_RECORDINGS:
        return ()
    rate = max(false_alarm_rate, smallest_rate(n_others))
    of_all = p_values(scores, scores, recordings) * (len(names) + 1) - 1  # [N], sums of shares
    places_of: dict[str, list[int]] = {name: [] for name in names}
    for place, name in enumerate(recordings):
        places_of[name].append(place)
    found = []
    for name, places in places_of.items():
        own = np.sort(scores[places])
        own_share = 1 - np.searchsorted(own, scores[places], side="left") / len(own)
        p_by_others = (1 + of_all[places] - own_share) / (n_others + 1)
        found.append(LeftOut(name, len(places), float(np.mean(p_by_others <= rate + _ROUNDING))))
    return tuple(sorted(found, key=lambda each: -each.false_alarm_rate))
