"""What stands before the routes: who may ask, an ID for each request, and the count of answers."""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from osscl.serving.access import Access
from osscl.serving.metrics import Metrics, now
from osscl.serving.problems import JSON, RequestError, new_id
from osscl.support.log import quiet_logger
from osscl.support.paths import brief

Message = MutableMapping[str, Any]
_log = quiet_logger("osscl.serving.access")
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_ID_HEADER = b"x-request-id"
_SAFE_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
]
ROUTES = frozenset(
    {
        "/",
        "/page.css",
        "/page.js",
        "/health",
        "/ready",
        "/metrics",
        "/openapi.json",
        "/v1/score",
        "/v1/explain",
        "/v1/model",
        "/v1/machines",
    }
)
"""Addresses that are counted by their names; all others are one."""


class Front:
    """Lets requests through to an application, and looks at what it answers.

    Parameters
    ----------
    app : callable
        The application, as of ASGI.
    access : Access
        Who may ask.
    metrics : Metrics
        Counts answers.
    """

    def __init__(self, app: Callable[..., Awaitable[None]], access: Access, metrics: Metrics) -> None:
        self._app, self._access, self._metrics = app, access, metrics

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer a request, or pass on what else a server has to say."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, path, method = now(), scope["path"], scope["method"]
        given = _given_id(scope["headers"])
        is_usable = given is not None and _GIVEN_ID.fullmatch(given) is not None
        request_id = scope["osscl.request_id"] = given.decode() if given and is_usable else new_id()

        async def send_on(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", ()),
                    *_SAFE_HEADERS,
                    (_ID_HEADER, request_id.encode()),
                ]
                code = message["status"]
                self._metrics.count_answer(path if path in ROUTES else "other", code, began)
                _log.info("%s %s %d %.3f s %s", method, path, code, now() - began, request_id)
            await send(message)

        try:
            self._access.check(path, scope["headers"])
            if given is not None and not is_usable:
                raise RequestError(
                    400,
                    "wrong_request",
                    f"X-Request-ID is '{brief(given.decode('latin-1'))}'; expected 1 to 64 letters, digits, "
                    "dots, lines and underscores, or none: then it gets an ID here",
                )
        except RequestError as problem:
            await _send_problem(send_on, problem, request_id)
            return
        if method == "HEAD":  # is answered as GET is; the server leaves out the body
            scope = {**scope, "method": "GET"}
        await self._app(scope, receive, send_on)


def request_id_of(scope: MutableMapping[str, Any]) -> str:
    """The ID of a request: its own, where it brought one."""
    request_id: str = scope["osscl.request_id"]
    return request_id


def refusals_noted(metrics: Metrics) -> Callable[[int, str], None]:
    """Note what is answered before there is a request, as the others are: counted, and in the log.

    Parameters
    ----------
    metrics : Metrics
        Counts answers.

    Returns
    -------
    callable
        Takes the code and the ID of each.
    """

    def note(code: int, request_id: str) -> None:
        metrics.count_refusal(code)
        _log.info("- - %d - %s", code, request_id)

    return note


def _given_id(headers: list[tuple[bytes, bytes]]) -> bytes | None:
    return next((value for name, value in headers if name == _ID_HEADER), None)


async def _send_problem(
    send: Callable[[Message], Awaitable[None]], problem: RequestError, request_id: str
) -> None:
    body = problem.body(request_id)
    told = {**problem.headers, "content-type": JSON, "content-length": str(len(body))}
    headers = [(name.encode(), value.encode()) for name, value in told.items()]
    await send({"type": "http.response.start", "status": problem.code, "headers": headers})
    await send({"type": "http.response.body", "body": body})
