"""Audio files for tests, made when a test runs: sound ones by soundfile, broken ones byte by byte."""

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import soundfile

from osscl.errors import AudioCorruptError, AudioError, AudioUnfitError

RATE_HZ = 16_000
N_SAMPLES = 160_000
NOBODY = 65_534


def noise(n_samples: int = N_SAMPLES, n_channels: int = 1, seed: int = 0) -> npt.NDArray[np.int16]:
    """White noise [n_samples], or [n_samples, n_channels] of several channels."""
    samples = np.random.default_rng(seed).normal(0.0, 3000.0, (n_samples, n_channels)).astype(np.int16)
    return samples[:, 0] if n_channels == 1 else samples


def encoded(
    samples: npt.NDArray[Any],
    rate_hz: int = RATE_HZ,
    subtype: str = "PCM_16",
    kind: str = "WAV",
    endian: str = "FILE",
) -> bytes:
    """Content of an audio file with these samples."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, subtype=subtype, format=kind, endian=endian)
    return file.getvalue()


def chunk(name: bytes, body: bytes, declared: int | None = None) -> bytes:
    """One chunk of a RIFF file, padded to an even size; `declared` lies about its size."""
    size = len(body) if declared is None else declared
    return name + struct.pack("<I", size) + body + b"\0" * (len(body) % 2)


def fmt_chunk(rate_hz: int = RATE_HZ, n_channels: int = 1, bits: int = 16) -> bytes:
    """Format chunk of PCM in blocks of 2 bytes a channel, which any other number of bits contradicts."""
    block = 2 * n_channels
    return chunk(b"fmt ", struct.pack("<HHIIHH", 1, n_channels, rate_hz, block * rate_hz, block, bits))


def riff(*chunks: bytes, form: bytes = b"RIFF") -> bytes:
    """A WAV file of these chunks."""
    body = b"WAVE" + b"".join(chunks)
    return form + struct.pack("<I", min(len(body), 0xFFFF_FFFF)) + body


def open_w64(content: bytes, size: int = 2**63 - 1) -> bytes:
    """A W64 file whose header leaves the size of its sound open, as FFmpeg writes it to a pipe."""
    at = content.index(b"data\xf3\xac") + 16
    return content[:at] + struct.pack("<Q", size) + content[at + 8 :]


def flac_without_length() -> bytes:
    """A FLAC file as an encoder writes it to a pipe: the header leaves the number of samples open."""
    content = bytearray(encoded(noise(), kind="FLAC"))
    content[21] &= 0xF0  # STREAMINFO starts at byte 8; its 36-bit count ends with its 18th byte
    content[22:26] = bytes(4)
    return bytes(content)


class BadFile(NamedTuple):
    """A file that cannot be scored as it is, the error it gives, and what the message must tell."""

    content: bytes
    error: type[AudioError]
    telling: str


def bad_files() -> dict[str, BadFile]:
    """File name -> a file that a folder run must refuse and survive."""
    wav, flac = encoded(noise()), encoded(noise(), kind="FLAC")
    long_flac = encoded(np.tile(noise(), 3), kind="FLAC")
    floats = noise() / np.float32(32768.0)
    nan, infinite = floats.copy(), floats.copy()
    nan[70_001] = np.nan
    infinite[159_999] = -np.inf
    pcm = noise().tobytes()
    return {
        "empty.wav": BadFile(b"", AudioCorruptError, "file is empty"),
        "text.wav": BadFile(b"this is a note, not a sound\n" * 99, AudioCorruptError, "no audio file"),
        "header_only.wav": BadFile(riff(fmt_chunk(), chunk(b"data", b"")), AudioCorruptError, "no samples"),
        "no_data_chunk.wav": BadFile(riff(fmt_chunk()), AudioCorruptError, "without a data chunk"),
        "broken_header.wav": BadFile(wav[:21], AudioCorruptError, "cut short before its sound"),
        "cut_after_header.wav": BadFile(
            wav[:44], AudioCorruptError, "declares 320000 bytes and 0 are present"
        ),
        "truncated.wav": BadFile(wav[:-2], AudioCorruptError, "declares 320000 bytes and 319998 are present"),
        "from_pipe.wav": BadFile(
            riff(fmt_chunk(), chunk(b"data", pcm, 0xFFFF_FFFF)), AudioCorruptError, "was never written"
        ),
        "unclosed.wav": BadFile(
            riff(fmt_chunk(), chunk(b"data", pcm, 0)), AudioCorruptError, "320000 bytes of sound follow"
        ),
        "contradiction.wav": BadFile(
            riff(fmt_chunk(bits=24), chunk(b"data", pcm)), AudioCorruptError, "header contradicts itself"
        ),
        "no_channels.wav": BadFile(
            riff(fmt_chunk(n_channels=0), chunk(b"data", pcm)), AudioCorruptError, "cannot be decoded"
        ),
        "empty.flac": BadFile(b"", AudioCorruptError, "file is empty"),
        "truncated.flac": BadFile(flac[:-99], AudioCorruptError, "damaged or cut short"),
        "truncated_later.flac": BadFile(long_flac[:-99], AudioCorruptError, "cut short"),
        "damaged.flac": BadFile(flac[:150_000] + bytes(99) + flac[150_099:], AudioCorruptError, "damaged"),
        "cut_from_pipe.flac": BadFile(flac_without_length()[:-99], AudioCorruptError, "damaged or cut short"),
        "nan.wav": BadFile(encoded(nan, subtype="FLOAT"), AudioCorruptError, "NaN or infinity"),
        "infinite.wav": BadFile(encoded(infinite, subtype="DOUBLE"), AudioCorruptError, "NaN or infinity"),
        "unscaled.wav": BadFile(
            encoded(noise().astype(np.float32), subtype="FLOAT"), AudioCorruptError, "stored as float"
        ),
        "8_khz.wav": BadFile(
            encoded(noise(), 8_000),
            AudioUnfitError,
            "rate is 8000 Hz, expected 16000 Hz; resample=True (--resample)",
        ),
        "44_khz.wav": BadFile(encoded(noise(441_000), 44_100), AudioUnfitError, "rate is 44100 Hz"),
        "stereo.wav": BadFile(encoded(noise(n_channels=2)), AudioUnfitError, "2 channels, expected 1"),
        "8_channels.wav": BadFile(
            encoded(noise(n_channels=8), kind="WAVEX"), AudioUnfitError, "8 channels, expected 1"
        ),
        "short.wav": BadFile(encoded(noise(80_000)), AudioUnfitError, "lasts 5 s, expected at least 10 s"),
        "short.flac": BadFile(encoded(noise(1), kind="FLAC"), AudioUnfitError, "--pad repeat|zero"),
    }


def write_bad_files(folder: Path, prefix: str = "") -> dict[Path, BadFile]:
    """Write all bad files into a folder; `prefix` may name a machine, as in ``normal_id_00_``."""
    written = {folder / f"{prefix}{name}": file for name, file in bad_files().items()}
    for path, file in written.items():
        path.write_bytes(file.content)
    return written


def open_the_way_to(tmp_path: Path) -> None:
    """Let every user reach a test's folder, so that only a file's own mode stands in the way."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder.name.startswith(
            ("pytest-", "popen-", tmp_path.name)
        ):
            folder.chmod(0o755)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Act without the superuser's right to read every file."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
