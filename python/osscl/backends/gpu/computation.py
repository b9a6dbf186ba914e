"""An engine's work on batches: in parts that the card's memory holds, and replayed where it comes again."""

from osscl.backends.gpu.engine import Engine
from osscl.backends.gpu.slot import Part, Slot
from osscl.cuda.device import Stream
from osscl.errors import DeviceError, DeviceLostError, DeviceMemoryError
from osscl.support.log import quiet_logger

# Batches of a folder have one size, and the last another; ever new sizes are not worth the memory.
_MAX_GRAPHS = 4

_log = quiet_logger(__name__)


class Computation:
    """Queues an engine's work on parts of slots.

    Parameters
    ----------
    engine : Engine
        What computes the network.
    stream : Stream
        Where its work is queued.
    name : str
        How to speak of the card.
    """

    def __init__(self, engine: Engine, stream: Stream, name: str) -> None:
        self._engine = engine
        self._stream = stream
        self._name = name
        self._largest_part = engine.max_batch
        self._records = True

    def queue(self, slot: Slot, first: int, n_clips: int) -> None:
        """Queue the work on some clips of a slot.

        Raises
        ------
        DeviceMemoryError
            The card's memory does not hold what is needed for a single clip.
        DeviceError
            The work cannot be queued.
        """
        for start in range(first, first + n_clips, self._largest_part):
            size = min(self._largest_part, first + n_clips - start)
            computed = min(self._engine.computed_batch(size), self._largest_part, slot.max_batch - start)
            try:
                self._queue_part(slot, (start, computed))
            except DeviceMemoryError as error:
                if size == 1:
                    raise
                self._largest_part = size // 2
                _log.warning("%s: going on in parts of %d clips: %s", self._name, size // 2, error)
                self.queue(slot, start, first + n_clips - start)
                return

    def _queue_part(self, slot: Slot, part: Part) -> None:
        """Queue the work on a part: as recorded, or recording it where it came before."""
        if part in slot.graphs:
            self._stream.replay(slot.graphs[part])
            return
        first, n_clips = part
        if (
            part in slot.seen
            and self._records
            and len(slot.graphs) < _MAX_GRAPHS
            and self._record(slot, part)
        ):
            return
        self._engine.enqueue(slot.addresses(first), n_clips)
        slot.seen.add(part)

    def _record(self, slot: Slot, part: Part) -> bool:
        """Queue the work on a part and record it as well; False where it cannot be recorded, now or ever."""
        first, n_clips = part
        try:
            queue_again = self._engine.recordable(slot.addresses(first), n_clips)
            if queue_again is None:
                self._records = False
                return False
            queue_again()  # what is done once for a batch size cannot be recorded
            slot.keep_graph(part, self._stream.record_graph(queue_again), queue_again)
        except DeviceLostError:
            raise
        except DeviceError as error:
            self._records = False
            _log.warning("%s: batches are computed without CUDA graphs: %s", self._name, error)
            return False
        return True
