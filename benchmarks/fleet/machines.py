"""The machines of a cell: each sends a clip a period, and keeps what is refused for another try."""

import random
from typing import Any

import simpy

from .cell import Cell
from .lease_queue import Clip, LeaseQueue

FIRST_TRY_S, LAST_TRY_S = 1.0, 60.0  # back-off of a machine that is refused, each time half of it at random


class Machines:
    """All machines of a cell."""

    def __init__(self, env: simpy.Environment, cell: Cell, queue: LeaseQueue, choose: random.Random) -> None:
        self._env, self._cell, self._queue, self._choose = env, cell, queue, choose
        self._kept = [0] * cell.n_machines
        self.n_made = self.n_refused = self.n_lost = 0
        for machine in range(cell.n_machines):
            env.process(self._send(machine))

    @property
    def n_kept(self) -> int:
        """Clips that lie in machines now."""
        return sum(self._kept)

    def _send(self, machine: int) -> Any:
        due_s, number = self._choose.uniform(0, self._cell.period_s), 0
        while due_s < self._cell.lasts_s:
            at_s = due_s + self._choose.uniform(0, 2 * self._cell.jitter_s)
            yield self._env.timeout(max(0.0, at_s - self._env.now))
            self.n_made += 1
            self._deliver(Clip(machine, number, self._env.now))
            due_s, number = due_s + self._cell.period_s, number + 1

    def _deliver(self, clip: Clip) -> None:
        if self._is_taken(clip):
            return
        if self._kept[clip.machine] >= self._cell.machine_keeps:
            self.n_lost += 1
            return
        self._kept[clip.machine] += 1
        self._env.process(self._try_again(clip))

    def _is_taken(self, clip: Clip) -> bool:
        """Offer a clip; of one that is taken the answer may be lost, and then it comes again."""
        if not self._queue.offer(clip):
            self.n_refused += 1
            return False
        return self._choose.random() >= self._cell.answers_lost

    def _try_again(self, clip: Clip) -> Any:
        wait_s = FIRST_TRY_S
        while True:
            yield self._env.timeout(wait_s * self._choose.uniform(0.5, 1.0))
            if self._is_taken(clip):
                break
            wait_s = min(2 * wait_s, LAST_TRY_S)
        self._kept[clip.machine] -= 1
