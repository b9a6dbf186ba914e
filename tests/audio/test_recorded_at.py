"""When a recording began: its name, else its bext chunk, else what the user says."""

import os
import struct
from pathlib import Path

import pytest

from osscl.audio.bext import time_in_bext
from osscl.audio.recorded_at import AS_RECORDED, RecordingTimes, parse_start
from osscl.errors import ConfigError

FORMAT = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)


def chunk(name: bytes, body: bytes, order: str = "<") -> bytes:
    return name + struct.pack(order + "I", len(body)) + body + bytes(len(body) % 2)


def bext(date: bytes, time: bytes) -> bytes:
    return chunk(b"bext", bytes(256 + 32 + 32) + date + time + bytes(8 + 2 + 254))


def wav(*chunks: bytes, form: bytes = b"RIFF") -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return form + struct.pack("<I", len(body)) + body


DATA = chunk(b"data", bytes(3200))
ORIGIN = bext(b"2026-11-03", b"14:20:05")
FILES = {
    "before the samples": (wav(ORIGIN, chunk(b"fmt ", FORMAT), DATA), "2026-11-03T14:20:05"),
    "behind them": (wav(chunk(b"fmt ", FORMAT), DATA, ORIGIN), "2026-11-03T14:20:05"),
    "far behind": (wav(chunk(b"fmt ", FORMAT), chunk(b"data", bytes(9001)), ORIGIN), "2026-11-03T14:20:05"),
    "other separators": (wav(bext(b"2026_11_03", b"14-20-05"), DATA), "2026-11-03T14:20:05"),
    "RF64": (wav(chunk(b"ds64", bytes(28)), ORIGIN, DATA, form=b"RF64"), "2026-11-03T14:20:05"),
    "zeros": (wav(bext(b"0000-00-00", b"00:00:00"), DATA), None),
    "no such day": (wav(bext(b"2026-02-30", b"14:20:05"), DATA), None),
    "nothing": (wav(bext(bytes(10), bytes(8)), DATA), None),
    "cut short": (wav(ORIGIN)[:200], None),
    "none": (wav(chunk(b"fmt ", FORMAT), DATA), None),
    "no WAV": (b"fLaC" + ORIGIN, None),
    "empty": (b"", None),
    "many chunks": (wav(*[chunk(b"JUNK", b"")] * 5000, ORIGIN), None),
}


@pytest.mark.parametrize("what", FILES)
def test_the_time_of_a_bext_chunk(what: str, tmp_path: Path) -> None:
    content, expected = FILES[what]
    (tmp_path / "x.wav").write_bytes(content)
    assert time_in_bext(tmp_path / "x.wav") == expected


def test_what_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path, tmp_path / "missing.wav", tmp_path / "pipe.wav", "a\0b.wav"):
        assert time_in_bext(path) is None


def test_a_name_comes_before_its_chunk_and_that_before_what_is_said(tmp_path: Path) -> None:
    told = RecordingTimes(parse_start("2026-01-01T00:00:00+01:00"), 10.5)
    for name in ("20261104_000000.wav", "x.wav"):
        (tmp_path / name).write_bytes(FILES["before the samples"][0])
    assert told.of(tmp_path / "20261104_000000.wav", 3) == "2026-11-04T00:00:00"
    assert told.of(tmp_path / "x.wav", 3) == "2026-11-03T14:20:05"
    assert told.of(tmp_path / "y.wav", 0) == "2026-01-01T00:00:00+01:00"
    assert told.of(tmp_path / "y.wav", 3) == "2026-01-01T00:00:31.500000+01:00"
    assert RecordingTimes(parse_start("9999-12-31"), 1e8).of("y.wav", 9) is None


def test_the_date_of_a_file_counts_only_where_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "x.wav"
    path.write_bytes(FILES["none"][0])
    os.utime(path, (0, 1_793_715_600))
    assert AS_RECORDED.of(path, 0) is None
    assert RecordingTimes(by_file_dates=True).of(path, 0) == "2026-11-03T14:20:00Z"
    assert RecordingTimes(by_file_dates=True).of(tmp_path / "missing.wav", 0) is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"every_s": 3.0}, "add --start-time"),
        ({"start": parse_start("2026-01-01"), "every_s": 0.0}, "expected seconds above 0"),
        ({"start": parse_start("2026-01-01"), "every_s": float("nan")}, "expected seconds above 0"),
        ({"start": parse_start("2026-01-01"), "by_file_dates": True}, "choose one"),
    ],
)
def test_options_that_contradict_each_other(options: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        RecordingTimes(**options)  # type: ignore[arg-type]


def test_a_start_that_is_no_time() -> None:
    with pytest.raises(ConfigError, match="--start-time is 'noon'; expected ISO 8601"):
        parse_start("noon")
