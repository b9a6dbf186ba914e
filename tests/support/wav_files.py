"""WAV files byte by byte, and what reading them gives with and without the native reader."""

import struct
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pytest

from osscl.audio import reading as audio
from osscl.audio.reading import Clip, Fit, read_clip
from osscl.audio.wav import read_wav
from osscl.config import ClipConfig
from osscl.errors import AudioError
from support.audio_files import (
    RATE_HZ,
    chunk,
    noise,
    riff,
)

N = 1000
CLIP = ClipConfig(n_samples=N)
LENGTHS = (N, N + 1, 3 * N)
PCM = noise(N).tobytes()
PCM_GUID = bytes.fromhex("0100000000001000800000aa00389b71")
SUBTYPES = ("PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")


def native(path: Path, channel: int | None = None, n_samples: int = N) -> npt.NDArray[Any] | None:
    """What the native reader gives, None where it declines."""
    found = read_wav(path, n_samples, channel, RATE_HZ)
    return None if found is None else found.samples


Outcome = tuple[Any, ...]


def outcome(path: Path, fit: Fit) -> Outcome:
    """All that reading a file shows: the clip, or the error with what it carries."""
    try:
        clip = read_clip(path, fit, CLIP)
    except AudioError as error:
        return type(error), str(error), error.sample_rate_hz, error.duration_s
    return described(clip)


def decoder_outcome(path: Path, fit: Fit) -> Outcome:
    """The same without the native reader."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audio, "read_wav", lambda *_: None)
        return outcome(path, fit)


def described(clip: Clip) -> Outcome:
    """A clip as something that can be compared, its samples bit by bit."""
    dtype, bits = clip.samples.dtype.str, clip.samples.tobytes()
    return dtype, bits, clip.sample_rate_hz, clip.duration_s, clip.silence


def extensible(
    guid: bytes = PCM_GUID,
    valid_bits: int = 16,
    n_channels: int = 1,
    n_extra_bytes: int = 22,
) -> bytes:
    """Extensible format chunk of 16-bit samples."""
    block = 2 * n_channels
    fields = (0xFFFE, n_channels, RATE_HZ, block * RATE_HZ, block, 16, n_extra_bytes, valid_bits, 0)
    return chunk(b"fmt ", struct.pack("<HHIIHHHHI", *fields) + guid)


def format_chunk(
    tag: int = 1, rate_hz: int = RATE_HZ, block: int = 2, bits: int = 16, n_channels: int = 1
) -> bytes:
    """Format chunk whose fields may contradict each other."""
    return chunk(b"fmt ", struct.pack("<HHIIHH", tag, n_channels, rate_hz, RATE_HZ * 2, block, bits))


def rf64(*chunks: bytes, data_bytes: int = len(PCM), table: int = 0, form: bytes = b"RF64") -> bytes:
    """An RF64 file whose samples' size stands in its first chunk."""
    ds64 = chunk(b"ds64", struct.pack("<QQQI", 0, data_bytes, data_bytes // 2, table))
    return riff(ds64, *chunks, form=form)


OPEN_DATA = chunk(b"data", PCM, 0xFFFF_FFFF)
DATA = chunk(b"data", PCM)
TEXTS = chunk(b"LIST", b"INFO" + chunk(b"ISFT", b"Lavf58.29.100\0") + chunk(b"ICMT", b"odd"))
BROADCAST = chunk(b"bext", bytes(602) + b"A=PCM,F=16000,W=16,M=mono\r\n")
