"""Events as POST requests, one each, with the event's ID as its idempotency key."""

import ssl
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from osscl.events.outbox import Receiver, Spooled
from osscl.events.sink import AwayError, Note
from osscl.support.failed_import import needing
from osscl.support.paths import brief

if TYPE_CHECKING:
    import urllib3

_CONNECT_S, _READ_S = 5.0, 15.0
_TRIED_AGAIN = frozenset({401, 403, 404, 405, 407, 408, 409, 421, 423, 425, 429})
_READ_AT_MOST = 200


class Webhook:
    """Posts events to a web address.

    What the far end may take later (no answer, 5xx, 408, 429; and 401, 403 or 404, which whoever runs it can
    mend) is tried again. What it will never take (400, 413, 422 and the like) is refused.

    Parameters
    ----------
    url : str
        Where to; "http" or "https".
    name : str
        The same without anything secret.
    token : str or None
        Sent as ``Authorization: Bearer``.
    """

    batch = 1  # each is noted before the next is sent

    def __init__(self, url: str, name: str, token: str | None = None) -> None:
        with needing("sending events to a web address", "watch"):
            import urllib3
        self.name = name
        self._url = url
        self._headers = {"Content-Type": "application/json", "User-Agent": "osscl"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        self._pool = urllib3.PoolManager(
            num_pools=1,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_S, read=_READ_S),
            ssl_context=ssl.create_default_context(),
        )

    def begin(self, receiver: Receiver) -> None:
        """Nothing is to be learnt: the far end knows by the key what it has."""

    def deliver(self, events: Sequence[Spooled], note: Note) -> Iterator[str | None]:
        """Post events, one after the other.

        Parameters
        ----------
        events : sequence of Spooled
            The next ones.
        note : callable
            Not used.

        Yields
        ------
        str or None
            Why an event was refused; None where it was taken.

        Raises
        ------
        AwayError
            There was no answer, or one that may be another later.
        """
        for event in events:
            yield self._posted(event)

    def rest(self) -> None:
        """Nothing is to be kept alive: a connection that was closed meanwhile is opened anew."""

    def close(self) -> None:
        """Close the connection."""
        self._pool.clear()

    def _posted(self, event: Spooled) -> str | None:
        import urllib3

        headers = self._headers | {"Idempotency-Key": event.id}
        try:
            # a redirect is an answer like any other: the token would follow it anywhere
            answer = self._pool.request(
                "POST", self._url, body=event.content, headers=headers, redirect=False, preload_content=False
            )
            said = _beginning_of(answer)
        except urllib3.exceptions.HTTPError as error:
            is_unreached = not isinstance(
                error, urllib3.exceptions.SSLError
            )  # a certificate has to be mended
            raise AwayError(_failure(error), is_unreached=is_unreached) from error
        if 200 <= answer.status < 300:
            return None
        answered = f"it answers {answer.status} {brief(answer.reason or '')}".rstrip() + said
        if answer.status < 400 or answer.status >= 500 or answer.status in _TRIED_AGAIN:
            raise AwayError(answered)
        return answered


def _beginning_of(answer: "urllib3.BaseHTTPResponse") -> str:
    """What the far end says, as far as it fits into a sentence; the rest is not waited for."""
    try:
        text = answer.read(_READ_AT_MOST, decode_content=False).decode("utf-8", "replace")
        is_read = not answer.read(1)
    finally:
        answer.release_conn()
    if not is_read:
        answer.close()  # the connection still holds the rest
    return f": {brief(' '.join(text.split()))}" if text.strip() else ""


def _failure(error: "urllib3.exceptions.HTTPError") -> str:
    import urllib3

    is_refused = isinstance(
        error, urllib3.exceptions.NewConnectionError
    )  # a time-out too, as urllib3 sees it
    if isinstance(error, urllib3.exceptions.ConnectTimeoutError) and not is_refused:
        return f"no connection within {_CONNECT_S:g} s"
    if isinstance(error, urllib3.exceptions.ReadTimeoutError):
        return f"no answer within {_READ_S:g} s"
    cause = error.__cause__ or error.__context__ or error
    return f"no connection: {getattr(cause, 'strerror', None) or brief(cause)}"
