"""Looks for a WAV file that the native reader takes for another sound than the decoder, or for one at all.

usage: python benchmarks/fuzz_wav.py [--count N] [--seed N] [--processes N]

Makes N files of one to a few dozen samples, whose headers are built from the parts of a WAV file and then
damaged in several places, in one or in none. Whatever the native reader accepts, the decoder must give: the
same samples, bit by bit, as many of them, and the same rate. What the native reader declines the decoder gets
anyway, so that nothing can differ there. Ends with exit code 1, and shows the first files in hexadecimal, if
there is a difference. The same seed gives the same files, however many processes share them.
"""

import argparse
import multiprocessing
import os
import random
import struct
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from osscl.audio.bytestream import open_source
from osscl.audio.decoder import open_recording
from osscl.audio.samples import LEVEL_LIMIT
from osscl.audio.wav import read_wav
from osscl.errors import AudioError

RATE_HZ = 16_000
BLOCK = 10_000  # files that one generator of random numbers makes
MOST_SHOWN = 5
MEMORY = Path("/dev/shm")

GUID_TAIL = bytes.fromhex("00001000800000aa00389b71")
SIZES = (0, 1, 2, 3, 15, 16, 18, 28, 40, 2**16, 2**31 - 4096, 2**31, 2**32 - 2, 2**32 - 1)
PASSED_OVER = (b"JUNK", b"junk", b"PAD ", b"FLLR", b"bext", b"iXML", b"id3 ", b"ID3 ", b"fact")
OTHERS = (b"cue ", b"smpl", b"abcd", b"INFO", b"PEAK", b"ds64", b"fmt ", b"data", b"slnt", bytes(4))
FORMATS = ((1, 16), (1, 16), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64))
DAMAGES = ((1, 1), (1, 1), (2, 2), (4, 4), (1, 0), (0, 1), (2, 0), (8, 0))  # bytes taken out, put in


class Format(NamedTuple):
    """Fields of a format chunk."""

    tag: int
    n_channels: int
    rate_hz: int
    bytes_per_second: int
    block_bytes: int
    n_bits: int


class Outcome(NamedTuple):
    """What a reader gives for one channel of a file."""

    samples: bytes
    dtype: str
    n_frames: int
    rate_hz: int


Reader = Callable[[Path, int], Outcome | None]


def chunk(name: bytes, body: bytes, declared: int | None = None, pads: bool = True) -> bytes:
    """One chunk, whose size may be a lie and whose padding may be missing."""
    size = len(body) if declared is None else declared
    return name + struct.pack("<I", size) + body + b"\0" * (len(body) % 2 if pads else 0)


class Maker:
    """Makes files from random numbers."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def file(self) -> bytes:
        """One file; most of them have something odd about them."""
        content = self._built()
        for _ in range(self._random.choice((0, 0, 0, 0, 0, 0, 1, 1, 2, 4))):
            content = self._damaged(content)
        return content[: self._random.randrange(len(content) + 1)] if self._happens(0.03) else content

    def _happens(self, share: float) -> bool:
        return self._random.random() < share

    def _built(self) -> bytes:
        pick, format_ = self._random, self._format()
        sound = self._sound(format_)
        declared = self._declared(len(sound))
        is_64 = self._happens(0.2)
        parts = []
        if is_64 or self._happens(0.02):
            parts.append(self._ds64(declared))
            declared = 2**32 - 1 if self._happens(0.9) else declared
        parts += self._extras(format_, (0, 0, 0, 0, 1, 1, 2))
        if self._happens(0.97):
            parts.append(self._format_chunk(format_))
        parts += self._extras(format_, (0, 0, 0, 1, 2))
        parts.append(chunk(b"data", sound, declared % 2**32, pads=self._happens(0.95)))
        parts += self._extras(format_, (0, 0, 0, 1, 2))
        if self._happens(0.03):
            pick.shuffle(parts)
        if self._happens(0.1):
            parts.append(pick.randbytes(pick.randrange(10)))
        return self._form(is_64, b"WAVE" + b"".join(parts))

    def _form(self, is_64: bool, body: bytes) -> bytes:
        form = self._random.choice((b"RF64", b"BW64")) if is_64 else b"RIFF"
        if self._happens(0.02):
            form = self._random.choice((b"RIFF", b"RIFX", b"RF64", b"FFIR"))
        size = len(body) if self._happens(0.9) else self._random.choice(SIZES)
        tag = b"ID3\3\0\0\0\0\0\4abcd" if self._happens(0.01) else b""
        return tag + form + struct.pack("<I", size) + body

    def _format(self) -> Format:
        tag, n_bits = self._random.choice(FORMATS)
        n_channels = self._random.choice((1, 1, 1, 2, 3))
        block_bytes = n_channels * n_bits // 8
        fields = [tag, n_channels, RATE_HZ, RATE_HZ * block_bytes, block_bytes, n_bits]
        if self._happens(0.1):
            values = (0, 1, 2, 3, 4, 6, 7, 8, 12, 16, 24, 32, 64, 0xFFFE)
            fields[self._random.randrange(6)] = self._random.choice(values)
        return Format(*fields)

    def _format_chunk(self, format_: Format) -> bytes:
        body = struct.pack("<HHIIHH", *format_)
        kind = self._random.choice(("plain", "plain", "plain", "long", "extensible"))
        if kind == "long":
            body += struct.pack("<H", 0 if self._happens(0.9) else self._random.randrange(9))
        elif kind == "extensible":
            valid_bits = format_.n_bits if self._happens(0.9) else self._random.randrange(33)
            n_extra = 22 if self._happens(0.95) else self._random.randrange(30)
            tail = GUID_TAIL if self._happens(0.95) else self._random.randbytes(12)
            body = struct.pack("<H", 0xFFFE) + body[2:]
            body += struct.pack("<HHII", n_extra, valid_bits, 0, format_.tag) + tail
        if self._happens(0.03):
            body += self._random.randbytes(self._random.randrange(6))
        return chunk(b"fmt ", body, None if self._happens(0.98) else self._random.choice(SIZES))

    def _sound(self, format_: Format) -> bytes:
        """Samples that any reader would take: floats within full scale, integers of any value."""
        n_values = self._random.randrange(1, 40) * max(1, min(format_.n_channels, 8))
        if format_.tag == 3:
            values = [self._random.uniform(-1.0, 1.0) for _ in range(n_values)]
            return struct.pack(f"<{n_values}{'d' if format_.n_bits == 64 else 'f'}", *values)
        sound = self._random.randbytes(n_values * max(1, min(format_.n_bits // 8, 8)))
        return sound if self._happens(0.97) else sound + b"\1"

    def _declared(self, n_bytes: int) -> int:
        if self._happens(0.9):
            return n_bytes
        near = (n_bytes - 2, n_bytes - 1, n_bytes + 1, n_bytes + 2, n_bytes // 2)
        return max(0, self._random.choice(near + SIZES))

    def _ds64(self, n_bytes: int) -> bytes:
        size = n_bytes if self._happens(0.85) else self._random.choice((*SIZES, 2**63 + n_bytes, 2**64 - 1))
        n_entries = 0 if self._happens(0.95) else self._random.randrange(3)
        body = struct.pack("<QQQI", 72 + n_bytes, size, n_bytes // 2, n_entries)
        return chunk(b"ds64", body[: 28 if self._happens(0.95) else self._random.randrange(29)])

    def _extras(self, format_: Format, numbers: tuple[int, ...]) -> list[bytes]:
        return [self._extra(format_.n_channels) for _ in range(self._random.choice(numbers))]

    def _extra(self, n_channels: int) -> bytes:
        """A chunk that a reader passes over, or one that it should not."""
        pick, kind = self._random, self._random.randrange(20)
        if kind < 12:
            name = pick.choice(PASSED_OVER)
            n_bytes = 4 if name == b"fact" else pick.randrange(9)
            return chunk(name, bytes(n_bytes), pads=self._happens(0.97))
        if kind < 17:
            texts = [chunk(pick.choice((b"ISFT", b"ICMT")), b"x" * pick.randrange(1, 9)) for _ in range(2)]
            return chunk(b"LIST", b"INFO" + b"".join(texts), pads=self._happens(0.97))
        if kind == 17:
            return chunk(b"PEAK", bytes(8 + 8 * n_channels))
        declared = None if self._happens(0.6) else pick.choice(SIZES)
        return chunk(pick.choice(PASSED_OVER + OTHERS), pick.randbytes(pick.randrange(30)), declared)

    def _damaged(self, content: bytes) -> bytes:
        """The file with some bytes changed, taken out or put in, most of them in its header."""
        changed = bytearray(content)
        at = self._random.randrange(min(len(changed), 120) if self._happens(0.9) else len(changed))
        n_gone, n_new = self._random.choice(DAMAGES)
        changed[at : at + n_gone] = self._random.randbytes(n_new)
        return bytes(changed)


def by_decoder(content: bytes, channel: int) -> Outcome | None:
    """What the decoder gives for one channel, as far as its level is one; None for a file that it refuses."""
    try:
        with open_source(content) as stream, open_recording(stream) as recording:
            if channel >= recording.n_channels:
                return None
            dtype = np.int16 if recording.is_pcm_16 else np.float32
            samples = recording.read(recording.n_frames, channel, dtype)
            good = samples[: _n_within_level(samples)]
            return Outcome(good.tobytes(), good.dtype.name, len(good), recording.sample_rate_hz)
    except AudioError:
        return None


def _n_within_level(samples: np.ndarray) -> int:
    """How many samples may be asked for before one among them is refused for its level."""
    if samples.dtype != np.float32:
        return len(samples)
    is_bad = ~(np.abs(samples) <= LEVEL_LIMIT)
    return int(is_bad.argmax()) if is_bad.any() else len(samples)


def by_native_reader(path: Path, channel: int) -> Outcome | None:
    """The same by the native reader, asked for one sample more each time until it declines."""
    longest = None
    for n_frames in range(1, sys.maxsize):
        found = read_wav(path, n_frames, channel, RATE_HZ)
        if found is None:
            break
        longest = found.samples
    if longest is None:
        return None
    return Outcome(longest.tobytes(), longest.dtype.name, len(longest), RATE_HZ)


def differs(content: bytes, path: Path, channel: int, native: Reader = by_native_reader) -> bool | None:
    """Whether the readers differ on a file, which is put at `path`; None where the native one declines."""
    path.write_bytes(content)
    found = native(path, channel)
    return None if found is None else found != by_decoder(content, channel)


def run_block(seed: int, block: int, n_files: int) -> tuple[Counter[str], list[str]]:
    """Compare the readers on the files of one block; give what was counted, and the files that differ."""
    maker = Maker(seed << 32 | block)
    counts: Counter[str] = Counter()
    different = []
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        path = Path(folder) / "x.wav"
        for i in range(n_files):
            content, channel = maker.file(), int(i % 8 == 7)
            result = differs(content, path, channel)
            counts["declined" if result is None else "different" if result else "equal"] += 1
            if result:
                different.append(f"channel {channel}: {content.hex()}")
    return counts, different


def main() -> int:
    """Compare, and print a summary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    arguments = parser.parse_args()
    blocks = [
        (arguments.seed, start // BLOCK, min(BLOCK, arguments.count - start))
        for start in range(0, arguments.count, BLOCK)
    ]
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        results = pool.starmap(run_block, blocks, chunksize=1)
    counts = sum((counts for counts, _ in results), Counter[str]())
    different = [file for _, files in results for file in files]
    print(
        f"{counts.total()} files, seed {arguments.seed}: the native reader accepted "
        f"{counts['equal'] + counts['different']} and declined {counts['declined']}; "
        f"{counts['different']} of those accepted differ from the decoder"
    )
    for file in different[:MOST_SHOWN]:
        print(file)
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
