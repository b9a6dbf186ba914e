"""Stream: sound that comes in blocks of any size, scored window by window as it comes."""

import datetime
import threading
from types import TracebackType
from typing import NamedTuple

import numpy as np

from osscl.audio.samples import Samples, Waveforms, as_samples
from osscl.audio.windows import check_hop, hop_frames
from osscl.detector.detector import Detector
from osscl.detector.window_lines import WindowLines
from osscl.errors import ConfigError, InputError
from osscl.machines.dcase import check_machine
from osscl.scoring.record import Record

_AT_ONCE = 8  # windows scored together: what a block of hours may hold in memory


class StreamWindow(NamedTuple):
    """A window of a stream, scored.

    Attributes
    ----------
    record : Record
        The line that a file with this sound would have for the window: `start_s` is counted from the first
        sample, or from the last reset; `path` is the name of the stream.
    after : str or None
        Where sound was left out before it: why, and how much was in no window. None where it goes on.
    """

    record: Record
    after: str | None


class _Filling(NamedTuple):
    """A window that is not full yet."""

    start: int  # of the window: samples since the beginning, or the last reset
    n_held: int  # of its samples, at the beginning of the buffer
    n_to_skip: int  # samples between two windows, where the hop is longer than a window
    after: str | None


class Stream:
    """A machine's sound as it comes: push blocks of any size, and get the scores of each full window.

    The windows are those of a file with the same samples, to the last bit (``hop_s`` of
    `Detector.score_files`), whatever the blocks. It holds one window of sound, however long it runs.

    One thread at a time may use a stream. Streams of several machines may share a detector, each in a thread
    of its own. A call that fails leaves the stream as it was, so that it may be made again.

    Parameters
    ----------
    detector : Detector
        What scores; it is not closed with the stream.
    machine : str
        Machine ID that the sound claims to be of, such as "fan/id_00".
    hop_s : float
        Seconds from the beginning of one window to that of the next, from 0.01; 10 puts them side by side.
    sample_rate_hz : int
        Sample rate of all blocks; any other than the model's is refused.
    name : str
        What stands in the place of a file's path.
    began : datetime, optional
        When the first sample was recorded; with it the windows have `recorded_at`.

    Raises
    ------
    InputError
        Another sample rate than the model's.
    ConfigError
        There is no such hop, or `began` is no datetime.
    MachineError
        A machine that the model does not know, or cannot score.

    Examples
    --------
    >>> import osscl
    >>> with osscl.load("model.onnx") as detector:                      # doctest: +SKIP
    ...     stream = osscl.Stream(detector, "fan/id_00", hop_s=5)
    ...     for block in microphone:
    ...         for window in stream.push(block):
    ...             print(window.record.start_s, window.record.score)
    """

    def __init__(
        self,
        detector: Detector,
        machine: str,
        hop_s: float,
        *,
        sample_rate_hz: int = 16_000,
        name: str = "stream",
        began: datetime.datetime | None = None,
    ) -> None:
        check_hop(hop_s)
        expected_hz = detector.manifest.front_end.settings.sample_rate_hz
        if sample_rate_hz != expected_hz:
            raise InputError(
                f"sample_rate_hz is {sample_rate_hz}, expected {expected_hz}; resample the sound first"
            )
        check_machine(machine, detector.machines)
        self._lines = WindowLines(name, machine, sample_rate_hz, detector.judges.of(machine).misfit(None))
        self._detector, self._machine, self._rate_hz = detector, machine, sample_rate_hz
        self._hop = hop_frames(hop_s, sample_rate_hz)
        self._began = _spelled(began)
        # [n_samples] of the type of the first block
        self._buffer: Samples = np.empty(detector.manifest.clip.n_samples, np.int16)
        self._is_of_a_type = False
        self._filling = _Filling(0, 0, 0, None)
        self._is_closed = False
        self._turn = threading.Lock()

    @property
    def held_s(self) -> float:
        """Seconds of sound that wait for their window to become full."""
        return self._filling.n_held / self._rate_hz

    def push(self, samples: Waveforms, sample_rate_hz: int | None = None) -> list[StreamWindow]:
        """Take the next block of sound.

        Parameters
        ----------
        samples : array_like, [n]
            int16 samples, or float samples at full scale ±1: all blocks of the same type. Any number of them,
            also none.
        sample_rate_hz : int, optional
            Sample rate of the block, where it could change; any other than the stream's is refused.

        Returns
        -------
        list of StreamWindow
            The windows that became full, in order; mostly none.

        Raises
        ------
        InputError
            Samples of another rate or type than before, of several channels, not finite or not at full scale;
            the stream is closed, or another thread pushes at this moment. The stream is as it was.
        BackendError
            The detector is closed, or fails. The stream is as it was: the same block may be pushed again.
        """
        if sample_rate_hz not in (None, self._rate_hz):
            raise InputError(
                f"the block has {sample_rate_hz} Hz and the stream {self._rate_hz} Hz; resample it, or begin "
                "another stream"
            )
        with self._used():
            block = self._checked(samples)
            return self._taken(block) if len(block) else []

    def reset(self, reason: str, began: datetime.datetime | None = None) -> None:
        """Begin anew: sound was lost, or the machine was changed. The next window says so.

        Parameters
        ----------
        reason : str
            Why, such as "the microphone was off".
        began : datetime, optional
            When the next sample was recorded; without it no time is known from here on.

        Raises
        ------
        InputError
            The stream is closed, or another thread pushes at this moment.
        ConfigError
            `began` is no datetime.
        """
        spelled = _spelled(began)
        with self._used():
            told = f"begun anew: {reason}"
            if self._filling.n_held:
                told = f"{told} ({self.held_s:g} s before it are in no full window)"
            if self._filling.after is not None:
                told = f"{self._filling.after}; {told}"
            self._began, self._is_of_a_type = spelled, False
            self._filling = _Filling(0, 0, 0, told)

    def close(self) -> None:
        """End the stream. `held_s` tells how much of its end was in no full window."""
        self._is_closed = True

    def __enter__(self) -> "Stream":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _used(self) -> "_Turn":
        if self._is_closed:
            raise InputError("the stream is closed; make a new one")
        return _Turn(self._turn)

    def _checked(self, samples: Waveforms) -> Samples:
        """The block as an array [n] of the stream's type."""
        given = np.asarray(samples) if not isinstance(samples, np.ndarray) else samples
        if given.ndim == 1 and given.shape[0] == 0:
            return self._buffer[:0]
        block = as_samples(samples, InputError)
        if block.ndim != 1:
            raise InputError(
                f"the block has shape {list(block.shape)}; expected [n], samples of one channel: choose one"
            )
        if self._is_of_a_type and block.dtype != self._buffer.dtype:
            raise InputError(
                f"the block holds {block.dtype} and those before it {self._buffer.dtype}; expected one type "
                "of samples from one reset to the next"
            )
        return block

    def _taken(self, block: Samples) -> list[StreamWindow]:
        """Take a block [n] that was checked, or nothing of it."""
        before = self._filling, self._buffer, self._is_of_a_type
        if not self._is_of_a_type:
            self._buffer = np.empty(len(self._buffer), block.dtype)
            self._is_of_a_type = True
        elif self._filling.n_held + len(block) >= len(self._buffer):
            self._buffer = self._buffer.copy()  # windows will move: what stands there now may be needed again
        try:
            return self._windows(block)
        except BaseException:
            self._filling, self._buffer, self._is_of_a_type = before
            raise

    def _windows(self, block: Samples) -> list[StreamWindow]:
        """Fill windows with a block [n], and score those that are full."""
        scored: list[StreamWindow] = []
        full: list[tuple[_Filling, Samples]] = []
        at, n_samples = 0, len(self._buffer)
        while at < len(block):
            start, n_held, n_to_skip, after = self._filling
            skipped = min(n_to_skip, len(block) - at)
            n_new = min(n_samples - n_held, len(block) - at - skipped)
            self._buffer[n_held : n_held + n_new] = block[at + skipped : at + skipped + n_new]
            at += skipped + n_new
            self._filling = _Filling(start, n_held + n_new, n_to_skip - skipped, after)
            if n_held + n_new == n_samples:
                full.append((self._filling, self._buffer.copy()))
                self._advance()
            if len(full) == _AT_ONCE:
                scored += self._scored(full)
                full.clear()
        return scored + self._scored(full)

    def _advance(self) -> None:
        """Go on to the next window: what both hold in common moves to the beginning of the buffer."""
        n_kept = max(0, len(self._buffer) - self._hop)
        self._buffer[:n_kept] = self._buffer[len(self._buffer) - n_kept :]
        n_to_skip = max(0, self._hop - len(self._buffer))
        self._filling = _Filling(self._filling.start + self._hop, n_kept, n_to_skip, None)

    def _scored(self, full: list[tuple[_Filling, Samples]]) -> list[StreamWindow]:
        if not full:
            return []
        clips: Samples = np.stack([clip for _, clip in full])  # type: ignore[assignment]
        scores = self._detector.score(clips, self._machine, self._rate_hz)
        return [
            StreamWindow(self._lines.of(filling.start, clip, self._began, scores, at), filling.after)
            for at, (filling, clip) in enumerate(full)
        ]


class _Turn:
    """The turn of one thread; another one that comes meanwhile is told, and does not wait."""

    def __init__(self, lock: threading.Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            raise InputError(
                "another thread uses this stream at this moment, and nobody could say whose sound comes "
                "first; expected one thread at a time"
            )

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _spelled(began: datetime.datetime | None) -> str | None:
    if began is None:
        return None
    if not isinstance(began, datetime.datetime):
        raise ConfigError(f"began is a {type(began).__name__}; expected a datetime")
    return began.isoformat().replace("+00:00", "Z")
