"""A recipe for a time: a few steps are done and thrown away, and their speed tells how many epochs fit."""

import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from osscl.errors import TrainingError
from osscl.support.durations import in_words
from osscl.training.clips import TrainingData
from osscl.training.execution import Execution
from osscl.training.hold_out import split_hold_out
from osscl.training.reports import Report, StepReport
from osscl.training.runs import train
from osscl.training.timing import N_TIMED_STEPS, Pace, Timing, pace_of
from osscl.training.train_config import TrainConfig

_TOO_SHORT = (
    "--time-limit is too short: it is over before two steps are done, which tell how long one takes here; "
)
_OR_EPOCHS = "or say how many epochs there shall be (--epochs)"


def measured_pace(
    data: TrainingData,
    config: TrainConfig,
    execution: Execution,
    left_s: Callable[[], float] = lambda: math.inf,
    now: Callable[[], float] = time.monotonic,
) -> Pace:
    """Measure how fast a training will be, by four steps of one that is thrown away, or fewer.

    Parameters
    ----------
    data : TrainingData
        The clips.
    config : TrainConfig
        The recipe.
    execution : Execution
        Device, workers, cache.
    left_s : callable
        How much time there is, seconds: where none is left, no further step is begun.
    now : callable
        The clock, seconds.

    Returns
    -------
    Pace
        Of this recipe with these clips on this machine.

    Raises
    ------
    TrainingError
        As `osscl.training.train` raises it; or the time is over before a step could be timed.
    """
    had_s = left_s()
    if had_s <= 0:
        raise TrainingError(
            f"{_TOO_SHORT}reading the recordings took all of it: name one several times as long, {_OR_EPOCHS}"
        )
    n_training, n_held_out = map(len, split_hold_out(data, config.hold_out, config.seed))
    step_s: float | None = None
    enough = replace(config, epochs=N_TIMED_STEPS + 1)  # an epoch has a step at least
    timing = Timing(enough.epochs, now)

    def note(report: Report) -> None:
        nonlocal step_s
        if isinstance(report, StepReport) and step_s is None:
            step_s = timing.after_step(report.n_steps)

    with tempfile.TemporaryDirectory(prefix="osscl-pace-") as folder:
        train(
            data,
            Path(folder) / "pace",
            enough,
            execution,
            listener=note,
            should_stop=lambda: step_s is not None or left_s() <= 0,
        )
    step_s = step_s or timing.step_s
    if step_s is None:
        first_s = had_s - left_s()
        epoch_s = pace_of(first_s, n_training, n_held_out, config.batch_size).epoch_s
        raise TrainingError(
            f"{_TOO_SHORT}the first and all before it took {in_words(first_s)}, so that an epoch takes at "
            f"most about {in_words(epoch_s)}: name a limit that is so much longer, {_OR_EPOCHS}"
        )
    return pace_of(step_s, n_training, n_held_out, config.batch_size)
