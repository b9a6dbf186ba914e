"""One GPU: batches in flight on its streams, copies and computation side by side."""

import threading
from abc import abstractmethod
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from queue import SimpleQueue
from typing import ClassVar

from osscl.audio.samples import Samples
from osscl.backends.base import Backend, Ticket, closed_meanwhile
from osscl.backends.gpu.computation import Computation
from osscl.backends.gpu.engine import Engine
from osscl.backends.gpu.inputs import CardInputs, HostInputs, Inputs
from osscl.backends.gpu.lending import PinnedBatches
from osscl.backends.gpu.slot import Slot
from osscl.backends.options import ComputeOptions
from osscl.cuda.device import Device, Stream
from osscl.cuda.front_end import CudaFrontEnd, front_end_code, reason_without
from osscl.errors import BackendError, DeviceError, DeviceLostError, DeviceMemoryError
from osscl.model_file.bundle import Bundle
from osscl.support.log import quiet_logger
from osscl.support.plurals import counted

BATCH_SIZE = 64
"""Clips in a batch unless something else is asked for."""

N_SLOTS = 3
"""Batches in flight: one is copied in, one computed, one copied out."""

_N_LENT = N_SLOTS + 3  # those in flight, and those that are being read ahead

_log = quiet_logger(__name__)


class Card(Backend):
    """Computes a model on one GPU; a subclass says by which engine.

    One thread talks to the card, another waits for it. All memory is taken when the model is opened, so
    that it does not run out later.

    Parameters
    ----------
    bundle : Bundle
        The model.
    device : Device
        The card; closed with the backend, also where that cannot be opened.
    options : ComputeOptions
        How the model is to be computed; all threads serve the host's front end, where the card's is not used.

    Attributes
    ----------
    busy_s : float
        Seconds that the engine computed so far.

    Raises
    ------
    DeviceMemoryError
        The card's memory does not even hold one clip.
    """

    can_fork: ClassVar[bool] = False
    max_batch: int

    def __init__(self, bundle: Bundle, device: Device, options: ComputeOptions) -> None:
        self.bundle = bundle
        self.device = device
        self.options = options
        self.n_in_flight = N_SLOTS
        self.busy_s = 0.0
        self._closed = False
        self._lending = threading.Lock()
        self._lent: PinnedBatches | None = None
        with ExitStack() as failed:
            failed.callback(device.close)
            with device.active():
                self._open()
            failed.pop_all()
        self._driver_thread = ThreadPoolExecutor(1, f"osscl-cuda:{device.index}", device.activate)
        self._waiting_thread = ThreadPoolExecutor(1, f"osscl-cuda:{device.index}-done", device.activate)

    @abstractmethod
    def open_engine(self, stream: Stream, max_batch: int) -> Engine:
        """Open what computes the network, on a stream of the card, which is active."""

    def submit(self, samples: Samples) -> Ticket:
        if len(samples) > self.max_batch:
            raise BackendError(
                f"a batch has {counted(len(samples), 'clip')}; this card takes {self.max_batch} at most"
            )
        ticket: Ticket = Future()
        try:
            self._driver_thread.submit(self._start, samples, ticket)
        except RuntimeError:  # closed a moment ago
            raise closed_meanwhile() from None
        return ticket

    def lend_batch(self, n_clips: int) -> Samples | None:
        with self._lending:
            if self._lent is None:
                with self.device.active():
                    n_samples = self.bundle.manifest.clip.n_samples
                    self._lent = PinnedBatches(self.device, _N_LENT, self.max_batch, n_samples)
        return self._lent.lend(n_clips)

    def time_engine(self, n_clips: int, n_times: int) -> float:
        """Seconds that the engine takes for a batch some times in a row, its inputs being on the card."""
        return self._driver_thread.submit(self._time_engine, n_clips, n_times).result()

    def close(self) -> None:
        self._closed = True
        for thread in (self._driver_thread, self._waiting_thread):
            thread.shutdown()
        # a card that is lost takes nothing back
        with suppress(DeviceLostError), ExitStack() as last:
            last.callback(self.device.close if self._lent is None else self._lent.close)
            with self.device.active():
                self._opened.close()

    def _open(self) -> None:
        size = self.options.batch_size or BATCH_SIZE
        while True:
            try:
                self._open_for(size)
            except DeviceMemoryError as error:
                if size == 1:
                    raise
                _log.warning(
                    "cuda:%d: batches of %d clips do not fit, going on with %d: %s",
                    self.device.index,
                    size,
                    size // 2,
                    error,
                )
                size //= 2
            else:
                self.preferred_batch = size
                return

    def _open_for(self, max_batch: int) -> None:
        manifest = self.bundle.manifest
        with ExitStack() as opened:
            self._copies_in, self._work, self._copies_out = (
                opened.enter_context(closing(Stream())) for _ in range(3)
            )
            self._engine = opened.enter_context(closing(self.open_engine(self._work, max_batch)))
            self._inputs = opened.enter_context(closing(self._open_inputs()))
            self._idle: SimpleQueue[Slot] = SimpleQueue()
            for _ in range(N_SLOTS):
                slot = opened.enter_context(closing(Slot(manifest, max_batch)))
                self._engine.enqueue(slot.addresses(), max_batch)  # takes what memory it takes
                self._work.synchronize()
                self._idle.put(slot)
            name = f"cuda:{self.device.index}"
            self._computation = Computation(self._engine, self._work, name)
            self._opened = opened.pop_all()
        self.max_batch = max_batch
        self.facts = {
            **self._engine.facts,
            "device": name,
            "gpu": self.device.name,
            "compute_capability": ".".join(map(str, self.device.compute_capability)),
            "cuda_driver": self.device.driver_version,
            "precision": manifest.network.precision,
            "front_end": self._inputs.front_end,
            "max_batch": max_batch,
        }

    def _open_inputs(self) -> Inputs:
        manifest = self.bundle.manifest
        if all(spec.name != "log_mel" for spec in manifest.inputs):
            return HostInputs(manifest, self.options.shared_out().n_threads, "graph")
        code = front_end_code()
        if code is None:
            return HostInputs(manifest, self.options.shared_out().n_threads, f"native, {reason_without()}")
        return CardInputs(CudaFrontEnd(code, manifest.front_end.settings, manifest.clip.n_samples))

    def _start(self, samples: Samples, ticket: Ticket) -> None:
        """Queue the work of a batch once a slot is free; called by the one thread that talks to the card."""
        if self._closed:
            ticket.set_exception(closed_meanwhile())
            return
        slot = self._idle.get()
        try:
            self._queue(slot, samples)
            self._waiting_thread.submit(self._finish, slot, samples, ticket)
        except Exception as error:  # noqa: BLE001 - it is the batch's, whatever it is
            self._idle.put(slot)
            ticket.set_exception(self._reason(error))

    def _queue(self, slot: Slot, samples: Samples) -> None:
        self._inputs.fill(slot, samples, self._copies_in)
        self._work.wait(slot.ready)
        self._work.record(slot.begun)
        self._computation.queue(slot, 0, len(samples))
        self._work.record(slot.computed)
        self._copies_out.wait(slot.computed)
        slot.fetch(self._copies_out, len(samples))
        self._copies_out.record(slot.done)

    def _time_engine(self, n_clips: int, n_times: int) -> float:
        slot = self._idle.get()
        try:
            self._computation.queue(slot, 0, n_clips)  # kernels are chosen and work is recorded meanwhile
            self._work.record(slot.begun)
            for _ in range(n_times):
                self._computation.queue(slot, 0, n_clips)
            self._work.record(slot.computed)
            slot.computed.synchronize()
            return slot.computed.ms_since(slot.begun) / 1000.0
        finally:
            self._idle.put(slot)

    def _reason(self, error: Exception) -> Exception:
        """The error, or the loss of the card behind it: an engine is vague, the driver knows."""
        try:
            self._work.synchronize()
        except DeviceLostError as lost:
            return lost
        except DeviceError:
            pass
        return error

    def _finish(self, slot: Slot, samples: Samples, ticket: Ticket) -> None:
        """Wait for a batch and hand its outputs over; called by the one thread that waits for the card."""
        try:
            slot.done.synchronize()
            self.busy_s += slot.computed.ms_since(slot.begun) / 1000.0
            outputs = slot.outputs(len(samples))
        except Exception as error:  # noqa: BLE001 - it is the batch's, whatever it is
            self._idle.put(slot)
            ticket.set_exception(error)
        else:
            self._idle.put(slot)
            ticket.set_result(outputs)
