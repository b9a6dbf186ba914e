"""The clock by which everything here is timed: in one place, so that it can be set to another."""

import time
from collections.abc import Callable

now: Callable[[], float] = time.perf_counter
"""Seconds since some moment."""
used_by_this_process: Callable[[], float] = time.process_time
"""Seconds for which processors computed for this process."""
