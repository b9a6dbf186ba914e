"""Batches of waveforms and log-mels: recordings read and transformed by workers, in a planned order."""

import signal
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from osscl import frontend
from osscl.audio.reading import read_clip
from osscl.audio.samples import Samples, stack_clips
from osscl.errors import AudioError, TrainingDataError
from osscl.support.paths import printable
from osscl.training.clips import TrainingClip
from osscl.training.log_mel_cache import Float32, LogMelCache
from osscl.training.randomness import Purpose, generator
from osscl.training.step import Batch


class ClipDataset(Dataset[Batch]):
    """Clips with their classes, as the network takes them; an index is a whole batch of clips.

    Parameters
    ----------
    clips : sequence of TrainingClip
        The clips.
    labels : sequence of int
        Class of each.
    input_names : tuple of str
        Inputs of the network, see `OSSCL.input_names`.
    cache : LogMelCache or None
        Where log-mels are kept.
    """

    def __init__(
        self,
        clips: Sequence[TrainingClip],
        labels: Sequence[int],
        input_names: tuple[str, ...],
        cache: LogMelCache | None = None,
    ) -> None:
        self._clips = clips
        self._labels = labels
        self._input_names = input_names
        self._cache = cache

    def __len__(self) -> int:
        return len(self._clips)

    def __getitem__(self, indices: Sequence[int]) -> Batch:
        """Read clips: samples [B, 160000] int16 or float32, log-mel [B, 128, 313]."""
        clips = [self._clips[i] for i in indices]
        samples = stack_clips([_read(clip) for clip in clips])
        arrays = {"waveform": samples, "log_mel": self._log_mels(clips, samples)}
        return Batch(
            tuple(torch.from_numpy(arrays[name]) for name in self._input_names),
            torch.tensor([self._labels[i] for i in indices]),
        )

    def _log_mels(self, clips: Sequence[TrainingClip], samples: Samples) -> Float32:
        if self._cache is None:
            return frontend.log_mel(samples, threads=1)
        return np.stack([self._cache.get(clip.sha256, one) for clip, one in zip(clips, samples, strict=True)])


def _read(clip: TrainingClip) -> Samples:
    try:
        return read_clip(clip.path).samples
    except AudioError as error:
        raise TrainingDataError(
            f"{printable(clip.path)} could be read when the training began, and cannot now: {error}"
        ) from None


def next_batch(batches: Iterator[Batch]) -> Batch:
    """Take the next batch; errors of workers come as the sentence they are, without the worker's traceback.

    Parameters
    ----------
    batches : iterator of Batch
        Of a loader.

    Returns
    -------
    Batch
        The next one.

    Raises
    ------
    TrainingDataError
        A clip cannot be read any more.
    """
    try:
        return next(batches)
    except TrainingDataError as error:
        sentence = str(error).rpartition(f"{TrainingDataError.__name__}: ")[2].strip()
        raise TrainingDataError(sentence) from None


class TrainingOrder:
    """Batches of clip numbers of all epochs from a given place on, each epoch in its own random order.

    Parameters
    ----------
    n_clips, batch_size : int
        Clips of an epoch, and of a batch.
    seed, epochs : int
        Seed of the training and its number of epochs.
    epoch, step : int
        Where to begin, counted from 0; the step within its epoch.
    """

    def __init__(
        self, n_clips: int, batch_size: int, *, seed: int, epochs: int, epoch: int = 0, step: int = 0
    ) -> None:
        self._n_clips, self._batch_size, self._seed = n_clips, batch_size, seed
        self._epochs, self._epoch, self._step = epochs, epoch, step

    def __iter__(self) -> Iterator[list[int]]:
        first = self._step
        for epoch in range(self._epoch, self._epochs):
            order = generator(self._seed, Purpose.ORDER, epoch).permutation(self._n_clips).tolist()
            batches = plan_batches(order, self._batch_size)
            yield from batches[first:]
            first = 0

    def __len__(self) -> int:
        return (self._epochs - self._epoch) * n_batches(self._n_clips, self._batch_size) - self._step


def plan_batches(order: list[int], batch_size: int) -> list[list[int]]:
    """Cut an order into batches; a last one smaller than the others is dropped, unless it is the only one."""
    size = min(batch_size, len(order))
    return [order[i : i + size] for i in range(0, len(order) - size + 1, size)]


def n_batches(n_clips: int, batch_size: int) -> int:
    """Batches of one epoch."""
    return n_clips // min(batch_size, n_clips)


def make_loader(
    dataset: ClipDataset, batches: Iterable[list[int]], *, workers: int, pin_memory: bool = False
) -> DataLoader[Batch]:
    """Read batches ahead in processes of their own.

    Parameters
    ----------
    dataset : ClipDataset
        The clips.
    batches : iterable of list of int
        Which clips, batch by batch.
    workers : int
        Processes; 0 reads in the calling one.
    pin_memory : bool
        Place batches where a GPU copies from fastest.

    Returns
    -------
    DataLoader
        Yields batches in order.
    """
    return DataLoader(
        dataset,
        batch_size=None,
        sampler=batches,
        num_workers=workers,
        pin_memory=pin_memory,
        # a fork would copy a process that has threads of its own
        multiprocessing_context="forkserver" if workers else None,
        worker_init_fn=_leave_ctrl_c_to_the_parent if workers else None,
    )


def _leave_ctrl_c_to_the_parent(_: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
