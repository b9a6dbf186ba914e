"""The verdict on a training: what its held-out clips say, by exact bounds and fixed limits; what to do."""

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

from osscl.decisions.uncertainty import exact_bounds
from osscl.model_file.verdict import Verdict, Word
from osscl.support.plurals import plural
from osscl.training.clips import TrainingData
from osscl.training.progress import Best

CONFIDENCE = 0.95
LEARNED_FROM = 0.9
"""Accuracy on the hold-out from which a network counts as trained. On the gate set, networks at 0.83 and 0.85
reached an AUC of 0.84 and 0.79, one at 0.97 more (benchmarks/RESULTS.md)."""
PARTLY_FROM = 0.2
"""Part of the way from chance to all clips right below which that much is nothing."""
WORTH_FROM = 1 / 3
"""Part of the same way that an upper bound must exclude before `nothing` is said of a small hold-out."""

MOST_HELD_OUT = 0.5
"""Share of the clips that is held out at most for a verdict's sake: what is held out trains nothing."""
_ANEW = (
    "train anew and longer, in another folder (--epochs, --time-limit; --resume adds no epochs, since the "
    "learning rate falls over all of them) or with --learning-rate 1e-3"
)
ADVICE: dict[Word, str] = {
    "learned": "",
    "partly": f"its scores miss much: {_ANEW}, and "
    "until then decide by memories, which need no training (osscl enroll, osscl score --rule memory)",
    "nothing": f"its scores tell nothing of a machine: {_ANEW}, check that each folder holds one machine's "
    "recordings, and decide by memories, "
    "which need no training (osscl enroll, osscl score --rule memory)",
}
"""What to do next, by verdict, whatever was held out."""


def judge(n_right: int, n_clips: int, n_of_class: Sequence[int], margin: float | None = None) -> Verdict:
    """Say whether a network learned to tell its classes apart.

    Parameters
    ----------
    n_right, n_clips : int
        Held-out clips that lie nearest to their own class, and all of them, at least one.
    n_of_class : sequence of int
        Clips of each class in the whole data; the largest share of one class is what chance would get right.
    margin : float, optional
        Mean margin of the own class over the best other one, cosine.

    Returns
    -------
    Verdict
        With one-sided exact bounds of the accuracy at 95 % each: where the lower one is not above chance,
        "nothing" if the upper one excludes a third of the way from chance to all right, else "cannot_tell";
        where it is above chance, "learned" from an accuracy of 0.9 on, "partly" from a fifth of that way on,
        and "nothing" below.

    References
    ----------
    Clopper and Pearson: "The use of confidence or fiducial limits illustrated in the case of the binomial",
    Biometrika 26 (1934).
    """
    chance = max(n_of_class) / sum(n_of_class)
    low, high = exact_bounds(n_right, n_clips, CONFIDENCE)
    return Verdict(
        word=_word(n_right / n_clips, low, high, chance),
        n_clips=n_clips,
        n_right=n_right,
        n_classes=len(n_of_class),
        chance=chance,
        low=low,
        high=high,
        margin=margin,
    )


def verdict_on(best: Best | None, n_held_out: int, n_of_class: Sequence[int]) -> Verdict | None:
    """Say what the clips held out say of the best averaged weights.

    Parameters
    ----------
    best : Best or None
        How they did; None before the first epoch is complete.
    n_held_out : int
        Clips held out.
    n_of_class : sequence of int
        Clips of each class in the whole data.

    Returns
    -------
    Verdict or None
        None where there are no weights yet.
    """
    if best is None:
        return None
    n_right = round(best.hold_out_accuracy * n_held_out)
    return judge(n_right, n_held_out, n_of_class, best.hold_out_margin)


def sizes_of_classes(data: TrainingData) -> list[int]:
    """Clips of each class of the data, in the order of the classes."""
    found = Counter(map(data.label, data.clips))
    return [found[number] for number in range(len(data.classes))]


def advised(verdict: Verdict, n_clips: int | None = None) -> str:
    """A verdict in words, and what to do next where there is something to be done.

    Parameters
    ----------
    verdict : Verdict
        What held-out clips say.
    n_clips : int, optional
        Clips trained on and held out, where that is known.

    Returns
    -------
    str
        One sentence.
    """
    advice = advice_on(verdict, n_clips)
    return f"{verdict}; {advice}" if advice else str(verdict)


def advice_on(verdict: Verdict, n_clips: int | None = None) -> str:
    """What to do next, empty where nothing is; `advised` says the verdict before it."""
    if verdict.word != "cannot_tell":
        return ADVICE[verdict.word]
    enough = enough_held_out(verdict)
    if n_clips is None:
        how = f"{enough} of them would do: train with a larger --hold-out, or record more"
    elif enough > MOST_HELD_OUT * n_clips:
        how = f"{enough} of them would do, and these are {n_clips} clips in all: record more"
    else:
        how = f"{enough} of these {n_clips} clips would do: train with --hold-out {_share(enough, n_clips):g}"
    return (
        f"too few clips are held out: {how}; or evaluate the model on recordings of known faults "
        "(osscl evaluate)"
    )


def enough_held_out(verdict: Verdict) -> int:
    """How many clips held out would tell, whatever came out.

    Parameters
    ----------
    verdict : Verdict
        One that cannot tell; of it chance counts, and the clips that were too few.

    Returns
    -------
    int
        A multiple of five.
    """
    n_clips = 5 * (verdict.n_clips // 5 + 1)
    while _may_not_tell(n_clips, verdict.chance):
        n_clips += 5
    return n_clips


def _may_not_tell(n_clips: int, chance: float) -> bool:
    """Whether the best outcome that is not above chance is still no proof that nothing was learned."""
    n_right = bisect_right(range(n_clips + 1), chance, key=lambda n: exact_bounds(n, n_clips, CONFIDENCE)[0])
    _, high = exact_bounds(n_right - 1, n_clips, CONFIDENCE)
    return _way(high, chance) >= WORTH_FROM


def _share(n_held_out: int, n_clips: int) -> float:
    """Share of all clips that holds out so many, rounded up to a hundredth."""
    return math.ceil(100 * n_held_out / n_clips) / 100


def early_warning(epochs_done: int, epochs: int, verdict: Verdict) -> str | None:
    """Say that a network has not converged, once half of its epochs are done.

    Parameters
    ----------
    epochs_done, epochs : int
        Epochs complete, and all of them.
    verdict : Verdict
        On the weights that are best so far.

    Returns
    -------
    str or None
        None at any other epoch, and where the network is on its way.
    """
    is_half_way = epochs_done == (epochs + 1) // 2 and epochs_done < epochs
    if not is_half_way or verdict.word == "learned":
        return None
    margin = (
        ""
        if verdict.margin is None
        else f", and their own class is {abs(verdict.margin):.3f} "
        f"{'nearer' if verdict.margin > 0 else 'farther'} by cosine than the best other one"
    )
    return (
        f"not converged after half of the epochs: {verdict.n_right} of {verdict.n_clips} held-out "
        f"{plural(verdict.n_clips, 'clip')} lie "
        f"nearest to their own class (chance {verdict.chance:.3f}){margin}; if it ends so, decide by "
        "memories, not by this network (osscl score --rule memory, rather than network or both)"
    )


def _word(accuracy: float, low: float, high: float, chance: float) -> Word:
    if low <= chance:
        return "nothing" if _way(high, chance) < WORTH_FROM else "cannot_tell"
    if accuracy >= LEARNED_FROM:
        return "learned"
    return "partly" if _way(accuracy, chance) >= PARTLY_FROM else "nothing"


def _way(accuracy: float, chance: float) -> float:
    """Part of the way from chance to all clips right."""
    return (accuracy - chance) / (1.0 - chance)
