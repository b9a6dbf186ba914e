"""Clips of a batch as arrays: read, made to fit, altered and transformed, without torch."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from osscl import frontend
from osscl.audio.reading import AS_THEY_ARE, Fit, read_clip
from osscl.audio.samples import Samples, stack_clips
from osscl.errors import AudioError, TrainingDataError
from osscl.features import memory_features
from osscl.support.paths import printable
from osscl.training.clips import TrainingClip
from osscl.training.exposure import alter
from osscl.training.feature_scale import FeatureScale
from osscl.training.log_mel_cache import Float32, LogMelCache
from osscl.training.order import Planned
from osscl.training.pseudo_classes import altered_label


class ClipArrays(NamedTuple):
    """Clips of one batch.

    Attributes
    ----------
    inputs : tuple of ndarray
        What the network takes: samples [B, 160000] of int16 or float32, log-mel [B, 128, 313] of float32.
    labels : ndarray of int64, [B]
        Class of each clip.
    features : ndarray of float32, [B, 360], or None
        What embeddings shall keep, in deviations from the mean of the training clips.
    """

    inputs: tuple[NDArray[Any], ...]
    labels: NDArray[np.int64]
    features: NDArray[np.float32] | None


class ClipReader:
    """Clips with their classes, as the network takes them; it pickles, for processes that only read.

    Parameters
    ----------
    clips : sequence of TrainingClip
        The clips.
    labels : sequence of int
        Class of each.
    n_classes : int
        Number of real classes K, from which the labels of altered clips follow.
    input_names : tuple of str
        Inputs of the network, see `OSSCL.input_names`.
    fit : Fit
        How recordings that do not fit are made to fit.
    cache : LogMelCache or None
        Where log-mels are kept.
    scale : FeatureScale or None
        In what features are told; None where none are.
    """

    def __init__(
        self,
        clips: Sequence[TrainingClip],
        labels: Sequence[int],
        n_classes: int,
        input_names: tuple[str, ...],
        fit: Fit = AS_THEY_ARE,
        cache: LogMelCache | None = None,
        scale: FeatureScale | None = None,
    ) -> None:
        self._clips = clips
        self._labels = labels
        self._n_classes = n_classes
        self._input_names = input_names
        self._fit = fit
        self._cache = cache
        self._scale = scale

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
        read = [self._read(planned) for planned in batch]
        samples = [one for one, _ in read]
        arrays = {"waveform": stack_clips(samples), "log_mel": self._log_mels(batch, samples)}
        return ClipArrays(
            tuple(arrays[name] for name in self._input_names),
            np.array([label for _, label in read], np.int64),
            self._targets(arrays["waveform"]),
        )

    def _targets(self, samples: Samples) -> Float32 | None:
        return None if self._scale is None else self._scale.targets(memory_features(samples, threads=1))

    def _read(self, planned: Planned) -> tuple[Samples, int]:
        """Samples of a clip, and their label."""
        clip, label = self._clips[planned.number], self._labels[planned.number]
        try:
            samples = read_clip(clip.path, self._fit).samples
        except AudioError as error:
            raise TrainingDataError(
                f"{printable(clip.path)} could be read when the training began, and cannot now: {error}"
            ) from None
        if planned.alteration is None:
            return samples, label
        altered, kind = alter(samples, planned.alteration)
        return altered, altered_label(label, kind, self._n_classes)

    def _log_mels(self, batch: Sequence[Planned], samples: Sequence[Samples]) -> Float32:
        if self._cache is None:
            return frontend.log_mel(stack_clips(samples), threads=1)
        return np.stack([self._log_mel(*one) for one in zip(batch, samples, strict=True)])

    def _log_mel(self, planned: Planned, samples: Samples) -> Float32:
        """Log-mel of one clip; an altered one is never met again, and not kept."""
        if self._cache is None or planned.alteration is not None:
            return frontend.log_mel(samples, threads=1)
        return self._cache.get(self._clips[planned.number].sha256, samples)
