"""What computes a model in this process, and the network's outputs of clips, whatever the batch size."""

import os
from dataclasses import dataclass, replace

import numpy as np

from osscl.audio.samples import Samples
from osscl.backends import Backend, ComputeOptions, Outputs, open_backend
from osscl.backends.no_network import NoNetwork
from osscl.config import EMBEDDING_SIZE
from osscl.errors import BackendError
from osscl.model_file.bundle import Bundle
from osscl.scoring.task import readers_for
from osscl.support.log import quiet_logger

_log = quiet_logger(__name__)


@dataclass(frozen=True, slots=True)
class Lanes:
    """How batches are scored side by side.

    Attributes
    ----------
    count : int
        Batches scored at once, each in a thread of its own.
    batch : int
        Clips in each of them at most.
    threads : int
        Processors that each reads and computes features with.
    """

    count: int
    batch: int
    threads: int


class Computing:
    """A model file, opened on a device; again in a forked child.

    Parameters
    ----------
    bundle : Bundle
        The model file.
    options : ComputeOptions
        On what it is computed, and how.
    with_network : bool
        Whether the network is opened at all.

    Attributes
    ----------
    options : ComputeOptions
        As given, without who is told of a build.
    """

    def __init__(self, bundle: Bundle, options: ComputeOptions, *, with_network: bool) -> None:
        self._bundle, self._with_network = bundle, with_network
        self.options = replace(options, on_build=None)  # what opens it again is shown to nobody
        self._closed = False
        if not with_network and options.device not in ("auto", "cpu"):
            _log.warning(
                "device %s was asked for, and no GPU is used: all machines are judged by their memories, "
                "which the processor computes",
                options.device,
            )
        self._opened = os.getpid(), self._open(options)

    def backend(self) -> Backend:
        """The backend of this process: a forked child has the parent's threads only in name."""
        if self._closed:
            raise BackendError("the detector is closed; load the model again")
        process, backend = self._opened
        if process != os.getpid():
            if not backend.can_fork:
                raise BackendError(
                    "a model on a GPU cannot be used in a forked process; start processes by 'spawn' "
                    '(multiprocessing.get_context("spawn")), or load the model in the child alone'
                )
            self._opened = os.getpid(), self._open(self.options)
        return self._opened[1]

    @property
    def device(self) -> str:
        """What it was opened on; closed ones say so."""
        return "no device, closed" if self._closed else str(self._opened[1].facts["device"])

    def close(self) -> None:
        """Give back threads and memory."""
        self._closed = True
        process, backend = self._opened
        if process == os.getpid():
            backend.close()

    def batch_size(self, backend: Backend) -> int:
        """As asked for, or as the backend prefers; no more than it takes."""
        size = self.options.batch_size or backend.preferred_batch
        return size if backend.max_batch is None else min(size, backend.max_batch)

    def lanes(self) -> Lanes:
        """As many batches side by side as a folder run reads ahead and has in flight."""
        backend = self.backend()
        threads, size = self.options.shared_out().n_threads, self.batch_size(backend)
        readers = max(1, readers_for(threads, size))
        return Lanes(readers + backend.n_in_flight, size, max(1, threads // readers))

    def run(self, clips: Samples) -> Outputs:
        """Samples [B, n_samples] -> outputs of B clips, whatever the batch size."""
        backend = self.backend()
        size = self.batch_size(backend)
        tickets = [backend.submit(clips[i : i + size]) for i in range(0, len(clips), size)]
        outputs = [backend.collect(ticket) for ticket in tickets]
        if not outputs:
            return Outputs(
                np.empty((0, EMBEDDING_SIZE), np.float32),
                np.empty((0, len(self._bundle.manifest.network.model.classes)), np.float32),
            )
        return Outputs(
            np.concatenate([output.embedding for output in outputs]),
            np.concatenate([output.cosine for output in outputs]),
        )

    def _open(self, options: ComputeOptions) -> Backend:
        """The network, where some machine asks for it."""
        return open_backend(self._bundle, options) if self._with_network else NoNetwork(options.shared_out())
