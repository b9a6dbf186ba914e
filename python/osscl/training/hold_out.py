"""Which clips are held out to select the weights."""

from typing import NamedTuple

from osscl.training.clips import TrainingClip, TrainingData
from osscl.training.randomness import Purpose, generator


class Split(NamedTuple):
    """Clips to train on and clips held out, both in the data's order."""

    training: tuple[TrainingClip, ...]
    hold_out: tuple[TrainingClip, ...]


def split_hold_out(data: TrainingData, share: float, seed: int) -> Split:
    """Hold out a random share of all clips, and at least one of each class; one of each stays.

    Parameters
    ----------
    data : TrainingData
        At least two clips a class.
    share : float
        Share of all clips, in (0, 1).
    seed : int
        Seed of the training.

    Returns
    -------
    Split
        The same for the same data and seed, wherever the files lie.
    """
    order = generator(seed, Purpose.HOLD_OUT).permutation(len(data.clips))
    n_wanted = round(share * len(data.clips))
    n_of_class = {name: sum(clip.machine == name for clip in data.clips) for name in data.classes}
    # the first clip of each class in the random order, then the first of all others up to the share
    first_of_class: dict[str, int] = {}
    for i in order:
        first_of_class.setdefault(data.clips[i].machine, int(i))
    held = set(first_of_class.values())
    n_held = dict.fromkeys(data.classes, 1)
    for i in map(int, order):
        name = data.clips[i].machine
        if len(held) >= n_wanted:
            break
        if i not in held and n_held[name] < n_of_class[name] - 1:
            held.add(i)
            n_held[name] += 1
    training = tuple(clip for i, clip in enumerate(data.clips) if i not in held)
    return Split(training, tuple(data.clips[i] for i in sorted(held)))
