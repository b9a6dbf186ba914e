"""``--time-limit``: the epochs of all trainings of a command, planned by the speed of a few steps."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from osscl.cli.messages import say
from osscl.support.durations import in_words
from osscl.support.plurals import plural

if TYPE_CHECKING:
    from osscl.training import Execution, TrainConfig, TrainingData


class TimeLimit:
    """How much time a command has, from now on.

    Parameters
    ----------
    seconds : float
        The limit.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left_s(self) -> float:
        """What is left of it, seconds; below zero where it is over."""
        return self._end - time.monotonic()


def planned_recipes(
    clips: "TrainingData",
    recipes: "dict[Path, TrainConfig]",
    execution: "Execution",
    limit: TimeLimit,
    *,
    is_begun: bool,
) -> "dict[Path, TrainConfig]":
    """Recipes with as many epochs as fit into a time, the same for all seeds; says what was planned.

    Trainings of which one has begun keep what was planned when it did.
    """
    from msgspec.structs import replace

    from osscl.training.planning import measured_pace
    from osscl.training.timing import planned_epochs

    first = next(iter(recipes.values()))
    if is_begun:
        say(f"--time-limit plans nothing anew: the training goes on with its {_epochs(first.epochs)}")
        return recipes
    say("--time-limit: a few steps are done and thrown away, to measure their speed")
    pace = measured_pace(clips, first, execution, lambda: limit.left_s)
    n_epochs = planned_epochs(limit.left_s, pace, first.epochs, len(recipes))
    share = "" if len(recipes) == 1 else f" for each of {len(recipes)} seeds"
    enough = ", which the recipe has; there is time for them" if n_epochs == first.epochs else ""
    say(
        f"planned for a limit of {in_words(limit.seconds)}: {_epochs(n_epochs)}{share}{enough}; "
        f"about {in_words(n_epochs * pace.epoch_s)}, {in_words(pace.epoch_s)} an epoch"
    )
    return {folder: replace(recipe, epochs=n_epochs) for folder, recipe in recipes.items()}


def _epochs(count: int) -> str:
    return f"{count} {plural(count, 'epoch')}"
