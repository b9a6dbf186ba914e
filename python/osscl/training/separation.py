"""Which classes a network takes for which, and by how much it tells them apart."""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor

from osscl.support.plurals import counted

Confusion: TypeAlias = tuple[tuple[int, ...], ...]
"""Clips by class: [true][nearest]."""


class Separation(NamedTuple):
    """How clips lie among the classes.

    Attributes
    ----------
    margin : float
        Cosine to the own class less that to the best other one, mean over the clips, in [-2, 2].
    confusion : tuple of tuple of int, [K][K]
        Clips of each true class that lie nearest to each class.
    """

    margin: float
    confusion: Confusion


def separation(labels: Tensor, cosine: Tensor) -> Separation:
    """Compare clips with all classes.

    Parameters
    ----------
    labels : Tensor of int64, [N]
        True class of each clip.
    cosine : Tensor of float32, [N, K]
        To each class, without margin; at least two classes.

    Returns
    -------
    Separation
        Of these clips.
    """
    n_classes = cosine.shape[1]
    own = cosine.gather(1, labels[:, None])[:, 0]  # [N]
    others = cosine.scatter(1, labels[:, None], -torch.inf).amax(dim=1)  # [N]
    cells = labels * n_classes + cosine.argmax(dim=1)
    counts = torch.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)
    return Separation(
        float((own.double() - others.double()).mean()), tuple(tuple(row) for row in counts.tolist())
    )


class Confused(NamedTuple):
    """A class that is taken for another one.

    Attributes
    ----------
    name, taken_for : str
        The true one, and the nearest one.
    n_clips, n_of_class : int
        Held-out clips of which that is so, and all of the class.
    """

    name: str
    taken_for: str
    n_clips: int
    n_of_class: int

    def __str__(self) -> str:
        clips = counted(self.n_of_class, "clip")
        return f"{self.name} is taken for {self.taken_for} in {self.n_clips} of {clips}"


def most_confused(classes: Sequence[str], confusion: Confusion, at_most: int = 5) -> list[Confused]:
    """Find the classes that are taken for others.

    Parameters
    ----------
    classes : sequence of str, [K]
        Their names.
    confusion : tuple of tuple of int, [K][K]
        Clips by true and nearest class.
    at_most : int
        How many are wanted.

    Returns
    -------
    list of Confused
        The largest share of a class's clips first, then the most clips, then the classes' order.
    """
    found = [
        Confused(classes[true], classes[nearest], n_clips, sum(row))
        for true, row in enumerate(confusion)
        for nearest, n_clips in enumerate(row)
        if n_clips and nearest != true
    ]
    return sorted(found, key=lambda each: (-each.n_clips / each.n_of_class, -each.n_clips))[:at_most]
