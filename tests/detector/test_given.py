"""What people hand over: a path, contents, uploads, a machine for each; and what they mean to hand over."""

import dataclasses
import io
import json
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
import soundfile

import osscl
from osscl.audio.bytestream import AudioSource
from osscl.errors import ConfigError, InputError
from support.remembering import normal_clips, stored_memory, write_model

FAN, PUMP, UNDECIDED = "fan/id_00", "pump/id_02", "valve/id_06"


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[osscl.Detector]:
    model = tmp_path_factory.mktemp("given") / "model.onnx"
    memories = [stored_memory(name, normal_clips(seed, 10)) for seed, name in ((1, FAN), (2, PUMP))]
    write_model(model, memories, rules={FAN: "memory", PUMP: "memory"})
    with osscl.load(model) as detector:
        yield detector


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("clips") / "clip.wav"
    soundfile.write(place, normal_clips(3, 1)[0], 16_000)
    return place


def test_a_path_alone_is_one_file(detector: osscl.Detector, path: Path) -> None:
    [of_list] = detector.score_files([path], FAN)
    assert of_list.status == "ok"
    assert list(detector.score_files(str(path), FAN)) == [of_list]
    assert list(detector.score_files(path, FAN)) == [of_list]
    assert detector.score_file(path, FAN) == of_list


def test_contents_and_open_files_score_as_the_file_does(detector: osscl.Detector, path: Path) -> None:
    content = path.read_bytes()
    upload = io.BytesIO(content)
    upload.filename = "upload.wav"  # type: ignore[attr-defined]
    with path.open("rb") as file:
        file.seek(100)  # read from its start all the same
        given: list[AudioSource] = [
            path, content, bytearray(content), memoryview(content), file, upload, io.BytesIO(content),
        ]  # fmt: skip
        records = list(detector.score_files(given, FAN))
    assert [record.path for record in records] == [
        str(path), "bytes 1", "bytes 2", "bytes 3", str(path), "upload.wav", "file 6",
    ]  # fmt: skip
    assert {record.score for record in records} == {detector.score_file(path, FAN).score}


class AwaitedUpload:
    """What FastAPI hands over: its own methods are coroutines, its `file` is an open one."""

    def __init__(self, file: BinaryIO, filename: str | None) -> None:
        self.file, self.filename = file, filename

    async def read(self, size: int = -1) -> bytes:
        """Never asked."""
        raise NotImplementedError(size)

    async def seek(self, offset: int) -> None:
        """Never asked."""
        raise NotImplementedError(offset)


@pytest.mark.parametrize(("filename", "told"), [("clip.wav", "clip.wav"), (None, "file 0")])
def test_an_upload_whose_methods_are_coroutines_is_its_file(
    detector: osscl.Detector, path: Path, filename: str | None, told: str
) -> None:
    with tempfile.SpooledTemporaryFile() as file:
        file.write(path.read_bytes())
        upload = AwaitedUpload(cast(BinaryIO, file), filename)
        record = detector.score_file(upload, FAN)
        assert not file.closed
        assert (osscl.read_audio(upload) == osscl.read_audio(path)).all()
    assert (record.path, record.score) == (told, detector.score_file(path, FAN).score)


def test_a_stream_that_cannot_seek_is_a_record(detector: osscl.Detector) -> None:
    ends = os.pipe()
    with os.fdopen(ends[0], "rb") as reading, os.fdopen(ends[1], "wb"):
        record = detector.score_file(reading, FAN)
    assert (record.path, record.status) == ("file 0", "unreadable")
    assert record.reason == "the stream cannot seek; read it to its end and pass the bytes"


def test_each_file_may_have_its_machine(detector: osscl.Detector, path: Path) -> None:
    records = list(detector.score_files([path] * 3, [FAN, PUMP, "saw/id_00"]))
    assert [record.machine for record in records] == [FAN, PUMP, None]
    assert [record.status for record in records] == ["ok", "ok", "unknown_machine"]
    assert "saw/id_00" in (records[2].reason or "")
    assert [record.score for record in records[:2]] == [
        detector.score_file(path, name).score for name in (FAN, PUMP)
    ]


@pytest.mark.parametrize(
    ("called", "error", "message"),
    [
        (
            lambda detector, path: list(detector.score_files([path] * 2, [FAN])),
            InputError,
            "1 machine for more",
        ),
        (
            lambda detector, path: list(detector.score_files([path], [FAN] * 2)),
            InputError,
            "more machines than",
        ),
        (
            lambda detector, path: list(detector.score_files(None)),
            InputError,
            "not an object of type NoneType",
        ),
        (
            lambda detector, path: list(detector.score_files([3], FAN)),
            InputError,
            "not an object of type int",
        ),
        (lambda detector, path: detector.score_file([path], FAN), InputError, "score_files takes several"),
        (lambda detector, path: detector.score_file(io.StringIO(), FAN), InputError, "of type StringIO"),
        (lambda detector, path: detector.score(str(path), FAN), InputError, "score_file scores a recording"),
        (
            lambda detector, path: detector.score(path.read_bytes(), FAN),
            InputError,
            "an object of type bytes",
        ),
        (lambda given, path: given.score([[0.0] * 160_000], None), InputError, "machine is an object of"),
        (lambda detector, path: osscl.load(None), ConfigError, "an object of type NoneType"),  # type: ignore[arg-type]
        (lambda detector, path: osscl.load(b"model.onnx"), ConfigError, "of type bytes"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    detector: osscl.Detector,
    path: Path,
    called: Callable[[Any, Path], object],
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        called(detector, path)


def test_a_file_without_a_score_is_logged(
    detector: osscl.Detector, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "osscl"):
        detector.score_file(path, FAN)
        detector.score_file(path.parent / "gone.wav", FAN)
    scored, failed = [each for each in caplog.records if each.name == "osscl.detector.detector"]
    assert (scored.levelno, failed.levelno) == (logging.DEBUG, logging.INFO)
    assert failed.getMessage().startswith(f"{path.parent / 'gone.wav'}: unreadable: ")


def test_records_are_rows(detector: osscl.Detector, path: Path) -> None:
    record = detector.score_file(path, FAN)
    row = record.to_dict()
    assert tuple(row) == record.__struct_fields__
    assert json.loads(json.dumps(row)) == row
    # what pandas.DataFrame asks of the rows that it is given
    assert dataclasses.is_dataclass(record)
    assert dataclasses.asdict(record) == row


def test_scores_are_iterated_clip_by_clip(detector: osscl.Detector) -> None:
    machines = [FAN, PUMP, UNDECIDED]
    scores = detector.score(normal_clips(4, 3), machines)
    assert len(scores) == 3
    assert [clip.machine for clip in scores] == machines
    assert [clip.score for clip in scores] == [short_float(score) for score in scores.score]
    assert [clip.p_value for clip in scores] == [*scores.p_value[:2], None]
    assert [clip.threshold for clip in scores] == [*scores.threshold[:2], None]
    assert [clip.is_anomaly for clip in scores] == [*scores.is_anomaly[:2], None]


def test_a_detector_says_what_it_is(detector: osscl.Detector) -> None:
    assert repr(detector).endswith(f"model.onnx' on cpu: 3 machines ({FAN}, {PUMP}, {UNDECIDED})>")
    assert isinstance(detector.facts["threads"], int)
