"""Exponential moving average of the weights, which is what a training is after."""

import copy
import math

import torch
from torch import Tensor

from osscl.model import OSSCL

DECAY = 0.9999
LIVE_SHRINKAGE = 2e-6


def decay_at(step: int, *, warmup: bool) -> float:
    """Share of the average that one step keeps.

    Parameters
    ----------
    step : int
        Optimiser steps done before this one.
    warmup : bool
        Start with a short memory that grows with the steps.

    Returns
    -------
    float
        0.9999, or ``min(0.9999, (1 + step) / (10 + step))``.
    """
    return min(DECAY, (1 + step) / (10 + step)) if warmup else DECAY


def initialisation_left(n_steps: int, *, warmup: bool) -> float:
    """Share of the average that is still the initialisation after so many steps, in [0, 1]."""
    return math.prod(decay_at(step, warmup=warmup) for step in range(n_steps))


class MovingAverage:
    """Average of all float32 entries of a network's state, statistics of batch norm included.

    Parameters
    ----------
    live : OSSCL
        The network that is trained; the average starts as its copy.

    Attributes
    ----------
    model : OSSCL
        The average, in eval mode.
    """

    def __init__(self, live: OSSCL) -> None:
        self.model = copy.deepcopy(live).eval().requires_grad_(False)
        self._pairs = _float_pairs(self.model, live)

    @torch.no_grad()
    def update(self, step: int, *, warmup: bool) -> None:
        """Take in the weights of an optimiser step, then shrink the live ones a little, as published."""
        decay = decay_at(step, warmup=warmup)
        for averaged, live in self._pairs:
            averaged.mul_(decay).add_(live, alpha=1.0 - decay)
            live.mul_(1.0 - LIVE_SHRINKAGE)


def _float_pairs(average: OSSCL, live: OSSCL) -> list[tuple[Tensor, Tensor]]:
    states = zip(average.state_dict().values(), live.state_dict().values(), strict=True)
    return [(mean, value) for mean, value in states if value.is_floating_point()]
