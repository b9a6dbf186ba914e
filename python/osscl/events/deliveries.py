"""Deliveries: the events of an outbox on their way to all their receivers, each at its own pace."""

from collections.abc import Callable, Sequence
from types import TracebackType

from osscl.errors import ConfigError
from osscl.events.delivery import Connect, Delivery
from osscl.events.sink import Sink


class Deliveries:
    """A thread for each receiver, while this context is open.

    Parameters
    ----------
    sinks : sequence of Sink
        Who brings events, a receiver each.
    connect : callable
        Opens the outbox's database anew, in the thread that calls it.
    make : callable
        Makes the delivery of a sink.

    Raises
    ------
    ConfigError
        One receiver is named twice.
    """

    def __init__(
        self, sinks: Sequence[Sink], connect: Connect, make: Callable[[Sink, Connect], Delivery] = Delivery
    ) -> None:
        names = [sink.name for sink in sinks]
        for name in names:
            if names.count(name) > 1:
                raise ConfigError(f"events are to go to {name} twice; expected each destination once")
        self._deliveries = [make(sink, connect) for sink in sinks]

    @property
    def names(self) -> list[str]:
        """The receivers."""
        return [delivery.name for delivery in self._deliveries]

    @property
    def troubles(self) -> dict[str, str]:
        """Why nothing is delivered at present, by receiver; those where all is well are not in it."""
        told = {delivery.name: delivery.trouble for delivery in self._deliveries}
        return {name: trouble for name, trouble in told.items() if trouble is not None}

    def wake(self) -> None:
        """Say that there are new events, once they are committed."""
        for delivery in self._deliveries:
            delivery.wake()

    def __enter__(self) -> "Deliveries":
        try:
            for delivery in self._deliveries:
                delivery.start()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        for delivery in self._deliveries:
            delivery.end()
        for delivery in self._deliveries:
            delivery.join()
