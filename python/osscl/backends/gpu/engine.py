"""The seam inside a GPU backend: what computes the network, from inputs that lie in the card's memory."""

from abc import ABC, abstractmethod
from collections.abc import Mapping


class Engine(ABC):
    """Computes the network of one model on one card; used by one thread at a time.

    Attributes
    ----------
    max_batch : int
        Clips that it computes at once at most.
    is_capturable : bool
        Whether its work may be recorded into a CUDA graph and replayed.
    facts : mapping of str to str
        What a run record says of it: backend, its version, and so on.
    """

    max_batch: int
    is_capturable: bool
    facts: Mapping[str, str]

    @abstractmethod
    def enqueue(self, addresses: Mapping[str, int], n_clips: int) -> None:
        """Queue the computation of a batch on the stream that the engine was opened with.

        Parameters
        ----------
        addresses : mapping of str to int
            Where each input and output of the graph lies in the card's memory, by its name: float32, the
            clips one after the other.
        n_clips : int
            Clips of the batch, from 1 to `max_batch`.

        Raises
        ------
        DeviceMemoryError
            The card's memory does not hold what is needed for so many clips.
        DeviceError
            The work cannot be queued.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back the card's memory."""
