"""What stands in a backend's place where all machines are judged by memory, and no network is opened."""

from typing import NoReturn

from osscl import frontend
from osscl.audio.samples import Samples
from osscl.backends.base import Backend
from osscl.backends.options import Streams


class NoNetwork(Backend):
    """Computes nothing.

    Parameters
    ----------
    streams : Streams
        How the processors are shared out among those who read and compute features.
    """

    preferred_batch = 64
    n_in_flight = 1

    def __init__(self, streams: Streams) -> None:
        self.facts = {
            "backend": "none",
            "device": "cpu",
            "threads": streams.n_threads,
            "instruction_set": frontend.instruction_set(),
        }

    def submit(self, samples: Samples) -> NoReturn:
        """Never called: no machine asks for the network."""
        raise AssertionError("a clip was given to a network that is not opened")

    def close(self) -> None:
        """Nothing is open."""
