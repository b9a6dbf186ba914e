"""The native WAV reader: bit by bit what libsndfile gives, and nothing at all where there is a doubt.

What a path must give is shown by reading it once more with the native reader taken away.
"""

import io
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from osscl import _native
from osscl.audio.bytestream import open_source
from osscl.audio.decoder import open_recording
from osscl.audio.reading import Fit
from osscl.audio.samples import to_waveform
from osscl.audio.silence import silence_of
from osscl.audio.wav import RowRead, read_wav, read_wavs
from osscl.errors import AudioCorruptError
from support.audio_files import (
    RATE_HZ,
    chunk,
    encoded,
    fmt_chunk,
    noise,
    open_the_way_to,
    ordinary_user,
    riff,
)
from support.wav_files import (
    BROADCAST,
    DATA,
    LENGTHS,
    OPEN_DATA,
    PCM,
    PCM_GUID,
    SUBTYPES,
    TEXTS,
    N,
    decoder_outcome,
    extensible,
    format_chunk,
    native,
    outcome,
    rf64,
)


@pytest.fixture(name="file")
def one_file(tmp_path: Path) -> Path:
    """Where a test puts its file."""
    return tmp_path / "x.wav"


# What is read natively


@pytest.mark.parametrize("n_samples", LENGTHS)
@pytest.mark.parametrize("n_channels", [1, 2, 3, 8])
@pytest.mark.parametrize("subtype", SUBTYPES)
@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
def test_every_format_equals_libsndfile(
    kind: str, subtype: str, n_channels: int, n_samples: int, file: Path
) -> None:
    sound = np.random.default_rng(n_channels).uniform(-1.0, 1.0, (n_samples, n_channels))
    sound[:3] = [[1.0], [-1.0], [1e-42]]
    content = encoded(sound, kind=kind, subtype=subtype)
    file.write_bytes(content)
    for channel in range(n_channels):
        samples = native(file, channel)
        assert samples is not None
        whole = soundfile.read(io.BytesIO(content), dtype=samples.dtype.name, always_2d=True)[0]
        assert samples.dtype == (np.int16 if subtype == "PCM_16" else np.float32)
        assert samples.tobytes() == whole[:N, channel].tobytes()
        assert outcome(file, Fit(channel=channel)) == decoder_outcome(file, Fit(channel=channel))
    for fit in (Fit(), Fit(channel="mean"), Fit(channel=n_channels), Fit(channel=10**30)):
        assert outcome(file, fit) == decoder_outcome(file, fit)


@pytest.mark.parametrize("subtype", ["PCM_24", "PCM_32"])
def test_every_bit_of_an_integer_counts(subtype: str, file: Path) -> None:
    integers = np.random.default_rng(2).integers(-(2**31), 2**31, 50_000, np.int32)
    integers[:6] = [-(2**31), 2**31 - 1, 2**31 - 64, 2**31 - 65, 2**24 + 1, -1]
    content = encoded(integers, subtype=subtype)
    file.write_bytes(content)
    expected = soundfile.read(io.BytesIO(content), dtype="float32")[0]
    np.testing.assert_array_equal(native(file, n_samples=50_000), expected)


@pytest.mark.parametrize("n_samples", [2, 15, 10_922, 10_923, 40_001])
def test_lengths_around_the_blocks_of_the_reader(n_samples: int, file: Path) -> None:
    for subtype in SUBTYPES:
        content = encoded(noise(n_samples, n_channels=3) / 32768, subtype=subtype)
        file.write_bytes(content)
        samples = native(file, 2, n_samples)
        assert samples is not None
        whole = soundfile.read(io.BytesIO(content), dtype=samples.dtype.name)[0]
        np.testing.assert_array_equal(samples, whole[:, 2])


PLAIN = {
    "format of 18 bytes": riff(chunk(b"fmt ", fmt_chunk()[8:] + bytes(2)), DATA),
    "extensible": riff(extensible(), DATA),
    "a chunk after": riff(fmt_chunk(), DATA, TEXTS),
    "chunks before": riff(chunk(b"JUNK", bytes(28)), fmt_chunk(), chunk(b"fact", bytes(4)), TEXTS, DATA),
    "odd chunks": riff(chunk(b"JUNK", bytes(27)), fmt_chunk(), chunk(b"iXML", b"<a/>\n"), DATA),
    "broadcast": riff(BROADCAST, fmt_chunk(), chunk(b"id3 ", bytes(5)), DATA, chunk(b"iXML", bytes(9))),
    "Apple's filler": riff(fmt_chunk(), chunk(b"FLLR", bytes(4044)), DATA),
    "wrong RIFF size": riff(fmt_chunk(), DATA)[:4] + b"\1\2\3\4" + riff(fmt_chunk(), DATA)[8:],
    "a few bytes at the end": riff(fmt_chunk(), DATA) + b"abcd",
    "500 chunks": riff(*[chunk(b"junk", b"")] * 500, fmt_chunk(), DATA),
    "almost 48 KiB": riff(*[chunk(b"JUNK", bytes(500))] * 96, fmt_chunk(), DATA),
    "half of 48 KiB twice": riff(*[chunk(b"JUNK", bytes(24_500))] * 2, fmt_chunk(), DATA),
    "RF64": rf64(fmt_chunk(), OPEN_DATA),
    "BW64": rf64(fmt_chunk(), OPEN_DATA, form=b"BW64"),
    "RF64 with filler": rf64(fmt_chunk(), chunk(b"JUNK", bytes(28)), OPEN_DATA, chunk(b"JUNK", bytes(2))),
}


@pytest.mark.parametrize("name", PLAIN)
def test_headers_of_recorders_are_understood(name: str, file: Path) -> None:
    file.write_bytes(PLAIN[name])
    np.testing.assert_array_equal(native(file), noise(N))
    assert outcome(file, Fit()) == decoder_outcome(file, Fit())


# What is left to libsndfile

DOUBTFUL = {
    "empty": b"",
    "only a form": riff(),
    "no data": riff(fmt_chunk()),
    "empty data": riff(fmt_chunk(), chunk(b"data", b"")),
    "half a header": riff(fmt_chunk(), b"data\x10"),
    "cut by one byte": riff(fmt_chunk(), DATA)[:-1],
    "cut in the middle": riff(fmt_chunk(), DATA)[:-N],
    "lying data size": riff(fmt_chunk(), chunk(b"data", PCM, len(PCM) + 2)),
    "open data size": riff(fmt_chunk(), OPEN_DATA),
    "half a frame": riff(fmt_chunk(), chunk(b"data", PCM + b"x")),
    "data first": riff(DATA, fmt_chunk()),
    "two formats": riff(fmt_chunk(), fmt_chunk(8_000), DATA),
    "two data chunks": riff(fmt_chunk(), DATA, chunk(b"data", PCM[:100])),
    "a late format": riff(fmt_chunk(), DATA, fmt_chunk(8_000)),
    "a late PEAK of another size": riff(fmt_chunk(), DATA, chunk(b"PEAK", bytes(99))),
    "a chunk beyond the end": riff(fmt_chunk(), DATA, chunk(b"LIST", b"INFO", 400)),
    "a size of 4 GB before the sound": riff(fmt_chunk(), chunk(b"JUNK", b"", 0xFFFF_FFFE), DATA),
    "unknown chunk": riff(fmt_chunk(), chunk(b"abcd", bytes(8)), DATA),
    "unprintable chunk": riff(fmt_chunk(), chunk(b"\0\1\2\3", bytes(8)), DATA),
    "a header at the end": riff(fmt_chunk(), DATA) + b"JUNK\0",
    "text without sizes": riff(fmt_chunk(), chunk(b"LIST", b"INFOabcdef"), DATA),
    "text in a text": riff(fmt_chunk(), chunk(b"LIST", b"INFO" + chunk(b"INFO", b"")), DATA),
    "text that says data": riff(fmt_chunk(), chunk(b"LIST", b"INFO" + chunk(b"data", b"")), DATA),
    "text too long": riff(fmt_chunk(), chunk(b"LIST", b"INFO" + chunk(b"ISFT", b"ab", 99)), DATA),
    "text of nearly 4 GB": riff(
        fmt_chunk(), chunk(b"LIST", b"INFO" + chunk(b"ISFT", b"ab", 2**32 - 1)), DATA
    ),
    "1,200 chunks": riff(*[chunk(b"junk", b"")] * 1200, fmt_chunk(), DATA),
    "100,000 chunks": riff(fmt_chunk(), DATA, *[chunk(b"junk", b"")] * 100_000),
    "chunks of 100 kB": riff(*[chunk(b"JUNK", bytes(200))] * 500, fmt_chunk(), DATA),
    "chunks of 63 KiB": riff(*[chunk(b"JUNK", bytes(500))] * 128, fmt_chunk(), DATA),
    "a chunk of 100 kB": riff(chunk(b"JUNK", bytes(100_000)), fmt_chunk(), DATA),
    "wavpack": riff(fmt_chunk(), chunk(b"data", b"wvpk" + PCM)),
    "Ogg": riff(fmt_chunk(), chunk(b"data", b"OggS" + PCM)),
    "8 bits": encoded(noise(N), subtype="PCM_U8"),
    "A-law": encoded(noise(N), subtype="ALAW"),
    "big-endian": encoded(noise(N), endian="BIG"),
    "another rate": encoded(noise(N), 8_000),
    "a negative rate": riff(format_chunk(rate_hz=2**32 - 16_000), DATA),
    "too short": encoded(noise(N - 1)),
    "wrong bytes per second": riff(format_chunk(rate_hz=RATE_HZ, block=2, n_channels=2), DATA),
    "wrong block": riff(format_chunk(block=4), DATA),
    "block of none": riff(format_chunk(block=0), DATA),
    "12 bits": riff(format_chunk(bits=12), DATA),
    "24 bits in 32": riff(format_chunk(bits=24, block=4), DATA),
    "unknown tag": riff(format_chunk(tag=2), DATA),
    "16-bit float": riff(format_chunk(tag=3), DATA),
    "no channels": riff(fmt_chunk(n_channels=0), DATA),
    "1,025 channels": riff(fmt_chunk(n_channels=1025), chunk(b"data", bytes(2050 * N))),
    "short format": riff(chunk(b"fmt ", fmt_chunk()[8:22]), DATA),
    "long format": riff(chunk(b"fmt ", fmt_chunk()[8:] + bytes(8)), DATA),
    "format of 4 GB": riff(fmt_chunk()[:4] + b"\xff\xff\xff\xff" + fmt_chunk()[8:], DATA),
    "another GUID": riff(extensible(PCM_GUID[:-1] + b"\0"), DATA),
    "ambisonic": riff(extensible(bytes.fromhex("010000002107d3118644c8c1ca000000")), DATA),
    "fewer valid bits": riff(extensible(valid_bits=12), DATA),
    "fewer extra bytes": riff(extensible(n_extra_bytes=0), DATA),
    "RF64 without ds64": riff(fmt_chunk(), OPEN_DATA, form=b"RF64"),
    "RF64 with a table": rf64(fmt_chunk(), OPEN_DATA, table=1),
    "RF64 with two sizes": rf64(fmt_chunk(), DATA, data_bytes=500),
    "RF64 beyond the end": rf64(fmt_chunk(), OPEN_DATA, data_bytes=2**40),
    "RF64 of a negative size": rf64(fmt_chunk(), OPEN_DATA, data_bytes=2**63 + 2 * N),
    "RF64 of unknown size": rf64(fmt_chunk(), OPEN_DATA, data_bytes=2**64 - 1),
    "RF64 of an odd chunk": rf64(fmt_chunk(), chunk(b"JUNK", bytes(3)), OPEN_DATA),
    "RF64 with a late ds64": riff(
        fmt_chunk(), chunk(b"ds64", struct.pack("<QQQI", 0, 2 * N, N, 0)), OPEN_DATA, form=b"RF64"
    ),
    "ds64 in RIFF": rf64(fmt_chunk(), OPEN_DATA, form=b"RIFF"),
    "FLAC": encoded(noise(N), kind="FLAC"),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_doubtful_files_are_left_to_libsndfile(name: str, file: Path) -> None:
    file.write_bytes(DOUBTFUL[name])
    assert native(file) is None
    for fit in (Fit(), Fit(channel="mean", pad="repeat")):
        assert outcome(file, fit) == decoder_outcome(file, fit)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 8.001, -9.0])
@pytest.mark.parametrize("subtype", ["FLOAT", "DOUBLE"])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_a_bad_level_is_told_in_the_same_words(
    value: float, subtype: str, n_channels: int, file: Path
) -> None:
    sound = noise(N, n_channels).reshape(N, n_channels) / 32768
    sound[-1, -1] = value
    file.write_bytes(encoded(sound, subtype=subtype))
    fit = Fit(channel=n_channels - 1)
    assert native(file, n_channels - 1) is None
    assert outcome(file, fit) == decoder_outcome(file, fit)
    assert outcome(file, fit)[0] is AudioCorruptError
    assert n_channels == 1 or native(file, 0) is not None


def test_a_level_of_exactly_the_limit_passes(file: Path) -> None:
    file.write_bytes(encoded(np.full(N, -8.0), subtype="FLOAT"))
    assert native(file) is not None
    assert outcome(file, Fit()) == decoder_outcome(file, Fit())


@pytest.mark.timeout(60)  # it could block
def test_what_is_no_regular_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "circle.wav").symlink_to("circle.wav")
    for name in ("pipe.wav", "folder.wav", "circle.wav", "missing.wav", "nul\0.wav", "surrogate\ud800.wav"):
        assert native(tmp_path / name) is None
    assert read_wav("", N, None, RATE_HZ) is None
    assert read_wav("/dev/zero", N, None, RATE_HZ) is None


def test_a_name_is_not_cut_at_a_zero_byte(file: Path) -> None:
    file.write_bytes(encoded(noise(N)))
    assert read_wav(f"{file}\0.wav", N, None, RATE_HZ) is None


def test_an_unreadable_file_is_left_alone(tmp_path: Path) -> None:
    open_the_way_to(tmp_path)
    path = tmp_path / "x.wav"
    path.write_bytes(encoded(noise(N)))
    path.chmod(0o000)
    with ordinary_user():
        assert native(path) is None


@pytest.mark.parametrize("request_", [{"n_samples": 2**70}, {"sample_rate_hz": 2**40}])
def test_requests_beyond_any_file_are_declined(request_: dict[str, int], file: Path) -> None:
    file.write_bytes(encoded(noise(N)))
    wanted: Any = {"n_samples": N, "channel": None, "sample_rate_hz": RATE_HZ, **request_}
    assert read_wav(file, **wanted) is None


def test_files_are_closed(file: Path) -> None:
    file.write_bytes(encoded(noise(N)))
    descriptors = Path("/proc/self/fd")
    n_open = len(list(descriptors.iterdir()))
    for n_samples in (N, N + 1):
        for _ in range(50):
            native(file, n_samples=n_samples)
    assert len(list(descriptors.iterdir())) == n_open


def test_the_native_module_refuses_wrong_sizes() -> None:
    asked: Any = {"channel": None, "sample_rate_hz": RATE_HZ, "level_limit": 8.0}
    with pytest.raises(ValueError, match="n_samples must be positive"):
        _native.read_wav(path=b"x", n_samples=0, **asked)
    samples: Any
    wrong = [
        np.empty((2, N)), np.empty((2, N), np.uint16), np.empty((2, N), ">i2"), np.empty(2 * N, np.int16),
        np.empty((1, N), np.float32), np.empty((N, 2), np.float32).T, np.empty((2, 2 * N), np.int16)[:, ::2],
    ]  # fmt: skip
    for samples in wrong:
        with pytest.raises(ValueError, match=r"C-contiguous array .* of int16 or float32"):
            _native.read_wavs(paths=[b"x", b"y"], samples=samples, n_threads=1, **asked)
    frozen = np.zeros((1, N), np.float32)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match="not writeable"):
        _native.read_wavs(paths=[b"x"], samples=frozen, n_threads=1, **asked)


@pytest.fixture(scope="module", name="all_files")
def files_of_every_kind(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every file of these tests, plain or doubtful, silent ones, and places where no file is."""
    folder = tmp_path_factory.mktemp("all")
    contents = [*PLAIN.values(), *DOUBTFUL.values()]
    for subtype in SUBTYPES:
        sounds = noise(N) / 32768, np.zeros(N), np.full(N, 37 / 32768), np.arange(N) % 2 / 32768
        contents += [encoded(sound, subtype=subtype) for sound in sounds]
    paths = [folder / f"{i}.wav" for i in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_bytes(content)
    return [*paths, folder, folder / "missing.wav", folder / "nul\0.wav", folder / "surrogate\ud800.wav"]


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_rows_are_what_the_files_give_one_by_one(all_files: list[Path], dtype: Any, threads: int) -> None:
    rows = np.full((len(all_files), N), 99, dtype)
    found = read_wavs(all_files, rows, None, RATE_HZ, threads)
    for path, row, row_read in zip(all_files, rows, found, strict=True):
        samples = native(path)
        if samples is not None and dtype == np.float32:
            samples = to_waveform(samples)
        if samples is None or samples.dtype != dtype:
            assert row_read is None
        else:
            assert row_read is not None
            assert row_read.is_silent is (silence_of(samples) is not None)
            with open_source(path) as stream, open_recording(stream) as recording:
                assert row_read.n_frames == recording.n_frames
            assert row.tobytes() == samples.tobytes()
    assert {None if row is None else row.is_silent for row in found} == {None, False, True}


def test_rows_of_one_channel_of_several(file: Path) -> None:
    sound = noise(N, n_channels=2)
    sound[:, 1] = 0
    file.write_bytes(encoded(sound))
    rows = np.full((3, N), 99, np.int16)
    assert [read_wavs([file], rows[:1], channel, RATE_HZ, 1) for channel in (None, 2)] == [[None]] * 2
    assert read_wavs([file] * 3, rows, 0, RATE_HZ, 2) == [RowRead(False, N)] * 3
    np.testing.assert_array_equal(rows, np.stack([sound[:, 0]] * 3))
    assert read_wavs([file], rows[1:2], 1, RATE_HZ, 1) == [RowRead(True, N)]
    assert rows.any(axis=1).tolist() == [True, False, True]


def test_several_threads_read_at_once(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.wav" for i in range(8)]
    for i, path in enumerate(paths):
        path.write_bytes(encoded(noise(N, seed=i), subtype=SUBTYPES[i % 3]))
    expected = [decoder_outcome(path, Fit()) for path in paths]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda path: outcome(path, Fit()), paths * 50))
    assert got == expected * 50
