"""A machine's memory: what its normal clips sound like, and how far others are from that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.decisions.background import Background
from osscl.decisions.blocks import Rows, feature_rows
from osscl.decisions.conformal import (
    MIN_RECORDINGS,
    Decisions,
    decide,
    p_values,
    recording_numbers,
    threshold,
)
from osscl.decisions.fitted import Fitted, fit_all, weighted_sum
from osscl.decisions.selection import Selection, select
from osscl.decisions.stored import StoredArrays, restore, store
from osscl.errors import DecisionError

MIN_CLIPS = 3
SUSPICIOUS_MADS = 6.0


class MemoryScores(NamedTuple):
    """Scores of clips by a memory, higher is more anomalous.

    Attributes
    ----------
    score : ndarray of float64, [M]
        z_level + z_modulation + z_flutter + z_event / 4.
    z_level, z_modulation, z_flutter, z_event : ndarray of float64, [M]
        What each block says, in spreads of the normal clips' leave-one-out distances.
    """

    score: npt.NDArray[np.float64]
    z_level: npt.NDArray[np.float64]
    z_modulation: npt.NDArray[np.float64]
    z_flutter: npt.NDArray[np.float64]
    z_event: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Memory:
    """What the normal clips of one machine sound like.

    Made by `Memory.fit`, which rounds features as they are stored before anything is computed from them.

    Attributes
    ----------
    features : ndarray of float64, [n, 360]
        Rounded features of the clips that it is fitted to.
    recordings : tuple of str, [n]
        Recording of each.
    background : Background or None
        What varies within machines; None where it had to be told from these clips alone.
    fitted : Fitted
        What scores are computed from.
    held_out_scores : ndarray of float64, [h]
        Scores of normal clips of other recordings, where there were more than 512 clips; else empty.
    held_out_recordings : tuple of str, [h]
        Recording of each.
    selection : Selection
        Which of the given clips are fitted, calibrate, or do neither. Equal clips count once: only the first is
        among them.
    """

    features: Rows
    recordings: tuple[str, ...]
    background: Background | None
    fitted: Fitted
    held_out_scores: npt.NDArray[np.float64]
    held_out_recordings: tuple[str, ...]
    selection: Selection

    @classmethod
    def fit(
        cls,
        features: npt.ArrayLike,
        recordings: Sequence[str] | None = None,
        background: Background | None = None,
        *,
        clip_ids: Sequence[str] | None = None,
        seed: int = 0,
    ) -> "Memory":
        """Fit to normal clips of one machine.

        Parameters
        ----------
        features : array_like of float, [N, 360]
            Features of normal clips in dB, finite.
        recordings : sequence of str, [N], optional
            Recording (or session) of each clip; by default each clip is one.
        background : Background, optional
            What varies within other machines. Without one, 10 clips say less.
        clip_ids : sequence of str, [N], optional
            Says which clips are equal, such as a hash of their samples; equal ones count once.
        seed : int
            Decides which of more than 512 clips are kept.

        Returns
        -------
        Memory
            Fitted to all clips; of more than 512, to 256 by whole recordings, while the others calibrate.

        Raises
        ------
        DecisionError
            Fewer than 3 different clips, features that do not fit, or lists of other lengths.
        """
        given = feature_rows(features)
        numbers = recording_numbers(recordings, len(given))
        names = tuple(str(number) for number in numbers) if recordings is None else tuple(recordings)
        distinct = _distinct(clip_ids, len(given))
        chosen = Selection(*(distinct[part] for part in select(_renumbered(numbers[distinct]), seed)))
        return cls._of(
            restore(store(_enough(given[chosen.fitted]))),
            tuple(names[i] for i in chosen.fitted),
            background,
            chosen,
            given[chosen.held_out],
            tuple(names[i] for i in chosen.held_out),
        )
