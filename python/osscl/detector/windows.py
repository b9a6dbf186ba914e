"""What scoring a long waveform gives, window by window."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osscl.audio.fitting import cut_or_padded
from osscl.audio.samples import Samples
from osscl.audio.silence import silence_of
from osscl.audio.windows import hop_frames
from osscl.config import Padding
from osscl.errors import InputError
from osscl.scoring.record import short_float
from osscl.scoring.scores import Scores
from osscl.scoring.whole_files import ScoresOf


@dataclass(frozen=True, slots=True, eq=False)
class WindowScores:
    """Scores of the windows of one waveform, and what they come to.

    Attributes
    ----------
    start_s : ndarray of float64, [W]
        Where each window begins, seconds.
    scores : Scores
        Of the W windows: scores, and decisions where there are some.
    max, mean, q95 : float
        Largest score, mean and 95 % quantile of the windows with sound, or of all where none has any. Nothing
        is decided of them: what decides are scores of single windows, and the largest of many is larger.
    left_out_s : float
        Seconds at the end that are in no window.
    """

    start_s: npt.NDArray[np.float64]
    scores: Scores
    max: float
    mean: float
    q95: float
    left_out_s: float

    @classmethod
    def of(cls, cut: "CutWaveform", scores: Scores) -> "WindowScores":
        """Put beside the scores where each window begins, and what they come to."""
        start_s = np.array(cut.starts) / cut.rate_hz
        highest, mean, q95 = map(short_float, ScoresOf.of(scores.score, cut.is_silent()))
        return cls(start_s, scores, highest, mean, q95, cut.left_out_s)


class CutWaveform:
    """A waveform in windows, by the rule of `osscl.audio.windows`.

    Attributes
    ----------
    starts : list of int
        First sample of each window.
    rate_hz : int
        Sample rate.
    left_out_s : float
        Seconds at the end that are in no window.
    n_recorded : dict of int to int
        Samples of a window that was filled up, by its number.

    Parameters
    ----------
    samples : ndarray of int16 or float32, [n]
        The waveform.
    n_samples, rate_hz : int
        Length of a window, and the sample rate.
    hop_s : float
        Seconds from the beginning of one window to that of the next.
    pad : {"repeat", "zero"} or None
        How the end is filled up; None leaves it out.

    Raises
    ------
    InputError
        It is shorter than a window, and nothing fills it up.
    """

    def __init__(
        self, samples: Samples, n_samples: int, rate_hz: int, hop_s: float, pad: Padding | None
    ) -> None:
        self._samples, self._n_samples, self._pad = samples, n_samples, pad
        self.rate_hz = rate_hz
        hop, n = hop_frames(hop_s, rate_hz), len(samples)
        self.starts = list(range(0, n - n_samples + 1, hop))
        covered = self.starts[-1] + n_samples if self.starts else 0
        behind = self.starts[-1] + hop if self.starts else 0
        self.n_recorded: dict[int, int] = {}
        self.left_out_s = (n - max(covered, min(behind, n))) / rate_hz
        if self.left_out_s and pad is not None:
            self.n_recorded[len(self.starts)] = n - behind
            self.starts.append(behind)
            self.left_out_s = 0.0
        if not self.starts:
            raise InputError(
                f"the waveform lasts {n / rate_hz:g} s, expected at least {n_samples / rate_hz:g} s; "
                "pad='repeat' or 'zero' fills it up"
            )

    def is_silent(self) -> npt.NDArray[np.bool_]:
        """In which windows nothing is heard, [W]."""
        heard = (self._samples[start : start + self._n_samples] for start in self.starts)
        return np.array([silence_of(samples) is not None for samples in heard])

    def batches(self, size: int) -> Iterator[tuple[range, Samples]]:
        """Give so many windows at once: their numbers, and their samples [B, n_samples]."""
        for first in range(0, len(self.starts), size):
            starts = self.starts[first : first + size]
            clips = [cut_or_padded(self._samples[start:], self._n_samples, self._pad) for start in starts]
            yield range(first, first + len(clips)), np.stack(clips)
