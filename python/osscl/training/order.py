"""Which clips are in which batch, and which of them altered: each epoch in its own order, from anywhere."""

from collections.abc import Iterator
from typing import NamedTuple

from osscl.training.randomness import Purpose, generator

_MAX_SEED = 2**63


class Planned(NamedTuple):
    """A clip of a batch.

    Attributes
    ----------
    number : int
        Which clip.
    alteration : int or None
        Seed of how it is altered, see `osscl.training.exposure`; None for the clip as it is.
    """

    number: int
    alteration: int | None = None


class TrainingOrder:
    """Batches of all epochs from a given place on, each epoch in its own random order.

    Parameters
    ----------
    n_clips, batch_size : int
        Clips of an epoch, and of a batch.
    seed, epochs : int
        Seed of the training and its number of epochs.
    exposure : float
        Share of the clips that are altered, each by its own chance.
    epoch, step : int
        Where to begin, counted from 0; the step within its epoch.
    """

    def __init__(
        self,
        n_clips: int,
        batch_size: int,
        *,
        seed: int,
        epochs: int,
        exposure: float = 0.0,
        epoch: int = 0,
        step: int = 0,
    ) -> None:
        self._n_clips, self._batch_size, self._seed = n_clips, batch_size, seed
        self._epochs, self._epoch, self._step = epochs, epoch, step
        self._exposure = exposure

    def __iter__(self) -> Iterator[list[Planned]]:
        first = self._step
        for epoch in range(self._epoch, self._epochs):
            order = generator(self._seed, Purpose.ORDER, epoch).permutation(self._n_clips).tolist()
            batches = plan_batches(order, self._batch_size)
            for step in range(first, len(batches)):
                yield self._planned(batches[step], epoch, step)
            first = 0

    def __len__(self) -> int:
        return (self._epochs - self._epoch) * n_batches(self._n_clips, self._batch_size) - self._step

    def _planned(self, batch: list[int], epoch: int, step: int) -> list[Planned]:
        if not self._exposure:
            return [Planned(number) for number in batch]
        chance = generator(self._seed, Purpose.EXPOSURE, epoch, step)
        is_altered = chance.random(len(batch)) < self._exposure
        seeds = chance.integers(_MAX_SEED, size=len(batch))
        drawn = zip(batch, is_altered.tolist(), seeds.tolist(), strict=True)
        return [Planned(number, seed if altered else None) for number, altered, seed in drawn]


def plan_batches(order: list[int], batch_size: int) -> list[list[int]]:
    """Cut an order into batches; a last one smaller than the others is dropped, unless it is the only one."""
    size = min(batch_size, len(order))
    return [order[i : i + size] for i in range(0, len(order) - size + 1, size)]


def n_batches(n_clips: int, batch_size: int) -> int:
    """Batches of one epoch."""
    return n_clips // min(batch_size, n_clips)
