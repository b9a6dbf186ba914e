"""A worker: takes clips, scores them, writes records once a second; it may die at any moment."""

import random
from typing import Any

import simpy

from .cell import Cell
from .lease_queue import Lease, LeaseQueue
from .store import Store


class Worker:
    """One thread that scores; what it has not written dies with it."""

    def __init__(
        self, env: simpy.Environment, cell: Cell, queue: LeaseQueue, store: Store, choose: random.Random
    ) -> None:
        self._env, self._cell, self._queue, self._store, self._choose = env, cell, queue, store, choose
        self._unwritten: list[Lease] = []
        self._asked: simpy.Event | None = None
        self._written_s = 0.0
        self.busy_s = 0.0  # while machines send
        self.n_deaths = 0
        self.is_alive = True
        self._process = env.process(self._live())
        if cell.worker_lives_s is not None:
            env.process(self._die_at_random(cell.worker_lives_s))

    def kill(self, away_s: float) -> None:
        """End it at this moment; another starts in its place after so long."""
        if self.is_alive:
            self.is_alive = False
            self._process.interrupt(away_s)

    def _die_at_random(self, lives_s: float) -> Any:
        while True:
            yield self._env.timeout(self._choose.expovariate(1 / lives_s))
            self.kill(self._cell.worker_away_s)

    def _live(self) -> Any:
        while True:
            try:
                yield from self._work()
            except simpy.Interrupt as death:
                self.n_deaths += 1
                self._unwritten = []
                if self._asked is not None:
                    self._queue.withdraw(self._asked)
                    self._asked = None
                yield self._env.timeout(death.cause)
                self.is_alive = True

    def _work(self) -> Any:
        while True:
            if not len(self._queue) or self._env.now - self._written_s >= self._cell.commit_every_s:
                yield from self._write()
            self._asked = self._queue.ask()
            lease = yield self._asked
            self._asked = None
            yield from self._score()
            self._unwritten.append(lease)

    def _score(self) -> Any:
        began_s = self._env.now
        try:
            yield self._env.timeout(self._cell.service_s * self._choose.choice(self._cell.spread))
        finally:
            ended_s = min(self._env.now, self._cell.lasts_s)
            self.busy_s += max(0.0, ended_s - began_s)

    def _write(self) -> Any:
        if self._unwritten:
            yield from self._store.write([lease.clip for lease in self._unwritten])
            for lease in self._unwritten:
                self._queue.done(lease)
            self._unwritten = []
        self._written_s = self._env.now
