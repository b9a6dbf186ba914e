"""How Triton shall put requests together."""

from dataclasses import dataclass

from osscl.errors import ConfigError
from osscl.support.counts import checked_count
from osscl.triton.config_text import Message

_SMALLEST_PREFERRED = 4
_LONGEST_DELAY_MS = 60_000.0


@dataclass(frozen=True, slots=True)
class Batching:
    """How Triton's dynamic batcher puts requests together.

    Attributes
    ----------
    max_batch : int
        Clips that a model takes at once at most.
    preferred : tuple of int
        Batches that are sent on at once when they are full; by default 4, 8, 16 ... up to `max_batch`.
    queue_delay_ms : float
        Milliseconds that a request waits at most for others; 0 sends on what is there.

    Raises
    ------
    ConfigError
        A size or the delay lies outside its range.
    """

    max_batch: int = 32
    preferred: tuple[int, ...] = ()
    queue_delay_ms: float = 2.0

    def __post_init__(self) -> None:
        checked_count("max_batch", self.max_batch, most=4096)
        for size in self.preferred:
            if not 1 <= size <= self.max_batch:
                raise ConfigError(
                    f"preferred_batch is {size}; expected a whole number from 1 to the largest batch, "
                    f"{self.max_batch}"
                )
        if not 0 <= self.queue_delay_ms <= _LONGEST_DELAY_MS:
            raise ConfigError(
                f"queue_delay is {self.queue_delay_ms:g}; expected milliseconds from 0 to "
                f"{_LONGEST_DELAY_MS:g}"
            )

    def message(self) -> Message:
        """Say it as Triton's configuration does."""
        sizes = sorted(set(self.preferred)) or list(_powers_of_two(self.max_batch))
        return {
            "preferred_batch_size": sizes,
            "max_queue_delay_microseconds": round(self.queue_delay_ms * 1000),
        }


def _powers_of_two(most: int) -> tuple[int, ...]:
    sizes = [_SMALLEST_PREFERRED]
    while sizes[-1] * 2 <= most:
        sizes.append(sizes[-1] * 2)
    return tuple(size for size in sizes if size <= most) or (most,)
