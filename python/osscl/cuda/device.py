"""A GPU that is opened: its memory, streams, events, kernels and graphs."""

import ctypes
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from osscl.cuda.calls import call, driver
from osscl.errors import DeviceError

Argument: TypeAlias = "ctypes.Structure | ctypes.Array[Any] | ctypes._SimpleCData[Any]"
"""Holds an argument of a kernel, as the kernel declares it."""


class Memory:
    """Memory of a card.

    Parameters
    ----------
    n_bytes : int
        Its size.

    Attributes
    ----------
    address : int
        Where it lies.
    """

    def __init__(self, n_bytes: int) -> None:
        self.address = int(call("cuMemAlloc", n_bytes))

    def close(self) -> None:
        """Give it back."""
        call("cuMemFree", self.address)


class PinnedMemory:
    """Memory of the host that stays in place, so that a card copies from and to it by itself.

    Parameters
    ----------
    n_bytes : int
        Its size.

    Attributes
    ----------
    address, n_bytes : int
        Where it lies, and its size.
    """

    def __init__(self, n_bytes: int) -> None:
        self.n_bytes = n_bytes
        # portable: any card may copy from it
        self.address = int(call("cuMemHostAlloc", n_bytes, driver().CU_MEMHOSTALLOC_PORTABLE))

    def array(self, dtype: npt.DTypeLike, *shape: int) -> npt.NDArray[Any]:
        """The first bytes as an array; not to be used once the memory is given back."""
        owner = (ctypes.c_uint8 * self.n_bytes).from_address(self.address)
        array: npt.NDArray[Any] = np.frombuffer(memoryview(owner), dtype, count=math.prod(shape))
        return array.reshape(shape)

    def close(self) -> None:
        """Give it back."""
        call("cuMemFreeHost", self.address)


class Event:
    """A moment in the work of a stream."""

    def __init__(self) -> None:
        self._handle = call("cuEventCreate", driver().CUevent_flags.CU_EVENT_BLOCKING_SYNC.value)

    @property
    def handle(self) -> Any:
        """The driver's name for it."""
        return self._handle

    def synchronize(self) -> None:
        """Wait for it; other threads go on meanwhile."""
        call("cuEventSynchronize", self._handle)

    def ms_since(self, earlier: "Event") -> float:
        """Milliseconds between two moments that are past."""
        return float(call("cuEventElapsedTime", earlier.handle, self._handle))

    def close(self) -> None:
        """Give it back."""
        call("cuEventDestroy", self._handle)


class Graph:
    """Recorded work of a stream, to be done again as a whole."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    @property
    def handle(self) -> Any:
        """The driver's name for it."""
        return self._handle

    def close(self) -> None:
        """Give it back."""
        call("cuGraphExecDestroy", self._handle)


class Stream:
    """Work of a card that is done in order, beside that of other streams.

    Attributes
    ----------
    handle : int
        The driver's name for it.
    """

    def __init__(self) -> None:
        self._stream = call("cuStreamCreate", driver().CUstream_flags.CU_STREAM_NON_BLOCKING.value)
        self.handle = int(self._stream)

    def copy_in(self, address: int, array: npt.NDArray[Any]) -> None:
        """Queue a copy of an array to a card's memory; the array must live until it is done."""
        call("cuMemcpyHtoDAsync", address, array.ctypes.data, array.nbytes, self._stream)

    def copy_out(self, array: npt.NDArray[Any], address: int) -> None:
        """Queue a copy from a card's memory to an array in pinned memory."""
        call("cuMemcpyDtoHAsync", array.ctypes.data, address, array.nbytes, self._stream)

    def record(self, event: Event) -> None:
        """Let an event be the moment when all work queued so far is done."""
        call("cuEventRecord", event.handle, self._stream)

    def wait(self, event: Event) -> None:
        """Do no later work before the moment that the event stands for now."""
        call("cuStreamWaitEvent", self._stream, event.handle, 0)

    def launch(
        self,
        kernel: Any,
        grid: tuple[int, int],
        block: int,
        arguments: Sequence[Argument],
    ) -> None:
        """Queue a kernel of `Module.kernel`, over a grid of blocks of so many threads."""
        # the driver takes the address of each argument, and copies them all before it returns
        addresses = (ctypes.c_void_p * len(arguments))(*map(ctypes.addressof, arguments))
        parameters = ctypes.addressof(addresses)
        call("cuLaunchKernel", kernel, *grid, 1, block, 1, 1, 0, self._stream, parameters, 0)

    def record_graph(self, queue_work: Callable[[], None]) -> Graph:
        """Record the work that a function queues, without doing it."""
        modes = driver().CUstreamCaptureMode
        call("cuStreamBeginCapture", self._stream, modes.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)
        try:
            queue_work()
        except BaseException:
            with suppress(DeviceError):  # else the stream would go on recording
                call("cuGraphDestroy", call("cuStreamEndCapture", self._stream))
            raise
        graph = call("cuStreamEndCapture", self._stream)
        try:
            return Graph(call("cuGraphInstantiate", graph, 0))
        finally:
            call("cuGraphDestroy", graph)

    def replay(self, graph: Graph) -> None:
        """Queue the work of a graph."""
        call("cuGraphLaunch", graph.handle, self._stream)

    def synchronize(self) -> None:
        """Wait for all work queued so far."""
        call("cuStreamSynchronize", self._stream)

    def close(self) -> None:
        """Give it back."""
        call("cuStreamDestroy", self._stream)


class Module:
    """Kernels, compiled by the driver for the card at hand."""

    def __init__(self, ptx: bytes) -> None:
        self._module = call("cuModuleLoadData", ptx + b"\0")

    def kernel(self, name: str) -> Any:
        """A kernel by its name."""
        return call("cuModuleGetFunction", self._module, name.encode())

    def close(self) -> None:
        """Give it back."""
        call("cuModuleUnload", self._module)


class Device:
    """A GPU.

    Everything else in this module works on the device that is active in the calling thread.

    Parameters
    ----------
    index : int
        Number of the card, as the driver counts.

    Attributes
    ----------
    index : int
        Number of the card.
    name : str
        Such as "NVIDIA H200".
    compute_capability : (int, int)
        Its architecture.
    total_memory : int
        Bytes.
    driver_version : str
        Version of CUDA that the driver supports, such as "12.2".
    """

    def __init__(self, index: int) -> None:
        attributes = driver().CUdevice_attribute
        self._device = call("cuDeviceGet", index)
        self.index = index
        self.name = _text(call("cuDeviceGetName", 128, self._device))
        self.compute_capability: tuple[int, int] = (
            call(
                "cuDeviceGetAttribute", attributes.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, self._device
            ),
            call(
                "cuDeviceGetAttribute", attributes.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, self._device
            ),
        )
        self.total_memory = int(call("cuDeviceTotalMem", self._device))
        self.driver_version = version_text(call("cuDriverGetVersion"))
        self._context: Any = None

    def activate(self) -> None:
        """Let the calling thread, one of our own, work on this card from now on."""
        call("cuCtxSetCurrent", self._retained())

    @contextmanager
    def active(self) -> Iterator[None]:
        """Let the calling thread work on this card for a while, and then on what it worked before."""
        call("cuCtxPushCurrent", self._retained())
        try:
            yield
        finally:
            call("cuCtxPopCurrent")

    def _retained(self) -> Any:
        if self._context is None:
            self._context = call("cuDevicePrimaryCtxRetain", self._device)
        return self._context

    def close(self) -> None:
        """Let go of the card; what was made on it is lost with it."""
        if self._context is not None:
            self._context = None
            call("cuDevicePrimaryCtxRelease", self._device)


def version_text(version: int) -> str:
    """12020 -> "12.2", as the driver counts."""
    return f"{version // 1000}.{version % 1000 // 10}"


def _text(buffer: bytes) -> str:
    """Text in a buffer of the driver, up to its zero: what lies behind it is the driver's own."""
    return buffer.partition(b"\0")[0].decode(errors="replace")
