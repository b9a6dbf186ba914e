"""Requests to a store, made again where they may succeed a moment later."""

from collections.abc import Callable
from threading import Event
from typing import TypeVar

from osscl.errors import OssclError, StorageError
from osscl.storage.failures import failure_of
from osscl.support.back_off import BackOff

MAX_ATTEMPTS = 5
SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0

Result = TypeVar("Result")
NEVER = Event()
"""Never set: nobody gives up."""


def attempt(request: Callable[[], Result], given_up: Event = NEVER) -> Result:
    """Make a request, up to `MAX_ATTEMPTS` times where what fails may pass.

    Parameters
    ----------
    request : callable
        Asks the store for something.
    given_up : Event
        Set by another thread once nobody wants the result any more: no attempt is made from then on.

    Returns
    -------
    object
        What the request gives.

    Raises
    ------
    StorageError
        It fails for good: at once where access is denied or nothing is there.
    """
    back_off = BackOff(shortest_s=SHORTEST_WAIT_S, longest_s=LONGEST_WAIT_S)
    for n_before in range(MAX_ATTEMPTS):
        try:
            return request()
        except OssclError:
            raise
        except Exception as error:
            failure = failure_of(error)
            is_last = n_before + 1 == MAX_ATTEMPTS
            if not failure.may_pass or is_last or given_up.wait(back_off.next_s()):
                times = f" ({MAX_ATTEMPTS} attempts)" if failure.may_pass and is_last else ""
                raise StorageError(failure.reason + times, is_missing=failure.is_missing) from error
    raise AssertionError("the last attempt returns or raises")
