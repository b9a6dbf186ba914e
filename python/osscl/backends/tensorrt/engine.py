"""A plan that is loaded and computes batches on one card."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from osscl.backends.gpu.engine import Engine
from osscl.backends.tensorrt.context import Context
from osscl.backends.tensorrt.package import failure, logger, messages
from osscl.cuda.device import Memory
from osscl.errors import BackendError, DeviceMemoryError
from osscl.model_file.signature import TensorSpec

if TYPE_CHECKING:
    import tensorrt


class PlanRefused(BackendError):  # noqa: N818 - the caller builds the plan anew
    """TensorRT does not load a plan: it was made for another card or by another TensorRT."""


class TensorRtEngine(Engine):
    """A model's network in TensorRT.

    Parameters
    ----------
    trt : module
        TensorRT.
    plan : bytes
        The engine, built or read on this machine.
    inputs : sequence of TensorSpec
        What the graph takes.
    max_batch : int
        Clips that the plan was built for at most.
    stream : int
        Handle of the CUDA stream that the work is queued on.
    facts : mapping of str to str
        What a run record says of it.

    Raises
    ------
    PlanRefused
        TensorRT does not load the plan.
    DeviceMemoryError
        The card's memory does not hold the engine.
    """

    def __init__(
        self,
        trt: Any,
        plan: bytes,
        inputs: Sequence[TensorSpec],
        max_batch: int,
        stream: int,
        facts: Mapping[str, str],
    ) -> None:
        self.max_batch = max_batch
        self.facts = facts
        self._trt = trt
        self._inputs = inputs
        self._stream = stream
        self._engine = _load(trt, plan)
        # Contexts share it: all their work is on one stream, so that only one is at work at a time.
        self._memory = Memory(max(1, self._engine.device_memory_size_v2))
        try:
            self._context = self._new_context()
        except BaseException:
            self._memory.close()
            raise

    def enqueue(self, addresses: Mapping[str, int], n_clips: int) -> None:
        self._context.bind(addresses, n_clips)
        self._context.execute(self._stream)

    def recordable(self, addresses: Mapping[str, int], n_clips: int) -> Callable[[], None]:
        # A context of its own: what a graph replays holds no longer once its context is told another batch.
        context = self._new_context()
        context.bind(addresses, n_clips)
        return partial(context.execute, self._stream)

    def describe_layers(self, n_clips: int) -> str:
        """What the engine inspector says of the layers, in JSON.

        Parameters
        ----------
        n_clips : int
            Batch to describe: while its size is open, the inspector names no types.

        Returns
        -------
        str
            The document.
        """
        self._context.bind({}, n_clips)
        inspector: tensorrt.EngineInspector = self._engine.create_engine_inspector()
        inspector.execution_context = self._context.context
        document: str = inspector.get_engine_information(self._trt.LayerInformationFormat.JSON)
        return document

    def close(self) -> None:
        del self._context, self._engine  # in this order
        self._memory.close()

    def _new_context(self) -> Context:
        messages.forget()
        context: tensorrt.IExecutionContext | None = self._engine.create_execution_context(
            self._trt.ExecutionContextAllocationStrategy.USER_MANAGED
        )
        if context is None:
            raise DeviceMemoryError(
                f"the card's memory does not hold what the engine needs for {self.max_batch} clips "
                f"({messages.last}): build it for smaller batches"
            )
        context.set_device_memory(self._memory.address, self._engine.device_memory_size_v2)
        return Context(context, self._inputs, self.max_batch)


def _load(trt: Any, plan: bytes) -> "tensorrt.ICudaEngine":
    messages.forget()
    try:
        runtime: tensorrt.Runtime = trt.Runtime(logger(trt))
    except TypeError as error:  # what its bindings make of a constructor that gives nothing
        raise failure(trt, "cannot make a runtime") from error
    engine: tensorrt.ICudaEngine | None = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        if messages.speak_of_memory:
            raise DeviceMemoryError(f"the card's memory does not hold the engine ({messages.last})")
        raise PlanRefused(
            f"TensorRT {trt.__version__} does not load the engine, which was made for another card or by "
            f"another TensorRT: {messages.last}"
        )
    return engine
