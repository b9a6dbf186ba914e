"""Decoding of one open recording by libsndfile, in bounded memory."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from osscl.audio.bytestream import ByteStream
from osscl.audio.flac import beginning_with_length, leaves_length_open
from osscl.audio.id3 import end_of_id3_tags
from osscl.audio.riff import DataChunk, WavChunks, find_chunks
from osscl.audio.splice import SplicedStream
from osscl.audio.w64 import find_w64_data
from osscl.audio.wav_format import parse_wav_format, pcm_32_format
from osscl.audio.wav_header import plain_header
from osscl.config import Channel
from osscl.errors import AudioCorruptError, AudioError

_BLOCK_VALUES = 1 << 20
_TELLING_BYTES = 4 << 20  # of samples that a header leaves in doubt
_LIBSNDFILE_UNRECOGNISED = 1
_LIBSNDFILE_CANNOT_SEEK = 39
_LIBSNDFILE_OPEN_LENGTH = 2**63 - 1


class Recording:
    """An open recording whose header has been read and found sound.

    Attributes
    ----------
    sample_rate_hz, n_channels, n_frames : int
        What the header says; of a file that is cut short, how many frames are there.
    n_declared : int
        Frames that the header declares.
    is_pcm_16 : bool
        Whether the samples are 16-bit integers in the file.
    format : str
        Container and samples as libsndfile names them, such as "WAV PCM_16".

    Parameters
    ----------
    file : SoundFile
        As libsndfile opened it.
    in_low_bytes : bool
        Whether it sees words of 32 bits, whose low three bytes are the samples.
    flaw : AudioCorruptError or None
        Why its sound may not be all that was recorded.
    n_declared : int, optional
        Frames that the header declares, where libsndfile does not see it.
    """

    def __init__(
        self,
        file: Any,
        in_low_bytes: bool = False,
        flaw: AudioCorruptError | None = None,
        n_declared: int | None = None,
    ) -> None:
        self._file = file
        self._in_low_bytes = in_low_bytes
        self._position = 0
        self._flaw = flaw
        self.sample_rate_hz: int = file.samplerate
        self.n_channels: int = file.channels
        self.n_frames: int = file.frames
        self.n_declared: int = self.n_frames if n_declared is None else n_declared
        self.is_pcm_16: bool = file.subtype == "PCM_16"
        self.format: str = f"{file.format} {file.subtype}"

    @property
    def duration_s(self) -> float:
        """Length of the whole recording in seconds."""
        return self.n_frames / self.sample_rate_hz

    def read(self, n_frames: int, channel: Channel, dtype: type[np.int16] | type[np.float32]) -> NDArray[Any]:
        """Read the first `n_frames` frames of one channel, or the mean of all, and look for the end.

        Blocks bound the memory, however many channels there are.
        """
        samples = self.read_on(n_frames, channel, dtype)
        self._check_last_frame(n_frames)
        return samples

    def read_on(
        self, n_frames: int, channel: Channel, dtype: type[np.int16] | type[np.float32]
    ) -> NDArray[Any]:
        """Read the next `n_frames` frames of one channel, or the mean of all.

        Raises
        ------
        AudioCorruptError
            The sound ends before, although the header says otherwise.
        """
        samples: NDArray[Any] = np.empty(n_frames, dtype)
        block_frames = max(1, _BLOCK_VALUES // self.n_channels)
        for start in range(0, n_frames, block_frames):
            wanted = samples[start : start + block_frames]
            block = self._read_block(len(wanted), samples.dtype.name)  # [frames, channels]
            self._position += len(block)
            if len(block) < len(wanted):
                raise self._cut_short(self._position)
            if channel == "mean":
                with np.errstate(invalid="ignore", over="ignore"):  # the caller checks the level
                    block.mean(axis=1, out=wanted)
            else:
                wanted[:] = block[:, channel]
        return samples

    def look_for_end(self) -> None:
        """Look for the last frame that a FLAC file declares; `AudioCorruptError` where it is missing."""
        self._check_last_frame(0)

    def go_to(self, frame: int) -> None:
        """Move from the beginning to a frame, where what is read does not depend on how it was reached."""
        if self._file.subtype.startswith(("PCM_", "FLOAT", "DOUBLE")):
            self._file.seek(frame)
            self._position = frame
        else:
            self.pass_over(frame)

    def pass_over(self, n_frames: int) -> None:
        """Decode the next `n_frames` frames for nothing but to see that they are there."""
        block_frames = max(1, _BLOCK_VALUES // self.n_channels)
        for start in range(0, n_frames, block_frames):
            self.read_on(min(block_frames, n_frames - start), 0, np.int16)

    def check_end(self) -> None:
        """Raise AudioCorruptError where more was recorded than can be read, or may have been."""
        if self._flaw is not None:
            raise self._flaw

    def _read_block(self, n_frames: int, dtype: str) -> NDArray[Any]:
        dtype = "int32" if self._in_low_bytes else dtype
        block: NDArray[Any] = self._file.read(n_frames, dtype=dtype, always_2d=True)
        if not self._in_low_bytes:
            return block
        return (block << 8).astype(np.float32) * np.float32(2.0**-31)  # exact: 24 bits

    def _check_last_frame(self, n_read: int) -> None:
        """Look for the end of a long FLAC file: libsndfile believes the length that its header declares."""
        if self._file.format == "FLAC" and n_read < self.n_frames:
            self._file.seek(self.n_frames - 1)
            if len(self._file.read(1)) == 0:
                raise self._cut_short(self.n_frames - 1)

    def _cut_short(self, n_present: int) -> AudioCorruptError:
        return AudioCorruptError(
            f"its header declares {self.n_frames} samples, its sound ends before sample {n_present}: "
            "the file is cut short; copy or record it again"
        )


@contextmanager
def open_recording(stream: ByteStream, *, up_to_its_flaw: bool = False) -> Iterator[Recording]:
    """Read the header of a recording; errors from then on carry its sample rate and duration.

    Parameters
    ----------
    stream : ByteStream
        The file.
    up_to_its_flaw : bool
        Open a WAV or W64 file all the same whose sound ends before its header says so, or that does not say
        where: what is there can be read, and then `Recording.check_end` tells.

    Raises
    ------
    AudioCorruptError
        If it is no recording, a damaged one, an empty one, one shorter than it declares, or one whose
        header contradicts itself.
    """
    start = end_of_id3_tags(stream)
    chunks = find_chunks(stream, start)
    file, flaw = None, None
    try:
        data = find_w64_data(stream, start) if chunks is None else chunks.data
        flaw = None if data is None else _flaw_of(data)
        seen, in_low_bytes = _as_decoded(stream, start, chunks)
        with soundfile.SoundFile(seen) as file:
            if flaw is not None and not (up_to_its_flaw and file.frames):
                raise flaw
            _check_length(file.frames)
            yield Recording(file, in_low_bytes, flaw, None if data is None else _declared(file.frames, data))
    except soundfile.LibsndfileError as error:
        raise _with_header(flaw or _undecodable(error), file) from error
    except AudioError as error:
        _with_header(error, file)
        raise


def _as_decoded(
    stream: ByteStream, start: int, chunks: WavChunks | None
) -> tuple[ByteStream | SplicedStream, bool]:
    """What libsndfile gets to see, so that it has nothing to guess; and whether samples lie in low bytes."""
    if chunks is not None:
        return _as_plain_wav(stream, chunks)
    n_bytes = stream.seek(0, os.SEEK_END)
    # behind a tag libsndfile would lose as many bytes at the end
    whole = SplicedStream(b"", stream, start, n_bytes - start) if start else stream
    if not leaves_length_open(whole):
        whole.seek(0)
        return whole, False
    n_frames = _count_frames(whole)
    _check_length(n_frames)
    beginning = beginning_with_length(whole, n_frames)
    behind = start + len(beginning)
    return SplicedStream(beginning, stream, behind, n_bytes - behind), False


def _as_plain_wav(stream: ByteStream, chunks: WavChunks) -> tuple[SplicedStream, bool]:
    """A WAV file of nothing but its format and its samples."""
    data, format_ = chunks.data, parse_wav_format(chunks.format, chunks.byte_order)
    format_.check()
    in_low_bytes = format_.is_24_bits_in_4_bytes
    if in_low_bytes or format_.n_unused_bits:
        stream.seek(data.offset)
        sound = stream.read(min(data.present_bytes, _TELLING_BYTES))
        check = format_.check_low_bytes if in_low_bytes else format_.check_unused_bits
        check(sound, chunks.byte_order)
    body = pcm_32_format(format_, chunks.byte_order) if in_low_bytes else chunks.format
    header = plain_header(chunks, body)
    return SplicedStream(header, stream, data.offset, data.present_bytes), in_low_bytes


def _count_frames(stream: ByteStream | SplicedStream) -> int:
    """Decode a file of unknown length to its end.

    The end shows by an error: soundfile moves behind what it has read, and libsndfile cannot move to
    the end of what it does not know. What it had read by then stands in the block all the same.
    """
    n_frames = 0
    stream.seek(0)
    with soundfile.SoundFile(stream) as file:
        block = np.empty((max(1, _BLOCK_VALUES // file.channels), file.channels))
        while True:
            block.fill(np.nan)
            try:
                n_read = len(file.read(out=block))
            except soundfile.LibsndfileError as error:
                if error.code != _LIBSNDFILE_CANNOT_SEEK:
                    raise
                n_read = int(np.count_nonzero(~np.isnan(block[:, 0])))
            n_frames += n_read
            if n_read < len(block):
                return n_frames


def _flaw_of(data: DataChunk) -> AudioCorruptError | None:
    try:
        data.check_complete()
    except AudioCorruptError as error:
        return error
    return None


def _declared(n_frames: int, data: DataChunk) -> int:
    """Frames that a header declares of which so many are there; as many where it leaves that open."""
    if data.declared_bytes is None or not data.present_bytes:
        return n_frames
    return max(n_frames, n_frames * data.declared_bytes // data.present_bytes)


def _check_length(n_frames: int) -> None:
    if n_frames == 0:
        raise AudioCorruptError("it holds no samples: no sound follows its header")
    if n_frames == _LIBSNDFILE_OPEN_LENGTH:
        raise AudioCorruptError(
            "its header declares no length, as writing to a pipe leaves it: "
            "whether it is complete cannot be known; rewrite the file with its length"
        )


def _undecodable(error: Any) -> AudioCorruptError:
    if error.code == _LIBSNDFILE_UNRECOGNISED:
        return AudioCorruptError("it is no audio file of a format that libsndfile decodes")
    reason = error.error_string.rstrip(".")
    return AudioCorruptError(f"it cannot be decoded: it is damaged or cut short (libsndfile: {reason})")


def _with_header(error: AudioError, file: Any) -> AudioError:
    if file is not None:
        error.sample_rate_hz = file.samplerate
        if file.frames != _LIBSNDFILE_OPEN_LENGTH:
            error.duration_s = file.frames / file.samplerate
    return error
