"""Connections that end: whoever sends nothing, half a request or endless headers is not waited for."""

from asyncio import TimerHandle, Transport
from collections.abc import Callable
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from osscl.serving.limits import Limits
from osscl.serving.problems import JSON, RequestError, new_id

_MOST_HEADER_BYTES = 64 << 10
_HEADER_PIECE = 1 << 10
_REFUSED_POLITELY = 2  # times as many connections as may be open get an answer
_GRACE_S = 2.0  # for the answer that says so, where a body is too slow


class Connection(HttpToolsProtocol):
    """A connection whose requests must have come in time; `limited` makes the class of a server.

    uvicorn limits the time between requests alone. Here one timer runs from the moment a request may come, or
    begins, until it has come whole. What is left of a body that was refused counts too.
    """

    limits: ClassVar[Limits]
    _deadline: TimerHandle | None = None
    _n_header_bytes = 0
    _is_in_body = False
    _is_one_too_many = False

    @classmethod
    def limited(cls, limits: Limits, on_refused: Callable[[int, str], None]) -> type["Connection"]:
        """Make the class of connections with such limits.

        Parameters
        ----------
        limits : Limits
            The limits.
        on_refused : callable
            Takes the code and the ID of each answer that is given here, to what never became a request.

        Returns
        -------
        type
            For a server.
        """
        members = {"limits": limits, "_note_refusal": staticmethod(on_refused)}
        return type("LimitedConnection", (cls,), members)

    @staticmethod
    def _note_refusal(code: int, request_id: str) -> None:
        """Take the code and the ID of an answer that is given here."""
        raise NotImplementedError

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        n_open = len(self.connections)
        self._is_one_too_many = n_open > self.limits.max_connections
        if n_open > _REFUSED_POLITELY * self.limits.max_connections:
            self.transport.abort()
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        if (
            self._is_one_too_many
        ):  # told now, not before: what was closed before it is read never sees an answer
            self._refuse(
                503,
                "busy",
                f"{self.limits.max_connections} connections are open, as many as may; ask again later",
            )
            return
        if self._deadline is None:
            self._expect_request()
        at = 0
        while at < len(data) and not self.transport.is_closing():
            # headers piece by piece, so that one that came whole is measured as well; a body as it came
            end = len(data) if self._is_in_body else at + _HEADER_PIECE
            self._n_header_bytes += 0 if self._is_in_body else min(end, len(data)) - at
            super().data_received(data[at:end])
            at = end
            if not self._is_in_body and self._n_header_bytes > _MOST_HEADER_BYTES:
                self._refuse(
                    431,
                    "too_large",
                    f"the headers of a request are longer than {_MOST_HEADER_BYTES} bytes; send fewer",
                )

    def on_headers_complete(self) -> None:
        self._is_in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_body, self._n_header_bytes = False, 0
        self._stop_waiting()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(
            400, "wrong_request", "what came is no HTTP request; send one, as curl or a browser does"
        )

    def _expect_request(self) -> None:
        self._deadline = self.loop.call_later(self.limits.read_timeout_s, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        if self._is_in_body:  # the application says so; then nobody waits for the rest
            self._deadline = self.loop.call_later(_GRACE_S, self.transport.abort)
        else:
            self._refuse(
                408,
                "too_slow",
                f"no whole request came within {self.limits.read_timeout_s:g} s (--read-timeout)",
            )

    def _refuse(self, code: int, status: str, reason: str) -> None:
        """Answer what never becomes a request for the application, and end."""
        request_id = new_id()
        body = RequestError(code, status, reason).body(request_id)
        head = (
            f"HTTP/1.1 {code} \r\ncontent-type: {JSON}\r\ncontent-length: {len(body)}\r\n"
            f"x-request-id: {request_id}\r\nconnection: close\r\n\r\n"
        )
        # it has neither method nor address that could be told
        self._note_refusal(code, request_id)
        self.transport.write(head.encode() + body)
        self.transport.close()
