"""How busy other processes keep the machine while something is measured."""

import os
from collections.abc import Iterable
from pathlib import Path

from osscl.bench import clock

DISTURBING_CPUS = 0.1
"""Processors used by others from which figures of all processors are not to be relied on."""

_PROC = Path("/proc")
# Columns of the first line of its file stat: user, nice, system, idle, iowait, irq, softirq, steal.
_BUSY = (0, 1, 2, 5, 6, 7)
_USER, _SYSTEM = 11, 12  # columns of /proc/PID/stat after the name, which stands in parentheses


class Neighbours:
    """Processors that others use from now on.

    Parameters
    ----------
    own : iterable of int
        Processes that count as ours beside this one, by their numbers.
    """

    def __init__(self, own: Iterable[int] = ()) -> None:
        self._own = tuple(own)
        self._start = self._now()

    def cpus(self) -> float | None:
        """Look how much it was.

        Returns
        -------
        float or None
            Processors, on average since the start, time stolen by other virtual machines included; None
            where the system does not tell.
        """
        end = self._now()
        if self._start is None or end is None or end[0] <= self._start[0]:
            return None
        return max(0.0, (end[1] - self._start[1]) / (end[0] - self._start[0]))

    def _now(self) -> tuple[float, float] | None:
        """Time, and processor time that others have used so far; seconds."""
        try:
            machine = list(map(int, (_PROC / "stat").read_text().partition("\n")[0].split()[1:]))
            ticks = sum(machine[column] for column in _BUSY) - sum(map(_ticks, self._own))
            return clock.now(), ticks / os.sysconf("SC_CLK_TCK") - clock.used_by_this_process()
        except (OSError, ValueError, IndexError):
            return None


def _ticks(pid: int) -> int:
    fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return int(fields[_USER]) + int(fields[_SYSTEM])
