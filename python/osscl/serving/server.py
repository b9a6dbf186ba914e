"""The server from its first to its last moment: its port, its signals, and what systemd hears of it."""

import asyncio
import errno
import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvicorn

from osscl.detector import Detector
from osscl.errors import ConfigError
from osscl.serving.access import Access
from osscl.serving.app import Service, make_app
from osscl.serving.connections import Connection
from osscl.serving.front import Front, refusals_noted
from osscl.serving.limits import Limits
from osscl.support.plurals import counted
from osscl.support.service_manager import tell_service_manager, watchdog_s

_BACKLOG = 512
_SWITCH_S = 5e-4  # by Python's 5 ms, the thread of all connections waits that long for each that scores
_ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(NamedTuple):
    """How a server ended.

    Attributes
    ----------
    by : int or None
        The signal that asked it to.
    is_finished : bool
        Whether what was in work was answered; False where a second signal would not wait for it.
    """

    by: int | None
    is_finished: bool


def listen_at(host: str, port: int) -> socket.socket:
    """Take a port, before a model is loaded for nothing; nobody is let in yet.

    Parameters
    ----------
    host : str
        Address or name of this machine.
    port : int
        Port; 0 for any that is free.

    Returns
    -------
    socket
        Bound to it.

    Raises
    ------
    ConfigError
        It is taken, may not be used, or is none of this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConfigError(f"--host {host} is no address of this machine: {reason}") from error
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.set_inheritable(False)
    except OSError as error:
        found.close()
        raise ConfigError(_why_not(host, port, error)) from error
    return found


def _why_not(host: str, port: int, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return (
            f"port {port} may not be used by this user ({error.strerror}); choose one from 1024 on with "
            "--port"
        )
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is taken by another program; stop that, or choose another port with "
            "--port"
        )
    return f"port {port} of {host} cannot be used: {error.strerror}"


def address_of(listening: socket.socket) -> str:
    """Where a server that listens there is reached.

    Parameters
    ----------
    listening : socket
        Bound.

    Returns
    -------
    str
        Such as "http://127.0.0.1:8080".
    """
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Server:
    """Answers requests.

    Parameters
    ----------
    detector : Detector
        The model.
    listening : socket
        Where to listen.
    access : Access
        Who may ask.
    limits : Limits
        What requests may cost.
    on_ready : callable
        Called once requests are answered.
    """

    def __init__(
        self,
        detector: Detector,
        listening: socket.socket,
        access: Access,
        limits: Limits,
        on_ready: Callable[[], Any],
    ) -> None:
        service = Service(detector, limits)
        app = make_app(service, lambda routes, metrics: Front(routes, access, metrics))
        config = uvicorn.Config(
            app,
            http=Connection.limited(limits, refusals_noted(service.metrics)),
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=int(limits.read_timeout_s + limits.answer_timeout_s) + 1,
            backlog=_BACKLOG,
        )
        self._listening = listening
        self._running = _Running(config, service, on_ready)

    def run(self) -> Stopped:
        """Answer requests until a signal or `stop` asks for the end; then finish what is in work.

        Returns
        -------
        Stopped
            By what, and whether all was finished.
        """
        # of requests that are none their senders hear
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        switched = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        try:
            self._running.run([self._listening])
        finally:
            sys.setswitchinterval(switched)
        return Stopped(self._running.stopped_by, not self._running.force_exit)

    def stop(self) -> None:
        """Ask for the end, from any thread."""
        self._running.should_exit = True


class _Running(uvicorn.Server):
    """uvicorn's, with signals of ours: a second one ends what the first would have waited for."""

    def __init__(self, config: uvicorn.Config, service: Service, on_ready: Callable[[], Any]) -> None:
        super().__init__(config)
        self._service, self._on_ready = service, on_ready
        self.stopped_by: int | None = None
        self._watchdog: asyncio.Task[None] | None = None

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        is_main = threading.current_thread() is threading.main_thread()  # no other hears of signals
        listened_to = [
            number for number in _ASKING if is_main and signal.getsignal(number) is not signal.SIG_IGN
        ]
        for number in listened_to:
            loop.add_signal_handler(number, self._stop, number)
        try:
            yield
        finally:
            for number in listened_to:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.should_exit:
            return
        self._on_ready()
        tell_service_manager(
            "READY=1", f"STATUS=serving {counted(len(self._service.detector.machines), 'machine')}"
        )
        if (seconds := watchdog_s()) is not None:
            self._watchdog = asyncio.create_task(self._be_alive(seconds / 2))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        tell_service_manager("STOPPING=1")
        await super().shutdown(sockets)
        if self._watchdog is not None:
            self._watchdog.cancel()

    async def _be_alive(self, every_s: float) -> None:
        while True:
            tell_service_manager("WATCHDOG=1")
            await asyncio.sleep(every_s)

    def _stop(self, number: int) -> None:
        self.force_exit = self.should_exit
        if self.force_exit:  # whoever waits is left: no error of the application
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        self.should_exit = True
        if self.stopped_by is None:
            self.stopped_by = number
