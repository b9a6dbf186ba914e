"""How a model shall be computed: what was asked for, checked once, and how processors are shared out."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, TypeAlias

from osscl.cuda.devices import is_cuda
from osscl.errors import ConfigError
from osscl.support.counts import checked_count, whole_number
from osscl.support.plurals import counted
from osscl.support.threads import checked_threads, usable_cpus

BACKENDS = ("onnxruntime", "openvino", "tensorrt")
"""All backends by name."""

MAX_BATCH_SIZE = 65_535
"""Twenty gigabytes of int16 at the published clip length: more is a typing error."""

OnBuild: TypeAlias = Callable[[str, int, int], Any]
"""Takes what is being done, how much of it is done and how much there is."""


@dataclass(frozen=True, slots=True)
class Streams:
    """How processors are shared out.

    Attributes
    ----------
    count : int
        Batches computed side by side.
    threads : int
        Threads that compute each of them, the stream's own included.

    Raises
    ------
    ConfigError
        There are more streams than processors, or they cannot be shared out evenly.
    """

    count: int
    threads: int

    @staticmethod
    def share(processors: int, count: int | None) -> "Streams":
        """Share out processors among streams; by default one each, which gives the most clips a second."""
        count = processors if count is None else count
        if not 1 <= count <= processors or processors % count:
            raise ConfigError(
                f"streams is {count} for {counted(processors, 'thread')}; it must divide the number of "
                "threads"
            )
        return Streams(count, processors // count)

    @property
    def n_threads(self) -> int:
        """All threads together."""
        return self.count * self.threads


@dataclass(frozen=True)
class ComputeOptions:
    """How a model shall be computed; `osscl.load` says more of each.

    It pickles without `on_build`, which belongs to the process that asked.

    Attributes
    ----------
    device : str
        "auto", "cpu", "cuda", "cuda:1", "cuda:0,1" or "cuda:all".
    backend : str or None
        Name out of `BACKENDS`; None for the first one installed that computes the model's precision there.
    threads : int or None
        Processors to use; None for all that the process may use.
    streams : int or None
        Batches computed side by side; None for as many as threads.
    batch_size : int or None
        Clips in a batch; None for what suits the device. On a GPU it is halved until it fits.
    engine_cache : str or None
        Folder of TensorRT's engines, made absolute; None for the user's own.
    on_build : callable or None
        Is told how far the building of an engine is.

    Raises
    ------
    ConfigError
        `threads` is no whole number from 1 to 4096, `batch_size` none from 1 to 65535, `streams` does not
        divide `threads`, `engine_cache` is no path, or there is no such device or backend.
    """

    device: str = "auto"
    backend: str | None = None
    threads: int | None = None
    streams: int | None = None
    batch_size: int | None = None
    engine_cache: str | os.PathLike[str] | None = None
    on_build: OnBuild | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not (isinstance(self.device, str) and (self.device in ("auto", "cpu") or is_cuda(self.device))):
            raise ConfigError(
                f"device '{self.device}' does not exist; choose auto, cpu, cuda, cuda:N, cuda:N,M or cuda:all"
            )
        if self.backend is not None and not (isinstance(self.backend, str) and self.backend in BACKENDS):
            raise ConfigError(
                f"backend '{self.backend}' does not exist; choose one of: {', '.join(BACKENDS)}"
            )
        self._take("threads", checked_threads)
        self._take("streams", partial(whole_number, "streams"))
        self._take("batch_size", partial(checked_count, "batch_size", most=MAX_BATCH_SIZE))
        self._take("engine_cache", _absolute)
        self.shared_out()

    def _take(self, name: str, checked: Callable[[Any], Any]) -> None:
        """Give an option its one form, where it was asked for."""
        value = getattr(self, name)
        if value is not None:
            object.__setattr__(self, name, checked(value))

    def shared_out(self) -> Streams:
        """Share out the processors that may be used.

        Returns
        -------
        Streams
            Batches side by side, and the threads of each.
        """
        threads = usable_cpus() if self.threads is None else self.threads
        return Streams.share(threads, self.streams)

    def record(self) -> dict[str, str | int | None]:
        """What was asked for, for the record of a run.

        Returns
        -------
        dict
            Every option but `on_build` by its name, ready for JSON.
        """
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "on_build"}

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(ComputeOptions, **self.record()), ()  # type: ignore[arg-type]


def _absolute(folder: object) -> str:
    """Path of a folder, which a pickled detector shall find from any other."""
    if not isinstance(folder, str | os.PathLike):
        raise ConfigError(f"engine_cache is {folder!r}; expected the path of a folder")
    return os.path.abspath(os.fsdecode(folder))  # noqa: PTH100 - a str


DEFAULT_OPTIONS = ComputeOptions()
"""Everything as the device and the installation suggest."""
