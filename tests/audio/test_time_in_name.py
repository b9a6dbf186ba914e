"""Times in the names of files: the spellings of recorders, and what only looks like a time."""

import pytest

from osscl.audio.time_in_name import is_time, time_in_name

SPELLINGS = {
    "20261103_142000.wav": "2026-11-03T14:20:00",
    "20261103_142000T.WAV": "2026-11-03T14:20:00",  # AudioMoth, triggered
    "SM4-3_20261103_142000.wav": "2026-11-03T14:20:00",  # Song Meter
    "2MA01234_20261103_142000+0100.wav": "2026-11-03T14:20:00+01:00",
    "20261103T142000Z.flac": "2026-11-03T14:20:00Z",
    "20261103T142000-0530.wav": "2026-11-03T14:20:00-05:30",
    "20261103142000.wav": "2026-11-03T14:20:00",
    "pump_2026-11-03T14-20-00.wav": "2026-11-03T14:20:00",
    "2026-11-03T14:20:00.250Z.wav": "2026-11-03T14:20:00.250Z",
    "2026-11-03T14-20-00.5+01:00.wav": "2026-11-03T14:20:00.5+01:00",
    "2026-11-03_14.20.00.wav": "2026-11-03T14:20:00",
    "2026-11-03 14_20_00.wav": "2026-11-03T14:20:00",
    "Recording 2026-11-03 at 14.20.00.wav": "2026-11-03T14:20:00",
    "Recording 2026-11-03 at 2.20.00 PM.wav": "2026-11-03T14:20:00",
    "Recording 2026-11-03 at 12.20.00 AM.wav": "2026-11-03T00:20:00",
    "2026_11_03_14_20_00.wav": "2026-11-03T14:20:00",
    "2026.11.03-14.20.00.wav": "2026-11-03T14:20:00",
    "2026-11-03_14h20m05s.wav": "2026-11-03T14:20:05",
    "2026-11-03T14-20.wav": "2026-11-03T14:20",
    "2026-11-03T14-20-00Z": "2026-11-03T14:20:00Z",
    "fan_2026-11-03_left.wav": "2026-11-03",
    "20261103_142000_20261103_143000.wav": "2026-11-03T14:20:00",  # a span begins with its first
    "1793715600.wav": "2026-11-03T14:20:00Z",
    "1793715600250.wav": "2026-11-03T14:20:00.250Z",
    "1793715600.25.wav": "2026-11-03T14:20:00.25Z",
    "5BC7A3E0.WAV": "2018-10-17T21:04:32Z",  # AudioMoth before 1.2
    "20240229_000000.wav": "2024-02-29T00:00:00",
    "normal_id_00_20261103_142000_0007.wav": "2026-11-03T14:20:00",
}
NO_TIME = [
    "normal_id_00_00000000.wav",
    "normal_id_00_20261103.wav",  # eight digits are a counter as well
    "20261103_1420.wav",  # and four are one, too
    "20260230_142000.wav",  # no such day
    "20250229_142000.wav",
    "20261103_246000.wav",  # no such time
    "2026-13-03T14-20-00.wav",
    "2026-11-03 at 14.20.00 PM.wav",
    "2026-11-03T14-20-00+01:07.wav",  # no such zone
    "03-11-2026_14-20-00.wav",  # day or month first: nobody knows
    "261103_142000.wav",
    "clip_1793715600.wav",
    "0793715600.wav",
    "5bc7a3e0.wav",
    "DEADBEEF.WAV",
    "12345678.WAV",
    "20261103_142000_20251103_142000.wav",  # which of them?
    "120261103_142000.wav",
    "2026110314200.wav",
    "anomaly.wav",
    "",
]


@pytest.mark.parametrize(("name", "expected"), SPELLINGS.items())
def test_a_time_is_read_as_it_is_written(name: str, expected: str) -> None:
    assert time_in_name(f"20250101_000000/{name}") == expected


@pytest.mark.parametrize("name", NO_TIME)
def test_what_is_no_time_is_none(name: str) -> None:
    assert time_in_name(f"folder/{name}") is None


def test_names_of_any_characters_are_read() -> None:
    assert time_in_name("a\nb\x00\udcff20261103_142000\x1b[2J.wav") == "2026-11-03T14:20:00"


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T04-00",
        "20260105_040000",
        "2026-01-05",
        "2026-01-05 at 2.20.00 PM",
        "2026-01-05T04:00:00.25Z",
        "1767585600",
        "5BC7A3E0",
    ],
)
def test_a_part_of_a_name_is_a_time_and_nothing_else(text: str) -> None:
    assert is_time(text)
    assert not is_time(f"{text}x")
    assert not is_time(f"3_{text}")


@pytest.mark.parametrize("text", ["", "7", "20260105", "2026-02-30", "2026-01-05T24-00", "04-00", "5bc7a3e0"])
def test_a_part_of_a_name_that_is_no_time(text: str) -> None:
    assert not is_time(text)
