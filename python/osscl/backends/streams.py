"""What the CPU backends share: streams that compute batches side by side, behind the native front end."""

from abc import abstractmethod
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any

from osscl import frontend
from osscl.audio.samples import Samples
from osscl.backends.base import Backend, Outputs, Ticket, closed_meanwhile
from osscl.backends.feeds import Feeds, host_feeds
from osscl.backends.options import Streams
from osscl.backends.outputs import check_outputs
from osscl.errors import BackendError
from osscl.model_file.bundle import Bundle
from osscl.model_file.manifest import Manifest
from osscl.support.ending import finished_before_the_end


class StreamedBackend(Backend):
    """Runs a model in streams; a subclass says how one batch is run.

    Parameters
    ----------
    bundle : Bundle
        The model.
    streams : Streams
        With one thread in all, batches are computed in the caller's.
    """

    preferred_batch = 1  # larger batches leave the caches and cost page faults

    def __init__(self, bundle: Bundle, streams: Streams) -> None:
        self._manifest = bundle.manifest
        self._path = bundle.path
        self._n_threads = streams.threads
        one = streams.n_threads == 1
        self._pool = None if one else ThreadPoolExecutor(streams.count, "osscl-stream")
        self.n_in_flight = 1 if one else streams.count + 1
        self._idle: SimpleQueue[Any] = SimpleQueue()
        self._closed = False

    def submit(self, samples: Samples) -> Ticket:
        if self._closed:
            raise closed_meanwhile()
        if self._pool is not None:
            try:
                return self._pool.submit(self._compute, samples)
            except RuntimeError:  # closed a moment ago
                raise closed_meanwhile() from None
        done: Ticket = Future()
        done.set_result(self._compute(samples))
        return done

    def close(self) -> None:
        self._closed = True
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    @abstractmethod
    def _run(self, runner: Any, feeds: Feeds) -> Outputs:
        """Run one batch by one of the runners given to `_take_turns`; called by several threads at once."""

    def _take_turns(self, runners: Iterable[Any]) -> None:
        """Take what runs the graph, one a stream; one that serves many at once may stand many times."""
        for runner in runners:
            self._idle.put(runner)

    def _compute(self, samples: Samples) -> Outputs:
        feeds = self._feeds(samples)
        runner = self._idle.get()
        try:
            with finished_before_the_end():
                outputs = self._run(runner, feeds)
        except Exception as error:  # what runtimes raise shares no base class of their own
            raise BackendError(
                f"{self._path}: {self.facts['backend']} {self.facts['backend_version']} cannot compute "
                f"the graph: {error}"
            ) from error
        finally:
            self._idle.put(runner)
        check_outputs(outputs, self._manifest, len(samples), self._path)
        return outputs

    def _feeds(self, samples: Samples) -> Feeds:
        """Inputs of the graph; a subclass that computes more of them itself adds them."""
        return host_feeds(self._manifest, samples, self._n_threads)


def stream_facts(manifest: Manifest, streams: Streams) -> dict[str, Any]:
    """What a run record says of every CPU backend."""
    return {
        "device": "cpu",
        "precision": manifest.network.precision,
        "threads": streams.n_threads,
        "streams": streams.count,
        "instruction_set": frontend.instruction_set(),
    }
