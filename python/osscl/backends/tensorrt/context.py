"""What TensorRT keeps for the computation of batches: their size, and where their tensors lie."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from osscl.backends.tensorrt.package import messages
from osscl.errors import DeviceError
from osscl.model_file.signature import TensorSpec
from osscl.support.plurals import counted

if TYPE_CHECKING:
    import tensorrt


class Context:
    """An execution context; it is told only what changed.

    Parameters
    ----------
    context : tensorrt.IExecutionContext
        TensorRT's own, with the memory that it needs.
    inputs : sequence of TensorSpec
        What the graph takes.
    max_batch : int
        Clips that the engine was built for at most.
    """

    def __init__(
        self, context: "tensorrt.IExecutionContext", inputs: Sequence[TensorSpec], max_batch: int
    ) -> None:
        self.context: tensorrt.IExecutionContext = context
        self._inputs = inputs
        self._max_batch = max_batch
        self._n_clips = 0
        self._addresses: dict[str, int] = {}

    def bind(self, addresses: Mapping[str, int], n_clips: int) -> None:
        """Say which batch is to be computed.

        Raises
        ------
        DeviceError
            TensorRT refuses it.
        """
        messages.forget()
        if n_clips != self._n_clips:
            self._set_batch(n_clips)
        for name, address in addresses.items():
            if self._addresses.get(name) != address:
                is_set: bool = self.context.set_tensor_address(name, address)
                if not is_set:
                    raise DeviceError(f"TensorRT refuses the address of {name}: {messages.last}")
                self._addresses[name] = address

    def execute(self, stream: int) -> None:
        """Queue the computation on a stream.

        Raises
        ------
        DeviceError
            It cannot be queued. Fewer clips would not help: all memory is there already.
        """
        messages.forget()
        is_queued: bool = self.context.execute_async_v3(stream)
        if not is_queued:
            raise DeviceError(
                f"TensorRT cannot compute a batch of {counted(self._n_clips, 'clip')}: {messages.last}"
            )

    def _set_batch(self, n_clips: int) -> None:
        self._n_clips = 0  # until all inputs have it
        for spec in self._inputs:
            is_set: bool = self.context.set_input_shape(spec.name, (n_clips, *spec.shape[1:]))
            if not is_set:
                raise DeviceError(
                    f"TensorRT refuses a batch of {counted(n_clips, 'clip')}, the engine takes 1 to "
                    f"{self._max_batch}: {messages.last}"
                )
        self._n_clips = n_clips
