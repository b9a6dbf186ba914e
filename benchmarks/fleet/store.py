"""The journal of a cell: one record a clip, by its key; at times it stalls."""

from typing import Any

import simpy

from .lease_queue import Clip

FIRST_TRY_S, LAST_TRY_S = 0.5, 8.0  # back-off of a writer that meets a stall


class Store:
    """Records by key; a second record of a clip is counted and dropped."""

    def __init__(self, env: simpy.Environment, commit_s: float) -> None:
        self._env, self._commit_s = env, commit_s
        self._stalled_until_s = 0.0
        self._keys: set[tuple[int, int]] = set()
        self.delays_s: list[float] = []  # of first records, from a clip's end to its record
        self.n_twice = 0

    def __len__(self) -> int:
        return len(self._keys)

    def stall(self, lasts_s: float) -> None:
        """Take nothing for so long."""
        self._stalled_until_s = max(self._stalled_until_s, self._env.now + lasts_s)

    def write(self, clips: list[Clip]) -> Any:
        """Write records in one transaction, tried again until it goes through."""
        wait_s = FIRST_TRY_S
        while self._env.now < self._stalled_until_s:
            yield self._env.timeout(wait_s)
            wait_s = min(2 * wait_s, LAST_TRY_S)
        yield self._env.timeout(self._commit_s)
        for clip in clips:
            self._record(clip)

    def _record(self, clip: Clip) -> None:
        key = (clip.machine, clip.number)
        if key in self._keys:
            self.n_twice += 1
            return
        self._keys.add(key)
        self.delays_s.append(self._env.now - clip.made_s)
