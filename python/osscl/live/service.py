"""A watch as systemd sees it: ready, alive, stopping, and how far it is."""

import time
from collections.abc import Callable

from osscl.support.service_manager import tell_service_manager, watchdog_s

_TELL_EVERY_S = 5.0
_MORE_TIME_S = 30


class Service:
    """Tells the service manager how a service is; nothing where there is none.

    Parameters
    ----------
    status : callable
        Gives one line on how far it is.
    clock : callable
        Gives seconds that never go back.
    """

    def __init__(self, status: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> None:
        self._status, self._clock = status, clock
        within_s = watchdog_s()
        self._every_s = _TELL_EVERY_S if within_s is None else min(_TELL_EVERY_S, within_s / 3)
        self._tell_at = 0.0
        self._is_stopping = False

    def ready(self) -> None:
        """It has begun."""
        tell_service_manager("READY=1", f"STATUS={self._status()}")

    def beat(self) -> None:
        """It is alive: told every few seconds, however often this is called."""
        now = self._clock()
        if now < self._tell_at:
            return
        self._tell_at = now + self._every_s
        more_time = [f"EXTEND_TIMEOUT_USEC={_MORE_TIME_S * 1_000_000}"] if self._is_stopping else []
        tell_service_manager("WATCHDOG=1", f"STATUS={self._status()}", *more_time)

    def stopping(self) -> None:
        """It was asked to stop, and finishes what it is at."""
        self._is_stopping, self._tell_at = True, 0.0
        tell_service_manager("STOPPING=1")
        self.beat()
