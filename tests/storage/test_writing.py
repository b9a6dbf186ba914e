"""Outputs behind a URL appear whole, in one request, or not at all."""

import errno

import pytest

from osscl.errors import OutputError
from osscl.storage import attempts
from osscl.storage.urls import Url
from osscl.storage.writing import appearing_at, check_free
from support.stores import failing_store


def test_an_object_appears_whole_at_the_end() -> None:
    with failing_store({}) as store:
        with appearing_at(Url("failing://out/t.csv")) as file:
            file.write(b"a")
            file.write(b"b")
            assert not store.store
        assert store.store["/out/t.csv"].getvalue() == b"ab"
        assert store.requests == [("put", "/out/t.csv")]


def test_nothing_appears_after_an_error() -> None:
    with failing_store({}) as store:
        with pytest.raises(KeyboardInterrupt), appearing_at(Url("failing://out/t.csv")):
            raise KeyboardInterrupt
        assert store.requests == []


def test_a_place_that_is_taken_is_refused_unless_it_may_be_replaced() -> None:
    with failing_store({"t.csv": b"x"}):
        with pytest.raises(
            OutputError, match=r"^failing://t.csv exists; name another object, or use overwrite=True \(--over"
        ):
            check_free(Url("failing://t.csv"), overwrite=False)
        check_free(Url("failing://t.csv"), overwrite=True)
        check_free(Url("failing://u.csv"), overwrite=False)
        with pytest.raises(OutputError, match=r"names no object"):
            check_free(Url("failing://out/"), overwrite=True)


def test_a_put_is_tried_again_and_its_failure_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "SHORTEST_WAIT_S", 0.0)
    monkeypatch.setattr(attempts, "LONGEST_WAIT_S", 0.0)
    reset = ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
    with failing_store({}) as store:
        store.failures["put /t.csv"] = [reset]
        with appearing_at(Url("failing://t.csv")) as file:
            file.write(b"a")
        store.failures["put /u.csv"] = [PermissionError("Forbidden")]
        with (
            pytest.raises(OutputError, match=r"^failing://u.csv cannot be written: access is denied"),
            appearing_at(Url("failing://u.csv")),
        ):
            pass
        assert [name for _, name in store.requests] == ["/t.csv", "/t.csv", "/u.csv"]
