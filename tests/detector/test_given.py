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

import numpy as np
import pytest
import soundfile

import osscl
from osscl.audio.bytestream import AudioSource
from osscl.errors import ConfigError, InputError, MachineError, ModelFileError
from osscl.scoring.record import short_float
from support.remembering import faulty_clips, normal_clips, stored_memory, write_model

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
        # arguments that changed places
        (
            lambda detector, path: detector.score_file("Rotor-0", path),
            InputError,
            "machine is an object of type PosixPath; give one name, .* behind what is to be scored",
        ),
        (
            lambda detector, path: detector.score_file(FAN, "clip.wav"),
            InputError,
            "machine is clip.wav, a recording; what is to be scored comes first",
        ),
        (lambda detector, path: osscl.load(path), ModelFileError, "a recording; .*before the recordings"),
        (
            lambda detector, path: osscl.load(path.parent),
            ModelFileError,
            "a folder; expected a model file that osscl enroll or osscl-export wrote",
        ),
        # a machine of all files is checked at once, before the first record is asked for
        (lambda detector, path: detector.score_files([path], "saw/id_00"), MachineError, "saw/id_00"),
        (
            lambda detector, path: detector.score_files([path], [FAN], machine_pattern="{machine}.wav"),
            ConfigError,
            "exclude each other",
        ),
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


def test_types_tell_samples_from_places(detector: osscl.Detector) -> None:
    """A type checker finds what is refused here: it complains of an `ignore` that it does not need."""
    with pytest.raises(InputError, match="score_file scores a recording"):
        detector.score("clip.wav", FAN)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="score_file scores a recording"):
        detector.score(b"RIFF", FAN)  # type: ignore[arg-type]


def test_a_folder_is_a_record_that_says_how_its_files_are_given(detector: osscl.Detector, path: Path) -> None:
    [record] = detector.score_files(path.parent, FAN)
    assert record.status == "unreadable"
    assert (
        record.reason == "a folder; give the files in it, such as sorted(pathlib.Path(FOLDER).rglob('*.wav'))"
    )


def test_content_has_the_name_that_it_is_given(detector: osscl.Detector, path: Path) -> None:
    content = path.read_bytes()
    for source in (content, io.BytesIO(content), path):
        assert detector.score_file(source, FAN, name="20260105_040000.wav").path == "20260105_040000.wav"
    named = detector.score_file(content, name="fan/test/normal_id_00_20260105_040000.wav")
    assert (named.machine, named.recorded_at) == (FAN, "2026-01-05T04:00:00")


def test_machines_stand_in_names_as_a_pattern_says(
    detector: osscl.Detector, path: Path, tmp_path: Path
) -> None:
    file = tmp_path / "fan" / "id_00" / "first.wav"
    file.parent.mkdir(parents=True)
    file.write_bytes(path.read_bytes())
    pattern = "{type}/{id}/{name}.wav"
    [record] = detector.score_files(file, machine_pattern=pattern, root=tmp_path)
    assert (record.machine, record.status) == (FAN, "ok")
    unfit = detector.score_file(file, machine_pattern=pattern)  # its name alone
    assert (unfit.machine, unfit.status) == (None, "unknown_machine")


def test_flagged_files_are_explained_where_that_is_asked_for(
    detector: osscl.Detector, tmp_path: Path
) -> None:
    [[normal], [faulty]] = normal_clips(3, 1), faulty_clips(6, 1)
    soundfile.write(tmp_path / "long.wav", np.concatenate([normal, faulty]), 16_000)
    soundfile.write(tmp_path / "faulty.wav", faulty, 16_000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(160_000, np.int16), 16_000)
    files: list[AudioSource] = [tmp_path / "faulty.wav", (tmp_path / "faulty.wav").read_bytes()]
    sentence = detector.explain(faulty, FAN).sentence
    assert detector.explain(files[0], FAN).sentence == detector.explain(files[1], FAN).sentence == sentence
    assert [record.explanation for record in detector.score_files(files, FAN)] == [None, None]
    told = list(detector.score_files([*files, tmp_path / "silent.wav"], FAN, explain=True))
    assert [record.explanation for record in told] == [sentence, sentence, None]
    assert [record.is_anomaly for record in told] == [True] * 3
    windows = list(detector.score_files(tmp_path / "long.wav", FAN, explain=True, hop_s=10))
    assert [record.explanation for record in windows] == [None, sentence, None, None, None]
    with pytest.raises(osscl.errors.AudioReadError, match=r"gone\.wav: "):
        detector.explain(tmp_path / "gone.wav", FAN)


def test_what_is_not_decided_says_why(
    detector: osscl.Detector, path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.WARNING, "osscl"),
        osscl.load(detector.bundle.path, false_alarm_rate=0.001) as rare,
    ):
        why = "10 normal recordings are too few for a false-alarm rate of 0.001"
        assert [each.getMessage().split(": ")[0] for each in caplog.records] == [
            f"no decision for {FAN}, {PUMP}",
            f"no decision for {UNDECIDED}",
        ]
        assert why in caplog.messages[0]
        record = rare.score_file(path, FAN)
        assert (record.status, record.is_anomaly) == ("ok", None)
        assert (record.reason or "").startswith(f"no decision: {why}")
        [clip] = rare.score(osscl.read_audio(path), FAN)
        assert clip.undecided == rare.judges.of(FAN).undecided
        assert record.reason == f"no decision: {clip.undecided}"
        # before any memory was made, the same is said as by those that were
        for machine in (FAN, PUMP, UNDECIDED):
            assert (machine, rare.judges.of(machine).undecided) in [*rare.judges.undecidable()]
    [decided] = detector.score(osscl.read_audio(path), FAN)
    assert (decided.undecided, detector.score_file(path, FAN).reason) == (None, None)


def test_a_gpu_that_nothing_would_be_computed_on_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_model(tmp_path / "model.onnx", [stored_memory("press/id_09", normal_clips(1, 5))])
    how = {"device": "cuda", "rule": "memory"}
    with caplog.at_level(logging.WARNING, "osscl"), osscl.load(tmp_path / "model.onnx", **how) as detector:  # type: ignore[arg-type]
        assert detector.facts["device"] == "cpu"
    assert "device cuda was asked for, and no GPU is used" in caplog.text


def test_reasons_are_in_the_words_of_python(detector: osscl.Detector, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "stereo.wav", np.zeros((160_000, 2), np.int16), 16_000)
    reason = detector.score_file(tmp_path / "stereo.wav", FAN).reason
    assert reason is not None
    assert "channel=" in reason
    assert "--" not in reason


def test_scores_are_iterated_clip_by_clip(detector: osscl.Detector) -> None:
    machines = [FAN, PUMP, UNDECIDED]
    scores = detector.score(normal_clips(4, 3), machines)
    assert len(scores) == 3
    assert [clip.machine for clip in scores] == machines
    assert [clip.score for clip in scores] == [short_float(score) for score in scores.score]
    assert [clip.p_value for clip in scores] == [*scores.p_value[:2], None]
    assert [clip.threshold for clip in scores] == [*scores.threshold[:2], None]
    assert [clip.is_anomaly for clip in scores] == [*scores.is_anomaly[:2], None]
    assert [clip.undecided is None for clip in scores] == [True, True, False]


def test_a_detector_says_what_it_is(detector: osscl.Detector) -> None:
    assert repr(detector).endswith(f"model.onnx' on cpu: 3 machines ({FAN}, {PUMP}, {UNDECIDED})>")
    assert "48 machines (blower/id_00, blower/id_01, blower/id_02, ...)" in repr(osscl.load("demo"))
    assert isinstance(detector.facts["threads"], int)
