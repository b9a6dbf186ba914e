"""How long a training takes: told by its first steps, and from then on by those that are done."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from osscl.errors import TrainingError
from osscl.support.durations import in_words
from osscl.support.plurals import counted
from osscl.training.order import n_batches

N_TIMED_STEPS = 3
"""Steps that are timed, after a first one that is slower than all others."""
_HOLD_OUT_CLIP = 0.5
"""Time of a clip held out as a share of that of a clip in a step: forward alone, always in float32."""
_KEPT_FREE = 0.05
"""Share of a time limit that is not planned for: checkpoints take time, and no machine is always as fast."""


class Pace(NamedTuple):
    """How fast a training is.

    Attributes
    ----------
    step_s : float
        Time of a step, seconds.
    steps_of_epoch : int
        Steps of an epoch.
    hold_out_s : float
        Time of the look at the clips held out that ends an epoch, seconds.
    """

    step_s: float
    steps_of_epoch: int
    hold_out_s: float

    @property
    def epoch_s(self) -> float:
        """Time of an epoch, seconds."""
        return self.steps_of_epoch * self.step_s + self.hold_out_s

    def seconds_for(self, n_steps: int) -> float:
        """Time of the last so many steps of a training, with a look at the hold-out after each epoch."""
        n_epochs = -(-n_steps // self.steps_of_epoch)
        return n_steps * self.step_s + n_epochs * self.hold_out_s


def pace_of(step_s: float, n_training_clips: int, n_held_out: int, batch_size: int) -> Pace:
    """Tell the pace of a training from the time of a step.

    Parameters
    ----------
    step_s : float
        Time of a step, seconds.
    n_training_clips, n_held_out : int
        Clips trained on and held out.
    batch_size : int
        Clips of a step, as the recipe has it.

    Returns
    -------
    Pace
        Its look at the clips held out is estimated, not measured.
    """
    n_clips = min(batch_size, n_training_clips)
    return Pace(
        step_s, n_batches(n_training_clips, batch_size), _HOLD_OUT_CLIP * n_held_out * step_s / n_clips
    )


def planned_epochs(left_s: float, pace: Pace, at_most: int, n_trainings: int = 1) -> int:
    """Plan how many epochs are done within a time.

    Parameters
    ----------
    left_s : float
        The time, seconds.
    pace : Pace
        As it was measured.
    at_most : int
        Epochs that are enough, as the recipe has them.
    n_trainings : int
        Trainings that share the time.

    Returns
    -------
    int
        At least 1. A twentieth of the time is kept free.

    Raises
    ------
    TrainingError
        The time is too short for one epoch.
    """
    needed_s = n_trainings * pace.epoch_s / (1 - _KEPT_FREE)
    n_epochs = int(left_s / needed_s)
    if n_epochs < 1:
        each = "one epoch" if n_trainings == 1 else f"one epoch of each of {counted(n_trainings, 'training')}"
        raise TrainingError(
            f"--time-limit is too short: {in_words(max(left_s, 0.0))} of it are left, and {each} takes about "
            f"{in_words(needed_s)} here ({counted(pace.steps_of_epoch, 'step')}); name a limit that is at "
            f"least {in_words(needed_s - left_s)} longer, or train on fewer clips"
        )
    return min(n_epochs, at_most)


class Timing:
    """When steps were done.

    Parameters
    ----------
    n_steps : int
        Of the whole training.
    now : callable
        The clock, seconds.
    """

    def __init__(self, n_steps: int, now: Callable[[], float] = time.monotonic) -> None:
        self._n_steps, self._now = n_steps, now
        self._first: tuple[int, float] | None = None
        self._last = (0, 0.0)

    def after_step(self, n_done: int) -> float | None:
        """Note that a step is done.

        Parameters
        ----------
        n_done : int
            Steps done in all, those before a stop included.

        Returns
        -------
        float or None
            Time of a step, seconds, once, as soon as it can be told.
        """
        self._last = n_done, self._now()
        if self._first is None:
            self._first = self._last
        return self.step_s if n_done - self._first[0] == N_TIMED_STEPS else None

    @property
    def step_s(self) -> float | None:
        """Seconds of a step by what was done since the first one; None before there is a second one."""
        if self._first is None or self._last[0] == self._first[0]:
            return None
        n_timed, took = (last - first for last, first in zip(self._last, self._first, strict=True))
        return took / n_timed

    @property
    def left_s(self) -> float | None:
        """Seconds left by what was done since the first step; None before there is a second one."""
        return None if self.step_s is None else self.step_s * (self._n_steps - self._last[0])


def estimate(seconds: float, n_steps: int, now: datetime) -> str:
    """Say how long steps take, and when they will be done.

    Parameters
    ----------
    seconds : float
        That they take.
    n_steps : int
        That are still to be done.
    now : datetime
        The time of the day.

    Returns
    -------
    str
        Such as "about 34 min for 990 steps, until about 15:02".
    """
    end = now + timedelta(seconds=seconds)
    told = f"{end:%H:%M}" if end.date() == now.date() else f"{end:%Y-%m-%d %H:%M}"
    return f"about {in_words(seconds)} for {counted(n_steps, 'step')}, until about {told}"
