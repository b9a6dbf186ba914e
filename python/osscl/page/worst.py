"""Which clips are shown with picture and sound: those that stand out furthest, of every machine its own."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.page.scored import MachineScores, Scored


class Chosen(NamedTuple):
    """A clip that is shown, and the machine that it is of."""

    line: int
    scores: MachineScores
    excess: float
    is_flagged: bool


def worst_clips(scored: Scored, n: int, counts: npt.NDArray[np.bool_] | None = None) -> list[Chosen]:
    """Choose clips to show.

    Parameters
    ----------
    scored : Scored
        The table.
    n : int
        How many, at least 0.
    counts : ndarray of bool, [number of lines], optional
        Which lines may be shown; by default all.

    Returns
    -------
    list of Chosen
        Flagged clips before others, and of the flagged ones the worst of each machine before the second of
        any; then those are put in the order of their excess.
    """
    ranked: list[tuple[bool, bool, float, Chosen]] = []
    for each in scored.machines:
        order = np.argsort(-each.excess, kind="stable")
        order = (order if counts is None else order[counts[each.lines[order]]])[:n]
        for rank, at in enumerate(order):
            flagged, excess = bool(each.flagged[at]), float(each.excess[at])
            chosen = Chosen(int(each.lines[at]), each, excess, flagged)
            ranked.append((not flagged, rank > 0, -excess, chosen))
    ranked.sort(key=lambda entry: entry[:3])
    kept = [entry[3] for entry in ranked[:n]]
    return sorted(kept, key=lambda chosen: (not chosen.is_flagged, -chosen.excess))


def normal_candidates(scored: Scored, scores: MachineScores) -> list[int]:
    """Clips that may stand for what a machine sounds like when it is well.

    Parameters
    ----------
    scored : Scored
        The table.
    scores : MachineScores
        Of one machine.

    Returns
    -------
    list of int
        Lines of clips that were not flagged and of whose recording nothing is doubted; the most usual score
        first.
    """
    median, _ = scores.spread
    fit = [
        at
        for at in np.flatnonzero(~scores.flagged)
        if scored.records[scores.lines[at]].status == "ok" and not scored.records[scores.lines[at]].quality
    ]
    fit.sort(key=lambda at: abs(float(scores.score[at]) - median))
    return [int(scores.lines[at]) for at in fit]
