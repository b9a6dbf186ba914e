"""An hour of a cell, event by event, and what became of every clip."""

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
import simpy

from .cell import Cell
from .lease_queue import LeaseQueue
from .machines import Machines
from .store import Store
from .worker import Worker

SAMPLE_S = 1.0
PATIENCE_S = 6 * 3600.0  # for what is left once the machines send no more


@dataclass(frozen=True)
class Outcome:
    """What became of the clips; times in seconds."""

    n_made: int
    n_recorded: int
    n_lost: int  # a machine's memory was full
    n_left: int  # neither recorded nor lost when the simulation ended
    n_twice: int  # records of clips that had one, dropped by their key
    n_given_again: int
    n_refused: int
    n_deaths: int
    utilisation: float  # busy time of the workers while machines sent
    longest_queue: int
    queue_lengths: np.ndarray  # [seconds], while machines sent
    n_queued: int  # clips that left the queue, as often as they did
    mean_wait_s: float  # in the queue
    delays_s: np.ndarray  # [n_recorded], from a clip's end to its record
    ended_s: float

    def delay(self, share: float) -> float:
        """Within how many seconds this share of the clips was recorded."""
        return float(np.quantile(self.delays_s, share))


def simulated(cell: Cell, seed: int) -> Outcome:
    """Run a cell until its machines stop and all that they sent is recorded."""
    env = simpy.Environment()
    queue = LeaseQueue(env, cell.queue_limit, cell.lease_s)
    store = Store(env, cell.commit_s)
    workers = [
        Worker(env, cell, queue, store, random.Random(f"{seed}/worker/{number}"))
        for number in range(cell.n_workers)
    ]
    machines = Machines(env, cell, queue, random.Random(f"{seed}/machines"))
    _plan_failures(env, cell, workers, store, random.Random(f"{seed}/failures"))
    lengths: list[int] = []
    env.process(_sample(env, cell, queue, lengths))
    env.run(cell.lasts_s + 2 * cell.jitter_s)
    while (machines.n_kept or len(queue) or queue.leases) and env.now < cell.lasts_s + PATIENCE_S:
        env.run(env.now + SAMPLE_S)
    return Outcome(
        n_made=machines.n_made,
        n_recorded=len(store),
        n_lost=machines.n_lost,
        n_left=machines.n_made - len(store) - machines.n_lost,
        n_twice=store.n_twice,
        n_given_again=queue.n_given_again,
        n_refused=machines.n_refused,
        n_deaths=sum(worker.n_deaths for worker in workers),
        utilisation=sum(worker.busy_s for worker in workers) / (cell.n_workers * cell.lasts_s),
        longest_queue=queue.longest,
        queue_lengths=np.array(lengths),
        n_queued=len(queue.waits_s),
        mean_wait_s=float(np.mean(queue.waits_s)),
        delays_s=np.array(store.delays_s),
        ended_s=env.now,
    )


def _plan_failures(
    env: simpy.Environment, cell: Cell, workers: list[Worker], store: Store, choose: random.Random
) -> None:
    """Lay what fails into the time ahead."""
    for outage in cell.workers_gone:
        env.process(
            _workers_go(env, outage.at_s, outage.lasts_s, workers[: round(outage.share * len(workers))])
        )
    for outage in cell.store_gone:
        env.process(_store_goes(env, outage.at_s, outage.lasts_s, store))
    if cell.stall_every_s is not None:
        env.process(_stalls(env, cell.stall_every_s, cell.stall_lasts_s, store, choose))


def _workers_go(env: simpy.Environment, at_s: float, lasts_s: float, workers: list[Worker]) -> Any:
    yield env.timeout(at_s)
    for worker in workers:
        worker.kill(lasts_s)


def _store_goes(env: simpy.Environment, at_s: float, lasts_s: float, store: Store) -> Any:
    yield env.timeout(at_s)
    store.stall(lasts_s)


def _stalls(
    env: simpy.Environment, every_s: float, lasts_s: float, store: Store, choose: random.Random
) -> Any:
    while True:
        yield env.timeout(choose.expovariate(1 / every_s))
        store.stall(lasts_s)


def _sample(env: simpy.Environment, cell: Cell, queue: LeaseQueue, lengths: list[int]) -> Any:
    """Note the length of the queue once a second, while machines send."""
    while env.now < cell.lasts_s:
        yield env.timeout(SAMPLE_S)
        lengths.append(len(queue))
