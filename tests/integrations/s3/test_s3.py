"""S3 against a real server on loopback: listing, scoring, outputs, models, and a line that drops requests."""

import io
from pathlib import Path
from typing import Any

import msgspec
import pytest

from osscl.audio.candidate import Candidate
from osscl.audio.reading import AS_THEY_ARE
from osscl.detector import load
from osscl.errors import ModelFileError, OutputError, StorageError
from osscl.journal.keys import key_of
from osscl.model_file.bundle import read_bundle
from osscl.model_file.golden import golden_clips
from osscl.runs.folder import find_recordings, find_some_recordings
from osscl.scoring.record import Record
from osscl.storage import listing
from osscl.storage.listing import objects_at
from osscl.storage.urls import Url
from osscl.storage.writing import appearing_at, check_free
from support.audio_files import encoded
from support.dropping_proxy import dropping_proxy

from .conftest import forget_stores

DEMO_MODEL = Path(__file__).parents[3] / "python" / "osscl" / "models" / "demo.onnx"


def scored(root: str) -> list[Record]:
    with load("demo", "cpu") as detector:
        return list(detector.score_candidates(find_recordings([root]), lambda _: "blower/id_00", AS_THEY_ARE))


def without_path(records: list[Record]) -> list[Record]:
    return [msgspec.structs.replace(record, path="") for record in records]


def test_keys_come_page_by_page_in_their_order(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_PAGE", 3)
    keys = [f"rec/{number:02}.wav" for number in range(10)] + ["rec/day 1/é+?.wav", "rec/day-2/x.wav"]
    for key in [*keys, "rec/empty/", "rec2/x.wav"]:
        bucket.put(key, b"x")
    listed = list(objects_at(f"{bucket.url}/rec"))
    assert [each.url for each in listed] == [f"{bucket.url}/{key}" for key in sorted(keys, key=str.encode)]
    assert {each.stored.size for each in listed} == {1}
    assert [each.url for each in objects_at(f"{bucket.url}/rec/day 1/é+?.wav")] == [
        f"{bucket.url}/rec/day 1/é+?.wav"
    ]
    assert len(list(objects_at(bucket.url))) == len(keys) + 1


def test_lines_are_those_of_files_and_the_bad_ones_have_reasons(bucket: Any, tmp_path: Path) -> None:
    contents = {f"normal_id_00_{n}.wav": encoded(clip) for n, clip in enumerate(golden_clips(3))}
    contents |= {"empty.wav": b"", "short.wav": contents["normal_id_00_0.wav"][:999]}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        bucket.put(f"day/{name}", content)
    local, stored = scored(str(tmp_path)), scored(f"{bucket.url}/day")
    assert [record.status for record in stored] == ["corrupt", "ok", "ok", "ok", "corrupt"]
    assert without_path(stored) == without_path(local)


def test_an_object_that_vanishes_behind_its_listing_has_a_line(bucket: Any) -> None:
    bucket.put("a.wav", encoded(golden_clips(1)[0]))
    bucket.put("b.wav", b"")
    walk = list(find_recordings([bucket.url]))
    bucket.delete("a.wav")
    with load("demo", "cpu") as detector:
        gone, empty = detector.score_candidates(walk, lambda _: "blower/id_00", AS_THEY_ARE)
    assert (gone.status, gone.reason) == (
        "unreadable",
        "it cannot be read: there is nothing at this place, or not any more",
    )
    assert empty.status == "corrupt"


def test_another_content_is_known_by_its_tag(bucket: Any) -> None:
    def key() -> Any:
        [candidate] = find_recordings([bucket.url])
        return key_of(candidate)

    bucket.put("a.wav", b"one")
    first = key()
    assert key() == first
    bucket.put("a.wav", b"two")
    assert key() != first
    bucket.put("a.wav", b"one")
    assert key() == first


def test_a_line_that_drops_one_request_in_ten_loses_and_doubles_nothing(
    bucket: Any, server: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_PAGE", 7)
    content = encoded(golden_clips(1)[0])
    for number in range(60):
        bucket.put(f"{number:02}.wav", content)
    straight = scored(bucket.url)
    with dropping_proxy("127.0.0.1", server[1]) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        forget_stores()
        dropped = scored(bucket.url)
        output = Url(f"{bucket.url}/out/t.csv")
        for number in range(12):
            with appearing_at(output.with_name(f"{number}.csv")) as file:
                file.write(b"lines")
    assert proxy.n_dropped >= 7
    assert dropped == straight
    assert [record.status for record in dropped] == ["ok"] * 60
    assert sorted(key for key in bucket.listed() if key.startswith("out/")) == sorted(
        f"out/{number}.csv" for number in range(12)
    )


def test_outputs_and_models(bucket: Any) -> None:
    output = Url(f"{bucket.url}/out/t.csv")
    check_free(output, overwrite=False)
    with appearing_at(output) as file:
        file.write(b"lines")
        assert bucket.listed() == []
    assert bucket.get("out/t.csv") == b"lines"
    with pytest.raises(OutputError, match=r"exists; name another object"):
        check_free(output, overwrite=False)
    bucket.put("m.onnx", DEMO_MODEL.read_bytes())
    assert read_bundle(f"{bucket.url}/m.onnx").file_sha256 == read_bundle("demo").file_sha256
    with load(f"{bucket.url}/m.onnx", "cpu") as detector:
        assert detector.bundle.path == Url(f"{bucket.url}/m.onnx")
    bucket.put("bad.onnx", b"no model")
    with pytest.raises(ModelFileError, match=f"^{bucket.url}/bad.onnx: not an ONNX file"):
        read_bundle(f"{bucket.url}/bad.onnx")
    with pytest.raises(ModelFileError, match=r"there is nothing at this place"):
        read_bundle(f"{bucket.url}/none.onnx")


def test_a_bucket_that_is_not_there_is_one_sentence(bucket: Any) -> None:
    with pytest.raises(StorageError, match=r"^s3://no-such-here cannot be listed: there is no such bucket$"):
        find_some_recordings(["s3://no-such-here"])
    with (
        pytest.raises(OutputError, match=r"t.csv cannot be written: there is no such bucket$"),
        appearing_at(Url("s3://no-such-here/t.csv")),
    ):
        pass


def test_without_credentials_it_is_said_where_they_are_looked_for(
    bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    forget_stores()
    with pytest.raises(StorageError, match=r"no credentials are found.*environment, in ~/.aws and in"):
        find_some_recordings([bucket.url])


def test_a_store_that_does_not_answer_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody listens there
    forget_stores()
    with pytest.raises(StorageError, match=r"^s3://b cannot be listed: Could not connect .* \(5 attempts\)$"):
        find_some_recordings(["s3://b"])


def test_large_recordings_are_read_by_their_parts(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from osscl.audio import fetched
    from osscl.storage import reading

    content = encoded(golden_clips(1)[0])
    bucket.put("a.wav", content)
    whole = scored(bucket.url)
    for module in (fetched, reading):
        monkeypatch.setattr(module, "WHOLE_BYTES", 1000)
    monkeypatch.setattr(reading, "_PIECE_BYTES", 10_000)
    assert scored(bucket.url) == whole
    with reading.open_object(f"{bucket.url}/a.wav") as file:
        assert isinstance(file, io.BufferedReader)
        assert file.read() == content
    assert [each.content for each in fetched.fetched_ahead(find_recordings([bucket.url]))] == [None]
    assert Candidate("a").stored is None
