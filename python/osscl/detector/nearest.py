"""Which machines a network takes a clip for."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from osscl.model_file.manifest import Manifest


class Neighbour(NamedTuple):
    """A machine that a clip sounds like.

    Attributes
    ----------
    machine : str
        Its ID.
    cosine : float
        Cosine between the clip's embedding and the nearest of the machine's classes, in [-1, 1].
    """

    machine: str
    cosine: float


def neighbours(cosine: npt.NDArray[np.float32], manifest: Manifest) -> list[Neighbour]:
    """Sort the machines of a network by how near a clip lies to them.

    Parameters
    ----------
    cosine : ndarray of float32, [K]
        Cosines to all classes.
    manifest : Manifest
        Names classes and machines.

    Returns
    -------
    list of Neighbour
        Each machine once, the nearest first; of equal ones the first class.
    """
    machines = manifest.class_machines or manifest.network.model.classes
    found: dict[str, Neighbour] = {}
    for label in np.argsort(-cosine, kind="stable"):
        found.setdefault(machines[label], Neighbour(machines[label], float(cosine[label])))
    return list(found.values())
