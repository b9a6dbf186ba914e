"""What lies below a URL: every file once, in the order of keys, and no more looked at than is asked for."""

import errno
import zipfile
from pathlib import Path

import pytest

from osscl.errors import MissingExtraError, StorageError
from osscl.storage.listing import objects_at
from osscl.storage.reading import WHOLE_BYTES, open_object, read_whole
from support.stores import failing_store, memory_store

TREE = ["rec/b/2.wav", "rec/a.wav", "rec/b/10.wav", "rec/b-1/1.wav", "other/x.wav", "rec2/x.wav"]
IN_ORDER = ["rec/a.wav", "rec/b-1/1.wav", "rec/b/10.wav", "rec/b/2.wav"]


@pytest.mark.parametrize("root", ["memory://rec", "memory://rec/"])
def test_files_below_a_url_come_in_the_order_of_their_keys(root: str) -> None:
    with memory_store(dict.fromkeys(TREE, b"x")):
        listed = list(objects_at(root))
    assert [each.url for each in listed] == [f"memory://{name}" for name in IN_ORDER]
    assert [each.name for each in listed] == ["a.wav", "1.wav", "10.wav", "2.wav"]
    assert {each.stored.size for each in listed} == {1}


def test_a_single_object_is_listed_whatever_its_name() -> None:
    with memory_store({"rec/notes.txt": b"abc"}):
        [listed] = objects_at("memory://rec/notes.txt")
    assert (listed.url, listed.stored.size) == ("memory://rec/notes.txt", 3)


def test_nothing_is_listed_where_nothing_is() -> None:
    with memory_store({}):
        assert list(objects_at("memory://none")) == []


def test_folders_are_listed_when_they_are_reached() -> None:
    with failing_store(dict.fromkeys(TREE, b"x")) as store:
        listing = objects_at("failing://rec")
        next(listing)
        assert ("list", "/rec/b") not in store.requests
        list(listing)
        assert ("list", "/rec/b") in store.requests


def test_another_content_is_another_revision(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"x")
    [first], [again] = list(objects_at(f"file://{tmp_path}")), list(objects_at(f"file://{tmp_path}"))
    assert first == again
    assert first.stored.revision is not None
    assert first.stored.written_s == pytest.approx((tmp_path / "a.wav").stat().st_mtime)


def test_archives_are_read_through_their_chain(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("day/one.wav", b"sound")
    [listed] = objects_at(f"zip://::file://{tmp_path}/a.zip")
    assert listed.url == f"zip://day/one.wav::file://{tmp_path}/a.zip"
    assert read_whole(listed.url) == b"sound"


def test_unknown_schemes_and_missing_packages_are_one_sentence() -> None:
    with pytest.raises(
        StorageError, match=r"^no scheme s4:// is known; expected one of fsspec's, such as s3://"
    ):
        next(objects_at("s4://bucket"))
    with pytest.raises(MissingExtraError, match=r"^oss:// needs the package ossfs, .* pip install ossfs$"):
        next(objects_at("oss://bucket"))


def test_large_objects_are_read_in_pieces_and_small_ones_whole() -> None:
    large = bytes(range(256)) * (WHOLE_BYTES // 256 + 1)
    with failing_store({"large.wav": large, "small.wav": b"sound"}) as store:
        with open_object("failing://small.wav") as file:
            assert file.read() == b"sound"
        store.requests.clear()
        with open_object("failing://large.wav") as file:
            file.seek(-3, 2)
            assert file.read() == large[-3:]
            file.seek(1000)
            store.failures["get /large.wav"] = [ConnectionResetError(errno.ECONNRESET, "reset")]
            assert file.read(5) == large[1000:1005]
            assert file.tell() == 1005
        assert (
            len([each for each in store.requests if each[0] == "get"]) == 3
        )  # a tail, a piece and its retry
