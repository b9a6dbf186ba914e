"""The seam between scoring and what computes it: samples go in, embeddings and cosines come out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.audio.samples import Samples
from osscl.errors import BackendError


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """What a model gives for a batch of clips.

    Attributes
    ----------
    embedding : ndarray of float32, [B, 128]
        Embeddings of Euclidean norm 1.
    cosine : ndarray of float32, [B, K]
        Cosine between each embedding and each class weight, without margin.
    """

    embedding: npt.NDArray[np.float32]
    cosine: npt.NDArray[np.float32]


Ticket: TypeAlias = Future[Outputs]
"""Stands for a batch that was submitted and is perhaps not computed yet."""


def closed_meanwhile() -> BackendError:
    """What a batch ends in that is not computed any more."""
    return BackendError("the detector was closed before the batch was computed; load the model again")


class Backend(ABC):
    """Computes one model on one device. Any number of threads may use it at once.

    Attributes
    ----------
    precisions : frozenset of str
        Precisions of models that it computes as they are stated.
    can_fork : bool
        Whether a forked child may open the model anew.
    preferred_batch : int
        Clips in a batch that the device computes fastest.
    max_batch : int or None
        Clips in a batch at most; None where there is no limit.
    n_in_flight : int
        Batches that keep the device busy when they are submitted before the first is collected.
    facts : mapping of str to str or int
        What really computes: backend, its version, device, precision, threads, streams.
    """

    precisions: ClassVar[frozenset[str]]
    can_fork: ClassVar[bool] = True
    preferred_batch: int
    max_batch: int | None = None
    n_in_flight: int
    facts: Mapping[str, Any]

    def lend_batch(self, n_clips: int) -> Samples | None:
        """Lend memory from which the device copies fastest; never waits for any.

        The memory goes back by itself when nothing refers to the array or to a part of it any more.

        Parameters
        ----------
        n_clips : int
            Clips that it shall hold.

        Returns
        -------
        ndarray of int16, [n_clips, n_samples], or None
            C-contiguous and writeable, its content of no meaning; None where ordinary memory is as good,
            or none is free at the moment.
        """
        return None

    @abstractmethod
    def submit(self, samples: Samples) -> Ticket:
        """Start the computation of samples [B, n_samples], int16 or float32 at full scale ±1.

        Raises
        ------
        BackendError
            The backend is closed, or the batch is larger than it takes.
        """

    def collect(self, ticket: Ticket) -> Outputs:
        """Wait for a batch that was submitted.

        Raises
        ------
        BackendError
            The backend was closed before the batch was computed.
        """
        try:
            return ticket.result()
        except CancelledError:
            raise closed_meanwhile() from None

    @abstractmethod
    def close(self) -> None:
        """Give back threads and memory; batches not collected are lost, and new ones refused."""
