"""GPUs for machines without one: a stand-in for the driver's library, and an engine on the host."""

import ctypes
import functools
import gc
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from osscl.backends import ComputeOptions
from osscl.backends.gpu.card import Card
from osscl.backends.gpu.engine import Engine
from osscl.cuda import front_end
from osscl.cuda.device import Device, Stream
from osscl.cuda.devices import count_devices, open_device
from osscl.errors import DeviceMemoryError
from osscl.model_file.bundle import Bundle
from support.compilers import cpp_compiler
from support.host_kernels import HostKernels, host_kernels
from support.once import made_once

SOURCES = sorted((Path(__file__).parents[1] / "cuda").glob("standin_*.cpp"))
LIBRARY = "libcuda.so.1"
GIB = 2**30
ENGINE_S = 0.02
_FLAGS = (
    "-std=c++20",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-shared",
    "-fPIC",
    "-fvisibility=hidden",
    "-pthread",
)


def compile_driver(folder: Path) -> None:
    """Compile the library into a folder."""
    library = str(folder / LIBRARY)
    command = [cpp_compiler(), *_FLAGS, f"-Wl,-soname,{LIBRARY}", *map(str, SOURCES), "-o", library]
    subprocess.run(command, check=True)


class StandInDriver:
    """The library, loaded under the driver's name, so that every later search for the driver finds it."""

    def __init__(self) -> None:
        library = made_once("standin_driver", compile_driver) / LIBRARY
        self.library = ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
        for name in ("standin_memory_used", "standin_count"):
            getattr(self.library, name).restype = ctypes.c_longlong
        self.library.standin_now_s.restype = ctypes.c_double

    def reset(
        self,
        devices: int = 1,
        memory: int = 4 * GIB,
        version: int = 13_000,
        capability: tuple[int, int] = (9, 0),
    ) -> None:
        """Start anew with so many cards."""
        self.library.standin_reset(devices, ctypes.c_size_t(memory), version, *capability)

    def set_memory(self, device: int, memory: int) -> None:
        """Change how much memory a card has."""
        self.library.standin_set_memory(device, ctypes.c_size_t(memory))

    def limit_pinned(self, pieces: int) -> None:
        """Change how many pieces of pinned memory there may be."""
        self.library.standin_limit_pinned(pieces)

    def dawdle(self, max_delay_us: int) -> None:
        """Let each piece of work begin late, by a random time."""
        self.library.standin_set_delay(max_delay_us)

    def simulate_time(self) -> None:
        """From now on time passes where a test says so, and nowhere else."""
        self.library.standin_simulate_time()

    def pass_time(self, seconds: float) -> None:
        """Let simulated time pass; what a stream calls for it, it waits for."""
        self.library.standin_pass_time(ctypes.c_longlong(round(1e6 * seconds)))

    def now_s(self) -> float:
        """The time by which the cards' events are stamped, seconds."""
        return float(self.library.standin_now_s())

    def lose(self, device: int) -> None:
        """Let a card fail for good."""
        self.library.standin_lose(device)

    def add_front_end(self, kernels: HostKernels) -> None:
        """Let the front end's kernels be those of a host build."""
        sizes = (ctypes.c_size_t * 2)(ctypes.sizeof(front_end._Tables), ctypes.sizeof(front_end._Batch))
        for name in front_end._KERNELS.values():
            self.library.standin_add_kernel(name.encode(), kernels.function(name), sizes, len(sizes))

    def memory_used(self, device: int = 0) -> int:
        """Bytes of a card that are taken."""
        return int(self.library.standin_memory_used(device))

    def count(self, what: str) -> int:
        """How often something was done, or how much of it is not given back."""
        return int(self.library.standin_count(what.encode()))


@functools.cache
def standin_driver() -> StandInDriver:
    """The library of this process; once loaded it stays."""
    return StandInDriver()


@contextmanager
def cards_that_get_all_back(devices: int) -> Iterator[StandInDriver]:
    """Cards for a test, which has to give back all that it takes of them."""
    driver = standin_driver()
    driver.reset(devices)
    yield driver
    gc.collect()
    left = {what: driver.count(what) for what in ("contexts", "streams", "events", "graphs", "pinned")}
    assert left == dict.fromkeys(left, 0), "something was not given back"
    assert [driver.memory_used(device) for device in range(devices)] == [0] * devices


_HostFunction = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class HostEngine(Engine):
    """Computes on the host what lies in a card's stand-in memory, when its turn in the stream comes."""

    def __init__(self, bundle: Bundle, stream: Stream, max_batch: int, part_limit: int | None = None) -> None:
        self.max_batch = max_batch
        self.part_limit = part_limit
        self.sizes: list[int] = []
        self.facts: Mapping[str, str] = {"backend": "host", "backend_version": "1"}
        self._manifest = bundle.manifest
        self._stream = stream
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(
            bundle.model, options, providers=["CPUExecutionProvider"]
        )
        self._functions: list[Any] = []

    def enqueue(self, addresses: Mapping[str, int], n_clips: int) -> None:
        if self.part_limit is not None and n_clips > self.part_limit:
            raise DeviceMemoryError(f"{n_clips} clips do not fit")
        self.sizes.append(n_clips)
        function = _HostFunction(lambda _: self._run(addresses, n_clips))
        self._functions.append(function)  # a graph may call it again and again
        status = standin_driver().library.cuLaunchHostFunc(
            ctypes.c_void_p(self._stream.handle), function, None
        )
        assert status == 0

    def recordable(self, addresses: Mapping[str, int], n_clips: int) -> Callable[[], None]:
        return lambda: self.enqueue(addresses, n_clips)

    def _run(self, addresses: Mapping[str, int], n_clips: int) -> None:
        def at(spec: Any) -> npt.NDArray[np.float32]:
            shape = [n_clips if size == "batch" else size for size in spec.shape]
            memory = (ctypes.c_float * int(np.prod(shape))).from_address(addresses[spec.name])
            return np.frombuffer(memoryview(memory), np.float32).reshape(shape)

        feeds = {spec.name: at(spec) for spec in self._manifest.inputs}
        names = [spec.name for spec in self._manifest.outputs]
        for spec, output in zip(self._manifest.outputs, self._session.run(names, feeds), strict=True):
            at(spec)[:] = output

    def close(self) -> None:
        pass


class HostCard(Card):
    """A card of the stand-in driver."""

    precisions = frozenset({"fp32"})
    part_limit: int | None = None

    def __init__(self, bundle: Bundle, device: Device, options: ComputeOptions) -> None:
        standin_driver().add_front_end(host_kernels())
        super().__init__(bundle, device, options)

    def open_engine(self, stream: Stream, max_batch: int) -> Engine:
        return HostEngine(self.bundle, stream, max_batch, self.part_limit)


class TimedEngine(HostEngine):
    """Takes `ENGINE_S` of simulated time for a batch of any size."""

    def _run(self, addresses: Mapping[str, int], n_clips: int) -> None:
        standin_driver().pass_time(ENGINE_S)
        super()._run(addresses, n_clips)


class TimedCard(HostCard):
    """A card of the stand-in driver with such an engine."""

    def open_engine(self, stream: Stream, max_batch: int) -> Engine:
        return TimedEngine(self.bundle, stream, max_batch)


def open_timed_card(bundle: Bundle, batch_size: int) -> TimedCard:
    """Open a model on a card whose time is simulated."""
    standin_driver().simulate_time()
    count_devices()
    return TimedCard(bundle, open_device(0), ComputeOptions(threads=1, batch_size=batch_size))


def open_card(bundle: Bundle, index: int = 0, **options: Any) -> HostCard:
    """Open a model on a card of the stand-in driver."""
    count_devices()
    return HostCard(bundle, open_device(index), ComputeOptions(threads=1, **options))
