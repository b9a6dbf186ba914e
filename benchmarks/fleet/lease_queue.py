"""The queue of a cell: bounded, and what was taken and not done in time is given out again."""

from collections import deque
from dataclasses import dataclass
from typing import Any

import simpy

SWEEP_S = 1.0


@dataclass(frozen=True)
class Clip:
    """A recording, known by machine and number."""

    machine: int
    number: int
    made_s: float


@dataclass(frozen=True)
class Lease:
    """A clip that a worker has for a while."""

    ticket: int
    clip: Clip
    ends_s: float


class LeaseQueue:
    """Clips wait here; whoever takes one has it until its lease ends."""

    def __init__(self, env: simpy.Environment, limit: int, lease_s: float) -> None:
        self._env, self._limit, self._lease_s = env, limit, lease_s
        self._waiting: deque[tuple[Clip, float]] = deque()  # with the time since when
        self._asking: deque[simpy.Event] = deque()
        self.leases: dict[int, Lease] = {}  # oldest first
        self.n_given_again = 0
        self.longest = 0
        self.waits_s: list[float] = []
        self._tickets = 0
        env.process(self._sweep())

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, clip: Clip) -> bool:
        """Take a clip in, or refuse it because the queue is full."""
        if len(self._waiting) >= self._limit:
            return False
        self._waiting.append((clip, self._env.now))
        self._serve()
        return True

    def ask(self) -> simpy.Event:
        """Ask for a clip: an event that comes with its lease."""
        asked = self._env.event()
        self._asking.append(asked)
        self._serve()
        return asked

    def withdraw(self, asked: simpy.Event) -> None:
        """Ask no more; a clip that came already stays leased until its time is over."""
        if asked in self._asking:
            self._asking.remove(asked)

    def done(self, lease: Lease) -> None:
        """Forget a clip that is recorded; its lease may be over already."""
        self.leases.pop(lease.ticket, None)

    def _serve(self) -> None:
        while self._waiting and self._asking:
            clip, since_s = self._waiting.popleft()
            self.waits_s.append(self._env.now - since_s)
            self._tickets += 1
            lease = Lease(self._tickets, clip, self._env.now + self._lease_s)
            self.leases[lease.ticket] = lease
            self._asking.popleft().succeed(lease)
        self.longest = max(self.longest, len(self._waiting))

    def _sweep(self) -> Any:
        """Give out again, first of all, what was not done in time."""
        while True:
            yield self._env.timeout(SWEEP_S)
            over = []
            for lease in self.leases.values():
                if lease.ends_s > self._env.now:
                    break  # those behind began later
                over.append(lease)
            for lease in reversed(over):
                del self.leases[lease.ticket]
                self._waiting.appendleft((lease.clip, self._env.now))
            self.n_given_again += len(over)
            self._serve()
