"""Clips of a batch as arrays: read, made to fit, altered and transformed, without torch."""

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
from osscl.training.exposure import alter
from osscl.training.log_mel_cache import Float32, LogMelCache
from osscl.training.order import Planned


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
    n_classes : int
        Number of machines K; an altered clip of class i has the label K + i.
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
        n_classes: int,
        input_names: tuple[str, ...],
        fit: Fit = AS_THEY_ARE,
        cache: LogMelCache | None = None,
    ) -> None:
        self._clips = clips
        self._labels = labels
        self._n_classes = n_classes
        self._input_names = input_names
        self._fit = fit
        self._cache = cache

    def read(self, batch: Sequence[Planned]) -> ClipArrays:
        """Read clips.

        Parameters
        ----------
        batch : sequence of Planned
            Which ones, and how they are altered.

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
        samples = [self._read(planned) for planned in batch]
        arrays = {"waveform": stack_clips(samples), "log_mel": self._log_mels(batch, samples)}
        return ClipArrays(
            tuple(arrays[name] for name in self._input_names),
            np.array([self._label(planned) for planned in batch], np.int64),
        )

    def _label(self, planned: Planned) -> int:
        label = self._labels[planned.number]
        return label if planned.alteration is None else self._n_classes + label

    def _read(self, planned: Planned) -> Samples:
        clip = self._clips[planned.number]
        try:
            samples = read_clip(clip.path, self._fit).samples
        except AudioError as error:
            raise TrainingDataError(
                f"{printable(clip.path)} could be read when the training began, and cannot now: {error}"
            ) from None
        if planned.alteration is None:
            return samples
        return alter(samples, np.random.default_rng(planned.alteration))

    def _log_mels(self, batch: Sequence[Planned], samples: Sequence[Samples]) -> Float32:
        if self._cache is None:
            return frontend.log_mel(stack_clips(samples), threads=1)
        return np.stack([self._log_mel(*one) for one in zip(batch, samples, strict=True)])

    def _log_mel(self, planned: Planned, samples: Samples) -> Float32:
        """Log-mel of one clip; an altered one is never met again, and not kept."""
        if self._cache is None or planned.alteration is not None:
            return frontend.log_mel(samples, threads=1)
        return self._cache.get(self._clips[planned.number].sha256, samples)
