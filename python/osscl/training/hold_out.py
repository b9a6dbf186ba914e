"""Which clips are held out to select the weights."""

from typing import NamedTuple

from osscl.training.clips import TrainingClip, TrainingData
from osscl.training.randomness import Purpose, generator


class Split(NamedTuple):
    """Clips to train on and clips held out, both in the data's order."""

    training: tuple[TrainingClip, ...]
    hold_out: tuple[TrainingClip, ...]


def split_hold_out(data: TrainingData, share: float, seed: int) -> Split:
    """Hold out a random share of all clips, and at least one of each class of several; one of each stays.

    Parameters
    ----------
    data : TrainingData
        Classes of one clip are trained on alone.
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
    n_of_class = {name: sum(clip.class_name == name for clip in data.clips) for name in data.classes}
    # the first clip of each class in the random order, then the first of all others up to the share
    first_of_class: dict[str, int] = {}
    for i in order:
        if n_of_class[name := data.clips[i].class_name] > 1:
            first_of_class.setdefault(name, int(i))
    held = set(first_of_class.values())
    n_held = {name: int(name in first_of_class) for name in data.classes}
    for i in map(int, order):
        name = data.clips[i].class_name
        if len(held) >= n_wanted:
            break
        if i not in held and n_held[name] < n_of_class[name] - 1:
            held.add(i)
            n_held[name] += 1
    training = tuple(clip for i, clip in enumerate(data.clips) if i not in held)
    return Split(training, tuple(data.clips[i] for i in sorted(held)))
