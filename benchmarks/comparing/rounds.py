"""Rounds in shuffled order, for everything that is compared."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from osscl.bench.rounds import Work

_SETTLING_S = 0.05  # threads of the last one look for work for a while before they sleep


def in_rounds(works: Sequence[Work], rounds: int, on_round: Callable[[int], None]) -> None:
    """Run each work once in each round, for the time that it has a round."""
    generator = np.random.default_rng(0)
    for number in range(rounds):
        for index in generator.permutation(len(works)):
            time.sleep(_SETTLING_S)
            works[index].done.append(works[index].run(works[index].budget_s))
        on_round(number)


def settle() -> None:
    """Wait until the threads of what ran last sleep."""
    time.sleep(_SETTLING_S)
