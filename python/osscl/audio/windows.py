"""Recordings of any length as windows: clips that begin every so many seconds, streamed from disk.

A window is what `read_clip` would give of the recording with everything before it cut off. In memory is
never more than one of them.
"""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from osscl.audio.bytestream import AudioSource, open_source
from osscl.audio.decoder import Recording, open_recording
from osscl.audio.fitting import AS_THEY_ARE, Clip, Cutter, Fit
from osscl.audio.samples import to_waveform
from osscl.config import CLIP, FRONTEND, Channel, ClipConfig, Padding
from osscl.errors import AudioCorruptError, AudioError, AudioUnfitError, ConfigError
from osscl.support.log import quiet_logger
from osscl.support.paths import printable

_log = quiet_logger(__name__)

SHORTEST_HOP_S, LONGEST_HOP_S = 0.01, 86_400.0


def check_hop(hop_s: float) -> None:
    """Raise ConfigError unless windows can begin every `hop_s` seconds."""
    if not (math.isfinite(hop_s) and SHORTEST_HOP_S <= hop_s <= LONGEST_HOP_S):
        raise ConfigError(
            f"hop is {hop_s:g} s; expected seconds from one window's beginning to the next, from "
            f"{SHORTEST_HOP_S:g} to {LONGEST_HOP_S:g}, such as 10 for windows side by side"
        )


@dataclass(frozen=True, slots=True, eq=False)
class RawWindow:
    """What was read for one window, not yet converted: that can be done anywhere.

    Attributes
    ----------
    start_s : float
        Where in the recording it begins, seconds.
    """

    start_s: float
    _cutter: Cutter
    _samples: NDArray[Any]
    _n_left: int

    @property
    def n_bytes(self) -> int:
        """Memory that it takes as it was read."""
        return self._samples.nbytes

    def clip(self) -> Clip:
        """Make a clip of it; raises AudioError as `read_clip` does."""
        return self._cutter.clip(self._samples, self._n_left)


class Windows:
    """Windows of one open recording, in order; iterated over once.

    Attributes
    ----------
    sample_rate_hz : int
        Of the file.
    duration_s : float
        Length of all that the file holds.
    left_out_s : float
        Seconds at the end that lie in no window, known once all windows were given.

    Parameters
    ----------
    recording : Recording
        Opened, and nothing read of it.
    cutter : Cutter
        Cuts it.
    hop_s : float
        Seconds from the beginning of one window to that of the next.
    """

    def __init__(self, recording: Recording, cutter: Cutter, hop_s: float) -> None:
        self.sample_rate_hz = recording.sample_rate_hz
        self.duration_s = recording.duration_s
        self.left_out_s = 0.0
        self._recording, self._cutter = recording, cutter
        self._hop = hop_frames(hop_s, recording.sample_rate_hz)

    @property
    def n_windows(self) -> int:
        """How many windows there are, by the header; nothing is read."""
        return self._count(self._recording.n_frames)

    @property
    def n_declared(self) -> int:
        """How many there would be, had a file that is cut short all that its header declares."""
        return self._count(self._recording.n_declared)

    def _count(self, n_frames: int) -> int:
        n_needed = self._cutter.n_needed
        n_whole = 0 if n_frames < n_needed else (n_frames - n_needed) // self._hop + 1
        covered = (n_whole - 1) * self._hop + n_needed if n_whole else 0
        is_end_filled = self._cutter.pad is not None and max(covered, n_whole * self._hop) < n_frames
        return n_whole + is_end_filled

    def starts(self) -> list[float]:
        """Where the windows begin, seconds; nothing is read.

        Raises
        ------
        AudioCorruptError
            The recording ends before its header says so, or may have been longer.
        """
        self._recording.check_end()
        found: list[float] = []
        start, covered = 0, 0
        while self._is_begun(start, covered):
            found.append(start / self.sample_rate_hz)
            covered = min(self._recording.n_frames, start + self._cutter.n_needed)
            start += self._hop
        return found

    def __iter__(self) -> Iterator[RawWindow]:
        """Give the windows; where the recording is damaged, those before it and then AudioCorruptError."""
        n_frames, cutter = self._recording.n_frames, self._cutter
        held: NDArray[Any] = np.empty(0, cutter.dtype)  # frames that were read, from `start` on
        start, covered = 0, 0
        while self._is_begun(start, covered):
            n_wanted = min(cutter.n_read, n_frames - start)
            more = self._recording.read_on(max(0, n_wanted - len(held)), cutter.channel, cutter.dtype)
            held = np.concatenate([held, more])
            yield RawWindow(start / self.sample_rate_hz, cutter, held[:n_wanted], n_frames - start)
            covered = min(n_frames, start + cutter.n_needed)
            self._recording.pass_over(min(max(0, self._hop - len(held)), n_frames - start - len(held)))
            held = held[self._hop :]
            start += self._hop
        n_read = min(n_frames, start + len(held))
        self._recording.pass_over(n_frames - n_read)
        self._recording.check_end()
        self.left_out_s = (n_frames - max(covered, min(start, n_frames))) / self.sample_rate_hz

    def _is_begun(self, start: int, covered: int) -> bool:
        """Whether a window begins there: a whole one, or the end of the recording that shall be filled up."""
        n_left = self._recording.n_frames - start
        if n_left >= self._cutter.n_needed:
            return True
        return self._cutter.pad is not None and n_left > 0 and covered < self._recording.n_frames


def hop_frames(hop_s: float, rate_hz: int) -> int:
    """Frames from the beginning of one window to that of the next: whole ones, at least one."""
    return max(1, round(hop_s * rate_hz))


@contextmanager
def open_windows(
    source: AudioSource,
    hop_s: float,
    fit: Fit = AS_THEY_ARE,
    clip: ClipConfig = CLIP,
    sample_rate_hz: int = FRONTEND.sample_rate_hz,
) -> Iterator[Windows]:
    """Open a recording for reading it window by window.

    Messages of the errors do not name the source. Errors raised once the header is read carry
    its sample rate and the recording's duration.

    Parameters
    ----------
    source : str, path, bytes, binary file object or upload
        As for `osscl.read_audio`.
    hop_s : float
        Seconds from the beginning of one window to that of the next.
    fit : Fit
        How the recording may be made to fit; with a padding, its end becomes a window too.
    clip : ClipConfig
        Length of the windows.
    sample_rate_hz : int
        Sample rate that the model takes.

    Yields
    ------
    Windows
        To be iterated over.

    Raises
    ------
    AudioReadError, AudioCorruptError, AudioUnfitError, InputError
        As for `osscl.read_audio`; where the sound ends too early, not before all windows were given.
    ConfigError
        There is no such hop.
    """
    check_hop(hop_s)
    with open_source(source) as stream:
        if stream.seek(0, 2) == 0:
            raise AudioCorruptError("the file is empty")
        with open_recording(stream, up_to_its_flaw=True) as recording:
            yield Windows(recording, _cutter(recording, fit, clip.n_samples, sample_rate_hz), hop_s)


def _cutter(recording: Recording, fit: Fit, n_samples: int, sample_rate_hz: int) -> Cutter:
    try:
        return Cutter.of(recording, fit, n_samples, sample_rate_hz)
    except AudioUnfitError:
        recording.check_end()  # a recording too short because it was cut is a damaged one
        raise


class Window(NamedTuple):
    """Ten seconds of a recording, as the model takes them.

    Attributes
    ----------
    start_s : float
        Where in the recording they begin, seconds.
    waveform : ndarray of float32, [160000]
        Waveform at 16 kHz, full scale ±1.
    """

    start_s: float
    waveform: NDArray[np.float32]


def read_windows(
    source: AudioSource,
    hop_s: float,
    resample: bool = False,
    channel: Channel | None = None,
    pad: Padding | None = None,
) -> Iterator[Window]:
    """Read a recording of any length, ten seconds at a time, each as `osscl.read_audio` would.

    The file is streamed: in memory is never more than one window. What is left at the end is a part
    shorter than a window, which the logger ``osscl`` tells, or a window too by `pad`.

    Parameters
    ----------
    source : str, path, bytes or binary file object
        As for `osscl.read_audio`.
    hop_s : float
        Seconds from the beginning of one window to that of the next, from 0.01: 10 for windows side by side.
    resample : bool
        Convert another sample rate to 16 kHz instead of refusing it (needs ``osscl[resample]``).
    channel : int, "mean" or None
        Channel to take from a recording of several, counted from 0, or their mean; None refuses it.
    pad : {"repeat", "zero"} or None
        Fill up the end of the recording by repeating it or with zeros; None leaves it out.

    Returns
    -------
    iterator of Window
        The windows, in order.

    Raises
    ------
    AudioReadError, AudioCorruptError, AudioUnfitError, InputError, MissingExtraError
        As for `osscl.read_audio`. Where a recording is damaged, windows before come first.
    ConfigError
        If an argument is none of the values above.
    """
    fit = Fit(resample=resample, channel=channel, pad=pad)
    check_hop(hop_s)
    return _read_windows(source, hop_s, fit)


def _read_windows(source: AudioSource, hop_s: float, fit: Fit) -> Iterator[Window]:
    name = f"{printable(source)}: " if isinstance(source, str | os.PathLike) else ""
    try:
        with open_windows(source, hop_s, fit) as windows:
            for window in windows:
                yield Window(window.start_s, to_waveform(window.clip().samples))
    except AudioError as error:
        error.args = (f"{name}{error}",)
        raise
    if windows.left_out_s:
        _log.warning("%sits last %.6g s are shorter than a window and left out", name, windows.left_out_s)
