"""What the libraries behind fsspec raise, as one reason; and whether the same request may succeed later.

They are told by status codes and by the names of their classes, so that none of them has to be imported.
"""

import errno
from typing import NamedTuple

from osscl.support.paths import brief

_CREDENTIALS = "credentials are looked for in the environment, in ~/.aws and in the machine's role"
_LATER = {  # classes of botocore, aiohttp, urllib3 and fsspec
    "ClientConnectionError",
    "ClientPayloadError",
    "ConnectionClosedError",
    "ConnectTimeoutError",
    "EndpointConnectionError",
    "HTTPClientError",
    "IncompleteRead",
    "IncompleteReadError",
    "ReadTimeoutError",
    "ResponseParserError",
    "ResponseStreamingError",
}
_NO_CREDENTIALS = {
    "CredentialRetrievalError",
    "DefaultCredentialsError",
    "NoCredentialsError",
    "PartialCredentialsError",
    "ProfileNotFound",
    "RefreshError",
    "TokenRetrievalError",
    "UnauthorizedSSOTokenError",
}
_LATER_ERRNOS = {
    errno.EAGAIN,
    errno.EBUSY,
    errno.ECONNABORTED,
    errno.ECONNRESET,
    errno.EPIPE,
    errno.ETIMEDOUT,
    getattr(errno, "EREMOTEIO", errno.EBUSY),  # what s3fs makes of an internal error of the store
}


class Failure(NamedTuple):
    """Why a store did not do what was asked of it.

    Attributes
    ----------
    reason : str
        To stand behind "cannot be read: ".
    may_pass : bool
        Whether the same request may succeed a moment later.
    is_missing : bool
        Whether there is nothing at the place.
    """

    reason: str
    may_pass: bool = False
    is_missing: bool = False


def failure_of(error: Exception) -> Failure:
    """Put an error of a store into words.

    Parameters
    ----------
    error : Exception
        What a method of a file system raised.

    Returns
    -------
    Failure
        What it says.
    """
    names = {each.__name__ for each in type(error).__mro__}
    status = _status_of(error)
    if "NoSuchBucket" in (_code_of(error), _code_of(error.__cause__)):
        return Failure("there is no such bucket")
    if isinstance(error, FileNotFoundError) or status == 404:
        return Failure("there is nothing at this place, or not any more", is_missing=True)
    if names & _NO_CREDENTIALS or status == 401:
        return Failure(f"no credentials are found, or they have expired ({_said(error)}); {_CREDENTIALS}")
    if isinstance(error, PermissionError) or status == 403:
        return Failure(f"access is denied ({_said(error)}); {_CREDENTIALS}")
    may_pass = (
        bool(names & _LATER)
        or isinstance(error, ConnectionError | TimeoutError)
        or (isinstance(error, OSError) and error.errno in _LATER_ERRNOS)
        or (status is not None and (status in (408, 429) or status >= 500))
    )
    return Failure(_said(error), may_pass)


def _status_of(error: BaseException) -> int | None:
    """The answer's code of HTTP, by whatever name a library keeps it."""
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        status = next(
            (getattr(error, name) for name in ("status", "status_code", "code") if hasattr(error, name)), None
        )
    if isinstance(status, int):
        return status
    return None if error.__cause__ is None else _status_of(error.__cause__)


def _code_of(error: BaseException | None) -> str | None:
    """The word by which S3 tells what is wrong."""
    response = getattr(error, "response", None)
    return response.get("Error", {}).get("Code") if isinstance(response, dict) else None


def _said(error: Exception) -> str:
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    line = next(filter(None, map(str.strip, text.splitlines())), type(error).__name__).rstrip(".")
    return line if len(line) <= 200 and line.isprintable() else brief(line)
