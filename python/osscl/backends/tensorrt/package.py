"""The tensorrt package: which versions will do, and what it has to say while it works.

In this folder an object of TensorRT is annotated by its class, as ``tensorrt.Builder`` or the like: the tests
look each name up in the bindings of the oldest and the newest version.
"""

import functools
import logging
import re
import threading
from typing import TYPE_CHECKING, Any

from osscl.errors import BackendError, DeviceMemoryError
from osscl.support.failed_import import needing
from osscl.support.log import quiet_logger
from osscl.support.telemetry import import_quietly

if TYPE_CHECKING:
    import tensorrt

OLDEST, BELOW = (10, 16), (12,)

log = quiet_logger("osscl.tensorrt")
# By severity. Errors are raised as well: what they say is in the exception, and the log holds the rest.
_LEVELS = (logging.INFO, logging.INFO, logging.WARNING, logging.DEBUG, logging.DEBUG)


def import_tensorrt() -> Any:
    """Import TensorRT, which needs no GPU as long as nothing of it is made.

    Returns
    -------
    module
        ``tensorrt``.

    Raises
    ------
    MissingExtraError
        It is not installed, or cannot be loaded.
    BackendError
        It is of a version that this backend is not written for.
    """
    with needing("TensorRT", "tensorrt"):
        tensorrt: Any = import_quietly("tensorrt")
    check_version(tensorrt.__version__)
    return tensorrt


def check_version(version: str) -> None:
    """Refuse a version of TensorRT that this backend is not written for.

    Parameters
    ----------
    version : str
        Such as "10.16.1.11".

    Raises
    ------
    BackendError
        It is older than 10.16 or not older than 12.
    """
    numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if not OLDEST <= numbers < BELOW:
        raise BackendError(
            f"TensorRT {version} is installed; osscl needs 10.16 or newer, below 12: "
            'pip install "tensorrt>=10.16,<12"'
        )


class Messages(threading.local):
    """Errors that TensorRT reported in this thread."""

    def __init__(self) -> None:
        self._errors: list[str] = []

    def add(self, text: str) -> None:
        """Keep an error."""
        self._errors.append(" ".join(text.split()))

    @property
    def last(self) -> str:
        """The last error, or that there was none."""
        return self._errors[-1] if self._errors else "it gives no reason"

    @property
    def speak_of_memory(self) -> bool:
        """Whether an error says that memory was lacking."""
        return any(re.search(r"out ?of ?memory", text, re.IGNORECASE) for text in self._errors)

    def forget(self) -> None:
        """Drop all errors so far."""
        self._errors.clear()


messages = Messages()


@functools.cache
def logger(trt: Any) -> "tensorrt.ILogger":
    """Object that TensorRT hands its messages to: it knows one of them in a process, and keeps the first.

    Parameters
    ----------
    trt : module
        TensorRT.

    Returns
    -------
    ILogger
        Passes all messages on to the log "osscl.tensorrt", and errors to `messages` too.
    """

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)

        def log(self, severity: "tensorrt.ILogger.Severity", text: str) -> None:
            log.log(_LEVELS[int(severity)], "%s", text)
            if int(severity) <= int(trt.ILogger.Severity.ERROR):
                messages.add(text)

    return Logger()


def failure(trt: Any, what: str) -> BackendError:
    """Error that says what TensorRT did not do, and the reason it gave last in this thread."""
    kind = DeviceMemoryError if messages.speak_of_memory else BackendError
    return kind(f"TensorRT {trt.__version__} {what}: {messages.last}")
