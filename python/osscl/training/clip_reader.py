"""Clips of a batch as arrays: read, made to fit and transformed, without torch."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from osscl import frontend
from osscl.audio.reading import AS_THEY_ARE, Fit, read_clip
from osscl.audio.samples import Samples, stack_clips
from osscl.errors import AudioError, TrainingDataError
from osscl.support.paths import printable
from osscl.training.clips import TrainingClip
from osscl.training.log_mel_cache import Float32, LogMelCache


class ClipArrays(NamedTuple):
    """Clips of one batch.

    Attributes
    ----------
    inputs : tuple of ndarray
        What the network takes: samples [B, 160000] of int16 or float32, log-mel [B, 128, 313] of float32.
    labels : ndarray of int64, [B]
        Class of each clip.
    """

    inputs: tuple[NDArray[Any], ...]
    labels: NDArray[np.int64]


class ClipReader:
    """Clips with their classes, as the network takes them; it pickles, for processes that only read.

    Parameters
    ----------
    clips : sequence of TrainingClip
        The clips.
    labels : sequence of int
        Class of each.
    input_names : tuple of str
        Inputs of the network, see `OSSCL.input_names`.
    fit : Fit
        How recordings that do not fit are made to fit.
    cache : LogMelCache or None
        Where log-mels are kept.
    """

    def __init__(
        self,
        clips: Sequence[TrainingClip],
        labels: Sequence[int],
        input_names: tuple[str, ...],
        fit: Fit = AS_THEY_ARE,
        cache: LogMelCache | None = None,
    ) -> None:
        self._clips = clips
        self._labels = labels
        self._input_names = input_names
        self._fit = fit
        self._cache = cache

    def read(self, indices: Sequence[int]) -> ClipArrays:
        """Read clips.

        Parameters
        ----------
        indices : sequence of int
            Which ones.

        Returns
        -------
        ClipArrays
            In that order.

        Raises
        ------
        TrainingDataError
            A clip cannot be read any more.
        OutputError
            A log-mel cannot be kept.
        """
        clips = [self._clips[i] for i in indices]
        samples = stack_clips([self._read(clip) for clip in clips])
        arrays = {"waveform": samples, "log_mel": self._log_mels(clips, samples)}
        return ClipArrays(
            tuple(arrays[name] for name in self._input_names),
            np.array([self._labels[i] for i in indices], np.int64),
        )

    def _read(self, clip: TrainingClip) -> Samples:
        try:
            return read_clip(clip.path, self._fit).samples
        except AudioError as error:
            raise TrainingDataError(
                f"{printable(clip.path)} could be read when the training began, and cannot now: {error}"
            ) from None

    def _log_mels(self, clips: Sequence[TrainingClip], samples: Samples) -> Float32:
        if self._cache is None:
            return frontend.log_mel(samples, threads=1)
        return np.stack([self._cache.get(clip.sha256, one) for clip, one in zip(clips, samples, strict=True)])
