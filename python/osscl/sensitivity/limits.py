"""From the smallest size found in each recording to the limits of a machine."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.decisions.pod import SizesFound, sizes_found
from osscl.model_file.limits import DetectionLimit, MachineLimits
from osscl.model_file.named import Rule
from osscl.sensitivity.changes import Change
from osscl.sensitivity.trials import PLACES, tried
from osscl.support.threads import usable_cpus


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """What became of the changes in one clip.

    Attributes
    ----------
    recording : str
        What the clip is a part of.
    offset : int
        Which sizes were tried.
    first_found : ndarray of int, [C]
        As `osscl.sensitivity.trials.first_found` gives it.
    rate : float
        False-alarm rate that was decided at.
    """

    recording: str
    offset: int
    first_found: npt.NDArray[np.intp]
    rate: float


def limits_of(
    machine: str, rule: Rule, changes: Sequence[Change], trials: Sequence[Tried]
) -> MachineLimits:
    """Fit the curves of a machine.

    Parameters
    ----------
    machine : str
        Its ID.
    rule : {"network", "memory", "both"}
        Which score decided.
    changes : sequence of Change, [C]
        What was laid in.
    trials : sequence of Tried
        What became of it, clip by clip.

    Returns
    -------
    MachineLimits
        One limit a change.
    """
    rate = max(each.rate for each in trials)
    recordings = [each.recording for each in trials]
    was_tried = np.stack([tried(each.offset) for each in trials])  # [N, places]
    first = np.stack([each.first_found for each in trials], 1)  # [C, N]

    def found(of_change: npt.NDArray[np.intp]) -> SizesFound:
        return sizes_found(PLACES, of_change, rate, recordings, tried=was_tried)

    with ThreadPoolExecutor(usable_cpus(), "osscl-limits") as pool:
        all_found = pool.map(found, first)
        limits = tuple(_limit(change, places) for change, places in zip(changes, all_found, strict=True))
    return MachineLimits(
        machine=machine,
        rule=rule,
        false_alarm_rate=rate,
        n_recordings=len(set(recordings)),
        limits=limits,
    )


def _limit(change: Change, places: SizesFound) -> DetectionLimit:
    a50, a90, a90_95 = (change.sizes.found(place) for place in places)
    largest = change.sizes.largest
    return DetectionLimit(
        change=change.kind,
        text=f"not found up to {change.in_words(largest)}" if a90_95 is None else change.in_words(a90_95),
        low_hz=change.low_hz,
        high_hz=change.high_hz,
        rate_hz=change.rate_hz,
        duration_s=change.duration_s,
        unit=change.unit,
        a50=a50,
        a90=a90,
        a90_95=a90_95,
        largest=largest,
    )
