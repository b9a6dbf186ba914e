"""Repetitions in rounds, each in another order: what disturbs the machine for a while hits all alike."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from osscl.bench import clock

ROUNDS = 5
# Threads of BLAS libraries and runtimes look for more work for a while before they sleep.
_SETTLING_S = 0.03
_ORDER_SEED = 0


@dataclass(frozen=True, slots=True)
class Repetition:
    """One uninterrupted stretch of work.

    Attributes
    ----------
    n_clips : int
        Clips done.
    elapsed_s : float
        Seconds it took.
    call_s : list of float
        Seconds of each call; empty where calls overlap.
    busy_s : float or None
        Seconds of them in which a GPU computed the network; None without one.
    """

    n_clips: int
    elapsed_s: float
    call_s: list[float] = field(default_factory=list)
    busy_s: float | None = None


@dataclass(slots=True, eq=False)
class Work:
    """Something whose speed is measured.

    Attributes
    ----------
    run : callable
        Works for about so many seconds, at least one call.
    budget_s : float
        Seconds for all its repetitions together.
    done : list of Repetition
        What was measured so far.
    """

    run: Callable[[float], Repetition]
    budget_s: float
    done: list[Repetition] = field(default_factory=list)

    @property
    def clips_per_s(self) -> float:
        """Median rate of the repetitions."""
        return statistics.median(repetition.n_clips / repetition.elapsed_s for repetition in self.done)

    @property
    def best_clips_per_s(self) -> float:
        """Rate of the best repetition."""
        return max(repetition.n_clips / repetition.elapsed_s for repetition in self.done)

    @property
    def call_s(self) -> list[float]:
        """Times of all calls, seconds."""
        return [seconds for repetition in self.done for seconds in repetition.call_s]

    @property
    def idle_share(self) -> float | None:
        """Share of the time in which a GPU did not compute the network: median of the repetitions."""
        shares = [1.0 - each.busy_s / each.elapsed_s for each in self.done if each.busy_s is not None]
        return statistics.median(shares) if shares else None

    def _is_due(self) -> bool:
        return not self.done or sum(repetition.elapsed_s for repetition in self.done) < self.budget_s


def measure_in_rounds(works: Sequence[Work], on_step: Callable[[], Any]) -> None:
    """Repeat each work in each round, until its budget is used.

    Parameters
    ----------
    works : sequence of Work
        What is measured; each keeps its repetitions.
    on_step : callable
        Called after each repetition, done or not: `ROUNDS` times a work.
    """
    generator = np.random.default_rng(_ORDER_SEED)
    for _ in range(ROUNDS):
        for number in generator.permutation(len(works)):
            work = works[number]
            if work._is_due():
                time.sleep(_SETTLING_S)
                work.done.append(work.run(work.budget_s / ROUNDS))
            on_step()


def repeat_call(call: Callable[[], Any], n_clips: int, seconds: float) -> Repetition:
    """Call something again and again, after a first time that warms the caches and is not counted.

    Parameters
    ----------
    call : callable
        What is measured.
    n_clips : int
        Clips that one call does.
    seconds : float
        When to stop.

    Returns
    -------
    Repetition
        At least one call.
    """
    call()
    call_s: list[float] = []
    start = before = clock.now()
    while not call_s or before - start < seconds:
        call()
        after = clock.now()
        call_s.append(after - before)
        before = after
    return Repetition(n_clips * len(call_s), before - start, call_s)
