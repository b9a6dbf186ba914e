"""A plan that is loaded and computes batches on one card."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from osscl.backends.gpu.engine import Engine
from osscl.backends.tensorrt.package import failure, logger, messages
from osscl.errors import BackendError, DeviceError, DeviceMemoryError
from osscl.signature import TensorSpec

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

    is_capturable = True

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
        self._n_clips = 0
        self._addresses: dict[str, int] = {}
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
        context: tensorrt.IExecutionContext | None = engine.create_execution_context()
        if context is None:
            raise DeviceMemoryError(
                f"the card's memory does not hold what the engine needs for {max_batch} clips "
                f"({messages.last}): build it for smaller batches"
            )
        self._runtime: tensorrt.Runtime = runtime
        self._engine: tensorrt.ICudaEngine = engine
        self._context: tensorrt.IExecutionContext = context

    def enqueue(self, addresses: Mapping[str, int], n_clips: int) -> None:
        messages.forget()
        self._set_batch(n_clips)
        for name, address in addresses.items():
            if self._addresses.get(name) != address:
                is_set: bool = self._context.set_tensor_address(name, address)
                if not is_set:
                    raise DeviceError(f"TensorRT refuses the address of {name}: {messages.last}")
                self._addresses[name] = address
        is_queued: bool = self._context.execute_async_v3(self._stream)
        if not is_queued:
            kind = DeviceMemoryError if messages.speak_of_memory else DeviceError
            raise kind(f"TensorRT cannot compute a batch of {n_clips} clips: {messages.last}")

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
        messages.forget()
        self._set_batch(n_clips)
        inspector: tensorrt.EngineInspector = self._engine.create_engine_inspector()
        inspector.execution_context = self._context
        document: str = inspector.get_engine_information(self._trt.LayerInformationFormat.JSON)
        return document

    def close(self) -> None:
        del self._context, self._engine, self._runtime  # in this order

    def _set_batch(self, n_clips: int) -> None:
        if n_clips == self._n_clips:
            return
        self._n_clips = 0  # until all inputs have it
        for spec in self._inputs:
            is_set: bool = self._context.set_input_shape(spec.name, (n_clips, *spec.shape[1:]))
            if not is_set:
                raise DeviceError(
                    f"TensorRT refuses a batch of {n_clips} clips, the engine takes 1 to {self.max_batch}: "
                    f"{messages.last}"
                )
        self._n_clips = n_clips
