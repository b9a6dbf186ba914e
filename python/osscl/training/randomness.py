"""All chance of a training: a function of seed, purpose, epoch and step, whatever was drawn before."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What chance decides; the numbers are part of every seed and never change."""

    INITIALISATION = 0
    HOLD_OUT = 1
    ORDER = 2
    MIXUP = 3
    EXPOSURE = 4
    EXCHANGE = 5


def generator(seed: int, purpose: Purpose, epoch: int = 0, step: int = 0) -> np.random.Generator:
    """Make the source of chance of one decision.

    Parameters
    ----------
    seed : int
        Seed of the training.
    purpose : Purpose
        What is decided.
    epoch, step : int
        When, counted from 0; the step within its epoch.

    Returns
    -------
    numpy.random.Generator
        The same for the same arguments.
    """
    return np.random.default_rng([seed, purpose, epoch, step])
