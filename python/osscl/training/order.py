"""Which clips are in which batch: of each epoch in an order of its own, from any place on."""

from collections.abc import Iterator

from osscl.training.randomness import Purpose, generator


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
