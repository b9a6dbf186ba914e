"""A cell: some machines, a queue, workers and one journal; a fleet is as many cells as it takes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outage:
    """A time for which something is gone, seconds from the beginning."""

    at_s: float
    lasts_s: float
    share: float = 1.0  # of the workers


@dataclass(frozen=True)
class Cell:
    """What is simulated, from its sizes to what fails in it; times in seconds."""

    n_workers: int
    service_s: float  # mean processor time of a clip
    spread: tuple[float, ...]  # quantiles of a clip's time, as multiples of the mean
    n_machines: int = 3_000
    lasts_s: float = 3600.0  # for so long machines send
    period_s: float = 60.0  # from clip to clip of a machine
    jitter_s: float = 2.0  # either way, uniform; sent so much after it is due
    queue_limit: int = 5_000  # clips; beyond them machines are told to come again
    machine_keeps: int = 30  # clips that a machine holds while it is refused
    lease_s: float = 30.0  # after which a clip that was taken is given to another worker
    commit_every_s: float = 1.0  # records that a dying worker loses, as a killed run of osscl
    commit_s: float = 0.005
    worker_lives_s: float | None = None  # mean time from start to death, exponential
    worker_away_s: float = 60.0
    stall_every_s: float | None = None  # mean time between stalls of the store, exponential
    stall_lasts_s: float = 20.0
    answers_lost: float = 0.0  # share of the queue's answers that no machine hears
    workers_gone: tuple[Outage, ...] = ()
    store_gone: tuple[Outage, ...] = ()

    @property
    def arrivals_a_second(self) -> float:
        """Clips that all machines send a second."""
        return self.n_machines / self.period_s

    @property
    def offered(self) -> float:
        """Utilisation that the clips alone make: nothing is scored twice and no worker is away."""
        return self.arrivals_a_second * self.service_s / self.n_workers
