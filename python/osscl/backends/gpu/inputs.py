"""From samples on the host to the engine's inputs on a card: by the card's front end, or by the host's."""

from abc import ABC, abstractmethod

from osscl.audio.samples import Samples
from osscl.backends.feeds import host_feeds
from osscl.backends.gpu.slot import Slot
from osscl.cuda.device import Stream
from osscl.cuda.front_end import CudaFrontEnd
from osscl.model_file.manifest import Manifest


class Inputs(ABC):
    """Fills the inputs of a batch.

    Attributes
    ----------
    front_end : str
        What a run record calls the front end.
    """

    front_end: str

    @abstractmethod
    def fill(self, slot: Slot, samples: Samples, copies: Stream) -> None:
        """Queue all that leads from samples [B, n_samples] to the slot's inputs, and its event `ready`.

        Samples in pinned memory must live until then.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back the card's memory."""


class CardInputs(Inputs):
    """Only samples cross the bus; one kernel makes log-mel and waveform of them.

    Parameters
    ----------
    front_end : CudaFrontEnd
        The kernel with its tables, on the card that is active.
    """

    front_end = "cuda"

    def __init__(self, front_end: CudaFrontEnd) -> None:
        self._front_end = front_end
        self._work = Stream()

    def fill(self, slot: Slot, samples: Samples, copies: Stream) -> None:
        copies.copy_in(slot.samples.address, samples)
        copies.record(slot.copied)
        self._work.wait(slot.copied)
        inputs = slot.addresses()
        self._front_end.enqueue(
            slot.samples.address,
            samples.dtype,
            len(samples),
            waveform=inputs.get("waveform", 0),
            log_mel=inputs["log_mel"],
            stream=self._work,
        )
        self._work.record(slot.ready)

    def close(self) -> None:
        self._front_end.close()
        self._work.close()


class HostInputs(Inputs):
    """The native front end makes the inputs, which are then copied.

    Parameters
    ----------
    manifest : Manifest
        Inputs and front end of the model.
    threads : int
        Threads of the front end.
    front_end : str
        What a run record calls the front end.
    """

    def __init__(self, manifest: Manifest, threads: int, front_end: str) -> None:
        self.front_end = front_end
        self._manifest = manifest
        self._threads = threads

    def fill(self, slot: Slot, samples: Samples, copies: Stream) -> None:
        addresses = slot.addresses()
        feeds = host_feeds(self._manifest, samples, self._threads)
        slot.feeds = feeds  # until the next batch: some cards read the host's memory themselves, and later
        for name, feed in feeds.items():
            copies.copy_in(addresses[name], feed)
        copies.record(slot.ready)

    def close(self) -> None:
        pass
