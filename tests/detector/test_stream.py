"""Streams: windows of blocks of any size are those of a file with the same samples, to the last bit."""

import datetime
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile
from msgspec.structs import replace

import osscl
from osscl.errors import BackendError, ConfigError, InputError, MachineError
from osscl.scoring.record import Record
from support.remembering import faulty_clips, normal_clips, stored_memory, write_model

FAN = "fan/id_00"
BEGAN = datetime.datetime(2026, 11, 3, 23, 59, 55)
HOPS = [5, 10, 12.5]
Sound = npt.NDArray[np.int16]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stream")
    write_model(root / "model.onnx", [stored_memory(FAN, normal_clips(1, 40))], rules={FAN: "memory"})
    return root


@pytest.fixture(scope="module")
def sound() -> Sound:
    """74 s: normal, faulty, nothing, normal, and a part that is no window."""
    parts = [*normal_clips(2, 1), *faulty_clips(3, 1), np.zeros(160_000, np.int16), *normal_clips(4, 5)]
    return np.concatenate(parts)[:1_190_000]


@pytest.fixture(scope="module")
def detector(home: Path) -> Iterator[osscl.Detector]:
    with osscl.load(home / "model.onnx") as detector:
        yield detector


@pytest.fixture(scope="module")
def of_file(home: Path, detector: osscl.Detector, sound: Sound) -> dict[float, list[Record]]:
    """The windows of a file, by hop."""
    path = home / "fan_20261103_235955.wav"
    soundfile.write(path, sound, 16_000)
    return {
        hop: [
            replace(record, path="stream")
            for record in detector.score_files([path], FAN, hop_s=hop)
            if record.scope == "window"
        ]
        for hop in HOPS
    }


def blocks_of(sound: npt.NDArray[np.generic], size: int) -> Iterator[npt.NDArray[np.generic]]:
    for at in range(0, len(sound), size):
        yield sound[at : at + size]


def records(stream: osscl.Stream, sound: npt.NDArray[np.generic], size: int) -> list[Record]:
    return [window.record for block in blocks_of(sound, size) for window in stream.push(block)]


@pytest.mark.parametrize("size", [160, 4_096, 160_000, 1_000_003])
@pytest.mark.parametrize("hop", HOPS)
def test_windows_are_those_of_a_file(
    detector: osscl.Detector, sound: Sound, of_file: dict[float, list[Record]], hop: float, size: int
) -> None:
    stream = osscl.Stream(detector, FAN, hop, began=BEGAN)
    assert records(stream, sound, size) == of_file[hop]
    assert len(of_file[hop]) == {5: 13, 10: 7, 12.5: 6}[hop]
    assert {record.status for record in of_file[hop]} == {"ok", "silent"} or hop == 12.5
    assert any(record.is_anomaly for record in of_file[hop])


def test_single_samples_are_blocks_too(
    detector: osscl.Detector, sound: Sound, of_file: dict[float, list[Record]]
) -> None:
    stream = osscl.Stream(detector, FAN, 5, began=BEGAN)
    assert records(stream, sound[:239_990], 60_000) == of_file[5][:1]
    assert records(stream, sound[239_990:240_010], 1) == of_file[5][1:2]


def test_windows_are_the_cuts_scored_by_themselves(detector: osscl.Detector, sound: Sound) -> None:
    windows = records(osscl.Stream(detector, FAN, 5), sound, 100_000)
    cuts = np.stack([sound[at : at + 160_000] for at in range(0, len(sound) - 159_999, 80_000)])
    assert np.array_equal(
        np.array([window.score for window in windows], np.float32), detector.score(cuts, FAN).score
    )
    assert [window.start_s for window in windows] == [5.0 * number for number in range(13)]
    assert {window.recorded_at for window in windows} == {None}


@pytest.mark.parametrize("kind", [np.float32, np.float64, ">i2"])
def test_samples_of_other_types(detector: osscl.Detector, sound: Sound, kind: str) -> None:
    same = sound[:330_000] / 32768 if np.dtype(kind).kind == "f" else sound[:330_000]
    of_int16 = records(osscl.Stream(detector, FAN, 10), sound[:330_000], 50_000)
    assert records(osscl.Stream(detector, FAN, 10), same.astype(kind), 50_000) == of_int16


def test_a_reset_is_said_and_nothing_spans_it(
    detector: osscl.Detector, sound: Sound, of_file: dict[float, list[Record]]
) -> None:
    stream = osscl.Stream(detector, FAN, 10)
    assert [window.after for window in stream.push(sound[480_000:680_000])] == [None]
    stream.reset("the microphone was off")
    assert stream.held_s == 0
    stream.reset("and again", began=BEGAN)
    windows = [*stream.push(sound[:320_000]), *stream.push([])]
    assert windows[0].after == (
        "begun anew: the microphone was off (2.5 s before it are in no full window); begun anew: and again"
    )
    assert windows[1].after is None
    assert [window.record for window in windows] == of_file[10][:2]


@pytest.mark.parametrize(
    ("block", "rate_hz", "said"),
    [
        (np.zeros(100, np.int16), 48_000, "the block has 48000 Hz and the stream 16000 Hz"),
        (np.full(100_000, np.nan), None, "samples hold NaN or infinity"),
        (np.full(100_000, 1000.0), None, "samples reach a magnitude of 1000"),
        (np.zeros((2, 100), np.int16), None, r"the block has shape \[2, 100\]; expected \[n\]"),
        (np.zeros(100, np.int32), None, "waveforms has dtype int32"),
        (np.zeros(100, np.float32), None, "the block holds float32 and those before it int16"),
        ("sound", None, "waveforms has dtype"),
    ],
)
def test_a_block_that_cannot_be_taken_changes_nothing(
    detector: osscl.Detector,
    sound: Sound,
    of_file: dict[float, list[Record]],
    block: npt.NDArray[np.generic],
    rate_hz: int | None,
    said: str,
) -> None:
    stream = osscl.Stream(detector, FAN, 5, began=BEGAN)
    came = records(stream, sound[:400_000], 100_000)
    with pytest.raises(InputError, match=said):
        stream.push(block, rate_hz)
    assert came + records(stream, sound[400_000:], 100_000) == of_file[5]


def test_a_failure_in_the_middle_takes_nothing_of_the_block(
    home: Path, sound: Sound, of_file: dict[float, list[Record]], monkeypatch: pytest.MonkeyPatch
) -> None:
    detector = osscl.load(home / "model.onnx")
    stream = osscl.Stream(detector, FAN, 5, began=BEGAN)
    came = records(stream, sound[:250_000], 100_000)
    score, n_calls = detector.score, 0

    def failing(*given: object) -> osscl.Scores:
        nonlocal n_calls
        n_calls += 1
        if n_calls == 2:
            raise BackendError("out of order")
        return score(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(detector, "score", failing)
    with pytest.raises(BackendError):
        stream.push(sound[250_000:])
    assert stream.held_s == pytest.approx(90_000 / 16_000)
    assert came + [window.record for window in stream.push(sound[250_000:])] == of_file[5]
    detector.close()
    with pytest.raises(BackendError, match="closed"):
        stream.push(sound[:320_000])


def test_what_a_stream_needs_is_said_at_once(detector: osscl.Detector) -> None:
    with pytest.raises(InputError, match="sample_rate_hz is 44100, expected 16000"):
        osscl.Stream(detector, FAN, 5, sample_rate_hz=44_100)
    with pytest.raises(ConfigError, match="hop is 0 s"):
        osscl.Stream(detector, FAN, 0)
    with pytest.raises(MachineError):
        osscl.Stream(detector, "fan/id_99", 5)
    with pytest.raises(ConfigError, match="began is a str; expected a datetime"):
        osscl.Stream(detector, FAN, 5, began="2026-11-03")  # type: ignore[arg-type]


def test_a_closed_stream_says_so(detector: osscl.Detector, sound: Sound) -> None:
    with osscl.Stream(detector, FAN, 5) as stream:
        stream.push(sound[:8_000])
    assert stream.held_s == 0.5
    with pytest.raises(InputError, match="the stream is closed"):
        stream.push(sound[:10])
    with pytest.raises(InputError, match="the stream is closed"):
        stream.reset("too late")


def test_two_threads_at_once_are_told(
    detector: osscl.Detector, sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, score = osscl.Stream(detector, FAN, 5), detector.score
    is_scoring, may_go_on = threading.Event(), threading.Event()

    def slow(*given: object) -> osscl.Scores:
        is_scoring.set()
        may_go_on.wait()
        return score(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(detector, "score", slow)
    other = threading.Thread(target=stream.push, args=[sound[:160_000]])
    other.start()
    is_scoring.wait()
    with pytest.raises(InputError, match="another thread uses this stream"):
        stream.push(sound[:10])
    may_go_on.set()
    other.join()
    assert stream.held_s == 5


def test_what_is_held_stays_one_window_however_long_it_runs(detector: osscl.Detector, sound: Sound) -> None:
    stream = osscl.Stream(detector, FAN, 86_400)
    block = sound[:160_000]
    for _ in range(24 * 360):  # 24 hours
        stream.push(block)
    assert stream.held_s == 0
    assert len(stream.push(block)) == 1
    held = [value for value in vars(stream).values() if isinstance(value, np.ndarray)]
    assert [array.nbytes for array in held] == [320_000]
