"""Decoding of one open recording by libsndfile, in bounded memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

from osscl.audio.bytestream import ByteStream
from osscl.audio.riff import find_data_chunk
from osscl.config import Channel
from osscl.errors import AudioCorruptError, AudioError

_BLOCK_VALUES = 1 << 20
_LIBSNDFILE_UNRECOGNISED = 1
_LIBSNDFILE_OPEN_LENGTH = 2**63 - 1


class Recording:
    """An open recording whose header has been read and found sound.

    Attributes
    ----------
    sample_rate_hz, n_channels, n_frames : int
        What the header says.
    is_pcm_16 : bool
        Whether the samples are 16-bit integers in the file.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.sample_rate_hz: int = file.samplerate
        self.n_channels: int = file.channels
        self.n_frames: int = file.frames
        self.is_pcm_16: bool = file.subtype == "PCM_16"

    @property
    def duration_s(self) -> float:
        """Length of the whole recording in seconds."""
        return self.n_frames / self.sample_rate_hz

    def read(self, n_frames: int, channel: Channel, dtype: type[np.int16] | type[np.float32]) -> NDArray[Any]:
        """Read the first `n_frames` frames of one channel, or the mean of all, and look for the end.

        Blocks bound the memory, however many channels there are.
        """
        samples: NDArray[Any] = np.empty(n_frames, dtype)
        block_frames = max(1, _BLOCK_VALUES // self.n_channels)
        for start in range(0, n_frames, block_frames):
            wanted = samples[start : start + block_frames]
            block = self._file.read(
                len(wanted), dtype=samples.dtype.name, always_2d=True
            )  # [frames, channels]
            if len(block) < len(wanted):
                raise self._cut_short(start + len(block))
            if channel == "mean":
                with np.errstate(invalid="ignore", over="ignore"):  # the caller checks the level
                    block.mean(axis=1, out=wanted)
            else:
                wanted[:] = block[:, channel]
        self._check_last_frame(n_frames)
        return samples

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
def open_recording(stream: ByteStream) -> Iterator[Recording]:
    """Read the header of a recording; errors from then on carry its sample rate and duration.

    Raises
    ------
    AudioCorruptError
        If it is no recording, a damaged one, an empty one, or one shorter than it declares.
    """
    data_chunk = find_data_chunk(stream)
    stream.seek(0)
    if stream.read(4) == b"BW64":  # which libsndfile does not know by this name
        stream.rename_form(b"RF64")
    stream.seek(0)
    file = None
    try:
        with soundfile.SoundFile(stream) as file:
            if data_chunk is not None:
                data_chunk.check_complete()
            _check_length(file.frames)
            yield Recording(file)
    except soundfile.LibsndfileError as error:
        raise _with_header(_undecodable(error), file) from error
    except AudioError as error:
        _with_header(error, file)
        raise


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
