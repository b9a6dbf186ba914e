"""The seam inside a GPU backend: what computes the network, from inputs that lie in the card's memory."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping


class Engine(ABC):
    """Computes the network of one model on one card; used by one thread at a time.

    Attributes
    ----------
    max_batch : int
        Clips that it computes at once at most.
    facts : mapping of str to str
        What a run record says of it: backend, its version, and so on.
    """

    max_batch: int
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
            The card's memory does not hold what is needed for so many clips; fewer may still fit.
        DeviceError
            The work cannot be queued.
        """

    def computed_batch(self, n_clips: int) -> int:
        """How many clips are computed where so many are asked for.

        An engine for which each new batch size is dear rounds up to one of few; what the memory behind the
        clips asked for holds is computed along then, and nobody reads it.

        Parameters
        ----------
        n_clips : int
            Clips that are asked for, from 1 to `max_batch`.

        Returns
        -------
        int
            `n_clips` or more.
        """
        return n_clips

    def recordable(self, addresses: Mapping[str, int], n_clips: int) -> Callable[[], None] | None:
        """Prepare the computation of a batch for being recorded into a CUDA graph and replayed.

        Parameters
        ----------
        addresses, n_clips
            As for `enqueue`.

        Returns
        -------
        callable or None
            Queues the computation, of just this batch and nothing else, as long as the engine is open. None
            where its work cannot be recorded.
        """
        return None

    @abstractmethod
    def close(self) -> None:
        """Give back the card's memory."""
