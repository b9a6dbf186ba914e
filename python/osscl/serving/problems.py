"""What a request is refused for: a status of HTTP, a word for programs, and one sentence for people."""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

JSON = "application/json"


def new_id() -> str:
    """An ID for a request that brought none."""
    return uuid.uuid4().hex


class RequestError(Exception):
    """A request that gets no score.

    Parameters
    ----------
    code : int
        Status of HTTP.
    status : str
        One word, such as "too_large"; of a recording that cannot be scored, that of a result table.
    reason : str
        One sentence: what was got, what was expected, what to do.
    headers : mapping of str to str, optional
        Of the answer, such as ``Retry-After``.
    facts : mapping of str to any, optional
        What else the answer says.
    """

    def __init__(
        self,
        code: int,
        status: str,
        reason: str,
        headers: Mapping[str, str] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(reason)
        self.code, self.status, self.reason = code, status, reason
        self.headers, self.facts = dict(headers or {}), dict(facts or {})

    def body(self, request_id: str) -> bytes:
        """What the answer holds, JSON."""
        return msgspec.json.encode(
            {**self.facts, "id": request_id, "status": self.status, "reason": self.reason}
        )


def busy(reason: str) -> RequestError:
    """Refuse for now what would be answered a little later.

    Parameters
    ----------
    reason : str
        One sentence.

    Returns
    -------
    RequestError
        503, with ``Retry-After``.
    """
    return RequestError(503, "busy", reason, {"retry-after": "1"})


def too_slow(what: str, seconds: float, option: str) -> RequestError:
    """Refuse a body that takes too long to come.

    Parameters
    ----------
    what : str
        What had come until then.
    seconds : float
        How long was waited for it.
    option : str
        What sets that.

    Returns
    -------
    RequestError
        408.
    """
    return RequestError(
        408, "too_slow", f"{what} within {seconds:g} s ({option}); send it faster, or in smaller parts"
    )
