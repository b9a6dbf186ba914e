"""Requests are made again where they may succeed a moment later, and nowhere else."""

import errno
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from osscl.errors import StorageError
from osscl.storage import attempts
from osscl.storage.attempts import MAX_ATTEMPTS, attempt
from osscl.storage.reading import read_whole
from support.stores import FailingStore, failing_store


class AnswerError(OSError):
    """An error with the code of an answer, as the libraries behind fsspec raise it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answer {status}")
        self.status = status


class EndpointConnectionError(Exception):
    """Is called as botocore's, which is no OSError."""


class NoCredentialsError(Exception):
    """Is called as botocore's."""


PASSING = [
    ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    TimeoutError("timed out"),
    OSError(errno.EBUSY, "SlowDown"),
    AnswerError(429),
    AnswerError(500),
    AnswerError(503),
    EndpointConnectionError("no"),
]
LASTING = [
    FileNotFoundError("gone"),
    PermissionError("Forbidden"),
    AnswerError(403),
    AnswerError(404),
    AnswerError(400),
    NoCredentialsError("Unable to locate credentials"),
    ValueError("Invalid bucket name"),
]


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "SHORTEST_WAIT_S", 0.0)
    monkeypatch.setattr(attempts, "LONGEST_WAIT_S", 0.0)


@pytest.fixture
def store() -> Iterator[type[FailingStore]]:
    """One object, which holds "sound"."""
    with failing_store({"a.wav": b"sound"}) as kept:
        yield kept


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_what_may_pass_is_asked_for_again(store: type[FailingStore], error: Exception) -> None:
    store.failures["get /a.wav"] = [error] * (MAX_ATTEMPTS - 1)
    assert read_whole("failing://a.wav") == b"sound"
    assert store.requests == [("get", "/a.wav")] * MAX_ATTEMPTS


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_it_is_given_up_after_some_attempts(store: type[FailingStore], error: Exception) -> None:
    store.failures["get /a.wav"] = [error] * MAX_ATTEMPTS
    with pytest.raises(StorageError, match=rf"\({MAX_ATTEMPTS} attempts\)$"):
        read_whole("failing://a.wav")
    assert len(store.requests) == MAX_ATTEMPTS


@pytest.mark.parametrize("error", LASTING, ids=repr)
def test_what_lasts_is_asked_for_once(store: type[FailingStore], error: Exception) -> None:
    store.failures["get /a.wav"] = [error]
    with pytest.raises(StorageError) as failed:
        read_whole("failing://a.wav")
    assert len(store.requests) == 1
    assert failed.value.is_missing == (isinstance(error, FileNotFoundError) or "404" in str(error))


@pytest.mark.parametrize("error", [PermissionError("Forbidden"), NoCredentialsError("Unable")], ids=repr)
def test_where_credentials_come_from_is_said(store: type[FailingStore], error: Exception) -> None:
    store.failures["get /a.wav"] = [error]
    with pytest.raises(StorageError, match=r"credentials are looked for in the environment, in ~/.aws"):
        read_whole("failing://a.wav")


def test_nobody_waits_for_what_is_given_up() -> None:
    given_up, n_made = Event(), 0

    def request() -> Any:
        nonlocal n_made
        n_made += 1
        given_up.set()
        raise TimeoutError

    with pytest.raises(StorageError):
        attempt(request, given_up)
    assert n_made == 1
